//! The RTP header: parse, change in place, write anew (RFC 3550 5.1, RFC 8285).

use std::ops::Range;

use crate::Malformed;
use crate::extensions::{Elements, Form};
use crate::read;

/// Length of the part that every packet has.
pub const FIXED_LEN: usize = 12;

/// The fields that a writer chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Last packet of a video frame; start of a talk spurt.
    pub marker: bool,
    /// Payload type, 0-127.
    pub pt: u8,
    /// Sequence number.
    pub seq: u16,
    /// Timestamp in units of the clock rate.
    pub ts: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

/// A parsed header; holds no borrow, so that the payload can be decrypted in place afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Marker, payload type, numbers.
    pub fields: Fields,
    /// The payload ends in padding; its length is in the last byte, after decryption only.
    pub padding: bool,
    /// Bytes before the payload: fixed part, CSRCs and extension block.
    pub len: usize,
    extensions: Option<(Form, u32)>,
}

impl Header {
    /// Read the header of an RTP packet; the payload may still be encrypted.
    pub fn parse(packet: &[u8]) -> Result<Header, Malformed> {
        let fixed: &[u8; FIXED_LEN] = packet.first_chunk().ok_or(Malformed::Truncated)?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let fields = Fields {
            marker: second & 0x80 != 0,
            pt: second & 0x7F,
            seq: u16::from_be_bytes([s0, s1]),
            ts: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        };
        let mut len = FIXED_LEN + 4 * usize::from(first & 0x0F);
        let mut extensions = None;
        if first & 0x10 != 0 {
            let profile = read::u16_at(packet, len)?;
            let words = read::u16_at(packet, len + 2)?;
            extensions = Form::from_profile(profile).map(|form| (form, u32::from(words) * 4));
            len += 4 + 4 * usize::from(words);
        }
        if len > packet.len() {
            return Err(Malformed::Truncated);
        }
        Ok(Header {
            fields,
            padding: first & 0x20 != 0,
            len,
            extensions,
        })
    }

    /// The extension elements; `packet` is what this header was parsed from.
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Elements<'a> {
        match self.extensions {
            Some((form, bytes)) => Elements::new(form, packet, self.len - bytes as usize, self.len),
            None => Elements::none(),
        }
    }

    /// Where the payload lies in the decrypted packet, without padding; empty for a packet of padding only.
    pub fn payload(&self, plain: &[u8]) -> Result<Range<usize>, Malformed> {
        let body = read::tail(plain, self.len)?;
        if !self.padding {
            return Ok(self.len..plain.len());
        }
        let pad = usize::from(*body.last().ok_or(Malformed::Padding)?);
        if pad == 0 || pad > body.len() {
            return Err(Malformed::Padding);
        }
        Ok(self.len..plain.len() - pad)
    }
}

/// Change marker and payload type in place; does nothing to a slice shorter than a header.
pub fn set_marker_and_pt(packet: &mut [u8], marker: bool, pt: u8) {
    if let Some(byte) = packet.get_mut(1) {
        *byte = u8::from(marker) << 7 | (pt & 0x7F);
    }
}

/// Change the sequence number in place; does nothing to a slice shorter than a header.
pub fn set_seq(packet: &mut [u8], seq: u16) {
    put(packet, 2, &seq.to_be_bytes());
}

/// Change the timestamp in place; does nothing to a slice shorter than a header.
pub fn set_ts(packet: &mut [u8], ts: u32) {
    put(packet, 4, &ts.to_be_bytes());
}

/// Change the SSRC in place; does nothing to a slice shorter than a header.
pub fn set_ssrc(packet: &mut [u8], ssrc: u32) {
    put(packet, 8, &ssrc.to_be_bytes());
}

/// Overwrite bytes in place; does nothing where they do not fit.
pub fn put(packet: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = packet.get_mut(at..at.saturating_add(bytes.len())) {
        place.copy_from_slice(bytes);
    }
}

/// Appends one RTP header to a buffer, element by element; call [`Writer::finish`], then append the payload.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    form: Form,
}

impl<'a> Writer<'a> {
    /// Write the fixed part; `form` is for the elements that follow (see [`Form::for_ids`]).
    pub fn new(out: &'a mut Vec<u8>, fields: &Fields, form: Form) -> Writer<'a> {
        let start = out.len();
        let [s0, s1] = fields.seq.to_be_bytes();
        let [t0, t1, t2, t3] = fields.ts.to_be_bytes();
        let [c0, c1, c2, c3] = fields.ssrc.to_be_bytes();
        let second = u8::from(fields.marker) << 7 | (fields.pt & 0x7F);
        out.extend_from_slice(&[0x80, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]);
        Writer { out, start, form }
    }

    /// Add an element; answers where its value starts, counted from the packet's start, or `None` when id or length do not fit the form.
    pub fn element(&mut self, id: u8, data: &[u8]) -> Option<usize> {
        let len = u8::try_from(data.len()).ok()?;
        let fits = match self.form {
            Form::OneByte => (1..=14).contains(&id) && (1..=16).contains(&len),
            Form::TwoByte => id != 0,
        };
        if !fits || self.out.len() - self.start + data.len() > Self::MAX_LEN {
            return None;
        }
        if self.out.len() == self.start + FIXED_LEN {
            let [p0, p1] = self.form.profile().to_be_bytes();
            self.out.extend_from_slice(&[p0, p1, 0, 0]);
        }
        match self.form {
            Form::OneByte => self.out.push(id << 4 | (len - 1)),
            Form::TwoByte => self.out.extend_from_slice(&[id, len]),
        }
        let at = self.out.len() - self.start;
        self.out.extend_from_slice(data);
        Some(at)
    }

    /// Longest header that is written.
    pub const MAX_LEN: usize = 1024;

    /// Pad the block to 32 bits, write its length; answers the length of the header.
    pub fn finish(self) -> usize {
        let len = self.out.len() - self.start;
        if len == FIXED_LEN {
            return len;
        }
        let padded = len.next_multiple_of(4);
        self.out.resize(self.start + padded, 0);
        let words = u16::try_from((padded - FIXED_LEN - 4) / 4).unwrap_or(u16::MAX);
        let header = self.out.get_mut(self.start..).unwrap_or_default();
        put(header, 0, &[0x90]);
        put(header, 14, &words.to_be_bytes());
        padded
    }
}

/// Set the padding bit and append `count` bytes of padding to a packet that starts at `start` in `out`; zero adds nothing.
pub fn pad(out: &mut Vec<u8>, start: usize, count: u8) {
    let Some(first) = out.get_mut(start) else {
        return;
    };
    if count > 0 {
        *first |= 0x20;
        out.resize(out.len() + usize::from(count) - 1, 0);
        out.push(count);
    }
}
