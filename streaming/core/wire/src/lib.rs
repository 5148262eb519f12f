//! Bytes to values and back. One RFC a file, no state but a decoder's own.
//!
//! Every parser takes a slice, does work bounded by the slice's length and answers with a value or a [`Malformed`].
#![forbid(unsafe_code)]

mod error;
mod read;

pub mod dcep;
pub mod extensions;
pub mod frame4571;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod h264;
pub mod opus;
pub mod red;
pub mod rtcp;
pub mod rtp;
pub mod rtx;
pub mod seq;
pub mod still;
pub mod time;
pub mod twcc;
pub mod vp8;

#[cfg(test)]
mod tests;

pub use error::Malformed;
