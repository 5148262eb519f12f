//! Numbers that wrap: sequence numbers and timestamps extended to 64 bits (RFC 3550 A.1, RFC 3711 3.3.1).

/// How far `a` is ahead of `b` on the 16-bit circle; negative when it is behind.
pub fn distance(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b).cast_signed()
}

/// Whether `a` comes after `b` on the 16-bit circle.
pub fn newer(a: u16, b: u16) -> bool {
    distance(a, b) > 0
}

/// How far timestamp `a` is ahead of `b` on the 32-bit circle; negative when it is behind.
pub fn ts_distance(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b).cast_signed()
}

/// The extended index nearest to `highest` whose low 16 bits are `seq`; `None` when it would lie below zero.
pub fn nearest(highest: u64, seq: u16) -> Option<u64> {
    highest.checked_add_signed(i64::from(distance(seq, low16(highest))))
}

/// The low 16 bits of an extended index: what goes on the wire.
pub fn low16(index: u64) -> u16 {
    let [.., a, b] = index.to_be_bytes();
    u16::from_be_bytes([a, b])
}

/// The low 32 bits of an extended timestamp: what goes on the wire.
pub fn low32(extended: u64) -> u32 {
    let [.., a, b, c, d] = extended.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// Extends 16-bit sequence numbers to 64-bit indexes.
///
/// The first number gets an index in cycle 1, so that what was sent before it and arrives after it has an index too.
/// Each later number gets the index nearest to the highest one seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwrapper {
    highest: Option<u64>,
}

impl Unwrapper {
    /// Index of the first sequence number is this plus the number itself.
    pub const FIRST_CYCLE: u64 = 1 << 16;

    /// One that has seen nothing.
    pub fn new() -> Unwrapper {
        Unwrapper::default()
    }

    /// One that goes on from `index` as the highest seen.
    pub fn from_highest(index: u64) -> Unwrapper {
        Unwrapper {
            highest: Some(index),
        }
    }

    /// The index that `seq` would get; changes nothing (for packets that are not authenticated yet).
    pub fn look(&self, seq: u16) -> u64 {
        match self.highest {
            None => Self::FIRST_CYCLE + u64::from(seq),
            Some(highest) => nearest(highest, seq).unwrap_or(u64::from(seq)),
        }
    }

    /// Remember an index from [`Unwrapper::look`]; older ones change nothing.
    pub fn commit(&mut self, index: u64) {
        self.highest = self.highest.max(Some(index));
    }

    /// Look and commit.
    pub fn unwrap(&mut self, seq: u16) -> u64 {
        let index = self.look(seq);
        self.commit(index);
        index
    }

    /// The highest index so far.
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

/// Extends 32-bit RTP timestamps to 64 bits, as [`Unwrapper`] does for sequence numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TsUnwrapper {
    highest: Option<u64>,
}

impl TsUnwrapper {
    /// The first timestamp becomes this plus the timestamp itself.
    pub const FIRST_CYCLE: u64 = 1 << 32;

    /// One that has seen nothing.
    pub fn new() -> TsUnwrapper {
        TsUnwrapper::default()
    }

    /// The extended timestamp that `ts` would get; changes nothing.
    pub fn look(&self, ts: u32) -> u64 {
        match self.highest {
            None => Self::FIRST_CYCLE + u64::from(ts),
            Some(highest) => highest
                .checked_add_signed(i64::from(ts_distance(ts, low32(highest))))
                .unwrap_or(u64::from(ts)),
        }
    }

    /// Look, and remember it when it is the highest.
    pub fn unwrap(&mut self, ts: u32) -> u64 {
        let extended = self.look(ts);
        self.highest = self.highest.max(Some(extended));
        extended
    }

    /// The highest extended timestamp so far.
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}
