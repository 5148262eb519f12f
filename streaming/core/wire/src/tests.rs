//! Behaviour of the crate: round trips, examples from the RFCs with their invalid sisters, wrap-around, and a short fuzz run.

mod control;
mod corpus;
mod feedback;
mod fuzzing;
mod media;
mod numbers;
mod repair;
mod stills;
mod video;

/// Where sequence tests start: both ends of every width that wraps.
pub(crate) const STARTS: [u16; 6] = [0, 1, 127, 32_767, 65_534, 65_535];
