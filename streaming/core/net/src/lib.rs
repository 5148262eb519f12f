//! The only sockets, threads and clock reads.
