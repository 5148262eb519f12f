//! Pre-encoded media: what a player plays.

use std::sync::Arc;

/// One packet of a played log; times count from the start of the loop.
#[derive(Clone, Debug)]
pub struct PlayedPacket {
    /// When to send it, microseconds from the loop's start.
    pub at_us: i64,
    /// Index of the encoding that it belongs to.
    pub encoding: u8,
    /// A plain RTP packet.
    pub rtp: Arc<[u8]>,
}

/// A pre-encoded source, played by the client role as if a camera had made it.
#[derive(Clone, Debug)]
pub struct Played {
    /// Sorted by `at_us`.
    pub packets: Arc<[PlayedPacket]>,
    /// Length of the loop; sequence numbers, timestamps and picture ids go on across it.
    pub loop_us: i64,
}
