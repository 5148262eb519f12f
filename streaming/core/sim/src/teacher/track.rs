//! One source being sent: frames become packets, key frames come when asked for, repairs are sent again.

use std::collections::VecDeque;
use std::sync::Arc;

use zhuandi_sfu::api::{Kind, RtpParameters};
use zhuandi_wire::extensions::Form;
use zhuandi_wire::rtp::{Fields, Writer};
use zhuandi_wire::seq::low16;
use zhuandi_wire::time::Micros;

use super::film::{Film, FilmFrame, MAX_PAYLOAD};
use crate::{opus, stamp};

/// A browser answers a request for a key frame about this much later: the next captured frame, encoded.
pub const KEY_ANSWER_US: i64 = 100_000;
/// Packets of each encoding that can be sent again.
const HISTORY: usize = 1024;
/// VP8 payload descriptor with picture id, TL0PICIDX and TID, and the beginning of a frame header (RFC 7741, RFC 6386).
const VP8_HEAD: usize = 6 + 10;

/// One plain packet to protect and send.
pub struct Sending {
    /// Its fields.
    pub fields: Fields,
    /// Its sequence number without wraps: SRTP's index (RFC 3711 3.3.1).
    pub index: u64,
    /// Its payload.
    pub payload: Arc<[u8]>,
}

#[derive(Debug, Default)]
struct Stream {
    next: u64,
    rtx_next: u64,
    picture: u16,
    tl0: u8,
    packets: u32,
    octets: u32,
    keys: usize,
    /// A key frame was asked for; it comes from this time on.
    key_due: Option<Micros>,
    begun: bool,
    sent: VecDeque<(Fields, Arc<[u8]>)>,
}

/// See the module.
pub struct Track {
    film: Arc<Film>,
    /// m-section, as negotiated.
    pub rtp: RtpParameters,
    streams: Vec<Stream>,
    start: Micros,
    turn: i64,
    next: usize,
    /// Encodings that are sent now, lowest first (dynacast): those below this count.
    pub active: usize,
}

impl Track {
    /// Begin at `start`.
    pub fn new(film: Arc<Film>, rtp: RtpParameters, start: Micros, seed: u16) -> Track {
        let stream = |at: u16| Stream {
            next: u64::from(seed.wrapping_mul(31).wrapping_add(at.wrapping_mul(7_919))),
            picture: seed.wrapping_mul(17) & 0x7FFF,
            ..Stream::default()
        };
        Track {
            streams: (0..).take(film.encodings.len()).map(stream).collect(),
            active: film.encodings.len(),
            film,
            rtp,
            start,
            turn: 0,
            next: 0,
        }
    }

    /// When the next frame is due.
    pub fn next(&self) -> Micros {
        let frame = self.film.frames.get(self.next);
        frame.map_or(Micros::NEVER, |frame| {
            self.start
                .plus(self.turn.saturating_mul(self.film.loop_us))
                .plus(frame.at_us)
        })
    }

    /// The packets of the next frame.
    pub fn poll(&mut self, now: Micros, out: &mut Vec<Sending>) {
        let Some(frame) = self.film.frames.get(self.next).copied() else {
            return;
        };
        self.next += 1;
        if self.next >= self.film.frames.len() {
            (self.next, self.turn) = (0, self.turn + 1);
        }
        if usize::from(frame.encoding) < self.active {
            match self.film.kind {
                Kind::Audio => self.sound(now, frame, out),
                Kind::Video => self.picture(now, frame, out),
            }
        }
    }

    /// Somebody asks for a key frame: all encodings get one (Chromium answers so).
    pub fn want_key(&mut self, now: Micros) {
        for stream in &mut self.streams {
            stream.key_due.get_or_insert(now.plus(KEY_ANSWER_US));
        }
    }

    /// Switch encodings on or off from above; one that comes back begins with a key frame.
    pub fn set_active(&mut self, count: usize) {
        let count = count.min(self.streams.len());
        for stream in self.streams.iter_mut().take(count).skip(self.active) {
            stream.begun = false;
        }
        self.active = count;
    }

    /// A lost packet goes again on its repair stream (RFC 4588).
    pub fn repair(&mut self, ssrc: u32, seq: u16, out: &mut Vec<Sending>) {
        let of = |encoding: &zhuandi_sfu::api::EncodingParams| encoding.ssrc == Some(ssrc);
        let Some(at) = self.rtp.encodings.iter().position(of) else {
            return;
        };
        let rtx = self
            .rtp
            .encodings
            .get(at)
            .and_then(|encoding| encoding.rtx_ssrc);
        let (Some(stream), Some(rtx_ssrc)) = (self.streams.get_mut(at), rtx) else {
            return;
        };
        let Some((fields, payload)) = stream
            .sent
            .iter()
            .rev()
            .find(|(fields, _)| fields.seq == seq)
        else {
            return;
        };
        let mut wrapped = Vec::with_capacity(payload.len() + 2);
        zhuandi_wire::rtx::wrap(&mut wrapped, seq, payload);
        let fields = Fields {
            ssrc: rtx_ssrc,
            seq: low16(stream.rtx_next),
            pt: fields.pt + 1,
            ..*fields
        };
        let index = stream.rtx_next;
        stream.rtx_next += 1;
        out.push(Sending {
            fields,
            index,
            payload: wrapped.into(),
        });
    }

    /// SSRC, timestamp of now, packets and octets of each encoding that sends: for sender reports. Browsers take the
    /// time at which a packet of sound is whole for that of its timestamp, which says when it began.
    pub fn senders(&self, now: Micros) -> impl Iterator<Item = (u32, u32, u32, u32)> {
        let kind = self.film.kind;
        let streams = self
            .rtp
            .encodings
            .iter()
            .zip(&self.streams)
            .zip(&self.film.encodings);
        streams
            .filter(|((_, stream), _)| stream.packets > 0)
            .filter_map(move |((params, stream), film)| {
                let whole_us = if kind == Kind::Audio {
                    i64::from(film.size)
                } else {
                    0
                };
                Some((
                    params.ssrc?,
                    ticks(now.plus(-whole_us), kind),
                    stream.packets,
                    stream.octets,
                ))
            })
    }

    /// A frame of sound is sent when it is whole; its timestamp is that of its beginning.
    fn sound(&mut self, now: Micros, frame: FilmFrame, out: &mut Vec<Sending>) {
        let length = (frame.bytes as usize).max(1 + stamp::LEN);
        let encoding = self.film.encodings.get(usize::from(frame.encoding));
        let frame_us = encoding.map_or(0, |one| i64::from(one.size));
        let captured = now.plus(-frame_us);
        let mut payload = Vec::with_capacity(length);
        payload.push(opus::toc(frame_us));
        stamp::write(&mut payload, captured);
        payload.resize(length, 0);
        self.send(captured, frame.encoding, (true, 111), payload, out);
    }

    fn picture(&mut self, now: Micros, mut frame: FilmFrame, out: &mut Vec<Sending>) {
        let at = usize::from(frame.encoding);
        let (Some(encoding), Some(stream)) =
            (self.film.encodings.get(at), self.streams.get_mut(at))
        else {
            return;
        };
        let asked = stream.key_due.is_some_and(|due| due <= now);
        let key = frame.temporal == 0 && (asked || !stream.begun);
        if !key && !stream.begun {
            return;
        }
        if key {
            frame.bytes = encoding
                .keys
                .get(stream.keys)
                .copied()
                .unwrap_or(frame.bytes);
            stream.keys = (stream.keys + 1) % encoding.keys.len().max(1);
            (stream.key_due, stream.begun) = (None, true);
        }
        stream.picture = (stream.picture + 1) & 0x7FFF;
        if frame.temporal == 0 {
            stream.tl0 = stream.tl0.wrapping_add(1);
        }
        let (picture, tl0) = (stream.picture, stream.tl0);
        let (width, height) = (encoding.width, encoding.size);
        let bytes = (frame.bytes as usize).max(VP8_HEAD + stamp::LEN);
        let parts = bytes.div_ceil(MAX_PAYLOAD);
        for part in 0..parts {
            // Browsers spread a frame evenly over its packets.
            let size = (bytes * (part + 1)).div_ceil(parts) - (bytes * part).div_ceil(parts);
            let mut payload = vec![0x80 | if part == 0 { 0x10 } else { 0 }, 0xE0];
            payload.extend_from_slice(&(picture | 0x8000).to_be_bytes());
            let tid = frame.temporal << 6 | u8::from(frame.sync) << 5;
            payload.extend_from_slice(&[tl0, tid]);
            if part == 0 {
                payload.extend_from_slice(&[u8::from(!key), 0, 0, 0x9D, 0x01, 0x2A]);
                payload.extend_from_slice(&low(width));
                payload.extend_from_slice(&low(height));
                stamp::write(&mut payload, now);
            }
            payload.resize(size.max(VP8_HEAD + stamp::LEN), 0);
            self.send(now, frame.encoding, (part + 1 == parts, 96), payload, out);
        }
    }

    fn send(
        &mut self,
        captured: Micros,
        encoding: u8,
        (marker, pt): (bool, u8),
        payload: Vec<u8>,
        out: &mut Vec<Sending>,
    ) {
        let at = usize::from(encoding);
        let ssrc = self.rtp.encodings.get(at).and_then(|params| params.ssrc);
        let (Some(stream), Some(ssrc)) = (self.streams.get_mut(at), ssrc) else {
            return;
        };
        let fields = Fields {
            marker,
            pt,
            seq: low16(stream.next),
            ts: ticks(captured, self.film.kind),
            ssrc,
        };
        let index = stream.next;
        stream.next += 1;
        stream.packets = stream.packets.wrapping_add(1);
        stream.octets = stream
            .octets
            .wrapping_add(u32::try_from(payload.len()).unwrap_or(0));
        let payload: Arc<[u8]> = payload.into();
        if self.film.kind == Kind::Video {
            stream.sent.push_back((fields, payload.clone()));
            if stream.sent.len() > HISTORY {
                stream.sent.pop_front();
            }
        }
        out.push(Sending {
            fields,
            index,
            payload,
        });
    }
}

/// Write a plain packet with its extensions.
pub fn write(out: &mut Vec<u8>, sending: &Sending, mid: &str, twcc: u16) {
    let mut writer = Writer::new(out, &sending.fields, Form::OneByte);
    writer.element(4, mid.as_bytes());
    writer.element(3, &twcc.to_be_bytes());
    writer.finish();
    out.extend_from_slice(&sending.payload);
}

fn ticks(at: Micros, kind: Kind) -> u32 {
    let rate = match kind {
        Kind::Audio => 48,
        Kind::Video => 90,
    };
    zhuandi_wire::seq::low32((at.0.max(0).unsigned_abs() * rate) / 1000)
}

fn low(size: u32) -> [u8; 2] {
    u16::try_from(size).unwrap_or(0).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::film::tests::{camera, voice};
    use super::*;
    use zhuandi_wire::vp8::Descriptor;

    fn run(track: &mut Track, until: i64) -> Vec<Sending> {
        let mut out = Vec::new();
        while track.next() <= Micros(until) {
            let now = track.next();
            track.poll(now, &mut out);
        }
        out
    }

    fn keys(sent: &[Sending]) -> usize {
        sent.iter()
            .filter(|one| {
                Descriptor::parse(&one.payload)
                    .unwrap()
                    .starts_keyframe(&one.payload)
            })
            .count()
    }

    #[test]
    fn a_picture_begins_with_key_frames_and_sends_more_when_asked() {
        let film = Arc::new(camera());
        let mut track = Track::new(film.clone(), film.rtp(100), Micros(0), 1);
        assert_eq!(keys(&run(&mut track, 1_000_000)), 3);
        track.want_key(Micros(1_000_000));
        track.want_key(Micros(1_010_000));
        let sent = run(&mut track, 3_000_000);
        assert_eq!(keys(&sent), 3, "one on each layer, whoever asks how often");
        assert!(sent.iter().all(|one| one.payload.len() <= MAX_PAYLOAD));
    }

    #[test]
    fn numbers_go_on_across_the_loop_and_a_repair_says_what_it_repairs() {
        let film = Arc::new(camera());
        let mut track = Track::new(film.clone(), film.rtp(100), Micros(0), 65_000);
        let sent = run(&mut track, 60_000_000);
        let low: Vec<_> = sent.iter().filter(|one| one.fields.ssrc == 100).collect();
        let steps = low
            .windows(2)
            .all(|pair| pair[1].fields.seq == pair[0].fields.seq.wrapping_add(1));
        assert!(steps && low.len() > 1400);
        let mut out = Vec::new();
        let last = low[low.len() - 1].fields;
        track.repair(100, last.seq, &mut out);
        assert_eq!((out[0].fields.ssrc, out[0].fields.pt), (101, 97));
        assert_eq!(out[0].payload[..2], last.seq.to_be_bytes());
    }

    #[test]
    fn a_layer_that_is_off_is_silent_and_comes_back_with_a_key_frame() {
        let film = Arc::new(camera());
        let mut track = Track::new(film.clone(), film.rtp(100), Micros(0), 1);
        run(&mut track, 1_000_000);
        track.set_active(1);
        assert!(
            run(&mut track, 2_000_000)
                .iter()
                .all(|one| one.fields.ssrc == 100)
        );
        track.set_active(3);
        let sent = run(&mut track, 3_000_000);
        assert_eq!(keys(&sent), 2);
    }

    #[test]
    fn sound_is_fifty_packets_a_second() {
        let film = Arc::new(voice());
        let mut track = Track::new(film.clone(), film.rtp(100), Micros(0), 1);
        assert_eq!(run(&mut track, 9_999_999).len(), 500);
    }
}
