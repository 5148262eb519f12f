//! A lesson in virtual time: the real engine, emulated links and modelled browsers under one clock.
#![forbid(unsafe_code)]

pub mod receiver;
