//! Frames that wait are dropped whole, and their numbers given back, so that what follows goes on without a gap.

use super::{Item, Kind, Pacer};
use crate::rewriter::Withdrawn;

/// Which frames of a leg to drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Those of temporal layers above this one; not the frame that is on its way.
    Above(u8),
    /// All before this number, what is left of the frame on its way included: a key frame starts here.
    Before(u64),
    /// All.
    All,
}

/// What left last of a leg's picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going {
    pub(super) leg: u32,
    ts: u32,
    next: u64,
}

impl Pacer {
    pub(super) fn pop_video(&mut self) -> Option<Item> {
        let item = self.video.pop_front()?;
        let (leg, ts, next) = (item.leg, item.out.ts, item.out.seq + 1);
        match self.going.iter_mut().find(|going| going.leg == leg) {
            Some(going) if going.next < next => (going.ts, going.next) = (ts, next),
            Some(_) => {}
            None => self.going.push(Going { leg, ts, next }),
        }
        Some(item)
    }

    /// Drop frames of a leg. Answers the numbers that are free again, last ones first: take them back in this order.
    pub fn drop_frames(&mut self, leg: u32, cut: Cut) -> Vec<Withdrawn> {
        let going = self.going.iter().find(|going| going.leg == leg);
        let (began, unsent) = going.map_or((None, 0), |going| (Some(going.ts), going.next));
        let mut gone: Vec<(u32, Withdrawn)> = Vec::new();
        for item in self.video.iter().filter(|item| item.leg == leg) {
            let (ts, number) = (item.out.ts, item.out.seq);
            let wanted = match cut {
                Cut::Above(layer) => item.temporal > layer && began != Some(ts),
                Cut::Before(end) => number < end,
                Cut::All => true,
            };
            // A packet that came late has a number among those that left: it stays.
            if !wanted || number < unsent || item.kind != Kind::Video {
                continue;
            }
            match gone.iter_mut().find(|(other, _)| *other == ts) {
                Some((_, frame)) => {
                    frame.from = frame.from.min(number);
                    frame.to = frame.to.max(number + 1);
                }
                None => gone.push((
                    ts,
                    Withdrawn {
                        from: number,
                        to: number + 1,
                        picture: (began != Some(ts)).then_some(item.out.picture.id),
                        base: item.temporal == 0,
                    },
                )),
            }
        }
        gone.sort_unstable_by_key(|(_, frame)| std::cmp::Reverse(frame.from));
        let gone: Vec<Withdrawn> = gone.into_iter().map(|(_, frame)| frame).collect();
        gone.iter().for_each(|frame| self.close_up(leg, frame));
        self.count();
        gone
    }

    fn close_up(&mut self, leg: u32, frame: &Withdrawn) {
        let inside = |item: &Item| (frame.from..frame.to).contains(&item.out.seq);
        self.video.retain(|item| item.leg != leg || !inside(item));
        let behind = |item: &&mut Item| item.leg == leg && item.out.seq >= frame.to;
        for item in self.video.iter_mut().filter(behind) {
            item.out = frame.moved(item.out);
        }
    }
}
