//! A token bucket over virtual time, in bits: what leaves may overdraw it once, then waits until it is repaid.

use zhuandi_wire::time::Micros;

/// Longest idle time that is looked at, and longest debt: what was overdrawn beyond it is forgiven.
const MAX_SPAN_US: i64 = 500_000;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    rate_bps: i64,
    burst_bits: i64,
    credit_bits: i64,
    at: Micros,
}

impl Bucket {
    /// An empty bucket that fills at `rate_bps` up to `burst_bits`.
    pub fn new(now: Micros, rate_bps: u64, burst_bits: i64) -> Bucket {
        let mut bucket = Bucket {
            at: now,
            ..Bucket::default()
        };
        bucket.set(now, rate_bps, burst_bits);
        bucket
    }

    /// Another rate and another limit of what may be saved up.
    pub fn set(&mut self, now: Micros, rate_bps: u64, burst_bits: i64) {
        self.refill(now);
        self.rate_bps = i64::try_from(rate_bps).unwrap_or(i64::MAX);
        self.burst_bits = burst_bits.max(1);
        self.credit_bits = self.credit_bits.min(self.burst_bits);
    }

    /// Save up all that may be saved.
    pub fn fill(&mut self) {
        self.credit_bits = self.burst_bits;
    }

    /// Bits a second.
    pub fn rate_bps(&self) -> u64 {
        self.rate_bps.unsigned_abs()
    }

    /// Whether anything may leave now.
    pub fn has_credit(&mut self, now: Micros) -> bool {
        self.refill(now);
        self.credit_bits > 0
    }

    /// Bits that may leave now; negative when overdrawn.
    pub fn credit_bits(&self) -> i64 {
        self.credit_bits
    }

    /// So many bytes left.
    pub fn spend(&mut self, bytes: usize) {
        let bits = i64::try_from(bytes).unwrap_or(i64::MAX).saturating_mul(8);
        let floor = -self.bits_in(MAX_SPAN_US).max(bits);
        self.credit_bits = self.credit_bits.saturating_sub(bits).max(floor);
    }

    /// When something may leave.
    pub fn next(&self, now: Micros) -> Micros {
        if self.credit_bits > 0 {
            return now;
        }
        if self.rate_bps == 0 {
            return Micros::NEVER;
        }
        let missing = (1 - self.credit_bits).saturating_mul(1_000_000);
        self.at.plus(missing / self.rate_bps + 1)
    }

    fn bits_in(&self, span_us: i64) -> i64 {
        self.rate_bps.saturating_mul(span_us) / 1_000_000
    }

    fn refill(&mut self, now: Micros) {
        let span = now.since(self.at).clamp(0, MAX_SPAN_US);
        let filled = self.credit_bits.saturating_add(self.bits_in(span));
        self.credit_bits = filled.min(self.burst_bits.max(1));
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_its_rate_and_no_more_than_one_burst_beyond() {
        let mut bucket = Bucket::new(Micros(0), 80_000, 400);
        let (mut sent, mut now) = (0usize, Micros(0));
        while now.0 < 1_000_000 {
            while bucket.has_credit(now) {
                bucket.spend(100);
                sent += 100;
            }
            let next = bucket.next(now);
            assert!(next > now);
            now = next;
        }
        assert!((9_900..=10_200).contains(&sent), "{sent} bytes in a second");
    }

    #[test]
    fn a_debt_is_forgiven_after_half_a_second_and_a_rate_of_zero_gives_nothing() {
        let mut bucket = Bucket::new(Micros(0), 8_000, 100);
        (0..100).for_each(|_| bucket.spend(100));
        assert!(bucket.next(Micros(0)) <= Micros(600_000));
        bucket.set(Micros(0), 0, 100);
        assert_eq!(bucket.next(Micros(0)), Micros::NEVER);
        assert!(!bucket.has_credit(Micros(9_000_000)));
    }
}
