//! Which packets of one encoding are missing, and when to ask for them (RFC 4585 6.2.1).
//!
//! A hole is asked for when three newer packets have come or 10 ms have gone by (reordering), then once a round trip,
//! at most ten times and at most for a second.

use std::collections::VecDeque;

use zhuandi_wire::time::Micros;

/// Most holes that are tracked; more mean that repair is hopeless.
pub const MAX_MISSING: usize = 256;
/// Most requests for one packet.
pub const MAX_TRIES: u8 = 10;
/// How long a hole is worth asking for.
pub const MAX_AGE_US: i64 = 1_000_000;
/// Newer packets that tell loss from reordering, as TCP's duplicate acknowledgements.
const REORDER_PACKETS: u64 = 3;
const REORDER_US: i64 = 10_000;
const MIN_RETRY_US: i64 = 25_000;
const DEFAULT_RTT_US: i64 = 100_000;

#[derive(Clone, Copy, Debug)]
struct Missing {
    seq: u64,
    since: Micros,
    asked: Option<Micros>,
    tries: u8,
}

/// The list of holes of one encoding.
#[derive(Debug, Default)]
pub struct NackList {
    missing: VecDeque<Missing>,
    highest: Option<u64>,
    given_up: u64,
}

impl NackList {
    /// A packet came; answers whether it filled a hole.
    pub fn arrived(&mut self, now: Micros, seq: u64) -> bool {
        let Some(highest) = self.highest else {
            self.highest = Some(seq);
            return false;
        };
        if seq > highest {
            self.highest = Some(seq);
            self.open(now, highest + 1, seq);
            return false;
        }
        match self.missing.binary_search_by_key(&seq, |hole| hole.seq) {
            Ok(at) => self.missing.remove(at).is_some(),
            Err(_) => false,
        }
    }

    /// Forget everything: the source restarted.
    pub fn reset(&mut self) {
        self.missing.clear();
        self.highest = None;
    }

    /// The numbers to ask for now, in order; what is too old leaves the list.
    pub fn due(&mut self, now: Micros, rtt_us: Option<i64>) -> Vec<u64> {
        let retry_us = rtt_us.unwrap_or(DEFAULT_RTT_US).max(MIN_RETRY_US);
        let highest = self.highest.unwrap_or(0);
        let before = self.missing.len();
        self.missing
            .retain(|hole| hole.tries < MAX_TRIES && now.since(hole.since) < MAX_AGE_US);
        self.given_up += (before - self.missing.len()) as u64;
        let mut due = Vec::new();
        for hole in &mut self.missing {
            let ready = match hole.asked {
                Some(asked) => now.since(asked) >= retry_us,
                None => {
                    highest >= hole.seq + REORDER_PACKETS || now.since(hole.since) >= REORDER_US
                }
            };
            if ready {
                hole.asked = Some(now);
                hole.tries += 1;
                due.push(hole.seq);
            }
        }
        due
    }

    /// Whether there is anything to ask for, now or later.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// Holes that were left open for good, since the start.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    fn open(&mut self, now: Micros, from: u64, to: u64) {
        if to - from > MAX_MISSING as u64 {
            self.given_up += to - from + self.missing.len() as u64;
            self.missing.clear();
            return;
        }
        for seq in from..to {
            if self.missing.len() >= MAX_MISSING {
                self.missing.pop_front();
                self.given_up += 1;
            }
            self.missing.push_back(Missing {
                seq,
                since: now,
                asked: None,
                tries: 0,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTS: [u64; 6] = [0, 1, 127, 32_767, 65_534, 65_535];

    #[test]
    fn a_hole_is_asked_for_after_three_newer_packets_and_again_after_a_round_trip() {
        for start in STARTS {
            let mut list = NackList::default();
            list.arrived(Micros(0), start);
            list.arrived(Micros(0), start + 3);
            assert!(list.due(Micros(1), None).is_empty(), "it may be reordering");
            list.arrived(Micros(2), start + 5);
            assert_eq!(
                list.due(Micros(3), Some(50_000)),
                vec![start + 1, start + 2]
            );
            assert!(list.due(Micros(9_000), Some(50_000)).is_empty());
            assert_eq!(list.due(Micros(10_002), Some(50_000)), vec![start + 4]);
            assert_eq!(
                list.due(Micros(50_003), Some(50_000)),
                vec![start + 1, start + 2]
            );
        }
    }

    #[test]
    fn a_late_packet_closes_its_hole() {
        for start in STARTS {
            let mut list = NackList::default();
            list.arrived(Micros(0), start);
            list.arrived(Micros(0), start + 2);
            assert!(list.arrived(Micros(1), start + 1));
            assert!(!list.arrived(Micros(1), start + 1));
            assert!(list.is_empty());
        }
    }

    #[test]
    fn a_hole_is_given_up_after_a_second_and_after_ten_tries() {
        for start in STARTS {
            let mut list = NackList::default();
            list.arrived(Micros(0), start);
            list.arrived(Micros(0), start + 2);
            let asked: usize = (0..200)
                .map(|i| list.due(Micros(i * 26_000), Some(1)).len())
                .sum();
            assert_eq!(asked, 10);
            assert_eq!(list.given_up(), 1);
            assert!(list.is_empty());
        }
    }

    #[test]
    fn a_jump_clears_the_list_and_the_list_is_bounded() {
        for start in STARTS {
            let mut list = NackList::default();
            list.arrived(Micros(0), start);
            list.arrived(Micros(0), start + 5000);
            assert!(list.is_empty());
            for i in 0..400 {
                list.arrived(Micros(0), start + 5000 + 2 * i);
            }
            assert_eq!(list.missing.len(), MAX_MISSING);
        }
    }
}
