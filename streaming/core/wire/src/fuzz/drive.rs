//! The short fuzz run of `cargo test`: seeded, so that a failure comes back, and bounded by bytes of input instead of by time.

use super::Entry;

/// Bytes of input for each entry: a quarter of a second to one in the dev profile.
const BUDGET: usize = 2_000_000;
/// Longest input.
const MAX_LEN: usize = 4096;

/// Drive an entry with broken copies of valid inputs, then with arbitrary bytes.
pub fn drive(entry: Entry, seeds: &[Vec<u8>]) {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    seeds.iter().for_each(|seed| entry(seed));
    entry(&[]);
    let mut used = 0;
    while used < BUDGET {
        let mut bytes = dice.choose(seeds).to_vec();
        for _ in 0..=dice.below(4) {
            let other = dice.choose(seeds);
            mutate(&mut dice, &mut bytes, other);
        }
        entry(&bytes);
        used += bytes.len().max(16);
    }
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..dice.below(80)).map(|_| dice.byte()).collect();
        entry(&bytes);
    }
}

/// xorshift64*: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() >> 33).unwrap_or(0) % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        let [first, ..] = self.roll().to_be_bytes();
        first
    }

    fn choose<'a>(&mut self, from: &'a [Vec<u8>]) -> &'a [u8] {
        from.get(self.below(from.len())).map_or(&[], Vec::as_slice)
    }
}

/// One change that parsers are sensitive to.
fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    const EDGES: [u8; 8] = [0, 1, 0x0F, 0x10, 0x7F, 0x80, 0xF0, 0xFF];
    let at = dice.below(bytes.len() + 1);
    match dice.below(8) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, dice.byte()),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 => {
            let edge = EDGES.get(dice.below(EDGES.len())).copied().unwrap_or(0);
            crate::rtp::put(bytes, at, &[edge]);
        }
        4 => {
            let value = dice.roll() >> (48 + dice.below(16));
            crate::rtp::put(bytes, at, &crate::seq::low16(value).to_be_bytes());
        }
        5 => {
            let flipped = bytes.get(at).map_or(0, |byte| byte ^ 1 << dice.below(8));
            crate::rtp::put(bytes, at, &[flipped]);
        }
        6 => {
            let from = dice.below(other.len());
            let piece = other
                .get(from..from + dice.below(other.len() - from))
                .unwrap_or_default();
            bytes.splice(at..at, piece.iter().copied());
        }
        _ => bytes.extend(std::iter::repeat_n(dice.byte(), dice.below(40))),
    }
    bytes.truncate(MAX_LEN);
}
