//! One received stream of picture: packets and repairs become frames, frames are decoded and shown.

use zhuandi_sfu::receive_stats::ReceiveStats;
use zhuandi_wire::rtp::Header;
use zhuandi_wire::rtx;
use zhuandi_wire::seq::{TsUnwrapper, Unwrapper, low16};
use zhuandi_wire::time::Micros;
use zhuandi_wire::vp8::Descriptor;

use super::decoder::Decoder;
use super::freeze::Freezes;
use super::nack_sender::{DEFAULT_RTT_US, NackSender, PROCESS_US};
use super::picture_buffer::{Frame, Names, Part, PictureBuffer};
use super::render_clock::RenderClock;
use super::shown::Shown;
use crate::stamp;

const VP8_PT: u8 = 96;
const RTX_PT: u8 = 97;
const RATE: u32 = 90_000;
/// Without a key frame to begin with it is asked for this often, without any frame to show this often
/// (libwebrtc's VideoReceiveStream2).
const KEY_WAIT_US: i64 = 200_000;
const FRAME_WAIT_US: i64 = 3_000_000;
/// A stream that sent nothing for this long is not active: nobody asks.
const ACTIVE_US: i64 = 5_000_000;

/// Numbers of a few bits, unwrapped.
#[derive(Debug, Default)]
struct Narrow(Option<u64>);

impl Narrow {
    fn unwrap(&mut self, value: u64, bits: u32) -> u64 {
        let size = 1u64 << bits;
        let Some(highest) = self.0 else {
            self.0 = Some(size + value);
            return size + value;
        };
        let step = value.wrapping_sub(highest) & (size - 1);
        let found = if step < size / 2 {
            highest + step
        } else {
            (highest + step).saturating_sub(size)
        };
        self.0 = Some(highest.max(found));
        found
    }
}

/// See the module.
pub struct PictureSlot {
    /// Its SSRC.
    pub ssrc: u32,
    /// SSRC of its repairs.
    pub rtx_ssrc: u32,
    /// For receiver reports.
    pub stats: ReceiveStats,
    /// Gaps.
    pub freezes: Freezes,
    /// What was seen.
    pub shown: Shown,
    /// Timing.
    pub clock: RenderClock,
    /// Packets that came.
    pub packets: u64,
    /// Packets that were asked for again.
    pub nacks: u64,
    /// Key frames that were asked for.
    pub plis: u64,
    seqs: Unwrapper,
    stamps: TsUnwrapper,
    pictures: Narrow,
    tl0s: Narrow,
    holes: NackSender,
    nack_at: Micros,
    parts: PictureBuffer,
    decoder: Decoder,
    show_at: Option<(Micros, Frame)>,
    packet_at: Micros,
    /// Since when a frame is waited for.
    waits: Micros,
}

impl PictureSlot {
    /// A stream of these SSRCs, of which nothing came.
    pub fn new(ssrc: u32, rtx_ssrc: u32, now: Micros) -> PictureSlot {
        PictureSlot {
            ssrc,
            rtx_ssrc,
            stats: ReceiveStats::new(RATE),
            freezes: Freezes::default(),
            shown: Shown::new(now),
            clock: RenderClock::default(),
            packets: 0,
            nacks: 0,
            plis: 0,
            seqs: Unwrapper::new(),
            stamps: TsUnwrapper::new(),
            pictures: Narrow::default(),
            tl0s: Narrow::default(),
            holes: NackSender::default(),
            nack_at: Micros::NEVER,
            parts: PictureBuffer::default(),
            decoder: Decoder::default(),
            show_at: None,
            packet_at: Micros(i64::MIN / 2),
            waits: now,
        }
    }

    /// A decrypted packet of the stream or of its repairs; answers the numbers to ask for.
    pub fn arrived(&mut self, now: Micros, mut header: Header, packet: &mut [u8]) -> Vec<u16> {
        self.settle(now);
        let mut plain = packet;
        let repaired = header.fields.pt == RTX_PT;
        if repaired {
            let Ok(original) = rtx::restore(plain, &header, VP8_PT, self.ssrc) else {
                return Vec::new();
            };
            header = original;
            plain = plain.get_mut(rtx::OSN_LEN..).unwrap_or_default();
        }
        let Ok(range) = header.payload(plain) else {
            return Vec::new();
        };
        let payload = plain.get(range).unwrap_or_default();
        if repaired && payload.is_empty() {
            return Vec::new();
        }
        self.packet_at = now;
        self.packets += 1;
        let before = self.holes.highest();
        let index = self.seqs.unwrap(header.fields.seq);
        self.holes.arrived(index);
        if !repaired && self.stats.arrived(index) {
            self.stats.jitter_sample(now, header.fields.ts);
        }
        let part = self.part(&header, payload, repaired);
        if let Some(frame) = self.parts.arrived(now, index, part) {
            self.complete(frame);
        }
        match before.is_some_and(|before| index > before + 1) {
            true => self.ask(now),
            false => Vec::new(),
        }
    }

    /// When [`PictureSlot::poll`] is due.
    pub fn next(&self) -> Micros {
        self.nack_at
    }

    /// Holes that wait for a round trip already.
    pub fn poll(&mut self, now: Micros) -> Vec<u16> {
        match now >= self.nack_at {
            true => self.ask(now),
            false => Vec::new(),
        }
    }

    /// Whether to ask for a key frame now.
    pub fn wants_key(&mut self, now: Micros) -> bool {
        let wait = match self.decoder.needs_key() {
            true => KEY_WAIT_US,
            false => FRAME_WAIT_US,
        };
        let active = now.since(self.packet_at) < ACTIVE_US;
        let wants = active && now.since(self.waits) >= wait;
        if wants {
            self.waits = now;
            self.plis += 1;
        }
        wants
    }

    /// Show all frames whose time has come.
    pub fn settle(&mut self, now: Micros) {
        while let Some((at, frame)) = self.show_at.filter(|(at, _)| *at <= now) {
            self.decoder.decode(&frame);
            self.parts.forget_before(frame.first);
            self.holes.forget_before(frame.first);
            self.waits = at;
            if self.shown.frame(at, &frame) {
                self.freezes.shown(at);
            }
            self.plan();
        }
    }

    /// The classroom is shown no picture from now on, or again.
    pub fn set_paused(&mut self, now: Micros, paused: bool) {
        self.settle(now);
        if self.shown.set_paused(now, paused) && paused {
            self.freezes.paused(now);
        }
    }

    fn complete(&mut self, frame: Frame) {
        self.clock
            .arrived(frame.complete, media_us(frame.ts), frame.repaired);
        if self.decoder.push(frame) {
            self.plan();
        }
    }

    /// The next frame that can be shown, and when.
    fn plan(&mut self) {
        self.show_at = self.decoder.next().map(|frame| {
            let known = frame.complete.max(self.waits);
            (self.clock.due(known, media_us(frame.ts)), frame)
        });
    }

    fn ask(&mut self, now: Micros) -> Vec<u16> {
        let due = self.holes.due(now, DEFAULT_RTT_US);
        self.nack_at = match self.holes.is_empty() {
            true => Micros::NEVER,
            false => now.plus(PROCESS_US),
        };
        self.nacks += due.len() as u64;
        due.into_iter().map(low16).collect()
    }

    fn part(&mut self, header: &Header, payload: &[u8], repaired: bool) -> Part {
        let mut part = Part {
            ts: self.stamps.unwrap(header.fields.ts),
            marker: header.fields.marker,
            repaired,
            bytes: u32::try_from(payload.len()).unwrap_or(0),
            ..Part::default()
        };
        let Ok(descriptor) = Descriptor::parse(payload) else {
            part.empty = true;
            return part;
        };
        part.start = descriptor.frame_start;
        let picture = descriptor.picture_id.map_or(0, |id| u64::from(id.value));
        let tl0 = u64::from(descriptor.tl0_pic_idx.unwrap_or(0));
        part.names = Names {
            picture: self.pictures.unwrap(picture, 15),
            tl0: self.tl0s.unwrap(tl0, 8),
            temporal: descriptor.temporal.unwrap_or(0),
            sync: descriptor.layer_sync,
            key: descriptor.starts_keyframe(payload),
            height: descriptor
                .frame_size(payload)
                .map_or(0, |(_, height)| height),
            captured: payload
                .get(usize::from(descriptor.len) + KEY_HEAD..)
                .and_then(stamp::read)
                .unwrap_or(Micros(0)),
        };
        part
    }
}

/// Bytes of frame header before the stamp.
const KEY_HEAD: usize = 10;

fn media_us(ts: u64) -> i64 {
    i64::try_from(ts.saturating_mul(100) / 9).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_numbers_count_on_across_their_wrap() {
        for start in [0u64, 1, 127, 254, 255] {
            let mut narrow = Narrow::default();
            let first = narrow.unwrap(start, 8);
            for step in 1..1000 {
                assert_eq!(narrow.unwrap((start + step) & 0xFF, 8), first + step);
            }
            assert_eq!(
                narrow.unwrap((start + 990) & 0xFF, 8),
                first + 990,
                "an older one"
            );
        }
    }
}
