//! The number map of one leg: sequence numbers, timestamps, picture ids and TL0 indexes go on without a gap when the
//! encoding or the source changes and when packets are left out on purpose; a real loss stays a gap.
//!
//! The map is a short list of intervals. In each, output = input + a constant, so late packets map as they would have
//! in time, and a receiver's NACK maps back to the one history of the publication.

mod withdraw;

use std::collections::VecDeque;

use zhuandi_wire::seq;

pub use withdraw::Withdrawn;

/// Most intervals that are remembered; older numbers can no longer be repaired.
pub const MAX_INTERVALS: usize = 128;

/// Codec numbers of a video packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// VP8 picture id.
    pub id: u16,
    /// VP8 temporal base layer index.
    pub tl0: u8,
}

/// The numbers of one packet: as it came in, or as it goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Extended sequence number.
    pub seq: u64,
    /// Timestamp.
    pub ts: u32,
    /// Codec numbers.
    pub picture: Picture,
}

#[derive(Clone, Copy, Debug)]
struct Interval {
    encoding: u8,
    in_start: u64,
    in_end: u64,
    out_start: u64,
    ts_off: u32,
    id_off: u16,
    tl0_off: u8,
}

impl Interval {
    fn out_end(&self) -> u64 {
        self.out_start.saturating_add(self.in_end - self.in_start)
    }

    fn holds(&self, encoding: u8, seq: u64) -> bool {
        self.encoding == encoding && self.in_range(seq)
    }

    fn in_range(&self, seq: u64) -> bool {
        (self.in_start..self.in_end).contains(&seq)
    }

    fn map(&self, input: &Numbers) -> Numbers {
        Numbers {
            seq: self.out_start + (input.seq - self.in_start),
            ts: input.ts.wrapping_add(self.ts_off),
            picture: Picture {
                id: input.picture.id.wrapping_add(self.id_off) & 0x7FFF,
                tl0: input.picture.tl0.wrapping_add(self.tl0_off),
            },
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Rewriter {
    intervals: VecDeque<Interval>,
    /// The first output index that was never given out.
    next: u64,
    last: Option<Numbers>,
    omitted: Option<u16>,
}

impl Rewriter {
    /// A map whose first output number is `first`; below 2^15, so that the receiver's first rollover count is 0.
    pub fn new(first: u16) -> Rewriter {
        Rewriter {
            intervals: VecDeque::new(),
            next: u64::from(first & 0x7FFF),
            last: None,
            omitted: None,
        }
    }

    /// Go on from this index, where an earlier map of the same stream ended.
    pub fn go_on_at(&mut self, index: u64) {
        self.next = self.next.max(index);
    }

    /// The first output index that was never given out.
    pub fn next_index(&self) -> u64 {
        self.next
    }

    /// The newest numbers that went out.
    pub fn last(&self) -> Option<Numbers> {
        self.last
    }

    /// Input is added to this to become the output timestamp, now.
    pub fn ts_offset(&self) -> Option<u32> {
        self.intervals.back().map(|interval| interval.ts_off)
    }

    /// Start a new interval at this packet, which goes out with timestamp `ts_out`.
    pub fn switch(&mut self, encoding: u8, input: &Numbers, ts_out: u32) {
        self.close();
        let last = self.last.map_or_else(Picture::default, |last| last.picture);
        self.open(Interval {
            encoding,
            in_start: input.seq,
            in_end: u64::MAX,
            out_start: self.next,
            ts_off: ts_out.wrapping_sub(input.ts),
            id_off: last.id.wrapping_add(1).wrapping_sub(input.picture.id),
            tl0_off: last.tl0.wrapping_add(1).wrapping_sub(input.picture.tl0),
        });
        self.omitted = None;
    }

    /// From this packet on, timestamps are shifted otherwise; all else goes on.
    pub fn retime(&mut self, input: &Numbers, ts_out: u32) {
        let ts_off = ts_out.wrapping_sub(input.ts);
        let Some(open) = self.intervals.back_mut() else {
            return;
        };
        if input.seq <= open.in_start {
            open.ts_off = ts_off;
            return;
        }
        let mut next = *open;
        next.out_start = open.out_start + (input.seq - open.in_start);
        open.in_end = input.seq;
        next.in_start = input.seq;
        next.ts_off = ts_off;
        self.open(next);
    }

    /// The output numbers of a packet; `None` when it belongs to no interval (too old, or left out).
    pub fn map(&mut self, encoding: u8, input: &Numbers) -> Option<Numbers> {
        let interval = self
            .intervals
            .iter()
            .rev()
            .find(|interval| interval.holds(encoding, input.seq))?;
        let output = interval.map(input);
        if output.seq >= self.next {
            self.next = output.seq + 1;
            self.last = Some(output);
        }
        Some(output)
    }

    /// The output numbers that a packet would get; changes nothing.
    pub fn look(&self, encoding: u8, input: &Numbers) -> Option<Numbers> {
        let holds = |interval: &&Interval| interval.holds(encoding, input.seq);
        let interval = self.intervals.iter().rev().find(holds)?;
        Some(interval.map(input))
    }

    /// The numbers under which a packet went out as `out`; `None` when another packet did.
    pub fn sent_as(&self, out: u16, input: &Numbers) -> Option<Numbers> {
        let (interval, out) = self.interval_of(out)?;
        interval
            .in_range(input.seq)
            .then(|| interval.map(input))
            .filter(|mapped| mapped.seq == out)
    }

    /// Leave this packet out and close the gap. False when later packets went out already: its number stays reserved.
    pub fn omit(&mut self, input: &Numbers, has_picture: bool) -> bool {
        let Some(open) = self.intervals.back_mut() else {
            return true;
        };
        if input.seq < open.in_start {
            return true;
        }
        let out = open.out_start + (input.seq - open.in_start);
        if out < self.next {
            return false;
        }
        let mut next = *open;
        if has_picture && self.omitted != Some(input.picture.id) {
            next.id_off = next.id_off.wrapping_sub(1);
            self.omitted = Some(input.picture.id);
        }
        next.in_start = input.seq + 1;
        next.out_start = out;
        if input.seq == open.in_start {
            *open = next;
        } else {
            open.in_end = input.seq;
            self.open(next);
        }
        true
    }

    /// Which packet went out under this number: (encoding, input index).
    pub fn reverse(&self, out: u16) -> Option<(u8, u64)> {
        let (interval, out) = self.interval_of(out)?;
        Some((
            interval.encoding,
            interval.in_start + (out - interval.out_start),
        ))
    }

    fn interval_of(&self, out: u16) -> Option<(&Interval, u64)> {
        let out = self.out_index(out)?;
        let interval = self
            .intervals
            .iter()
            .rev()
            .find(|interval| interval.out_start <= out)?;
        (out < interval.out_end()).then_some((interval, out))
    }

    /// The extended index of a number that went out; `None` for numbers of the future.
    pub fn out_index(&self, out: u16) -> Option<u64> {
        let newest = self.next.checked_sub(1)?;
        seq::nearest(newest, out).filter(|&index| index <= newest)
    }

    /// The source is gone: nothing of it can be repaired, the numbers go on.
    pub fn detach(&mut self) {
        self.intervals.clear();
        self.omitted = None;
    }

    fn close(&mut self) {
        for interval in self.intervals.iter_mut().rev() {
            let used = self.next.saturating_sub(interval.out_start);
            interval.in_end = interval.in_end.min(interval.in_start.saturating_add(used));
            if used > 0 {
                break;
            }
        }
    }

    fn open(&mut self, interval: Interval) {
        if self.intervals.len() >= MAX_INTERVALS {
            self.intervals.pop_front();
        }
        self.intervals.push_back(interval);
    }
}

#[cfg(test)]
mod tests;
