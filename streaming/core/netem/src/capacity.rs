//! How fast the bottleneck serves, outages included.

use std::sync::Arc;

use crate::outage::{Outage, OutageKind};
use crate::trace::{Trace, work};

const MILLIONTHS: u128 = 1_000_000;

/// The rate of a bottleneck.
#[derive(Clone, Debug)]
pub enum Capacity {
    /// Nothing ever waits.
    Unlimited,
    /// Always this, in bit/s.
    Constant(u64),
    /// Measured over time, from the link's start.
    Trace(Arc<Trace>),
}

impl Capacity {
    /// The mean in bit/s; `None` when unlimited.
    pub fn mean_bps(&self) -> Option<u64> {
        match self {
            Capacity::Unlimited => None,
            Capacity::Constant(bps) => Some(*bps),
            Capacity::Trace(trace) => Some(trace.mean_bps()),
        }
    }

    fn work_until(&self, at_us: i64) -> u128 {
        match self {
            Capacity::Unlimited => 0,
            Capacity::Constant(bps) => work(*bps, at_us),
            Capacity::Trace(trace) => trace.work_until(at_us),
        }
    }

    fn time_of(&self, goal: u128) -> i64 {
        match self {
            Capacity::Unlimited => 0,
            Capacity::Constant(bps) => {
                i64::try_from(goal.div_ceil(u128::from((*bps).max(1)))).unwrap_or(i64::MAX)
            }
            Capacity::Trace(trace) => trace.time_of(goal),
        }
    }

    /// When work that begins at `from_us` is done; the queue stands still in outages that hold.
    pub(crate) fn finish(&self, outages: &[Outage], from_us: i64, mut left: u128) -> i64 {
        let mut at_us = from_us.max(0);
        let held = outages
            .iter()
            .filter(|outage| outage.kind == OutageKind::Hold);
        for outage in held.filter(|outage| outage.until_us > from_us) {
            if at_us < outage.from_us {
                let room = match self {
                    Capacity::Unlimited => return at_us,
                    _ => self.work_until(outage.from_us) - self.work_until(at_us),
                };
                if room >= left {
                    break;
                }
                left -= room;
            }
            at_us = outage.until_us;
        }
        match self {
            Capacity::Unlimited => at_us,
            _ => self.time_of(self.work_until(at_us) + left).max(at_us),
        }
    }

    /// Work that the queue's server can do in a span: outages that hold stop it, those that drop do not.
    pub(crate) fn served(&self, outages: &[Outage], from_us: i64, to_us: i64) -> u128 {
        self.between(outages, from_us, to_us, |kind| kind == OutageKind::Hold)
    }

    /// Bits that could reach the other side in a span: none in any outage; `u64::MAX` when unlimited.
    pub fn bits(&self, outages: &[Outage], from_us: i64, to_us: i64) -> u64 {
        if matches!(self, Capacity::Unlimited) {
            return u64::MAX;
        }
        let work = self.between(outages, from_us, to_us, |_| true);
        u64::try_from(work / MILLIONTHS).unwrap_or(u64::MAX)
    }

    fn between(
        &self,
        outages: &[Outage],
        from_us: i64,
        to_us: i64,
        stops: impl Fn(OutageKind) -> bool,
    ) -> u128 {
        let span = |from: i64, to: i64| {
            let to = to.max(from);
            self.work_until(to) - self.work_until(from)
        };
        let lost: u128 = outages
            .iter()
            .filter(|outage| stops(outage.kind))
            .map(|outage| span(outage.from_us.max(from_us), outage.until_us.min(to_us)))
            .sum();
        span(from_us, to_us) - lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage(from_us: i64, until_us: i64, kind: OutageKind) -> Outage {
        Outage {
            from_us,
            until_us,
            kind,
        }
    }

    #[test]
    fn an_outage_that_holds_puts_the_end_of_the_work_off() {
        let link = Capacity::Constant(1_000);
        let outages = [
            outage(100, 150, OutageKind::Hold),
            outage(160, 170, OutageKind::Drop),
            outage(200, 300, OutageKind::Hold),
        ];
        let finish = |from, span_us| link.finish(&outages, from, work(1_000, span_us));
        assert_eq!(finish(0, 100), 100, "done as it begins");
        assert_eq!(finish(0, 101), 151);
        assert_eq!(finish(120, 10), 160, "begun within one");
        assert_eq!(
            finish(0, 151),
            301,
            "across two; the one that drops does not hold"
        );
        assert_eq!(Capacity::Unlimited.finish(&outages, 120, 9), 150);
        assert_eq!(Capacity::Unlimited.finish(&outages, 90, 9), 90);
    }

    #[test]
    fn no_outage_counts_as_capacity() {
        let link = Capacity::Constant(8_000_000);
        let outages = [
            outage(10, 20, OutageKind::Hold),
            outage(30, 40, OutageKind::Drop),
        ];
        assert_eq!(link.bits(&outages, 0, 50), 8 * 30);
        assert_eq!(link.bits(&outages, 15, 35), 8 * 10);
        assert_eq!(link.bits(&outages, 12, 18), 0);
        assert_eq!(link.bits(&outages, 50, 0), 0);
    }
}
