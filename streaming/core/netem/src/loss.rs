//! Which packets are lost on the way.

use crate::rng::SplitMix64;

/// Even loss, or bursts by the two-state chain of Gilbert (1960): in its bad state every packet is lost.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    rng: SplitMix64,
    bad: bool,
}

/// What of each packet is lost, and in runs of what mean length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LossRate {
    pub ratio: f64,
    pub burst: f64,
}

impl LossRate {
    /// The chance to leave the bad state is 1/burst; that to enter it follows from the ratio in the long run.
    fn enter(&self) -> f64 {
        self.ratio / (self.burst * (1.0 - self.ratio))
    }

    /// Whether such a chain exists.
    pub(crate) fn possible(&self) -> bool {
        (0.0..=1.0).contains(&self.ratio)
            && self.burst >= 1.0
            && self.burst.is_finite()
            && (!self.bursty() || (self.ratio < 1.0 && self.enter() <= 1.0))
    }

    fn bursty(&self) -> bool {
        self.burst > 1.0
    }
}

impl Loss {
    pub(crate) fn new(rng: SplitMix64) -> Self {
        Self { rng, bad: false }
    }

    /// The fate of the next packet; one random number each.
    pub(crate) fn takes(&mut self, rate: LossRate) -> bool {
        let drawn = self.rng.fraction();
        if !rate.bursty() {
            return drawn < rate.ratio;
        }
        let bad_next = if self.bad {
            1.0 - 1.0 / rate.burst
        } else {
            rate.enter()
        };
        self.bad = drawn < bad_next;
        self.bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of lost packets and mean length of their runs.
    fn measured(ratio: f64, burst: f64) -> (f64, f64) {
        let mut loss = Loss::new(SplitMix64::new(11, 3));
        let (mut lost, mut runs, mut before) = (0, 0, false);
        for _ in 0..200_000 {
            let now = loss.takes(LossRate { ratio, burst });
            lost += u32::from(now);
            runs += u32::from(now && !before);
            before = now;
        }
        (
            f64::from(lost) / 200_000.0,
            f64::from(lost) / f64::from(runs),
        )
    }

    #[test]
    fn even_loss_has_the_ratio_and_the_runs_of_independent_packets() {
        for ratio in [0.01, 0.1, 0.2, 0.5] {
            let (share, run) = measured(ratio, 1.0);
            assert!((share - ratio).abs() < 0.005, "{ratio}: {share}");
            assert!((run - 1.0 / (1.0 - ratio)).abs() < 0.05, "{ratio}: {run}");
        }
    }

    #[test]
    fn bursts_keep_the_ratio_and_have_the_mean_length() {
        for (ratio, burst) in [(0.05, 3.0), (0.2, 3.0), (0.1, 8.0), (0.3, 1.5)] {
            let (share, run) = measured(ratio, burst);
            assert!((share - ratio).abs() < 0.01, "{ratio}, {burst}: {share}");
            assert!(
                (run - burst).abs() < 0.03 * burst,
                "{ratio}, {burst}: {run}"
            );
        }
    }

    #[test]
    fn ratios_that_no_chain_of_such_bursts_has_are_told_apart() {
        let possible = |ratio, burst| LossRate { ratio, burst }.possible();
        assert!(possible(0.0, 1.0) && possible(1.0, 1.0) && possible(0.6, 1.5));
        assert!(!possible(0.9, 1.5) && !possible(1.0, 2.0) && !possible(-0.1, 1.0));
        assert!(!possible(0.1, 0.5) && !possible(f64::NAN, 1.0) && !possible(0.1, f64::INFINITY));
    }
}
