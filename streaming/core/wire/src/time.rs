//! Time as a number: one clock for Rust, numpy and traces.

/// Microseconds since the engine's start (monotonic, never negative in practice).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl Micros {
    /// A time that never comes: "no timer".
    pub const NEVER: Micros = Micros(i64::MAX);

    /// This time plus a span in microseconds, saturating.
    pub fn plus(self, span_us: i64) -> Micros {
        Micros(self.0.saturating_add(span_us))
    }

    /// Microseconds from `earlier` to this time; negative when `earlier` is later.
    pub fn since(self, earlier: Micros) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
