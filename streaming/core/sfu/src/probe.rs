//! One probe: for a bounded time more is sent than media needs, and the feedback says how much of it the link carries.
//!
//! Rates follow draft-ietf-rmcat-gcc-02 and what browsers do: bytes over the span from first to last, the first arrival and
//! the last departure without their bytes. A link that loses a fifth of everything has a capacity, too: packets that are
//! lost here and there only lower the count.

use std::ops::Range;

use zhuandi_wire::time::Micros;

use crate::bucket::Bucket;
use crate::pacer::BURST_US;
use crate::report::ProbeState;
use crate::sent_log::{Sent, SentLog, State};

/// Bytes of a padding packet on the wire, about: five of them are little even for a weak link.
pub const PADDING_BYTES: u16 = 250;
/// Longest probe that is run.
pub const MAX_US: u32 = 2_000_000;
/// Fewest packets that are sent, and that have to arrive.
const MIN_SENT: u64 = 5;
const MIN_ACKED: usize = 4;
/// One that cannot send its packets within this time after its end is over anyhow.
const LATE_US: i64 = 300_000;
/// Least one-way delay of a feedback over the least known: the queue is filling.
const DELAY_US: i64 = 60_000;
/// So many losses in a row are no accident.
const LOST_RUN: usize = 5;
/// Feedback that has not come after this time and two round trips does not come.
const PATIENCE_US: i64 = 1_000_000;
/// Farther apart than this, first and last arrival measure a pause of the link.
const MAX_SPAN_US: i64 = 3_000_000;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Probe {
    state: ProbeState,
    bucket: Bucket,
    first: u64,
    last: Option<u64>,
    length_us: u64,
    until: Micros,
    give_up: Micros,
    sent_bps: u64,
    acked_bps: u64,
}

impl Probe {
    /// Start one at `rate_bps`, media included; one that runs goes on instead.
    pub fn start(&mut self, now: Micros, log: &SentLog, rate_bps: u64, length_us: u32) {
        if self.state == ProbeState::Running || rate_bps == 0 || length_us == 0 {
            return;
        }
        let late = rate_bps.saturating_mul(BURST_US.unsigned_abs()) / 1_000_000;
        let burst = i64::try_from(late).unwrap_or(i64::MAX);
        *self = Probe {
            state: ProbeState::Running,
            bucket: Bucket::new(now, rate_bps, burst.max(i64::from(PADDING_BYTES) * 8)),
            first: log.next_index(),
            last: None,
            length_us: u64::from(length_us.min(MAX_US)),
            until: now.plus(i64::from(length_us.min(MAX_US))),
            give_up: Micros::NEVER,
            sent_bps: 0,
            acked_bps: 0,
        };
    }

    /// Its rate, while it is sent.
    pub fn rate_bps(&self) -> Option<u64> {
        self.is_sent().then(|| self.bucket.rate_bps())
    }

    /// Longest packet that is worth its while: a tenth of the probe, so that it has enough of them.
    pub fn most_bytes(&self) -> u16 {
        let bytes = self.rate_bps().unwrap_or(0).saturating_mul(self.length_us) / 80_000_000;
        u16::try_from(bytes).unwrap_or(u16::MAX)
    }

    /// Whether padding is due.
    pub fn wants_padding(&mut self, now: Micros) -> bool {
        self.is_sent() && self.bucket.has_credit(now)
    }

    /// When padding is due; never while none is sent.
    pub fn next_padding(&self, now: Micros) -> Micros {
        if self.is_sent() {
            self.bucket.next(now)
        } else {
            Micros::NEVER
        }
    }

    /// Bytes left, of media or padding.
    pub fn spend(&mut self, bytes: usize) {
        if self.is_sent() {
            self.bucket.spend(bytes);
        }
    }

    /// When to look at it next without feedback.
    pub fn next(&self) -> Micros {
        match (self.state, self.last) {
            (ProbeState::Running, None) => self.until,
            (ProbeState::Running, Some(_)) => self.give_up,
            _ => Micros::NEVER,
        }
    }

    /// Time passed: stop sending at the end, stop waiting when no feedback comes.
    pub fn tick(&mut self, now: Micros, log: &SentLog, rtt_us: i64) {
        if self.state != ProbeState::Running {
            return;
        }
        if self.last.is_none() && now >= self.until {
            let sent = log.next_index() - self.first;
            let late = now.since(self.until) >= LATE_US;
            if sent >= MIN_SENT {
                self.last = Some(log.next_index() - 1);
                self.give_up = now.plus(PATIENCE_US + 2 * rtt_us);
            } else if late {
                self.end(log, ProbeState::Aborted);
            } else {
                self.until = now.plus(20_000).min(self.until.plus(LATE_US));
            }
        } else if self.last.is_some() && now >= self.give_up {
            self.finish(log);
        }
    }

    /// Feedback came.
    pub fn feedback(&mut self, log: &SentLog) {
        if self.state != ProbeState::Running {
            return;
        }
        if self.last.is_some_and(|last| log.told_index() > last) {
            self.finish(log);
        } else if self.hurts(log) {
            self.end(log, ProbeState::Aborted);
        }
    }

    /// It cannot go on: nothing to pad with, or the receiver fell silent.
    pub fn abort(&mut self, log: &SentLog) {
        if self.state == ProbeState::Running {
            self.end(log, ProbeState::Aborted);
        }
    }

    /// State and rates (sent, acknowledged) in bit/s; an ended probe is told once.
    pub fn take(&mut self) -> (ProbeState, u64, u64) {
        let told = (self.state, self.sent_bps, self.acked_bps);
        if self.state != ProbeState::Running {
            *self = Probe::default();
        }
        told
    }

    fn is_sent(&self) -> bool {
        self.state == ProbeState::Running && self.last.is_none()
    }

    fn packets(&self, log: &SentLog) -> Range<u64> {
        self.first..self.last.map_or(log.next_index(), |last| last + 1)
    }

    fn hurts(&self, log: &SentLog) -> bool {
        let told = self.first..log.told_index().min(self.packets(log).end);
        if told.clone().count() < 3 {
            return false;
        }
        let slow = log
            .last_delay_us()
            .zip(log.base_delay_us())
            .is_some_and(|(now, base)| now.saturating_sub(base) > DELAY_US);
        let mut run = 0;
        let burst = log.range(told).any(|row| {
            run = if row.state == State::Lost { run + 1 } else { 0 };
            run >= LOST_RUN
        });
        slow || burst
    }

    fn finish(&mut self, log: &SentLog) {
        self.end(log, ProbeState::Finished);
        if self.acked_bps == 0 {
            self.state = ProbeState::Aborted;
        }
    }

    fn end(&mut self, log: &SentLog, state: ProbeState) {
        let told = log.told_index().min(self.packets(log).end);
        let rows: Vec<Sent> = log.range(self.first..told).collect();
        let acked = || rows.iter().filter(|row| row.state == State::Acked);
        let left = rows.iter().map(|row| (row.at.0, u64::from(row.size)));
        self.sent_bps = rate(left, false).unwrap_or(0);
        let enough = acked().count() >= MIN_ACKED && 2 * acked().count() >= rows.len();
        let arrived = acked().map(|row| (row.arrival_us, u64::from(row.size)));
        // A burst that a buffer on the way released at once would promise too much.
        let sane = |bps: &u64| *bps <= 2 * self.sent_bps;
        self.acked_bps = rate(arrived, true)
            .filter(|bps| enough && sane(bps))
            .unwrap_or(0);
        self.state = state;
    }
}

/// Bits a second of packets given by time and bytes: without the first one's bytes, or without the last one's.
fn rate(packets: impl Iterator<Item = (i64, u64)>, without_first: bool) -> Option<u64> {
    let (mut bytes, mut first, mut last) = (0u64, (i64::MAX, 0u64), (i64::MIN, 0u64));
    for packet in packets {
        bytes += packet.1;
        if packet.0 < first.0 {
            first = packet;
        }
        if packet.0 >= last.0 {
            last = packet;
        }
    }
    bytes = bytes.saturating_sub(if without_first { first.1 } else { last.1 });
    let span = u64::try_from(last.0.saturating_sub(first.0)).ok()?;
    let valid = span > 0 && span <= MAX_SPAN_US.unsigned_abs();
    (valid && bytes > 0).then(|| bytes * 8_000_000 / span)
}

#[cfg(test)]
mod tests;
