//! The plaintext of one encoding, kept once for all its receivers; also the ring of sent audio ciphertext.
//!
//! A byte arena that is written round and round, and a table of slots by sequence index. Both grow by doubling while what
//! they would overwrite is younger than `keep_us`, up to a written bound; after that the oldest packets go.

use zhuandi_wire::time::Micros;

/// Bounds of one history.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most packets; rounded up to a power of two.
    pub packets: usize,
    /// Most bytes.
    pub bytes: usize,
    /// Age below which a packet makes the ring grow instead of being overwritten.
    pub keep_us: i64,
}

impl Bounds {
    /// One video encoding: two seconds, at most 2 MiB.
    pub const VIDEO: Bounds = Bounds {
        packets: 4096,
        bytes: 2 << 20,
        keep_us: 2_500_000,
    };
    /// One audio encoding: two seconds of 20 ms frames with redundancy.
    pub const AUDIO: Bounds = Bounds {
        packets: 256,
        bytes: 128 << 10,
        keep_us: 2_000_000,
    };
    /// Ciphertext of one audio leg: one second.
    pub const REPAIR: Bounds = Bounds {
        packets: 64,
        bytes: 16 << 10,
        keep_us: 1_000_000,
    };
}

#[derive(Clone, Copy, Debug)]
struct Slot<M> {
    seq: u64,
    at: Micros,
    lap: u32,
    offset: usize,
    len: usize,
    meta: M,
}

/// Packets by sequence index; see the module.
#[derive(Debug)]
pub struct History<M> {
    bounds: Bounds,
    arena: Vec<u8>,
    slots: Vec<Option<Slot<M>>>,
    pos: usize,
    lap: u32,
    lap_at: Micros,
}

const FIRST_BYTES: usize = 8 << 10;
const FIRST_PACKETS: usize = 32;

impl<M: Copy> History<M> {
    /// An empty history; memory comes with the packets.
    pub fn new(bounds: Bounds) -> Self {
        History {
            bounds,
            arena: Vec::new(),
            slots: Vec::new(),
            pos: 0,
            lap: 0,
            lap_at: Micros::default(),
        }
    }

    /// Keep a packet; one with the same index is replaced. Packets longer than the whole ring are not kept.
    pub fn push(&mut self, now: Micros, seq: u64, meta: M, payload: &[u8]) {
        if !self.make_room(now, payload.len()) {
            return;
        }
        let (offset, len) = (self.pos, payload.len());
        if let Some(place) = self.arena.get_mut(offset..offset + len) {
            place.copy_from_slice(payload);
        }
        self.pos += len;
        self.grow_slots(now, seq);
        let slot = Slot {
            seq,
            at: now,
            lap: self.lap,
            offset,
            len,
            meta,
        };
        let index = self.index(seq);
        if let Some(place) = self.slots.get_mut(index) {
            *place = Some(slot);
        }
    }

    /// The packet with this index, where it is still kept.
    pub fn get(&self, seq: u64) -> Option<(M, &[u8])> {
        let slot = self
            .slots
            .get(self.index(seq))?
            .as_ref()
            .filter(|slot| slot.seq == seq)?;
        let kept = slot.lap == self.lap
            || (slot.lap.wrapping_add(1) == self.lap && slot.offset >= self.pos);
        if !kept {
            return None;
        }
        Some((
            slot.meta,
            self.arena.get(slot.offset..slot.offset + slot.len)?,
        ))
    }

    /// Forget all packets; keep the memory.
    pub fn clear(&mut self) {
        self.slots.fill(None);
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.arena.len() + self.slots.len() * size_of::<Option<Slot<M>>>()
    }

    fn index(&self, seq: u64) -> usize {
        let mask = self.slots.len().saturating_sub(1) as u64;
        usize::try_from(seq & mask).unwrap_or(0)
    }

    fn make_room(&mut self, now: Micros, len: usize) -> bool {
        if self.pos + len <= self.arena.len() {
            return true;
        }
        if self.arena.is_empty() {
            self.lap_at = now;
        }
        let young = now.since(self.lap_at) < self.bounds.keep_us;
        let mut size = self.arena.len().max(FIRST_BYTES / 2);
        while young && size < self.bounds.bytes {
            size = (size * 2).min(self.bounds.bytes);
            if self.pos + len <= size {
                self.arena.resize(size, 0);
                return true;
            }
        }
        self.lap = self.lap.wrapping_add(1);
        self.lap_at = now;
        self.pos = 0;
        len <= self.arena.len()
    }

    fn grow_slots(&mut self, now: Micros, seq: u64) {
        if self.slots.is_empty() {
            self.slots.resize(
                FIRST_PACKETS.min(self.bounds.packets.next_power_of_two()),
                None,
            );
        }
        while self.slots.len() < self.bounds.packets && self.overwrites_young(now, seq) {
            let old = std::mem::take(&mut self.slots);
            self.slots.resize(old.len() * 2, None);
            for slot in old.into_iter().flatten() {
                let index = self.index(slot.seq);
                if let Some(place) = self.slots.get_mut(index) {
                    *place = Some(slot);
                }
            }
        }
    }

    fn overwrites_young(&self, now: Micros, seq: u64) -> bool {
        let slot = self
            .slots
            .get(self.index(seq))
            .and_then(|slot| slot.as_ref());
        slot.is_some_and(|slot| slot.seq != seq && now.since(slot.at) < self.bounds.keep_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: Bounds = Bounds {
        packets: 64,
        bytes: 16 << 10,
        keep_us: 1_000_000,
    };

    fn body(seq: u64, len: usize) -> Vec<u8> {
        seq.to_be_bytes()
            .iter()
            .copied()
            .cycle()
            .take(len)
            .collect()
    }

    #[test]
    fn keeps_the_newest_packets_within_the_bounds() {
        for start in [0u64, 1, 127, 32_767, 65_534, 65_535] {
            let mut history = History::new(SMALL);
            for i in 0..500 {
                history.push(Micros(i as i64 * 1000), start + i, i, &body(start + i, 200));
            }
            for i in 440..500 {
                assert_eq!(
                    history.get(start + i),
                    Some((i, body(start + i, 200).as_slice()))
                );
            }
            assert_eq!(history.get(start), None);
            assert!(history.memory() <= SMALL.bytes + 64 * 96);
        }
    }

    #[test]
    fn the_first_packets_are_kept_however_late_the_clock_is() {
        let mut history = History::new(Bounds::VIDEO);
        let now = Micros(3_600_000_000);
        (0..40).for_each(|i| history.push(now, i, (), &body(i, 1000)));
        assert!((0..40).all(|i| history.get(i).is_some()));
    }

    #[test]
    fn stays_small_while_packets_are_old() {
        let mut history = History::new(Bounds::VIDEO);
        for i in 0..1000 {
            history.push(Micros(i as i64 * 500_000), i, (), &body(i, 1000));
        }
        assert!(history.memory() <= 24 << 10, "{}", history.memory());
        assert!(history.get(999).is_some() && history.get(996).is_some());
    }

    #[test]
    fn a_packet_longer_than_the_ring_is_not_kept() {
        let mut history = History::new(SMALL);
        history.push(Micros(0), 5, (), &vec![1; 20 << 10]);
        assert_eq!(history.get(5), None);
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_was_put_in(
            packets in prop::collection::vec((0u64..600, 1usize..1500, 0i64..50_000), 1..400)
        ) {
            let mut history = History::new(SMALL);
            let mut now = 0;
            let mut last = std::collections::HashMap::new();
            for (seq, len, step) in packets {
                now += step;
                history.push(Micros(now), seq, len, &body(seq, len));
                last.insert(seq, len);
                prop_assert!(history.get(seq).is_some());
            }
            for (seq, len) in last {
                if let Some((meta, bytes)) = history.get(seq) {
                    prop_assert_eq!(meta, len);
                    prop_assert_eq!(bytes.to_vec(), body(seq, len));
                }
            }
        }
    }
}
