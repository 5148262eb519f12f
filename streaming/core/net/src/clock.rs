//! The one clock: engine time is monotonic, Unix time is derived from it so that it never jumps back.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use zhuandi_sfu::transport::Epoch;
use zhuandi_wire::time::Micros;

/// Reads the monotonic clock and knows the Unix time of its start; all workers share one.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    unix_start_us: i64,
}

impl Clock {
    /// A clock that starts now, with its anchor for the machines that count in `Instant`s.
    #[allow(clippy::disallowed_methods)]
    pub fn start() -> (Self, Epoch) {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let unix_start_us = i64::try_from(unix.as_micros()).unwrap_or(0);
        let start = Instant::now();
        (
            Self {
                start,
                unix_start_us,
            },
            Epoch { base: start },
        )
    }

    /// Engine time.
    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> Micros {
        let elapsed = Instant::now().duration_since(self.start);
        Micros(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
    }

    /// Unix time in microseconds at engine time 0.
    pub fn unix_start_us(&self) -> i64 {
        self.unix_start_us
    }

    /// Unix time in microseconds of an engine time.
    pub fn unix_us(&self, at_us: i64) -> u64 {
        u64::try_from(self.unix_start_us.saturating_add(at_us)).unwrap_or(0)
    }
}
