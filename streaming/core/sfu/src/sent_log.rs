//! What a transport sent under transport-wide numbers, joined with the receiver's feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01): sums, runs of losses, one-way delays, groups of arrivals.

use std::ops::Range;

use zhuandi_wire::seq;
use zhuandi_wire::time::Micros;
use zhuandi_wire::twcc;

use crate::arrival_groups::ArrivalGroups;
use crate::report::{ArrivalGroup, MAX_GROUPS};

/// Most packets that are remembered.
pub const MAX_ROWS: usize = 2048;
const FIRST_ROWS: usize = 128;
/// The receiver's clock starts again after this.
const CLOCK_US: i64 = (1 << 24) * twcc::REFERENCE_US;
/// The least delay is that of the last one to two of these spans.
const BASE_SPAN_US: i64 = 10_000_000;

/// What became of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// No packet.
    #[default]
    Unused,
    /// Feedback did not speak of it.
    Flying,
    /// It arrived.
    Acked,
    /// It did not, so far.
    Lost,
    /// It did not, but the same bytes sent once more did.
    Replaced,
}

/// One packet that left.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    index: u64,
    /// When it left.
    pub at: Micros,
    /// When it arrived on the receiver's clock, unwrapped.
    pub arrival_us: i64,
    /// Bytes on the link.
    pub size: u16,
    /// What became of it.
    pub state: State,
    /// Its bytes left once more, under the same number.
    again: bool,
}

impl Sent {
    /// One-way delay with an arbitrary origin.
    pub fn delay_us(&self) -> i64 {
        self.arrival_us.saturating_sub(self.at.0)
    }
}

/// Sums over the feedback since they were taken last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acked {
    /// Bytes that arrived.
    pub bytes: u64,
    /// Packets that arrived.
    pub received: u32,
    /// Packets that did not; one that was called lost and came later is taken back, be it from a later sum.
    pub lost: i64,
    /// Runs of consecutive losses, taken back likewise.
    pub runs: i64,
    /// Least one-way delay, origin arbitrary.
    pub delay_us: Option<i64>,
    /// The delays added up.
    pub delay_sum_us: i64,
    /// Last arrival on the receiver's clock.
    pub arrival_us: Option<i64>,
    /// Groups of arrivals, oldest first.
    pub groups: Vec<ArrivalGroup>,
}

/// The least of the last one to two spans.
#[derive(Clone, Copy, Debug, Default)]
struct Least {
    since: Micros,
    current: Option<i64>,
    before: Option<i64>,
}

/// Ring of sent packets by transport-wide number; grows while its packets are younger than two seconds.
#[derive(Debug, Default)]
pub struct SentLog {
    rows: Vec<Sent>,
    next: u64,
    told: u64,
    in_flight: u64,
    acked: Acked,
    heard_at: Option<Micros>,
    clock_us: Option<i64>,
    groups: ArrivalGroups,
    base: Least,
    rtt_us: Option<i64>,
    fresh: Vec<Sent>,
}

impl SentLog {
    /// Number of the next packet.
    pub fn number(&self) -> u16 {
        seq::low16(self.next)
    }

    /// Index of the next packet.
    pub fn next_index(&self) -> u64 {
        self.next
    }

    /// Index behind the last packet that feedback spoke of.
    pub fn told_index(&self) -> u64 {
        self.told
    }

    /// A packet left under [`SentLog::number`]; `size` in bytes on the link.
    pub fn sent(&mut self, now: Micros, size: usize) {
        self.grow(now);
        let row = Sent {
            index: self.next,
            at: now,
            arrival_us: 0,
            size: u16::try_from(size).unwrap_or(u16::MAX),
            state: State::Flying,
            again: false,
        };
        self.in_flight += u64::from(row.size);
        if let Some(place) = self.place(self.next) {
            *place = row;
        }
        self.next += 1;
    }

    /// The bytes of a packet left once more under their old number: should it be told to have arrived, that was the second time.
    pub fn resent(&mut self, number: Option<u16>) {
        let next = self.next;
        let index = number.and_then(|number| seq::nearest(next, number));
        let row = index.and_then(|index| Some((index, self.place(index)?)));
        if let Some((index, row)) = row
            && row.index == index
        {
            row.again = true;
        }
    }

    /// The receiver told what arrived. Answers how many packets it called lost and received, of those that were open.
    pub fn feedback(&mut self, now: Micros, feedback: &twcc::Feedback<'_>) -> (u64, u64) {
        self.heard_at = Some(now);
        let mut lost = 0;
        self.fresh.clear();
        for (number, arrival) in feedback.statuses() {
            let next = self.next;
            let Some(index) = seq::nearest(next, number).filter(|&index| index < next) else {
                continue;
            };
            let arrival = arrival.map(|raw_us| self.unwrap_clock(raw_us));
            let Some(row) = self.row(index) else {
                continue;
            };
            match (row.state, arrival) {
                (State::Flying, None) => {
                    self.lose(index);
                    lost += 1;
                }
                (State::Lost, Some(_)) if row.again => self.replace(row),
                (State::Flying | State::Lost, Some(arrival_us)) => self.ack(row, arrival_us),
                _ => {}
            }
            self.leave_flight(index);
        }
        self.digest(now);
        (lost, self.fresh.len() as u64)
    }

    /// When feedback came last.
    pub fn heard_at(&self) -> Option<Micros> {
        self.heard_at
    }

    /// Bytes sent after the last packet that feedback spoke of.
    pub fn in_flight_bytes(&self) -> u64 {
        self.in_flight
    }

    /// The least one-way delay of the last ten to twenty seconds, on the same scale as [`Sent::delay_us`].
    pub fn base_delay_us(&self) -> Option<i64> {
        self.base.current.into_iter().chain(self.base.before).min()
    }

    /// The least one-way delay in the last feedback.
    pub fn last_delay_us(&self) -> Option<i64> {
        self.fresh.iter().map(Sent::delay_us).min()
    }

    /// Round trip by feedback alone: what the receiver waited before it told is in it.
    pub fn rtt_us(&self) -> Option<i64> {
        self.rtt_us
    }

    /// The packets of these indexes, as far as they are remembered.
    pub fn range(&self, indexes: Range<u64>) -> impl Iterator<Item = Sent> {
        indexes.filter_map(|index| self.row(index))
    }

    /// The sums since the last call; what was taken back too late is left for the next.
    pub fn take(&mut self) -> Acked {
        let acked = std::mem::take(&mut self.acked);
        self.acked.lost = acked.lost.min(0);
        self.acked.runs = acked.runs.min(0);
        Acked {
            lost: acked.lost.max(0),
            runs: acked.runs.max(0),
            ..acked
        }
    }

    fn unwrap_clock(&mut self, raw_us: i64) -> i64 {
        let last = *self.clock_us.get_or_insert(raw_us);
        let ahead = (raw_us - last).rem_euclid(CLOCK_US);
        let step = if ahead < CLOCK_US / 2 {
            ahead
        } else {
            ahead - CLOCK_US
        };
        let us = last.saturating_add(step);
        self.clock_us = Some(last.max(us));
        us
    }

    fn lose(&mut self, index: u64) {
        self.acked.runs += 1 - self.lost_beside(index);
        self.acked.lost += 1;
        self.mark(index, State::Lost, 0);
    }

    fn ack(&mut self, row: Sent, arrival_us: i64) {
        if row.state == State::Lost {
            self.acked.runs -= 1 - self.lost_beside(row.index);
            self.acked.lost -= 1;
        }
        self.mark(row.index, State::Acked, arrival_us);
        self.acked.bytes += u64::from(row.size);
        self.acked.received += 1;
        self.fresh.push(Sent { arrival_us, ..row });
    }

    /// The first one stays lost, the second one arrived; its delay would be that of the repair.
    fn replace(&mut self, row: Sent) {
        self.mark(row.index, State::Replaced, 0);
        self.acked.bytes += u64::from(row.size);
        self.acked.received += 1;
    }

    /// How many of the two neighbours are lost: a loss between two runs joins them.
    fn lost_beside(&self, index: u64) -> i64 {
        let lost = |index: u64| {
            let state = self.row(index).map(|row| row.state);
            matches!(state, Some(State::Lost | State::Replaced))
        };
        i64::from(index > 0 && lost(index.wrapping_sub(1))) + i64::from(lost(index + 1))
    }

    fn mark(&mut self, index: u64, state: State, arrival_us: i64) {
        if let Some(row) = self.place(index) {
            row.state = state;
            row.arrival_us = arrival_us;
        }
    }

    fn leave_flight(&mut self, index: u64) {
        let oldest = self.next.saturating_sub(self.rows.len() as u64);
        if self.told < oldest {
            // Rows that were overwritten unheard: count anew what is left.
            self.told = oldest;
            self.in_flight = self
                .range(oldest..self.next)
                .map(|row| u64::from(row.size))
                .sum();
        }
        while self.told <= index {
            let size = self.row(self.told).map_or(0, |row| u64::from(row.size));
            self.in_flight = self.in_flight.saturating_sub(size);
            self.told += 1;
        }
    }

    /// The new arrivals in their order: delays and groups.
    fn digest(&mut self, now: Micros) {
        self.fresh
            .sort_unstable_by_key(|row| (row.arrival_us, row.index));
        for row in &self.fresh {
            let delay_us = row.delay_us();
            self.base.add(now, delay_us);
            let least = self.acked.delay_us.get_or_insert(delay_us);
            *least = delay_us.min(*least);
            self.acked.delay_sum_us = self.acked.delay_sum_us.saturating_add(delay_us);
            self.acked.arrival_us = self.acked.arrival_us.max(Some(row.arrival_us));
            if let Some(group) = self.groups.arrived(now, row.at, row.arrival_us) {
                if self.acked.groups.len() >= MAX_GROUPS {
                    self.acked.groups.remove(0);
                }
                self.acked.groups.push(group);
            }
        }
        if let Some(newest) = self.fresh.last() {
            let sample = now.since(newest.at);
            let before = self.rtt_us.unwrap_or(sample);
            self.rtt_us = Some(sample.min(before + (sample - before) / 16));
        }
    }

    fn row(&self, index: u64) -> Option<Sent> {
        let mask = self.rows.len().checked_sub(1)? as u64;
        let row = self.rows.get(usize::try_from(index & mask).ok()?)?;
        (row.index == index && row.state != State::Unused).then_some(*row)
    }

    fn place(&mut self, index: u64) -> Option<&mut Sent> {
        let mask = self.rows.len().checked_sub(1)? as u64;
        self.rows.get_mut(usize::try_from(index & mask).ok()?)
    }

    fn grow(&mut self, now: Micros) {
        if self.rows.is_empty() {
            self.rows.resize(FIRST_ROWS, Sent::default());
        }
        let next = self.next;
        let young = self
            .place(next)
            .is_some_and(|row| row.state == State::Flying && now.since(row.at) < 2_000_000);
        if young && self.rows.len() < MAX_ROWS {
            let old = std::mem::take(&mut self.rows);
            self.rows.resize(old.len() * 2, Sent::default());
            for row in old.into_iter().filter(|row| row.state != State::Unused) {
                if let Some(place) = self.place(row.index) {
                    *place = row;
                }
            }
        }
    }
}

impl Least {
    fn add(&mut self, now: Micros, value: i64) {
        if now.since(self.since) > BASE_SPAN_US {
            self.before = self.current.take();
            self.since = now;
        }
        self.current = Some(self.current.map_or(value, |least| least.min(value)));
    }
}

#[cfg(test)]
impl SentLog {
    /// One whose first packet has this index.
    pub(crate) fn starting_at(index: u64) -> SentLog {
        SentLog {
            next: index,
            told: index,
            ..SentLog::default()
        }
    }
}

#[cfg(test)]
mod tests;
