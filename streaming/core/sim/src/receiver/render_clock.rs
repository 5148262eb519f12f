//! When a frame is shown: its capture time plus the least way that any frame had lately, plus what jitter asks for
//! (after libwebrtc's VCMTiming: the delay follows its target by at most 100 ms a second).

use std::collections::VecDeque;

use zhuandi_wire::time::Micros;

/// Decoding and drawing.
const RENDER_US: i64 = 10_000;
/// How long a least way is believed.
const LEAST_US: i64 = 10_000_000;
/// The delay moves by this share of the time that passes.
const SLEW: f64 = 0.1;
/// Deviations that the delay covers (JitterEstimator: 2.33, one frame in a hundred).
const DEVIATIONS: f64 = 2.33;
const GAIN: f64 = 1.0 / 32.0;
/// Longest delay of pictures.
const MAX_DELAY_US: f64 = 2_000_000.0;

/// See the module.
#[derive(Debug, Default)]
pub struct RenderClock {
    /// (when seen, way) with rising ways: the front is the least of the last seconds.
    least: VecDeque<(Micros, i64)>,
    mean_us: f64,
    square: f64,
    delay_us: f64,
    moved: Option<Micros>,
    /// Least delay that the page asked for (`jitterBufferTarget`).
    pub target_us: i64,
}

impl RenderClock {
    /// A frame is whole. Repaired frames say nothing about jitter.
    pub fn arrived(&mut self, now: Micros, capture_us: i64, repaired: bool) {
        let way = now.0 - capture_us;
        while self.least.back().is_some_and(|(_, other)| *other >= way) {
            self.least.pop_back();
        }
        self.least.push_back((now, way));
        while self
            .least
            .front()
            .is_some_and(|(seen, _)| now.since(*seen) > LEAST_US)
        {
            self.least.pop_front();
        }
        let above = (way - self.least_us()) as f64;
        if !repaired {
            self.mean_us += GAIN * (above - self.mean_us);
            let off = above - self.mean_us;
            self.square += GAIN * (off * off - self.square);
        }
        self.follow(now);
    }

    /// When to show a frame of this capture time; never before `now`.
    pub fn due(&self, now: Micros, capture_us: i64) -> Micros {
        #[allow(clippy::cast_possible_truncation)]
        let delay = self.delay_us as i64;
        let at = capture_us
            .saturating_add(self.least_us())
            .saturating_add(delay);
        Micros(at.max(now.0))
    }

    /// Target of the delay over the least way.
    pub fn wanted_us(&self) -> f64 {
        let jitter = self.mean_us + DEVIATIONS * self.square.sqrt();
        (jitter + RENDER_US as f64)
            .max(self.target_us as f64)
            .min(MAX_DELAY_US)
    }

    fn follow(&mut self, now: Micros) {
        let wanted = self.wanted_us();
        let Some(moved) = self.moved.replace(now) else {
            self.delay_us = wanted;
            return;
        };
        let most = SLEW * now.since(moved).max(0) as f64;
        self.delay_us += (wanted - self.delay_us).clamp(-most, most);
    }

    fn least_us(&self) -> i64 {
        self.least.front().map_or(0, |(_, way)| *way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_shown_soon_after_it_came() {
        let mut clock = RenderClock::default();
        for i in 0..100i64 {
            clock.arrived(Micros(i * 40_000 + 7_000_000), i * 40_000, false);
        }
        let now = Micros(100 * 40_000 + 7_000_000);
        assert!(clock.due(now, 100 * 40_000).since(now) <= 12_000);
        assert_eq!(clock.due(now, 0), now, "late frames are shown at once");
    }

    #[test]
    fn jitter_and_a_wish_of_the_page_make_the_delay_grow_slowly() {
        let mut clock = RenderClock::default();
        let way = |i: i64| if i % 3 == 0 { 100_000 } else { 0 };
        for i in 0..300i64 {
            clock.arrived(Micros(i * 40_000 + way(i)), i * 40_000, false);
        }
        assert!(
            (100_000.0..250_000.0).contains(&clock.delay_us),
            "{}",
            clock.delay_us
        );
        clock.target_us = 800_000;
        let before = clock.delay_us;
        clock.arrived(Micros(300 * 40_000 + 100_000), 300 * 40_000, false);
        assert!(clock.delay_us - before < 20_000.0);
    }
}
