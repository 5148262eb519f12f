//! The send queue of one transport: sound first, then repairs, then picture; unpaced at rate 0.
//!
//! Numbers and keys of a packet are made when it leaves here, not when it comes. What is queued is a reference into the
//! publication's history, so a queue costs no payload copies.

use std::collections::VecDeque;

use zhuandi_wire::time::Micros;

use crate::rewriter::Numbers;

/// Most bytes of picture and repairs that wait.
pub const MAX_BYTES: usize = 1 << 20;
/// Oldest picture that is worth sending.
pub const MAX_AGE_US: i64 = 1_500_000;
/// Most packets of sound that wait.
pub const MAX_AUDIO: usize = 256;
/// Packets of one frame differ by a byte or two in browsers.
const MAX_PADDING: u16 = 4;
/// Credit that a paced queue may save up while idle.
const BURST_US: i64 = 10_000;

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
    /// Bytes on the wire, about.
    pub size: u16,
    /// Index in the history.
    pub source: u64,
    /// Numbers that it gets.
    pub out: Numbers,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Pacer {
    audio: VecDeque<Item>,
    repair: VecDeque<Item>,
    video: VecDeque<Item>,
    bytes: usize,
    rate_bps: u64,
    credit_bits: i64,
    credited: Micros,
    /// Leg and size of the last packet of picture that left.
    run: (u32, u16),
}

impl Pacer {
    /// Bits a second; 0 = unpaced.
    pub fn set_rate(&mut self, now: Micros, rate_bps: u64) {
        self.refill(now);
        self.rate_bps = rate_bps;
    }

    /// Queue a packet. False = it and all queued picture of its leg were dropped: the leg needs a key frame.
    pub fn push(&mut self, item: Item) -> bool {
        match item.kind {
            Kind::Audio => {
                if self.audio.len() >= MAX_AUDIO {
                    self.audio.pop_front();
                }
                self.audio.push_back(item);
                return true;
            }
            Kind::Resend | Kind::Rtx if self.bytes < MAX_BYTES => self.repair.push_back(item),
            Kind::Resend | Kind::Rtx => return true,
            Kind::Video | Kind::Filler => {
                let aged = self
                    .video
                    .front()
                    .is_some_and(|first| item.at.since(first.at) > MAX_AGE_US);
                if aged || self.bytes >= MAX_BYTES {
                    self.drop_leg_video(item.leg);
                    return false;
                }
                self.video.push_back(item);
            }
        }
        self.bytes += usize::from(item.size);
        true
    }

    /// The next packet that may leave now.
    pub fn pop(&mut self, now: Micros) -> Option<Item> {
        if let Some(item) = self.audio.pop_front() {
            self.spend(&item);
            return Some(item);
        }
        if self.rate_bps > 0 {
            self.refill(now);
            if self.credit_bits <= 0 {
                return None;
            }
        }
        let item = self.repair.pop_front().or_else(|| self.video.pop_front())?;
        self.bytes = self.bytes.saturating_sub(usize::from(item.size));
        self.spend(&item);
        Some(item)
    }

    /// Bytes of padding with which this packet gets the size of its neighbours of the same leg, where they differ by a few
    /// bytes at most: of equal size they leave as one run (UDP GSO).
    pub fn padding(&mut self, item: &Item) -> u8 {
        let near = |leg: u32, size: u16| leg == item.leg && size.abs_diff(item.size) <= MAX_PADDING;
        let run = self
            .video
            .iter()
            .take_while(|next| near(next.leg, next.size));
        let largest = run.map(|next| next.size).max().unwrap_or(0).max(item.size);
        let (leg, before) = self.run;
        let size = if near(leg, before) {
            before.max(largest)
        } else {
            largest
        };
        self.run = (item.leg, size);
        u8::try_from(size - item.size).unwrap_or(0)
    }

    /// When the next packet may leave; [`Micros::NEVER`] when none waits.
    pub fn next(&self, now: Micros) -> Micros {
        if self.is_empty() {
            return Micros::NEVER;
        }
        if self.rate_bps == 0 || !self.audio.is_empty() || self.credit_bits > 0 {
            return now;
        }
        let rate = i64::try_from(self.rate_bps).unwrap_or(i64::MAX);
        self.credited
            .plus((1 - self.credit_bits).saturating_mul(1_000_000) / rate + 1)
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.audio.is_empty() && self.repair.is_empty() && self.video.is_empty()
    }

    /// Age of the oldest packet.
    pub fn age_us(&self, now: Micros) -> i64 {
        let fronts = [self.audio.front(), self.repair.front(), self.video.front()];
        fronts
            .into_iter()
            .flatten()
            .map(|item| now.since(item.at))
            .max()
            .unwrap_or(0)
    }

    /// A leg is gone or has another source: what waits of it goes, at once.
    pub fn remove_leg(&mut self, leg: u32) {
        self.audio.retain(|item| item.leg != leg);
        self.repair.retain(|item| item.leg != leg);
        self.video.retain(|item| item.leg != leg);
        self.count();
    }

    /// Forget everything: the transport is closed.
    pub fn clear(&mut self) {
        self.audio.clear();
        self.repair.clear();
        self.video.clear();
        self.bytes = 0;
    }

    fn drop_leg_video(&mut self, leg: u32) {
        self.video.retain(|item| item.leg != leg);
        self.count();
    }

    fn count(&mut self) {
        self.bytes = self
            .repair
            .iter()
            .chain(&self.video)
            .map(|item| usize::from(item.size))
            .sum();
    }

    fn refill(&mut self, now: Micros) {
        let rate = i64::try_from(self.rate_bps).unwrap_or(i64::MAX);
        let span = now.since(self.credited).clamp(0, 1_000_000);
        let most = rate.saturating_mul(BURST_US) / 1_000_000;
        self.credit_bits = self
            .credit_bits
            .saturating_add(rate.saturating_mul(span) / 1_000_000)
            .min(most.max(1));
        self.credited = now;
    }

    fn spend(&mut self, item: &Item) {
        if self.rate_bps > 0 {
            self.credit_bits = self.credit_bits.saturating_sub(8 * i64::from(item.size));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: Kind, leg: u32, source: u64, at: i64) -> Item {
        Item {
            at: Micros(at),
            leg,
            kind,
            encoding: 0,
            size: 1000,
            source,
            out: Numbers::default(),
        }
    }

    #[test]
    fn sound_goes_first_then_repairs_then_picture() {
        let mut pacer = Pacer::default();
        for (i, kind) in [Kind::Video, Kind::Rtx, Kind::Audio, Kind::Video]
            .into_iter()
            .enumerate()
        {
            assert!(pacer.push(item(kind, 1, i as u64, 0)));
        }
        let order: Vec<_> = std::iter::from_fn(|| pacer.pop(Micros(0)))
            .map(|item| item.source)
            .collect();
        assert_eq!(order, vec![2, 1, 0, 3]);
        assert_eq!(pacer.next(Micros(0)), Micros::NEVER);
    }

    #[test]
    fn a_paced_queue_sends_at_its_rate_and_sound_does_not_wait() {
        let mut pacer = Pacer::default();
        pacer.set_rate(Micros(0), 1_000_000);
        for i in 0..100 {
            pacer.push(item(Kind::Video, 1, i, 0));
        }
        let (mut now, mut sent) = (Micros(0), 0);
        while now.0 < 400_000 {
            while pacer.pop(now).is_some() {
                sent += 1;
            }
            let next = pacer.next(now);
            assert!(next > now);
            now = next;
        }
        assert!(
            (49..=52).contains(&sent),
            "{sent} packets of 8 kbit in 0.4 s at 1 Mbit/s"
        );
        pacer.push(item(Kind::Audio, 2, 7, 400_000));
        assert_eq!(
            pacer.pop(Micros(400_000)).map(|item| item.kind),
            Some(Kind::Audio)
        );
    }

    #[test]
    fn too_much_or_too_old_drops_the_picture_of_that_leg_whole() {
        let mut pacer = Pacer::default();
        pacer.set_rate(Micros(0), 1000);
        pacer.push(item(Kind::Video, 2, 0, 1_000_000));
        pacer.push(item(Kind::Audio, 1, 0, 0));
        for i in 0..2000 {
            if !pacer.push(item(Kind::Video, 1, i, 1_000_000)) {
                assert_eq!(i, 1048);
                break;
            }
        }
        assert_eq!(
            (pacer.video.len(), pacer.audio.len(), pacer.bytes),
            (1, 1, 1000)
        );
        assert!(!pacer.push(item(Kind::Video, 2, 1, 1_000_001 + MAX_AGE_US)));
    }

    #[test]
    fn packets_of_one_frame_are_padded_to_the_largest() {
        let mut pacer = Pacer::default();
        for (source, size) in [929, 929, 930, 928, 400].into_iter().enumerate() {
            let item = item(Kind::Video, 1, source as u64, 0);
            pacer.push(Item { size, ..item });
        }
        let sizes = std::iter::from_fn(|| {
            let item = pacer.pop(Micros(0))?;
            Some(item.size + u16::from(pacer.padding(&item)))
        });
        assert_eq!(sizes.collect::<Vec<_>>(), vec![930, 930, 930, 930, 400]);
    }

    #[test]
    fn a_removed_leg_sends_nothing_more() {
        let mut pacer = Pacer::default();
        pacer.push(item(Kind::Audio, 1, 0, 0));
        pacer.push(item(Kind::Rtx, 1, 0, 0));
        pacer.push(item(Kind::Video, 2, 0, 0));
        pacer.remove_leg(1);
        assert_eq!(pacer.pop(Micros(0)).map(|item| item.leg), Some(2));
        assert!(pacer.is_empty() && pacer.bytes == 0);
    }
}
