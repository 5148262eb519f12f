//! The freeze metric of the WebRTC statistics (`freezeCount`, `totalFreezesDuration`): a gap between two shown frames
//! of at least three mean gaps or the mean plus 150 ms, whichever is longer.

use zhuandi_wire::time::Micros;

/// Gaps that the mean is taken over.
const WINDOW: usize = 30;
const FREEZE_EXTRA_US: i64 = 150_000;

/// What was counted; see the module.
#[derive(Debug, Default)]
pub struct Freezes {
    gaps: [i64; WINDOW],
    filled: usize,
    next: usize,
    last: Option<Micros>,
    /// Freezes that ended.
    pub count: u64,
    /// Their whole length.
    pub frozen_us: i64,
    /// The longest.
    pub longest_us: i64,
}

impl Freezes {
    /// A frame is shown; answers the gap before it when that was a freeze.
    pub fn shown(&mut self, now: Micros) -> Option<i64> {
        let gap = self.last.replace(now).map(|last| now.since(last))?;
        let frozen = gap >= self.limit_us();
        if frozen {
            self.count += 1;
            self.frozen_us += gap;
            self.longest_us = self.longest_us.max(gap);
        }
        if let Some(place) = self.gaps.get_mut(self.next) {
            *place = gap;
        }
        self.next = (self.next + 1) % WINDOW;
        self.filled = (self.filled + 1).min(WINDOW);
        frozen.then_some(gap)
    }

    /// The picture was taken away on purpose: the gap from here to the next frame is no freeze; one that had begun counts.
    pub fn paused(&mut self, now: Micros) {
        if let Some(last) = self.last.take() {
            let gap = now.since(last);
            if self.filled > 0 && gap >= self.limit_us() {
                self.count += 1;
                self.frozen_us += gap;
                self.longest_us = self.longest_us.max(gap);
            }
        }
        (self.filled, self.next) = (0, 0);
    }

    /// Frozen time up to now, with the gap that is still open.
    pub fn frozen_until(&self, now: Micros) -> i64 {
        let open = self.last.map_or(0, |last| now.since(last));
        match self.filled > 0 && open >= self.limit_us() {
            true => self.frozen_us + open,
            false => self.frozen_us,
        }
    }

    fn limit_us(&self) -> i64 {
        if self.filled == 0 {
            return i64::MAX;
        }
        let sum: i64 = self.gaps.iter().take(self.filled).sum();
        let mean = sum / i64::try_from(self.filled).unwrap_or(1).max(1);
        (3 * mean).max(mean + FREEZE_EXTRA_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_counts_when_it_is_long_beside_the_mean() {
        let mut freezes = Freezes::default();
        let mut now = Micros(0);
        for _ in 0..30 {
            now = now.plus(40_000);
            assert_eq!(freezes.shown(now), None);
        }
        assert_eq!(
            freezes.shown(now.plus(189_000)),
            None,
            "under mean + 150 ms"
        );
        now = now.plus(189_000 + 250_000);
        assert_eq!(freezes.shown(now), Some(250_000));
        assert_eq!((freezes.count, freezes.frozen_us), (1, 250_000));
    }

    #[test]
    fn slow_pictures_are_no_freeze_and_an_open_gap_counts_at_the_end() {
        let mut freezes = Freezes::default();
        for i in 0..40 {
            freezes.shown(Micros(i * 200_000));
        }
        let last = 39 * 200_000;
        assert_eq!(freezes.frozen_until(Micros(last + 599_000)), 0);
        assert_eq!(freezes.frozen_until(Micros(last + 600_000)), 600_000);
    }

    #[test]
    fn a_picture_that_was_taken_away_is_not_frozen() {
        let mut freezes = Freezes::default();
        for i in 0..40 {
            freezes.shown(Micros(i * 40_000));
        }
        freezes.paused(Micros(39 * 40_000 + 20_000));
        assert_eq!(freezes.frozen_until(Micros(60_000_000)), 0);
        assert_eq!(freezes.shown(Micros(60_000_000)), None);
    }
}
