//! When a browser asks for lost packets again: at once when a hole shows, then each round trip, at most ten times
//! (libwebrtc's NackRequester); sound asks on every packet that arrives while the frame can still come in time.

use std::collections::BTreeMap;

use zhuandi_wire::time::Micros;

/// Most requests for one packet.
pub const MAX_TRIES: u8 = 10;
/// Most holes that are remembered; beyond it the oldest are given up.
pub const MAX_HOLES: usize = 1000;
/// Time between looks at the list.
pub const PROCESS_US: i64 = 20_000;
/// Round trip that a receiver assumes which sends no media itself: nobody measures it there.
pub const DEFAULT_RTT_US: i64 = 100_000;

#[derive(Clone, Copy, Debug)]
struct Hole {
    tries: u8,
    asked: Option<Micros>,
}

/// See the module. Indexes are unwrapped sequence numbers.
#[derive(Debug, Default)]
pub struct NackSender {
    holes: BTreeMap<u64, Hole>,
    highest: Option<u64>,
}

impl NackSender {
    /// A packet came, in order or as a repair; answers whether it filled a hole.
    pub fn arrived(&mut self, index: u64) -> bool {
        let Some(highest) = self.highest else {
            self.highest = Some(index);
            return false;
        };
        if index <= highest {
            return self.holes.remove(&index).is_some();
        }
        let first = (highest + 1).max(index.saturating_sub(MAX_HOLES as u64));
        for hole in first..index {
            let fresh = Hole {
                tries: 0,
                asked: None,
            };
            self.holes.insert(hole, fresh);
        }
        while self.holes.len() > MAX_HOLES {
            self.holes.pop_first();
        }
        self.highest = Some(index);
        false
    }

    /// The numbers to ask for now: those never asked for, and those whose answer had a round trip's time.
    pub fn due(&mut self, now: Micros, rtt_us: i64) -> Vec<u64> {
        let mut due = Vec::new();
        self.holes.retain(|index, hole| {
            if hole.asked.is_some_and(|asked| now.since(asked) < rtt_us) {
                return true;
            }
            if hole.tries >= MAX_TRIES {
                return false;
            }
            (hole.tries, hole.asked) = (hole.tries + 1, Some(now));
            due.push(*index);
            true
        });
        due
    }

    /// All holes, oldest first.
    pub fn holes(&self) -> impl Iterator<Item = u64> {
        self.holes.keys().copied()
    }

    /// Whether any packet is missing.
    pub fn is_empty(&self) -> bool {
        self.holes.is_empty()
    }

    /// What is older than this index is of no use any more.
    pub fn forget_before(&mut self, index: u64) {
        if self
            .holes
            .first_key_value()
            .is_some_and(|(first, _)| *first < index)
        {
            self.holes = self.holes.split_off(&index);
        }
    }

    /// The highest index that came.
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_asked_for_at_once_then_each_round_trip_and_ten_times_at_most() {
        let mut sender = NackSender::default();
        sender.arrived(10);
        sender.arrived(13);
        assert_eq!(sender.due(Micros(0), 100_000), vec![11, 12]);
        assert!(sender.due(Micros(99_999), 100_000).is_empty());
        assert!(sender.arrived(11), "a repair fills its hole");
        let mut asked = 1;
        for turn in 1..40 {
            asked += sender.due(Micros(turn * 100_000), 100_000).len();
        }
        assert_eq!(asked, usize::from(MAX_TRIES));
        assert!(sender.is_empty());
    }

    #[test]
    fn reordering_fills_holes_and_old_ones_are_forgotten() {
        let mut sender = NackSender::default();
        for index in [1, 2, 5, 4, 9] {
            sender.arrived(index);
        }
        assert_eq!(sender.holes().collect::<Vec<_>>(), vec![3, 6, 7, 8]);
        sender.forget_before(7);
        assert_eq!(sender.holes().collect::<Vec<_>>(), vec![7, 8]);
    }

    #[test]
    fn a_leap_leaves_a_bounded_list() {
        let mut sender = NackSender::default();
        sender.arrived(1);
        sender.arrived(1_000_000);
        assert!(sender.holes().count() <= MAX_HOLES);
    }
}
