//! One direction of a link.

use std::collections::{BTreeMap, VecDeque};

use zhuandi_wire::time::Micros;

use crate::loss::Loss;
use crate::outage::OutageKind;
use crate::profile::LinkProfile;
use crate::rng::SplitMix64;
use crate::trace::work;

const MILLION_US: i64 = 1_000_000;
/// Packets that wait, whatever their size: a flood of empty ones must not grow the queue without end.
const MAX_QUEUE_PACKETS: usize = 65_536;

/// Why a packet does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// By chance, behind the bottleneck: it has used capacity.
    Loss,
    /// The queue was full.
    Queue,
    /// It left the queue while there was no link.
    Outage,
}

/// What will become of a packet. Senders in a simulation must not look; a relay of reliable bytes may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives then, unless the link is changed before.
    Arrives(Micros),
    /// It never does.
    Dropped(DropReason),
}

/// A packet at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<T> {
    /// When it arrived.
    pub at: Micros,
    /// Its size at IP level.
    pub bytes: usize,
    /// What was pushed.
    pub payload: T,
}

/// What has happened since the link was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets given to [`Link::push`].
    pub pushed: u64,
    /// Their bytes.
    pub pushed_bytes: u64,
    /// Packets taken from [`Link::poll`].
    pub delivered: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// Dropped for [`DropReason::Loss`].
    pub lost: u64,
    /// Dropped for [`DropReason::Queue`].
    pub overflowed: u64,
    /// Dropped for [`DropReason::Outage`].
    pub cut: u64,
    /// Copies that entered beside their packets.
    pub duplicated: u64,
    /// Packets that were made late.
    pub reordered: u64,
}

/// Arrival, then order of entry.
type Key = (Micros, u64);

#[derive(Debug)]
struct Waiting {
    departs: Micros,
    bytes: usize,
    /// Its place in `flying`, unless it will be lost.
    key: Option<Key>,
}

/// A queue, a bottleneck and a wire. The fate of each packet is settled when it comes in: the capacity ahead is known.
#[derive(Debug)]
pub struct Link<T> {
    profile: LinkProfile,
    /// Time 0 of the profile's trace and outages.
    start: Micros,
    now: Micros,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    flying: BTreeMap<Key, (usize, T)>,
    entered: u64,
    last_departure: Micros,
    last_arrival: Micros,
    counters: Counters,
    loss: Loss,
    jitter: SplitMix64,
    reorder: SplitMix64,
    duplicate: SplitMix64,
}

impl<T> Link<T> {
    /// An idle link whose trace and outages begin at `start`; the profile should have passed its `check`.
    pub fn new(profile: LinkProfile, seed: u64, start: Micros) -> Self {
        Self {
            profile,
            start,
            now: start,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            flying: BTreeMap::new(),
            entered: 0,
            last_departure: start,
            last_arrival: start,
            counters: Counters::default(),
            loss: Loss::new(SplitMix64::new(seed, 1)),
            jitter: SplitMix64::new(seed, 2),
            reorder: SplitMix64::new(seed, 3),
            duplicate: SplitMix64::new(seed, 4),
        }
    }

    /// A packet of `bytes` at IP level enters. Time never goes back: an earlier `now` counts as the latest.
    pub fn push(&mut self, now: Micros, bytes: usize, payload: T) -> Verdict
    where
        T: Clone,
    {
        self.advance(now);
        self.counters.pushed += 1;
        self.counters.pushed_bytes += bytes as u64;
        let copy = (self.profile.duplicate > 0.0 && self.duplicate.chance(self.profile.duplicate))
            .then(|| payload.clone());
        let verdict = self.enter(bytes, payload);
        if let Some(copy) = copy {
            self.counters.duplicated += 1;
            self.enter(bytes, copy);
        }
        verdict
    }

    fn enter(&mut self, bytes: usize, payload: T) -> Verdict {
        let fits = self.waiting_bytes + bytes <= self.profile.queue_bytes()
            && self.waiting.len() < MAX_QUEUE_PACKETS;
        if !fits && !self.waiting.is_empty() {
            self.counters.overflowed += 1;
            return Verdict::Dropped(DropReason::Queue);
        }
        let from = self.last_departure.max(self.now);
        let departs = self.finish(from, work(bytes as u64 * 8, MILLION_US));
        self.last_departure = departs;
        let verdict = self.fate(departs);
        let key = match verdict {
            Verdict::Arrives(at) => {
                self.entered += 1;
                Some((at, self.entered))
            }
            Verdict::Dropped(_) => None,
        };
        if let Some(key) = key {
            self.flying.insert(key, (bytes, payload));
        }
        if departs > self.now {
            self.waiting_bytes += bytes;
            self.waiting.push_back(Waiting {
                departs,
                bytes,
                key,
            });
        }
        verdict
    }

    /// What happens behind the bottleneck. Each feature draws once a packet, whatever the others do.
    fn fate(&mut self, departs: Micros) -> Verdict {
        let profile = &self.profile;
        let jitter_us = self.jitter.up_to(profile.jitter_us);
        let late = self.reorder.chance(profile.reorder);
        let lost = self.loss.takes(profile.loss_rate());
        let at_us = departs.since(self.start);
        let cut = (profile.outages.iter())
            .any(|outage| outage.kind == OutageKind::Drop && outage.covers(at_us));
        if cut {
            self.counters.cut += 1;
            return Verdict::Dropped(DropReason::Outage);
        }
        if lost {
            self.counters.lost += 1;
            return Verdict::Dropped(DropReason::Loss);
        }
        let mut at = departs.plus(profile.delay_us).plus(jitter_us);
        if late {
            self.counters.reordered += 1;
            return Verdict::Arrives(at.plus(profile.reorder_us));
        }
        if profile.ordered {
            at = at.max(self.last_arrival);
            self.last_arrival = at;
        }
        Verdict::Arrives(at)
    }

    /// The next packet that has arrived by `now`, in order of arrival; ask until there is none.
    pub fn poll(&mut self, now: Micros) -> Option<Delivery<T>> {
        self.advance(now);
        let first = self.flying.first_entry()?;
        let at = first.key().0;
        if at > self.now {
            return None;
        }
        let (bytes, payload) = first.remove();
        self.counters.delivered += 1;
        self.counters.delivered_bytes += bytes as u64;
        Some(Delivery { at, bytes, payload })
    }

    /// When the next packet arrives; [`Micros::NEVER`] when none is on its way.
    pub fn next(&self) -> Micros {
        self.flying
            .first_key_value()
            .map_or(Micros::NEVER, |(key, _)| key.0)
    }

    /// Bytes that wait or are being served.
    pub fn queue_bytes(&mut self, now: Micros) -> usize {
        self.advance(now);
        self.waiting_bytes
    }

    /// How long a packet that enters now would wait before it is served, in microseconds.
    pub fn queue_us(&mut self, now: Micros) -> i64 {
        self.advance(now);
        self.last_departure.since(self.now).max(0)
    }

    /// The counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What the link is like.
    pub fn profile(&self) -> &LinkProfile {
        &self.profile
    }

    /// Bits that could reach the other side between two times: what a clairvoyant sender would use, losses not taken off.
    pub fn capacity_bits(&self, from: Micros, to: Micros) -> u64 {
        (self.profile).capacity_bits(from.since(self.start), to.since(self.start))
    }

    /// Become another link now: what waits is served at the new rate, what is on the wire arrives as it would have.
    /// Trace and outages of the new profile begin now.
    pub fn set_profile(&mut self, now: Micros, profile: LinkProfile) {
        self.advance(now);
        let head = self.waiting.front().map(|head| {
            let (from, to) = (self.now.since(self.start), head.departs.since(self.start));
            let whole = work(head.bytes as u64 * 8, MILLION_US);
            (self.profile.capacity)
                .served(&self.profile.outages, from, to)
                .min(whole)
        });
        self.profile = profile;
        self.start = self.now;
        self.last_departure = self.now;
        self.last_arrival = self.last_on_the_wire();
        let mut first = head;
        for mut packet in std::mem::take(&mut self.waiting) {
            let whole = work(packet.bytes as u64 * 8, MILLION_US);
            let departs = self.finish(self.last_departure, first.take().unwrap_or(whole));
            self.last_departure = departs;
            if let Some(key) = packet.key {
                packet.key = self.move_arrival(key, departs.since(packet.departs));
            }
            packet.departs = departs;
            self.waiting.push_back(packet);
        }
    }

    /// The last arrival among packets that have left the queue.
    fn last_on_the_wire(&self) -> Micros {
        let first_waiting = self.waiting.iter().find_map(|packet| packet.key);
        let on_the_wire = |key: &&Key| first_waiting.is_none_or(|first| key.1 < first.1);
        let arrivals = self.flying.keys().filter(on_the_wire);
        arrivals.map(|key| key.0).max().unwrap_or(self.now)
    }

    fn move_arrival(&mut self, key: Key, by_us: i64) -> Option<Key> {
        let packet = self.flying.remove(&key)?;
        let mut at = key.0.plus(by_us);
        if self.profile.ordered {
            at = at.max(self.last_arrival);
            self.last_arrival = at;
        }
        self.flying.insert((at, key.1), packet);
        Some((at, key.1))
    }

    fn finish(&self, from: Micros, work: u128) -> Micros {
        let from_us = from.since(self.start);
        let done_us = (self.profile.capacity).finish(&self.profile.outages, from_us, work);
        self.start.plus(done_us)
    }

    fn advance(&mut self, now: Micros) {
        self.now = self.now.max(now);
        while let Some(head) = self.waiting.front() {
            if head.departs > self.now {
                break;
            }
            self.waiting_bytes -= head.bytes;
            self.waiting.pop_front();
        }
    }
}
