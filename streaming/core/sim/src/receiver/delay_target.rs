//! How much sound to hold back: the 95th percentile of how late packets come (libwebrtc's NetEq, DelayManager and
//! UnderrunOptimizer), at least what the page asks for.

use std::collections::VecDeque;

use zhuandi_wire::time::Micros;

const BUCKET_US: i64 = 20_000;
const BUCKETS: usize = 100;
const QUANTILE: f64 = 0.95;
const FORGET: f64 = 0.983;
/// The latest packet of each such span counts.
const SAMPLE_US: i64 = 500_000;
/// Lateness counts from the fastest packet of this span.
const HISTORY_US: i64 = 2_000_000;
/// Target before anything is known.
const START_US: i64 = 80_000;
/// Most that is held back.
const MAX_US: i64 = 2_000_000;

/// See the module.
#[derive(Debug)]
pub struct DelayTarget {
    /// (when seen, way) of the last seconds: rising ways, so that the front is the least, and falling ones.
    ways: VecDeque<(Micros, i64)>,
    slow: VecDeque<(Micros, i64)>,
    shares: [f64; BUCKETS],
    sampled: Option<Micros>,
    worst_us: i64,
    target_us: i64,
    samples: u32,
    /// The page's `jitterBufferTarget`.
    pub floor_us: i64,
}

impl Default for DelayTarget {
    fn default() -> Self {
        DelayTarget {
            ways: VecDeque::new(),
            slow: VecDeque::new(),
            shares: [0.0; BUCKETS],
            sampled: None,
            worst_us: 0,
            target_us: START_US,
            samples: 0,
            floor_us: 0,
        }
    }
}

impl DelayTarget {
    /// The newest packet came.
    pub fn arrived(&mut self, now: Micros, media_us: i64) {
        let way = now.0 - media_us;
        keep(&mut self.ways, now, way, |other| other >= way);
        keep(&mut self.slow, now, way, |other| other <= way);
        let least = self.ways.front().map_or(way, |(_, least)| *least);
        self.worst_us = self.worst_us.max(way - least);
        let since = self.sampled.get_or_insert(now);
        if now.since(*since) >= SAMPLE_US {
            self.sampled = Some(now);
            self.sample();
        }
    }

    /// The target now.
    pub fn target_us(&self) -> i64 {
        self.target_us.max(self.floor_us).min(MAX_US)
    }

    /// How far play that is at this media time is behind the fastest packet.
    pub fn behind_us(&self, now: Micros, media_us: i64) -> i64 {
        let least = self.ways.front().map_or(0, |(_, least)| *least);
        now.0 - media_us - least
    }

    /// How far the slowest packet is behind the fastest.
    pub fn spread_us(&self) -> i64 {
        match (self.ways.front(), self.slow.front()) {
            (Some((_, least)), Some((_, most))) => most - least,
            _ => 0,
        }
    }

    fn sample(&mut self) {
        let late = usize::try_from(self.worst_us / BUCKET_US)
            .unwrap_or(0)
            .min(BUCKETS - 1);
        self.worst_us = 0;
        self.samples += 1;
        // A young histogram learns faster.
        let forget = FORGET.min(1.0 - 2.0 / f64::from(self.samples + 1));
        for (bucket, share) in self.shares.iter_mut().enumerate() {
            *share *= forget;
            if bucket == late {
                *share += 1.0 - forget;
            }
        }
        let (mut sum, mut bucket) = (0.0, 0);
        for share in &self.shares {
            sum += share;
            if sum >= QUANTILE {
                break;
            }
            bucket += 1;
        }
        self.target_us = (bucket + 1) * BUCKET_US;
    }
}

/// Append, without what is beaten or older than the span that counts.
fn keep(ways: &mut VecDeque<(Micros, i64)>, now: Micros, way: i64, beaten: impl Fn(i64) -> bool) {
    while ways.back().is_some_and(|(_, other)| beaten(*other)) {
        ways.pop_back();
    }
    ways.push_back((now, way));
    while ways
        .front()
        .is_some_and(|(seen, _)| now.since(*seen) > HISTORY_US)
    {
        ways.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lateness: impl Fn(i64) -> i64, packets: i64) -> i64 {
        let mut target = DelayTarget::default();
        for i in 0..packets {
            target.arrived(Micros(i * 20_000 + lateness(i)), i * 20_000);
        }
        target.target_us()
    }

    #[test]
    fn a_steady_stream_needs_one_frame_and_a_jittery_one_its_spread() {
        assert_eq!(after(|_| 50_000, 1000), 20_000);
        let spread = after(|i| (i % 7) * 30_000, 1000);
        assert_eq!(spread, 200_000, "180 ms late at most, and one bucket");
    }

    #[test]
    fn a_single_late_packet_is_forgotten_and_the_page_sets_the_floor() {
        assert_eq!(after(|i| if i == 500 { 900_000 } else { 0 }, 5000), 20_000);
        let mut target = DelayTarget {
            floor_us: 500_000,
            ..DelayTarget::default()
        };
        target.arrived(Micros(0), 0);
        assert_eq!(target.target_us(), 500_000);
    }
}
