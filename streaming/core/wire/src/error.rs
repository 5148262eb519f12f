//! Why bytes are refused.

use std::fmt;

/// The first thing that is wrong with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Malformed {
    /// It ends before its last field.
    Truncated,
    /// The version is not the one we speak.
    Version,
    /// The padding count is zero or longer than what it pads.
    Padding,
    /// A length field contradicts the bytes or the type.
    Length,
    /// A reserved or unknown value where none is allowed.
    Reserved,
    /// Well-formed, but above the bound that we set on work per packet.
    Bound,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Truncated => "truncated",
            Malformed::Version => "unknown version",
            Malformed::Padding => "bad padding",
            Malformed::Length => "bad length field",
            Malformed::Reserved => "reserved value",
            Malformed::Bound => "above the bound",
        })
    }
}

impl std::error::Error for Malformed {}
