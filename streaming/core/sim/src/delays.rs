//! How delays are spread, in steps of a millisecond.

/// Longest delay that is told apart, in milliseconds.
const LONGEST_MS: usize = 20_000;

/// A histogram of delays.
#[derive(Clone, Debug, Default)]
pub struct Delays {
    counts: Vec<u32>,
    total: u64,
}

impl Delays {
    /// One more.
    pub fn add(&mut self, delay_us: i64) {
        let ms = usize::try_from(delay_us / 1000)
            .unwrap_or(0)
            .min(LONGEST_MS);
        if ms >= self.counts.len() {
            self.counts.resize(ms + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(ms) {
            *count = count.saturating_add(1);
            self.total += 1;
        }
    }

    /// The delay in milliseconds that this share of them does not exceed; 0 when there are none.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = share * self.total as f64;
        let mut seen = 0.0;
        for (ms, count) in self.counts.iter().enumerate() {
            seen += f64::from(*count);
            if seen >= wanted {
                return ms as f64;
            }
        }
        0.0
    }

    /// Forget all.
    pub fn clear(&mut self) {
        *self = Delays::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_read_from_the_counts() {
        let mut delays = Delays::default();
        assert_eq!(delays.quantile_ms(0.95), 0.0);
        (0..100).for_each(|ms| delays.add(ms * 1000 + 500));
        assert_eq!(delays.quantile_ms(0.95), 94.0);
        delays.add(i64::MAX);
        assert_eq!(delays.quantile_ms(1.0), LONGEST_MS as f64);
    }
}
