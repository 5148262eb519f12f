//! A lesson in virtual time: the real engine, emulated links and modelled browsers under one clock.
//!
//! What is real: the engine with its SRTP, queues, selection and repairs, and every byte that crosses a link. What is a
//! model: play-out and decoding (written after libwebrtc's rules, not its code), teachers (frames of a recorded run
//! without congestion control of their own), and the missing handshake, checks and data channels.
#![forbid(unsafe_code)]

pub mod delays;
pub mod download;
pub mod metrics;
pub mod opus;
pub mod receiver;
pub mod sim;
pub mod stamp;
pub mod teacher;
pub mod world;

/// Unix time in microseconds at virtual time 0.
pub const UNIX_US: i64 = 1_790_000_000_000_000;
