//! Reception statistics of one stream and the report block made of them (RFC 3550 6.4.1, A.3, A.8).

use zhuandi_wire::rtcp::ReportBlock;
use zhuandi_wire::seq::low32;
use zhuandi_wire::time::Micros;

/// How far back a packet is recognised as a repeat.
const WINDOW: u64 = 2048;
const WORDS: usize = 32;

/// Counts of one received stream.
#[derive(Clone, Debug)]
pub struct ReceiveStats {
    rate: u32,
    first: Option<u64>,
    highest: u64,
    received: u64,
    seen: [u64; WORDS],
    transit: Option<i64>,
    /// Jitter times 16 in timestamp units, as A.8 keeps it.
    jitter16: i64,
    reported: (u64, u64),
}

impl ReceiveStats {
    /// A stream with this clock rate.
    pub fn new(rate: u32) -> ReceiveStats {
        ReceiveStats {
            rate,
            first: None,
            highest: 0,
            received: 0,
            seen: [0; WORDS],
            transit: None,
            jitter16: 0,
            reported: (0, 0),
        }
    }

    /// Count a packet; false when it came before, or is too old to tell.
    pub fn arrived(&mut self, seq: u64) -> bool {
        let Some(first) = self.first else {
            (self.first, self.highest) = (Some(seq), seq);
            return self.mark(seq);
        };
        if seq > self.highest {
            for gone in (self.highest + 1..=seq).take(WINDOW as usize) {
                self.unmark(gone);
            }
            if seq - self.highest > WINDOW {
                self.seen.fill(0);
            }
            self.highest = seq;
        } else if self.highest - seq >= WINDOW {
            return false;
        }
        self.first = Some(first.min(seq));
        self.mark(seq)
    }

    /// Take a first transmission into the jitter (A.8); repairs do not count.
    pub fn jitter_sample(&mut self, now: Micros, ts: u32) {
        let arrival = i128::from(now.0) * i128::from(self.rate) / 1_000_000;
        let transit = i64::try_from(arrival).unwrap_or(0) - i64::from(ts);
        if let Some(before) = self.transit.replace(transit) {
            // Timestamps wrap: the difference counts modulo 2^32.
            let d = i64::from(low32((transit - before).cast_unsigned()).cast_signed()).abs();
            self.jitter16 += d - ((self.jitter16 + 8) >> 4);
        }
    }

    /// Highest index so far.
    pub fn highest(&self) -> Option<u64> {
        self.first.map(|_| self.highest)
    }

    /// Packets that are missing, since the start.
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// Jitter in microseconds.
    pub fn jitter_us(&self) -> u32 {
        u32::try_from((self.jitter16 >> 4).saturating_mul(1_000_000) / i64::from(self.rate.max(1)))
            .unwrap_or(0)
    }

    /// The block for the next report; fractions count from the last one. `last_sr` is the middle of the last report's NTP
    /// time and when it came.
    pub fn block(&mut self, now: Micros, ssrc: u32, last_sr: Option<(u32, Micros)>) -> ReportBlock {
        let (expected_before, received_before) = self.reported;
        self.reported = (self.expected(), self.received);
        let expected = self.expected().saturating_sub(expected_before);
        let received = self.received.saturating_sub(received_before);
        let lost = expected.saturating_sub(received);
        let fraction = (lost << 8).checked_div(expected).unwrap_or(0);
        let delay = last_sr.map_or(0, |(_, at)| (now.since(at).max(0) << 16) / 1_000_000);
        ReportBlock {
            ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            total_lost: i32::try_from(self.lost())
                .unwrap_or(i32::MAX)
                .min(0x7F_FFFF),
            highest_seq: low32(self.highest),
            jitter: u32::try_from(self.jitter16 >> 4).unwrap_or(u32::MAX),
            last_sr: last_sr.map_or(0, |(ntp, _)| ntp),
            delay_since_sr: u32::try_from(delay).unwrap_or(u32::MAX),
        }
    }

    fn expected(&self) -> u64 {
        self.first.map_or(0, |first| self.highest - first + 1)
    }

    fn mark(&mut self, seq: u64) -> bool {
        let bit = 1u64 << (seq % 64);
        let Some(word) = self.seen.get_mut(word(seq)) else {
            return false;
        };
        let new = *word & bit == 0;
        *word |= bit;
        self.received += u64::from(new);
        new
    }

    fn unmark(&mut self, seq: u64) {
        if let Some(slot) = self.seen.get_mut(word(seq)) {
            *slot &= !(1u64 << (seq % 64));
        }
    }
}

fn word(seq: u64) -> usize {
    usize::try_from((seq % WINDOW) / 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const STARTS: [u64; 6] = [0, 1, 127, 32_767, 65_534, 65_535];

    #[test]
    fn losses_and_fractions_are_those_of_the_rfc() {
        for start in STARTS {
            let mut stats = ReceiveStats::new(90_000);
            for i in (0..100).filter(|i| i % 4 != 1) {
                assert!(stats.arrived(start + i));
                assert!(!stats.arrived(start + i), "a repeat");
            }
            let block = stats.block(Micros(2_000_000), 7, Some((5, Micros(1_500_000))));
            assert_eq!((block.total_lost, block.fraction_lost), (25, 64));
            assert_eq!(
                (block.highest_seq, block.delay_since_sr),
                (low32(start + 99), 1 << 15)
            );
            stats.arrived(start + 100);
            assert_eq!(stats.block(Micros(0), 7, None).fraction_lost, 0);
        }
    }

    #[test]
    fn jitter_is_the_smoothed_difference_of_transit_times_around_the_wrap() {
        for ts in [0u32, 1, u32::MAX - 3000] {
            let mut stats = ReceiveStats::new(90_000);
            for i in 0..500u32 {
                let late = i64::from(i % 2) * 2000;
                stats.jitter_sample(
                    Micros(i64::from(i) * 33_333 + late),
                    ts.wrapping_add(i * 3000),
                );
            }
            assert!(
                (1900..=2100).contains(&stats.jitter_us()),
                "{}",
                stats.jitter_us()
            );
        }
    }

    proptest! {
        #[test]
        fn every_packet_counts_once(
            start in prop::sample::select(STARTS.to_vec()), steps in prop::collection::vec((0u64..40, 0u64..60), 1..500)
        ) {
            let mut stats = ReceiveStats::new(1);
            let (mut seen, mut head) = (HashSet::new(), start);
            for (ahead, behind) in steps {
                head += ahead;
                let seq = head.saturating_sub(behind);
                prop_assert_eq!(stats.arrived(seq), seen.insert(seq));
            }
            let (low, high) = (seen.iter().min().unwrap(), seen.iter().max().unwrap());
            prop_assert_eq!(stats.lost(), high - low + 1 - seen.len() as u64);
        }
    }
}
