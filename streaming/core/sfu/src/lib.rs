//! Sans-IO state machines of the selective forwarding unit.
//!
//! No socket, thread, clock or log write lives here: time and bytes come in as arguments, bytes and
//! events go out by polling. See [`api`] for the values that cross.
#![forbid(unsafe_code)]

pub mod api;
pub mod drop_reason;
pub mod report;
pub mod transport;
