//! The only sockets, threads and clock reads.
//!
//! [`Core`] is what callers hold: it checks commands and posts them to worker threads, each with its own engine,
//! UDP port and ICE-TCP listener; one more thread writes the logs of all lessons.

mod bind;
mod board;
mod clients;
mod clock;
mod commands;
mod core;
mod credentials;
mod driver;
mod error;
mod events;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod grants;
mod log_commands;
mod log_format;
mod log_queue;
mod log_reader;
mod log_track;
mod log_writer;
mod mailbox;
mod ports;
mod recv;
mod registry;
mod send;
mod shared;
mod stills;
mod stun_name;
mod sys;
mod tcp;
mod udp;
mod worker;

pub use crate::board::drop_reasons;
pub use crate::commands::{LocalTransport, OpenTransport};
pub use crate::core::{Config, Core};
pub use crate::error::CoreError;
pub use crate::events::{CoreEvent, LogEvent};
