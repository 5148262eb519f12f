//! Lessons in virtual time: a teacher made of the client role, the server, classrooms made of the client role.

mod forwarding;
mod layers;
mod ledger;
mod media;
mod nonces;
mod people;
mod repair;
mod storms;
mod world;
