//! A short, seeded fuzz run over every entry point: broken copies of valid packets, the same ones each time.

use super::corpus;
use crate::fuzz::TARGETS;

/// Bytes of input for each target: about half a second in the dev profile.
const BUDGET: usize = 4_000_000;

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
        usize::try_from(self.roll() >> 33).unwrap() % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.roll().to_be_bytes()[0]
    }
}

/// One change that parsers are sensitive to.
fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    const EDGES: [u8; 8] = [0, 1, 0x0F, 0x10, 0x7F, 0x80, 0xF0, 0xFF];
    let at = dice.below(bytes.len() + 1);
    match dice.below(9) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, dice.byte()),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 if at < bytes.len() => bytes[at] = EDGES[dice.below(EDGES.len())],
        4 if at + 1 < bytes.len() => {
            let value = dice.roll() >> dice.below(16);
            bytes[at..at + 2].copy_from_slice(&crate::seq::low16(value).to_be_bytes());
        }
        5 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        6 => {
            let from = dice.below(other.len());
            let to = from + dice.below(other.len() - from);
            bytes.splice(at..at, other[from..to].iter().copied());
        }
        7 if at + 1 < bytes.len() => {
            let value = crate::seq::low16(dice.roll() % 64);
            bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
        }
        _ => bytes.extend(std::iter::repeat_n(dice.byte(), dice.below(40))),
    }
    bytes.truncate(4096);
}

#[test]
fn no_parser_panics_or_breaks_its_promise_on_broken_packets() {
    for (name, entry) in TARGETS {
        let seeds = corpus::seeds(name);
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        seeds.iter().for_each(|seed| entry(seed));
        let mut used = 0;
        while used < BUDGET {
            let mut bytes = seeds[dice.below(seeds.len())].clone();
            let other = &seeds[dice.below(seeds.len())];
            for _ in 0..=dice.below(4) {
                mutate(&mut dice, &mut bytes, other);
            }
            entry(&bytes);
            used += bytes.len().max(16);
        }
    }
}

#[test]
fn no_parser_panics_on_arbitrary_bytes() {
    for (_, entry) in TARGETS {
        let mut dice = Dice(1);
        entry(&[]);
        for _ in 0..2000 {
            let bytes: Vec<u8> = (0..dice.below(80)).map(|_| dice.byte()).collect();
            entry(&bytes);
        }
    }
}

#[test]
fn every_seed_is_valid_for_its_parser() {
    use crate::{h264, red, rtcp, rtp, twcc, vp8};
    for seed in corpus::seeds("rtp").iter().chain(&corpus::seeds("rtx")) {
        assert!(
            rtp::Header::parse(seed)
                .and_then(|header| header.payload(seed))
                .is_ok()
        );
    }
    assert!(
        corpus::seeds("rtcp")
            .iter()
            .all(|seed| rtcp::messages(seed).all(|message| message.is_ok()))
    );
    assert!(
        corpus::seeds("twcc")
            .iter()
            .all(|seed| twcc::Feedback::parse(seed).is_ok())
    );
    assert!(
        corpus::seeds("red")
            .iter()
            .all(|seed| red::Red::parse(seed).is_ok())
    );
    assert!(
        corpus::seeds("vp8")
            .iter()
            .all(|seed| vp8::Descriptor::parse(seed).is_ok())
    );
    assert!(
        corpus::seeds("h264")
            .iter()
            .all(|seed| h264::summarise(seed).is_ok())
    );
}
