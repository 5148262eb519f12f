//! VP8 payload descriptor, and what its frame header says about key frames (RFC 7741 4, RFC 6386 9.1).

use crate::{Malformed, read};

/// A parsed payload descriptor: the bytes of a packet before its VP8 data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// Bytes of the descriptor.
    pub len: u8,
    /// N: no other frame refers to this one.
    pub disposable: bool,
    /// S and PID 0: the first packet of a frame.
    pub frame_start: bool,
    /// I and M: number of the frame, 7 or 15 bits wide.
    pub picture_id: Option<PictureId>,
    /// L: number of the temporal base layer frame.
    pub tl0_pic_idx: Option<u8>,
    /// T: temporal layer, 0-3.
    pub temporal: Option<u8>,
    /// Y: refers to the base layer only, so that one may switch up here.
    pub layer_sync: bool,
    /// K: temporal key frame index, 0-31.
    pub key_idx: Option<u8>,
}

/// A frame's number in its width on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureId {
    /// The number.
    pub value: u16,
    /// 15 bits (M set) and not 7.
    pub wide: bool,
}

impl PictureId {
    /// Largest value of its width: 127 or 32,767.
    pub fn mask(self) -> u16 {
        if self.wide { 0x7FFF } else { 0x7F }
    }
}

impl Descriptor {
    /// Read the descriptor of a non-empty payload; VP8 data must follow.
    pub fn parse(payload: &[u8]) -> Result<Descriptor, Malformed> {
        let first = read::u8_at(payload, 0)?;
        let mut found = Descriptor {
            len: 1,
            disposable: first & 0x20 != 0,
            frame_start: first & 0x17 == 0x10,
            ..Descriptor::default()
        };
        if first & 0x80 != 0 {
            found.parse_extended(payload)?;
        }
        if payload.len() <= usize::from(found.len) {
            return Err(Malformed::Truncated);
        }
        Ok(found)
    }

    fn parse_extended(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        let bits = read::u8_at(payload, 1)?;
        let mut at = 2;
        if bits & 0x80 != 0 {
            let narrow = read::u8_at(payload, at)?;
            let wide = narrow & 0x80 != 0;
            let value = if wide {
                read::u16_at(payload, at)? & 0x7FFF
            } else {
                u16::from(narrow)
            };
            self.picture_id = Some(PictureId { value, wide });
            at += if wide { 2 } else { 1 };
        }
        if bits & 0x40 != 0 {
            self.tl0_pic_idx = Some(read::u8_at(payload, at)?);
            at += 1;
        }
        if bits & 0x30 != 0 {
            let byte = read::u8_at(payload, at)?;
            if bits & 0x20 != 0 {
                self.temporal = Some(byte >> 6);
                self.layer_sync = byte & 0x20 != 0;
            }
            if bits & 0x10 != 0 {
                self.key_idx = Some(byte & 0x1F);
            }
            at += 1;
        }
        self.len = u8::try_from(at).map_err(|_| Malformed::Length)?;
        Ok(())
    }

    /// Whether this packet starts a key frame; `payload` is what the descriptor was parsed from.
    pub fn starts_keyframe(&self, payload: &[u8]) -> bool {
        self.frame_start
            && payload
                .get(usize::from(self.len))
                .is_some_and(|tag| tag & 1 == 0)
    }

    /// Width and height in pixels, where this packet starts a key frame and holds its whole header.
    pub fn frame_size(&self, payload: &[u8]) -> Option<(u16, u16)> {
        if !self.starts_keyframe(payload) {
            return None;
        }
        let frame = payload.get(usize::from(self.len)..)?;
        let [_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1] = *frame.first_chunk::<10>()? else {
            return None;
        };
        Some((
            u16::from_le_bytes([w0, w1]) & 0x3FFF,
            u16::from_le_bytes([h0, h1]) & 0x3FFF,
        ))
    }

    /// Write new numbers over those that the descriptor has, in their width; what it has not is left out.
    ///
    /// `payload` is the packet's payload or its copy. A 7-bit picture id keeps the low 7 bits.
    pub fn rewrite(&self, payload: &mut [u8], picture_id: u16, tl0_pic_idx: u8) {
        let mut at = 2;
        match self.picture_id {
            Some(id) if id.wide => {
                crate::rtp::put(payload, at, &(picture_id | 0x8000).to_be_bytes());
                at += 2;
            }
            Some(_) => {
                let [_, low] = picture_id.to_be_bytes();
                crate::rtp::put(payload, at, &[low & 0x7F]);
                at += 1;
            }
            None => {}
        }
        if self.tl0_pic_idx.is_some() {
            crate::rtp::put(payload, at, &[tl0_pic_idx]);
        }
    }
}
