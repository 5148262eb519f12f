//! The only sockets, threads and clock reads.

mod clock;
mod events;
mod log_format;
mod log_queue;
mod log_track;
mod log_writer;
mod recv;
mod send;
mod sys;
mod udp;
