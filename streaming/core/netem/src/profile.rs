//! What a link is like.

use std::fmt;

use crate::capacity::Capacity;
use crate::loss::LossRate;
use crate::outage::{self, Outage};

/// No queue is longer, whatever its profile says.
const MAX_QUEUE_BYTES: usize = 16 << 20;
const MAX_DELAY_US: i64 = 60_000_000;

/// How much may wait in front of the bottleneck; what comes then is dropped (drop tail). One packet always fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLimit {
    /// In bytes.
    Bytes(usize),
    /// In milliseconds of the mean capacity: a buffer of bytes, as real ones are.
    Millis(u32),
}

/// One direction of a link.
#[derive(Clone, Debug)]
pub struct LinkProfile {
    /// The bottleneck's rate.
    pub capacity: Capacity,
    /// One-way delay behind the bottleneck, in microseconds.
    pub delay_us: i64,
    /// At most this much more, evenly drawn for each packet, in microseconds.
    pub jitter_us: i64,
    /// Jitter delays packets without letting them overtake.
    pub ordered: bool,
    /// Share of packets lost behind the bottleneck (they use its capacity).
    pub loss: f64,
    /// Mean length of a run of losses, in packets; 1: each packet for itself.
    pub burst: f64,
    /// Share of packets that come late by `reorder_us`.
    pub reorder: f64,
    /// How late those are, in microseconds.
    pub reorder_us: i64,
    /// Share of packets that enter the queue twice.
    pub duplicate: f64,
    /// In front of the bottleneck.
    pub queue: QueueLimit,
    /// One after the other; none overlap.
    pub outages: Vec<Outage>,
}

impl Default for LinkProfile {
    /// A perfect link: what goes in comes out at once.
    fn default() -> Self {
        Self {
            capacity: Capacity::Unlimited,
            delay_us: 0,
            jitter_us: 0,
            ordered: true,
            loss: 0.0,
            burst: 1.0,
            reorder: 0.0,
            reorder_us: 0,
            duplicate: 0.0,
            queue: QueueLimit::Millis(1_000),
            outages: Vec::new(),
        }
    }
}

/// Both directions of a link, under a name.
#[derive(Clone, Debug)]
pub struct Profile {
    /// As the command line and the pages spell it.
    pub name: String,
    /// Towards the classroom.
    pub down: LinkProfile,
    /// From the classroom.
    pub up: LinkProfile,
}

/// Why a profile cannot be, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadProfile(pub &'static str);

impl fmt::Display for BadProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadProfile {}

impl LinkProfile {
    /// Whether such a link can be.
    pub fn check(&self) -> Result<(), BadProfile> {
        let ratios = [self.loss, self.reorder, self.duplicate];
        let delays = [self.delay_us, self.jitter_us, self.reorder_us];
        if matches!(self.capacity, Capacity::Constant(0)) {
            return Err(BadProfile("a capacity of 0: use an outage"));
        }
        if !ratios.iter().all(|ratio| (0.0..=1.0).contains(ratio)) {
            return Err(BadProfile(
                "loss, reorder and duplicate are ratios from 0 to 1",
            ));
        }
        if !delays
            .iter()
            .all(|delay| (0..=MAX_DELAY_US).contains(delay))
        {
            return Err(BadProfile("delays are from 0 to 60 seconds"));
        }
        if !self.loss_rate().possible() {
            return Err(BadProfile("no loss has this ratio with this mean burst"));
        }
        if !outage::in_order(&self.outages) {
            return Err(BadProfile("outages must follow one another"));
        }
        Ok(())
    }

    /// Bits that could reach the other side in a span since the link's start: what a clairvoyant sender would use.
    /// Losses are not taken off; `u64::MAX` when unlimited.
    pub fn capacity_bits(&self, from_us: i64, to_us: i64) -> u64 {
        self.capacity.bits(&self.outages, from_us, to_us)
    }

    /// When a packet of `bytes` at IP level that enters at `from_us` has left the bottleneck, were it there alone.
    pub fn served_at(&self, from_us: i64, bytes: usize) -> i64 {
        let bits = crate::trace::work(bytes as u64 * 8, 1_000_000);
        self.capacity.finish(&self.outages, from_us, bits)
    }

    pub(crate) fn loss_rate(&self) -> LossRate {
        LossRate {
            ratio: self.loss,
            burst: self.burst,
        }
    }

    pub(crate) fn queue_bytes(&self) -> usize {
        let bytes = match (self.queue, self.capacity.mean_bps()) {
            (QueueLimit::Bytes(bytes), _) => bytes,
            (QueueLimit::Millis(_), None) => MAX_QUEUE_BYTES,
            (QueueLimit::Millis(ms), Some(bps)) => {
                let bytes = u128::from(bps) * u128::from(ms) / 8_000;
                usize::try_from(bytes).unwrap_or(MAX_QUEUE_BYTES)
            }
        };
        bytes.min(MAX_QUEUE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outage::OutageKind;

    #[test]
    fn a_queue_in_milliseconds_is_so_many_bytes_at_the_mean_rate() {
        let link = |capacity, queue| LinkProfile {
            capacity,
            queue,
            ..LinkProfile::default()
        };
        let ms = QueueLimit::Millis(300);
        assert_eq!(link(Capacity::Constant(64_000), ms).queue_bytes(), 2_400);
        assert_eq!(link(Capacity::Unlimited, ms).queue_bytes(), MAX_QUEUE_BYTES);
        let much = QueueLimit::Bytes(usize::MAX);
        assert_eq!(
            link(Capacity::Constant(1), much).queue_bytes(),
            MAX_QUEUE_BYTES
        );
    }

    #[test]
    fn impossible_links_are_refused() {
        let refused = |change: fn(&mut LinkProfile)| {
            let mut link = LinkProfile::default();
            change(&mut link);
            link.check().is_err()
        };
        assert!(!refused(|_| ()));
        assert!(refused(|link| link.capacity = Capacity::Constant(0)));
        assert!(refused(|link| link.loss = 1.1));
        assert!(refused(|link| link.duplicate = f64::NAN));
        assert!(refused(|link| link.jitter_us = -1));
        assert!(refused(|link| (link.loss, link.burst) = (0.9, 2.0)));
        let outage = Outage {
            from_us: 5,
            until_us: 9,
            kind: OutageKind::Drop,
        };
        let overlapping = LinkProfile {
            outages: vec![
                outage,
                Outage {
                    from_us: 8,
                    ..outage
                },
            ],
            ..LinkProfile::default()
        };
        assert!(overlapping.check().is_err());
    }
}
