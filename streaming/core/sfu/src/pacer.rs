//! The send queue of one transport: sound first, then repairs, then picture; what they leave is for stills, then for the
//! padding of a probe. Unpaced at rate 0.
//!
//! Sound never waits for credit, but what it takes is not there for the rest, so that all together stay below the rate and
//! nothing queues on the link that sound would have to wait for. Numbers and keys of a packet are made when it leaves here,
//! not when it comes. What is queued is a reference into the publication's history, so a queue costs no payload copies.

mod frames;
mod item;

use std::collections::VecDeque;

use zhuandi_wire::time::Micros;

pub use frames::Cut;
pub use item::{Item, Kind};

use crate::bucket::Bucket;
use crate::probe::Probe;
use crate::sent_log::SentLog;

/// Most bytes of picture and repairs that wait.
pub const MAX_BYTES: usize = 1 << 20;
/// Picture older than this is of no use: its leg starts again at a key frame.
pub const HOPELESS_US: i64 = 2_000_000;
/// A queue older than this goes on without the highest temporal layer; twice as old, with the lowest alone.
pub const OLD_US: i64 = 150_000;
/// Younger than this, all layers go again.
const RELIEF_US: i64 = 50_000;
/// Most packets of sound that wait.
pub const MAX_AUDIO: usize = 256;
/// Sound that was asked for again and could not leave for this long is no longer waited for.
pub const MAX_SOUND_REPAIR_AGE_US: i64 = 300_000;
/// Most repairs of a kind that wait.
const MAX_REPAIRS: usize = 1024;
/// Packets of one frame differ by a byte or two in browsers.
const MAX_PADDING: u16 = 4;
/// What a paced queue may save up: timers have a grain of 5 ms. On a weak link sound waits behind no more than that.
pub const BURST_US: i64 = 7_500;
/// From this rate on it is most of a frame: what leaves at once leaves as one run (UDP GSO), and a packet costs less.
const FAST_BPS: u64 = 1_200_000;
const FAST_BURST_US: i64 = 25_000;

/// Rate of stills where nothing is paced.
const UNPACED_STILL_BPS: i64 = 2_000_000;

/// Bytes that left by kind, and how long sound waited, since they were taken last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Sound.
    pub sound: u64,
    /// Repairs.
    pub repair: u64,
    /// Stills.
    pub still: u64,
    /// Padding.
    pub padding: u64,
    /// Longest wait of a packet of sound.
    pub sound_wait_us: i64,
}

/// What an old queue asks of the legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// Leave out all temporal layers above this one.
    Squeeze(u8),
    /// Take all layers again.
    Relieved,
    /// Give up what waits of this leg.
    Hopeless(u32),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Pacer {
    /// What is sent beyond media to learn what the link carries.
    pub probe: Probe,
    audio: VecDeque<Item>,
    repair: VecDeque<Item>,
    upper_repair: VecDeque<Item>,
    video: VecDeque<Item>,
    bytes: usize,
    rate_bps: u64,
    bucket: Bucket,
    still_at: Micros,
    sound_only: bool,
    squeezed: Option<u8>,
    left: Left,
    /// Leg and size of the last packet of picture that left.
    run: (u32, u16),
    going: Vec<frames::Going>,
}

impl Pacer {
    /// Bits a second of all that is sent; 0 = unpaced.
    pub fn set_rate(&mut self, now: Micros, rate_bps: u64) {
        self.rate_bps = rate_bps;
        self.follow_probe(now);
    }

    /// Bits a second of the last [`Pacer::set_rate`].
    pub fn rate_bps(&self) -> u64 {
        self.rate_bps
    }

    /// The probe started or ended: media may go as fast as it.
    pub fn follow_probe(&mut self, now: Micros) {
        let rate_bps = self.rate_bps.max(self.probe.rate_bps().unwrap_or(0));
        let span = if rate_bps >= FAST_BPS {
            FAST_BURST_US
        } else {
            BURST_US
        };
        let rate = i64::try_from(rate_bps).unwrap_or(i64::MAX);
        let burst = rate.saturating_mul(span) / 1_000_000;
        self.bucket.set(now, rate_bps, burst);
    }

    /// The probe cannot go on.
    pub fn abort_probe(&mut self, now: Micros, log: &SentLog) {
        self.probe.abort(log);
        self.follow_probe(now);
    }

    /// Nothing but sound leaves from now on, or all again; what waits stays.
    pub fn set_sound_only(&mut self, sound_only: bool) {
        self.sound_only = sound_only;
    }

    /// Queue a packet. False = the queue is full: a packet of sound took the place of the oldest, a repair is not taken.
    pub fn push(&mut self, item: Item) -> bool {
        let queue = match item.kind {
            Kind::Audio => {
                let full = self.audio.len() >= MAX_AUDIO;
                if full {
                    self.audio.pop_front();
                }
                self.audio.push_back(item);
                return !full;
            }
            Kind::Video | Kind::Filler => &mut self.video,
            Kind::Resend => &mut self.repair,
            Kind::Rtx if item.temporal == 0 => &mut self.repair,
            Kind::Rtx => &mut self.upper_repair,
            Kind::Padding => return true,
        };
        let picture = matches!(item.kind, Kind::Video | Kind::Filler);
        if !picture && (queue.len() >= MAX_REPAIRS || self.bytes >= MAX_BYTES) {
            return false;
        }
        queue.push_back(item);
        self.bytes += usize::from(item.size);
        true
    }

    /// The next packet that may leave now; tell [`Pacer::sent`] when it did.
    pub fn pop(&mut self, now: Micros) -> Option<Item> {
        if let Some(item) = self.audio.pop_front() {
            self.left.sound_wait_us = self.left.sound_wait_us.max(now.since(item.at));
            return Some(item);
        }
        if self.sound_only || (self.is_paced() && !self.bucket.has_credit(now)) {
            return None;
        }
        self.drop_late_sound(now);
        let repair = self.repair.pop_front();
        let repair = repair.or_else(|| self.upper_repair.pop_front());
        let item = repair.or_else(|| self.pop_video())?;
        self.bytes = self.bytes.saturating_sub(usize::from(item.size));
        Some(item)
    }

    /// Sound that would be sent again too late to be played is not worth its bytes.
    fn drop_late_sound(&mut self, now: Micros) {
        let late = |item: &&Item| {
            item.kind == Kind::Resend && now.since(item.at) > MAX_SOUND_REPAIR_AGE_US
        };
        while let Some(size) = self.repair.front().filter(late).map(|item| item.size) {
            self.bytes = self.bytes.saturating_sub(usize::from(size));
            self.repair.pop_front();
        }
    }

    /// Whether a packet of padding is due: nothing else waits, and the probe is below its rate.
    pub fn wants_padding(&mut self, now: Micros) -> bool {
        let free = !self.sound_only && (!self.is_paced() || self.bucket.has_credit(now));
        free && self.is_empty() && self.probe.wants_padding(now)
    }

    /// Whether a chunk of a still may go: no media waits, and it left credit.
    pub fn has_leftover(&mut self, now: Micros) -> bool {
        (!self.is_paced() || self.bucket.has_credit(now)) && self.leftover_at(now) <= now
    }

    /// When a chunk of a still may go, if no media comes.
    pub fn leftover_at(&self, now: Micros) -> Micros {
        if self.sound_only || !self.is_empty() {
            return Micros::NEVER;
        }
        match self.is_paced() {
            true => self.bucket.next(now),
            false => self.still_at.max(now),
        }
    }

    /// So many bytes of stills have left, headers of the link included.
    pub fn took_still(&mut self, now: Micros, bytes: usize) {
        let bits = 8 * i64::try_from(bytes).unwrap_or(0);
        self.still_at = now.plus(bits.saturating_mul(1_000_000) / UNPACED_STILL_BPS);
        self.left.still += bytes as u64;
        self.spend(bytes);
    }

    /// A packet left, so many bytes on the link.
    pub fn sent(&mut self, kind: Kind, bytes: usize) {
        self.spend(bytes);
        let sum = match kind {
            Kind::Audio => &mut self.left.sound,
            Kind::Rtx | Kind::Resend => &mut self.left.repair,
            Kind::Padding | Kind::Filler => &mut self.left.padding,
            Kind::Video => return,
        };
        *sum += bytes as u64;
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
        if !self.audio.is_empty() {
            return now;
        }
        if self.sound_only {
            return Micros::NEVER;
        }
        let free = if self.is_paced() {
            self.bucket.next(now)
        } else {
            now
        };
        if self.is_empty() {
            return self.probe.next_padding(now).max(free);
        }
        free
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0 && self.audio.is_empty()
    }

    /// Age of the oldest packet.
    pub fn age_us(&self, now: Micros) -> i64 {
        [&self.audio, &self.repair, &self.upper_repair, &self.video]
            .into_iter()
            .filter_map(VecDeque::front)
            .map(|item| now.since(item.at))
            .max()
            .unwrap_or(0)
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        let sound = self.audio.iter().map(|item| usize::from(item.size));
        self.bytes + sound.sum::<usize>()
    }

    /// What the age of the picture asks of the legs, where that changed.
    pub fn pressure(&mut self, now: Micros) -> Option<Pressure> {
        let front = self.video.front();
        let age = front.map_or(0, |first| now.since(first.at));
        if age <= RELIEF_US {
            return self.squeezed.take().map(|_| Pressure::Relieved);
        }
        if age > HOPELESS_US || self.bytes >= MAX_BYTES {
            return front.map(|first| Pressure::Hopeless(first.leg));
        }
        let layers = if age > 2 * OLD_US { 0 } else { 1 };
        if age <= OLD_US || self.squeezed.is_some_and(|squeezed| squeezed <= layers) {
            return None;
        }
        self.squeezed = Some(layers);
        Some(Pressure::Squeeze(layers))
    }

    /// Whether the picture that waits is older than it should be.
    pub fn is_old(&self, now: Micros) -> bool {
        let old = |first: &Item| now.since(first.at) > OLD_US;
        self.video.front().is_some_and(old)
    }

    /// Bytes by kind since the last call.
    pub fn take_left(&mut self) -> Left {
        std::mem::take(&mut self.left)
    }

    /// A leg is gone or has another source: what waits of it goes, at once.
    pub fn remove_leg(&mut self, leg: u32) {
        for queue in [
            &mut self.audio,
            &mut self.repair,
            &mut self.upper_repair,
            &mut self.video,
        ] {
            queue.retain(|item| item.leg != leg);
        }
        self.going.retain(|going| going.leg != leg);
        self.count();
    }

    /// Forget everything: the transport is closed.
    pub fn clear(&mut self) {
        for queue in [
            &mut self.audio,
            &mut self.repair,
            &mut self.upper_repair,
            &mut self.video,
        ] {
            queue.clear();
        }
        self.bytes = 0;
    }

    fn is_paced(&self) -> bool {
        self.rate_bps > 0
    }

    fn spend(&mut self, bytes: usize) {
        if self.is_paced() {
            self.bucket.spend(bytes);
        }
        self.probe.spend(bytes);
    }

    fn count(&mut self) {
        self.bytes = [&self.repair, &self.upper_repair, &self.video]
            .into_iter()
            .flatten()
            .map(|item| usize::from(item.size))
            .sum();
    }
}

#[cfg(test)]
mod tests;
