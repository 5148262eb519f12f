//! Our two sides over a link that loses, doubles and turns around, in virtual time.

use std::time::Instant;

use super::*;
use crate::transport::Epoch;

fn epoch() -> Epoch {
    #[allow(clippy::disallowed_methods)]
    Epoch {
        base: Instant::now(),
    }
}

/// xorshift: the same losses in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, percent: u64) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % 100 < percent
    }
}

struct Pair {
    now: Micros,
    epoch: Epoch,
    ends: [Channel; 2],
    flying: Vec<(Micros, usize, Vec<u8>)>,
    got: [Vec<Vec<u8>>; 2],
    chance: Chance,
    loss: u64,
}

impl Pair {
    fn new(loss: u64) -> Pair {
        Pair {
            now: Micros(0),
            epoch: epoch(),
            ends: [Channel::open(), Channel::accept()],
            flying: Vec::new(),
            got: [Vec::new(), Vec::new()],
            chance: Chance(7),
            loss,
        }
    }

    fn collect(&mut self) {
        for side in [0, 1] {
            let mut packets = Vec::new();
            self.ends[side].poll_transmit(self.now, self.epoch, &mut packets);
            for packet in packets {
                let copies = 1 + usize::from(self.chance.below(self.loss));
                for _ in 0..copies {
                    if !self.chance.below(self.loss) {
                        let detour = i64::from(self.chance.below(self.loss)) * 30_000;
                        let at = self.now.plus(20_000 + detour);
                        self.flying.push((at, 1 - side, packet.clone()));
                    }
                }
            }
        }
    }

    /// Time passes in steps of 5 ms.
    fn run(&mut self, span_us: i64) {
        let end = self.now.plus(span_us);
        while self.now < end {
            self.collect();
            self.now = self.now.plus(5_000);
            let (landed, flying) = std::mem::take(&mut self.flying)
                .into_iter()
                .partition(|(at, ..)| *at <= self.now);
            self.flying = flying;
            for (_, to, packet) in landed {
                let got = &mut self.got[to];
                let _ = self.ends[to].handle(self.now, self.epoch, &packet, got);
            }
            for end in &mut self.ends {
                if end.poll_timeout(self.epoch) <= self.now {
                    end.handle_timeout(self.now, self.epoch);
                }
            }
        }
    }

    fn until_open(&mut self) {
        for _ in 0..200 {
            self.run(100_000);
            if self.ends.iter().all(Channel::is_open) {
                return;
            }
        }
        panic!("the channel did not open in 20 s");
    }
}

#[test]
fn it_opens_and_carries_messages_both_ways() {
    let mut pair = Pair::new(0);
    assert!(!pair.ends[0].send(b"too early"));
    pair.until_open();
    assert!(pair.ends[0].send(b"there") && pair.ends[1].send(b"back"));
    pair.run(200_000);
    assert_eq!(pair.got, [vec![b"back".to_vec()], vec![b"there".to_vec()]]);
}

#[test]
fn it_opens_through_heavy_loss_and_a_lost_message_is_not_repaired_nor_in_the_way() {
    let mut pair = Pair::new(20);
    pair.until_open();
    let mut sent = 0;
    for number in 0..400u16 {
        while !pair.ends[1].is_ready() {
            pair.run(5_000);
        }
        assert!(pair.ends[1].send(&number.to_be_bytes()));
        sent += 1;
        pair.run(20_000);
    }
    pair.run(1_000_000);
    let got = pair.got[0].len();
    assert!(
        (sent * 7 / 10..sent * 9 / 10).contains(&got),
        "{got} of {sent} through 20 % loss"
    );
    assert!(pair.now.0 < 60_000_000, "400 messages took {:?}", pair.now);
}

#[test]
fn an_abort_or_rubbish_closes_only_the_channel() {
    let mut pair = Pair::new(0);
    pair.until_open();
    let (now, epoch) = (pair.now, pair.epoch);
    let rubbish = pair.ends[1].handle(now, epoch, &[9; 40], &mut Vec::new());
    assert_eq!(rubbish, Err(DropReason::ChannelMalformed));
    assert!(pair.ends[1].is_open());
    if let Some((_, association)) = &mut pair.ends[0].association {
        association.close().unwrap();
    }
    pair.run(10_000_000);
    assert!(!pair.ends[0].send(b"x"));
    assert_eq!(
        pair.ends[0].handle(pair.now, epoch, &[9; 40], &mut Vec::new()),
        Err(DropReason::ChannelClosed)
    );
}
