//! A link of a weak classroom as a state machine: packets go in, and come out later, changed in order, or not at all.
//!
//! Time is an argument and chance is seeded, so that the same calls give the same result; `sim` runs it in virtual
//! time, a development server in real time. Bytes are counted at IP level: callers add [`IP_UDP_BYTES`] to a payload.
#![forbid(unsafe_code)]

mod capacity;
mod link;
mod loss;
mod outage;
mod profile;
mod profiles;
mod rng;
mod shared;
mod trace;

pub use capacity::Capacity;
pub use link::{Counters, Delivery, DropReason, Link, Verdict};
pub use outage::{Outage, OutageKind};
pub use profile::{BadProfile, LinkProfile, Profile, QueueLimit};
pub use profiles::{NAMES, named};
pub use rng::SplitMix64;
pub use shared::{FlowCounters, SharedLink};
pub use trace::{Trace, TraceError};

/// What IPv4 (RFC 791) and UDP (RFC 768) add to each payload, in bytes.
pub const IP_UDP_BYTES: usize = 28;
