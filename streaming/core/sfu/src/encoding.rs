//! One received stream of a publication: its numbers, holes, statistics, history and key-frame chain.

use std::ops::RangeInclusive;

use zhuandi_wire::rtcp::{ReportBlock, SenderInfo};
use zhuandi_wire::seq::{Unwrapper, distance, low16};
use zhuandi_wire::time::Micros;

use crate::api::{EncodingParams, Kind};
use crate::clock::SenderClock;
use crate::drop_reason::DropReason;
use crate::frame_holes::hole_of;
use crate::history::{Bounds, History};
use crate::keyframe_chain::KeyframeChain;
use crate::nack::NackList;
use crate::packet::Meta;
use crate::receive_stats::ReceiveStats;
use crate::report::TEMPORAL_LAYERS;

/// A picture's encoding without packets for this long does not arrive any more.
pub const SILENT_US: i64 = 1_000_000;
/// The same for sound, of which a packet comes every 60 ms at least: the other encoding must take over soon.
pub const SILENT_SOUND_US: i64 = 300_000;
/// A publisher that has sent no report for this long sends none.
const REPORTS_WITHIN_US: i64 = 6_000_000;
/// A jump in sequence numbers beyond this is a restart of the source.
const MAX_JUMP: i16 = 3000;
/// Counters of one encoding; they grow for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodingCounters {
    /// Packets taken, repairs included.
    pub packets: u64,
    /// Payload bytes taken.
    pub bytes: u64,
    /// The same by temporal layer; all in the first where the codec names none.
    pub temporal_bytes: [u64; TEMPORAL_LAYERS],
    /// Packets that came by RTX or a second transmission.
    pub recovered: u64,
    /// Key frames seen.
    pub keyframes: u64,
    /// NACK requests sent, in packets.
    pub nacks: u64,
}

impl EncodingCounters {
    fn count_temporal(&mut self, meta: &Meta, len: usize) {
        let layer = meta.vp8.and_then(|vp8| vp8.temporal).unwrap_or(0);
        if let Some(bytes) = self.temporal_bytes.get_mut(usize::from(layer)) {
            *bytes += len as u64;
        }
    }
}

/// Rates over the last second, and what they are measured from.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    since: Micros,
    bytes: [u64; TEMPORAL_LAYERS],
    rates: [u64; TEMPORAL_LAYERS],
}

/// A packet that was taken in.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Extended sequence number.
    pub seq: u64,
    /// It is newer than all before it.
    pub newest: bool,
    /// The source began anew: earlier numbers mean nothing any more.
    pub restarted: bool,
    /// The first packet ever.
    pub first: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Encoding {
    /// What the SDP or the first packet says.
    pub params: EncodingParams,
    /// Packets for the legs, by extended sequence number.
    pub history: History<Meta>,
    /// Holes that we ask the publisher for.
    pub nacks: NackList,
    /// Counters.
    pub counters: EncodingCounters,
    /// The publisher's clock.
    pub clock: Option<SenderClock>,
    /// Width and height of the newest key frame.
    pub size: (u16, u16),
    /// First packet, for the statistics.
    pub first_at: Option<Micros>,
    stats: ReceiveStats,
    silent_us: i64,
    rate: u32,
    unwrapper: Unwrapper,
    last_at: Option<Micros>,
    last_ts: u32,
    last_sr: Option<(u32, Micros)>,
    chain: KeyframeChain,
    meter: Meter,
    anew: bool,
}

impl Encoding {
    /// An encoding that has received nothing.
    pub fn new(params: EncodingParams, kind: Kind, rate: u32) -> Encoding {
        let (bounds, silent_us) = match kind {
            Kind::Video => (Bounds::VIDEO, SILENT_US),
            Kind::Audio => (Bounds::AUDIO, SILENT_SOUND_US),
        };
        Encoding {
            params,
            history: History::new(bounds),
            nacks: NackList::default(),
            counters: EncodingCounters::default(),
            clock: None,
            size: (0, 0),
            first_at: None,
            stats: ReceiveStats::new(rate),
            silent_us,
            rate,
            unwrapper: Unwrapper::new(),
            last_at: None,
            last_ts: 0,
            last_sr: None,
            chain: KeyframeChain::default(),
            meter: Meter::default(),
            anew: false,
        }
    }

    /// Clock rate in Hz.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Take one packet in; a repeat dies here.
    pub fn take(
        &mut self,
        now: Micros,
        number: u16,
        repaired: bool,
        mut meta: Meta,
        payload: &[u8],
    ) -> Result<Taken, DropReason> {
        meta.arrival = now;
        let restarted = !repaired && self.restarted(number);
        if restarted {
            self.restart(number);
        }
        let seq = self.unwrapper.look(number);
        let highest = self.stats.highest();
        if !self.stats.arrived(seq) {
            return Err(DropReason::Duplicate);
        }
        self.unwrapper.commit(seq);
        let filled = self.nacks.arrived(now, seq);
        let newest = highest.is_none_or(|highest| seq > highest);
        if !repaired {
            self.stats.jitter_sample(now, meta.ts);
        }
        self.counters.packets += 1;
        self.counters.bytes += payload.len() as u64;
        self.counters.count_temporal(&meta, payload.len());
        self.counters.recovered += u64::from(repaired || filled);
        self.last_at = Some(now);
        self.history.push(now, seq, meta, payload);
        if self.chain.arrived(now, seq, newest, &meta, payload.len()) {
            self.counters.keyframes += 1;
            self.size = meta.size.unwrap_or(self.size);
            let highest = self.stats.highest().unwrap_or(seq);
            self.chain.join(
                (seq + 1..=highest)
                    .take(64)
                    .filter_map(|seq| Some(self.history.get(seq)?.1.len())),
            );
        }
        let first = self.first_at.is_none();
        self.first_at.get_or_insert(now);
        if newest {
            self.last_ts = meta.ts;
        }
        Ok(Taken {
            seq,
            newest,
            restarted,
            first,
        })
    }

    /// A packet that is not taken: only what our reports tell its sender goes on, so that it goes on to know its link.
    pub fn pass_by(&mut self, now: Micros, number: u16, ts: u32) {
        if self.restarted(number) {
            self.restart(number);
        }
        let seq = self.unwrapper.look(number);
        if self.stats.arrived(seq) {
            self.unwrapper.commit(seq);
            self.stats.jitter_sample(now, ts);
        }
    }

    /// Nothing that was taken so far is to be sent or asked for any more; numbers and reports go on.
    pub fn forget_media(&mut self) {
        self.nacks.reset();
        self.history.clear();
        self.chain.clear();
    }

    /// The publisher's sender report.
    pub fn sender_report(&mut self, now: Micros, info: &SenderInfo) {
        self.clock = Some(SenderClock {
            ntp: info.ntp,
            ts: info.rtp_ts,
            at: now,
        });
        self.last_sr = Some((info.compact_ntp(), now));
    }

    /// The publisher's clock; before its first report, our own wall clock against the newest packet.
    pub fn clock_or(&self, ntp_now: u64, now: Micros) -> Option<SenderClock> {
        self.clock.or_else(|| {
            // Two clocks for the streams of one publisher would pull them apart: give its own reports time to come.
            self.first_at
                .filter(|first| now.since(*first) > REPORTS_WITHIN_US)?;
            let at = self.last_at?;
            let clock = SenderClock {
                ntp: ntp_now,
                ts: self.last_ts,
                at,
            };
            let span = clock.advanced(now, self.rate);
            Some(SenderClock {
                ntp: ntp_now,
                ts: span.ts,
                at: now,
            })
        })
    }

    /// Block for our report to the publisher; none before its first packet.
    pub fn report(&mut self, now: Micros) -> Option<ReportBlock> {
        self.stats.highest()?;
        let ssrc = self.params.ssrc?;
        Some(self.stats.block(now, ssrc, self.last_sr))
    }

    /// Packets arrive.
    pub fn is_alive(&self, now: Micros) -> bool {
        self.last_at
            .is_some_and(|at| now.since(at) < self.silent_us)
    }

    /// Highest index taken.
    pub fn highest(&self) -> Option<u64> {
        self.stats.highest()
    }

    /// Indexes from the newest key frame to the newest packet, where a late joiner can be served from them.
    pub fn fresh_chain(&self, now: Micros) -> Option<RangeInclusive<u64>> {
        let range = self.chain.fresh(now, self.highest()?)?;
        self.history.get(*range.start()).is_some().then_some(range)
    }

    /// Bytes of [`Encoding::fresh_chain`].
    pub fn chain_bytes(&self) -> usize {
        self.chain.bytes()
    }

    /// Packets that are missing, since the start.
    pub fn lost(&self) -> u64 {
        self.stats.lost()
    }

    /// Arrival jitter in microseconds.
    pub fn jitter_us(&self) -> u32 {
        self.stats.jitter_us()
    }

    /// Age of the newest key frame.
    pub fn keyframe_age_us(&self, now: Micros) -> Option<i64> {
        self.chain.age_us(now)
    }

    /// Payload bits a second of the temporal layers up to each, since the last roll of the meter, one second ago or a
    /// little more; the last one is the whole.
    pub fn temporal_bps(&mut self, now: Micros) -> [u64; TEMPORAL_LAYERS] {
        let span = now.since(self.meter.since);
        if span >= 1_000_000 {
            let (before, bytes) = (self.meter.bytes, self.counters.temporal_bytes);
            let mut sum = 0u64;
            let mut rates = [0; TEMPORAL_LAYERS];
            for (rate, (after, before)) in rates.iter_mut().zip(bytes.iter().zip(before)) {
                sum += after.saturating_sub(before);
                *rate = sum.saturating_mul(8_000_000) / span.unsigned_abs().max(1);
            }
            self.meter = Meter {
                since: now,
                bytes,
                rates,
            };
        }
        self.meter.rates
    }

    /// The next packet comes from another sender: its numbers have nothing to do with those before.
    pub fn expect_restart(&mut self) {
        self.anew = true;
    }

    /// Extended number of the packet that a frame from `ts` must have been in, where a packet that is coming in carries
    /// that frame again and its own packet is missing.
    pub fn hole_of(&self, carrier: u16, carrier_ts: u32, ts: u32) -> Option<u16> {
        if self.begins_anew(carrier) {
            return None;
        }
        let carrier = (self.unwrapper.look(carrier), carrier_ts);
        hole_of(&self.history, carrier, ts).map(low16)
    }

    fn restarted(&mut self, number: u16) -> bool {
        let anew = self.begins_anew(number);
        self.anew = false;
        anew
    }

    fn begins_anew(&self, number: u16) -> bool {
        let highest = self.unwrapper.highest();
        highest.is_some_and(|highest| {
            let jump = distance(number, low16(highest));
            self.anew || !(-MAX_JUMP..=MAX_JUMP).contains(&jump)
        })
    }

    /// Begin two cycles later, so that indexes only grow.
    fn restart(&mut self, number: u16) {
        let highest = self.unwrapper.highest().unwrap_or(0);
        let base = ((highest >> 16) + 2) << 16;
        self.unwrapper = Unwrapper::from_highest(base + u64::from(number));
        self.stats = ReceiveStats::new(self.rate);
        self.nacks.reset();
        self.history.clear();
        self.chain.clear();
        self.clock = None;
    }
}

#[cfg(test)]
mod tests;
