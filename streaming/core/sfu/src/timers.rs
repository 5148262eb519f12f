//! Wake-ups of many objects: a heap with lazy deletion, times rounded up to 5 ms.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use zhuandi_wire::time::Micros;

/// Times are rounded up to this.
pub const GRAIN_US: i64 = 5_000;

/// Whose timer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// Index of an association.
    Association(u32),
    /// Index of a publication that is played.
    Player(u32),
}

/// See the module. The owner keeps `armed`: the earliest time that is in the heap for it.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Micros, Wake)>>,
}

impl Timers {
    /// Make sure that `wake` is called at `at`; an earlier call that is armed already is enough.
    pub fn arm(&mut self, wake: Wake, at: Micros, armed: &mut Micros) {
        if at == Micros::NEVER {
            return;
        }
        let at = Micros(at.0.saturating_add(GRAIN_US - 1).div_euclid(GRAIN_US) * GRAIN_US);
        if at < *armed {
            *armed = at;
            self.heap.push(Reverse((at, wake)));
        }
    }

    /// The next call that is due, with the time for which it was armed.
    pub fn pop(&mut self, now: Micros) -> Option<(Micros, Wake)> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// When the next call is due.
    pub fn next(&self) -> Micros {
        self.heap
            .peek()
            .map_or(Micros::NEVER, |Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_come_in_order_and_an_earlier_one_replaces_a_later_one() {
        let mut timers = Timers::default();
        let (mut a, mut b) = (Micros::NEVER, Micros::NEVER);
        timers.arm(Wake::Association(1), Micros(20_000), &mut a);
        timers.arm(Wake::Association(1), Micros(40_000), &mut a);
        timers.arm(Wake::Association(2), Micros(7_001), &mut b);
        assert_eq!(timers.next(), Micros(10_000));
        assert_eq!(timers.pop(Micros(9_999)), None);
        assert_eq!(
            timers.pop(Micros(30_000)),
            Some((Micros(10_000), Wake::Association(2)))
        );
        assert_eq!(
            timers.pop(Micros(30_000)),
            Some((Micros(20_000), Wake::Association(1)))
        );
        assert_eq!(timers.next(), Micros::NEVER);
    }
}
