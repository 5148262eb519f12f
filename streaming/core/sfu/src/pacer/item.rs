//! What waits: a reference into a publication's history, with the numbers that the packet gets.

use zhuandi_wire::time::Micros;

use crate::rewriter::Numbers;

/// What a queued packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A packet of sound, from the history.
    Audio,
    /// A packet of picture, from the history.
    Video,
    /// The same again on the repair stream (RFC 4588).
    Rtx,
    /// Stored ciphertext again, byte for byte.
    Resend,
    /// Padding alone under a reserved number that has no payload any more.
    Filler,
    /// Padding alone, for a probe.
    Padding,
}

/// One packet that waits.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// When it was queued.
    pub at: Micros,
    /// Its leg.
    pub leg: u32,
    /// What it is.
    pub kind: Kind,
    /// Encoding of the publication.
    pub encoding: u8,
    /// Temporal layer; 0 where there is none.
    pub temporal: u8,
    /// A key frame starts with it.
    pub keyframe: bool,
    /// Bytes of the datagram, about.
    pub size: u16,
    /// Index in the history.
    pub source: u64,
    /// Numbers that it gets.
    pub out: Numbers,
}
