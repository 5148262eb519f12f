//! The newest key frame of an encoding and what followed it: late joiners are served from it while it is fresh.

use std::ops::RangeInclusive;

use zhuandi_wire::time::Micros;

use crate::packet::Meta;

/// Bounds of a chain that is served: age (a still screen has an old one), number of frames, bytes.
pub const MAX_AGE_US: i64 = 60_000_000;
/// Frames are sent a millisecond apart to a late joiner.
pub const MAX_FRAMES: u32 = 100;
/// A larger chain costs the joiner more than a new key frame.
pub const MAX_BYTES: usize = 200 << 10;

#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u64,
    at: Micros,
    packets: u64,
    bytes: usize,
    frames: u32,
    last_ts: u32,
}

/// See the module. The packets themselves are in the history.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyframeChain {
    chain: Option<Chain>,
}

impl KeyframeChain {
    /// Note a packet; answers whether a new key frame starts with it (call [`KeyframeChain::join`] then).
    pub fn arrived(
        &mut self,
        now: Micros,
        seq: u64,
        newest: bool,
        meta: &Meta,
        len: usize,
    ) -> bool {
        let begins = meta.keyframe
            && self
                .chain
                .is_none_or(|chain| seq > chain.first && meta.ts != chain.last_ts);
        if begins {
            self.chain = Some(Chain {
                first: seq,
                at: now,
                packets: 0,
                bytes: 0,
                frames: 0,
                last_ts: meta.ts,
            });
        }
        if let Some(chain) = self.chain.as_mut().filter(|chain| seq >= chain.first) {
            chain.packets += 1;
            chain.bytes += len;
            if newest && meta.ts != chain.last_ts {
                chain.last_ts = meta.ts;
                chain.frames += 1;
            }
        }
        begins
    }

    /// Lengths of the packets after the key frame's first one that came before it.
    pub fn join(&mut self, early: impl Iterator<Item = usize>) {
        let Some(chain) = self.chain.as_mut() else {
            return;
        };
        for len in early {
            chain.packets += 1;
            chain.bytes += len;
        }
    }

    /// The source restarted.
    pub fn clear(&mut self) {
        self.chain = None;
    }

    /// Age of the key frame.
    pub fn age_us(&self, now: Micros) -> Option<i64> {
        self.chain.map(|chain| now.since(chain.at))
    }

    /// Bytes of the key frame and all that followed it.
    pub fn bytes(&self) -> usize {
        self.chain.map_or(0, |chain| chain.bytes)
    }

    /// The chain as indexes, where it is whole up to `highest`, young and small.
    pub fn fresh(&self, now: Micros, highest: u64) -> Option<RangeInclusive<u64>> {
        let chain = self.chain?;
        let whole = chain.packets == (highest + 1).checked_sub(chain.first)?;
        let small = chain.bytes <= MAX_BYTES && chain.frames <= MAX_FRAMES;
        (whole && small && now.since(chain.at) < MAX_AGE_US).then_some(chain.first..=highest)
    }
}
