//! Lessons in virtual time: a teacher made of the client role, the server, classrooms made of the client role.

mod forwarding;
mod layers;
mod media;
mod people;
mod repair;
mod storms;
mod world;
