//! Bytes to values and back. One RFC a file, no state.
#![forbid(unsafe_code)]

pub mod time;
