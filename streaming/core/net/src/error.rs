//! Why a command was refused.

use std::fmt;
use std::io;

use crate::mailbox::Busy;

/// See the module.
#[derive(Debug)]
pub enum CoreError {
    /// An argument is wrong, in words.
    Bad(String),
    /// The named kind of object does not stand under this handle.
    NoSuch(&'static str, u32),
    /// The operating system refused.
    Io(io::Error),
    /// The worker does not keep up with its commands.
    Busy,
}

impl fmt::Display for CoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoreError::Bad(words) => f.write_str(words),
            CoreError::NoSuch(what, handle) => write!(f, "no {what} {handle}"),
            CoreError::Io(error) => error.fmt(f),
            CoreError::Busy => f.write_str("the worker does not keep up with its commands"),
        }
    }
}

impl std::error::Error for CoreError {}

impl From<io::Error> for CoreError {
    fn from(error: io::Error) -> Self {
        CoreError::Io(error)
    }
}

impl From<Busy> for CoreError {
    fn from(_: Busy) -> Self {
        CoreError::Busy
    }
}
