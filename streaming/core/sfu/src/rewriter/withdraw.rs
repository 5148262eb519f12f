//! Numbers that were given out and never sent are taken back: frames that waited too long leave no gap.

use super::{Interval, Numbers, Rewriter};

/// A frame, or the rest of one, that will not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Its first output index.
    pub from: u64,
    /// The index behind its last.
    pub to: u64,
    /// Its picture id as it would have gone out; `None` = its beginning was sent.
    pub picture: Option<u16>,
    /// It belongs to the lowest temporal layer.
    pub base: bool,
}

impl Withdrawn {
    /// Picture ids that are free again.
    pub fn pictures(&self) -> u16 {
        u16::from(self.picture.is_some())
    }

    /// TL0 indexes that are free again.
    pub fn bases(&self) -> u8 {
        u8::from(self.picture.is_some() && self.base)
    }

    /// The numbers of a packet behind it, once it is gone.
    pub fn moved(&self, numbers: Numbers) -> Numbers {
        let mut moved = numbers;
        moved.seq = moved.seq.saturating_sub(self.to - self.from);
        moved.picture.id = moved.picture.id.wrapping_sub(self.pictures()) & 0x7FFF;
        moved.picture.tl0 = moved.picture.tl0.wrapping_sub(self.bases());
        moved
    }
}

impl Rewriter {
    /// Take the numbers of frames back, last frames first; those behind them move up. Nothing of them may have been sent.
    pub fn withdraw(&mut self, frames: &[Withdrawn]) {
        // Of the newest alone, more may come: that has no picture of its own to take back.
        if let Some(newest) = frames.first().filter(|newest| newest.to >= self.next) {
            self.omitted = self.input_picture(newest).or(self.omitted);
        }
        frames.iter().for_each(|frame| self.take_back(frame));
    }

    fn take_back(&mut self, frame: &Withdrawn) {
        let count = frame.to - frame.from;
        for interval in std::mem::take(&mut self.intervals) {
            let end = interval.out_end();
            if end <= frame.from {
                self.open(interval);
                continue;
            }
            if interval.out_start < frame.from {
                let kept = frame.from - interval.out_start;
                self.open(Interval {
                    in_end: interval.in_start + kept,
                    ..interval
                });
            }
            if end > frame.to {
                let skipped = frame.to.saturating_sub(interval.out_start);
                self.open(Interval {
                    in_start: interval.in_start + skipped,
                    out_start: interval.out_start.max(frame.to) - count,
                    id_off: interval.id_off.wrapping_sub(frame.pictures()),
                    tl0_off: interval.tl0_off.wrapping_sub(frame.bases()),
                    ..interval
                });
            }
        }
        self.next = self.next.saturating_sub(count);
        self.last = self.last.map(|last| frame.moved(last));
    }

    /// The picture id with which the newest frame came: the rest of it is left out when it comes.
    fn input_picture(&self, frame: &Withdrawn) -> Option<u16> {
        let holds = |interval: &&Interval| interval.out_start <= frame.from;
        let interval = self.intervals.iter().rev().find(holds)?;
        Some(frame.picture?.wrapping_sub(interval.id_off) & 0x7FFF)
    }
}
