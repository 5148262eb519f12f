//! Lessons in virtual time: a teacher made of the client role, the server, classrooms made of the client role.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may panic as tests do"
)]

mod copies;
mod forwarding;
mod grants;
mod layers;
mod ledger;
mod low_rate;
mod media;
mod nonces;
mod people;
mod repair;
mod storms;
mod weak;
mod world;
