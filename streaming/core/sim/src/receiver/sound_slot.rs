//! One received stream of sound: packets, their redundancy and repairs on the way into the play-out buffer.

use zhuandi_sfu::receive_stats::ReceiveStats;
use zhuandi_wire::red::Red;
use zhuandi_wire::rtp::Header;
use zhuandi_wire::seq::{TsUnwrapper, Unwrapper, low16};
use zhuandi_wire::time::Micros;

use super::nack_sender::NackSender;
use super::sound_buffer::{Sound, SoundBuffer};
use crate::{opus, stamp};

const RED_PT: u8 = 63;
const RATE: u32 = 48_000;
/// Most numbers in one request.
const MAX_ASKED: usize = 250;

/// See the module.
pub struct SoundSlot {
    /// Its SSRC.
    pub ssrc: u32,
    /// For receiver reports.
    pub stats: ReceiveStats,
    /// Play-out.
    pub buffer: SoundBuffer,
    /// Packets that came.
    pub packets: u64,
    /// Packets that were asked for again.
    pub nacks: u64,
    seqs: Unwrapper,
    stamps: TsUnwrapper,
    holes: NackSender,
    frame_us: i64,
    newest_us: i64,
}

impl SoundSlot {
    /// A stream of this SSRC, of which nothing came.
    pub fn new(ssrc: u32) -> SoundSlot {
        SoundSlot {
            ssrc,
            stats: ReceiveStats::new(RATE),
            buffer: SoundBuffer::default(),
            packets: 0,
            nacks: 0,
            seqs: Unwrapper::new(),
            stamps: TsUnwrapper::new(),
            holes: NackSender::default(),
            frame_us: 20_000,
            newest_us: 0,
        }
    }

    /// A plain packet; answers the numbers to ask for.
    pub fn arrived(&mut self, now: Micros, header: &Header, payload: &[u8]) -> Vec<u16> {
        self.settle(now);
        self.packets += 1;
        let index = self.seqs.unwrap(header.fields.seq);
        let repaired = self.holes.arrived(index);
        if !self.stats.arrived(index) {
            return Vec::new();
        }
        if !repaired {
            self.stats.jitter_sample(now, header.fields.ts);
        }
        let ts = self.stamps.unwrap(header.fields.ts);
        match header.fields.pt {
            RED_PT => self.unpack(now, ts, payload, repaired),
            _ => self.take(now, ts, payload, !repaired),
        }
        self.missing(now)
    }

    /// Play all steps up to now.
    pub fn settle(&mut self, now: Micros) {
        while self.buffer.next() <= now {
            self.buffer.step();
        }
    }

    fn unpack(&mut self, now: Micros, ts: u64, payload: &[u8], repaired: bool) {
        let Ok(red) = Red::parse(payload) else {
            return;
        };
        self.take(now, ts, red.primary, !repaired);
        for block in red.redundant() {
            self.take(
                now,
                ts.saturating_sub(u64::from(block.ts_offset)),
                block.data,
                false,
            );
        }
    }

    fn take(&mut self, now: Micros, ts: u64, frame: &[u8], newest: bool) {
        let Some((toc, captured)) = frame
            .split_first()
            .and_then(|(toc, rest)| Some((toc, stamp::read(rest)?)))
        else {
            return;
        };
        let sound = Sound {
            media_us: i64::try_from(ts.saturating_mul(125) / 6).unwrap_or(i64::MAX),
            length_us: opus::frame_us(*toc),
            captured,
            bytes: u32::try_from(frame.len()).unwrap_or(0),
        };
        // What is overtaken by later packets says nothing about how packets travel.
        if newest && sound.media_us > self.newest_us {
            self.newest_us = sound.media_us;
            self.frame_us = sound.length_us;
            self.buffer.arrived(now, sound);
        } else {
            self.buffer.offer(now, sound);
        }
    }

    /// Sound asks on every arrival for all that can still be played (libwebrtc's NackTracker).
    fn missing(&mut self, now: Micros) -> Vec<u16> {
        let Some(highest) = self.holes.highest() else {
            return Vec::new();
        };
        let ahead_us = self.newest_us - self.buffer.position().unwrap_or(self.newest_us);
        let frames = ahead_us.max(0) / self.frame_us.max(1);
        self.holes
            .forget_before(highest.saturating_sub(frames.unsigned_abs()));
        let due = self.holes.due(now, 0);
        let asked: Vec<u16> = due.into_iter().take(MAX_ASKED).map(low16).collect();
        self.nacks += asked.len() as u64;
        asked
    }
}
