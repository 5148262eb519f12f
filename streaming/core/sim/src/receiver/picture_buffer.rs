//! Packets of one VP8 stream become whole frames (RFC 7741): from the packet that starts a frame to its marker,
//! without a hole between.

use std::collections::BTreeMap;

use zhuandi_wire::time::Micros;

/// Most packets that wait for their frame; the oldest go first.
pub const MAX_PACKETS: usize = 2048;

/// What is kept of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Extended media timestamp.
    pub ts: u64,
    /// First packet of its frame.
    pub start: bool,
    /// Last packet of its frame.
    pub marker: bool,
    /// It carries no media (padding to keep numbers whole).
    pub empty: bool,
    /// It came as a repair.
    pub repaired: bool,
    /// Payload bytes.
    pub bytes: u32,
    /// What its descriptor says.
    pub names: Names,
}

/// What the payload descriptor says about a frame; its numbers are unwrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Number of the picture.
    pub picture: u64,
    /// Number of its temporal base frame.
    pub tl0: u64,
    /// Temporal layer.
    pub temporal: u8,
    /// It refers to the temporal base alone.
    pub sync: bool,
    /// A key frame.
    pub key: bool,
    /// Height in lines, told by key frames; 0: not told.
    pub height: u16,
    /// When it was captured, told by its first packet.
    pub captured: Micros,
}

/// All packets of it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Numbers of its descriptor.
    pub names: Names,
    /// Extended media timestamp.
    pub ts: u64,
    /// Payload bytes.
    pub bytes: u32,
    /// When its last packet came.
    pub complete: Micros,
    /// One of its packets came as a repair.
    pub repaired: bool,
    /// Index of its first packet.
    pub first: u64,
}

/// See the module. Indexes are unwrapped sequence numbers.
#[derive(Debug, Default)]
pub struct PictureBuffer {
    parts: BTreeMap<u64, Part>,
}

impl PictureBuffer {
    /// A packet came; answers the frame that it completes.
    pub fn arrived(&mut self, now: Micros, index: u64, part: Part) -> Option<Frame> {
        if part.empty || self.parts.contains_key(&index) {
            return None;
        }
        self.parts.insert(index, part);
        if self.parts.len() > MAX_PACKETS {
            self.parts.pop_first();
        }
        let (first, last) = self.whole(index)?;
        self.take(now, first, last)
    }

    /// Give up packets before this index.
    pub fn forget_before(&mut self, index: u64) {
        if self
            .parts
            .first_key_value()
            .is_some_and(|(first, _)| *first < index)
        {
            self.parts = self.parts.split_off(&index);
        }
    }

    fn whole(&self, index: u64) -> Option<(u64, u64)> {
        let (mut first, mut last) = (index, index);
        while !self.parts.get(&first)?.start {
            first = first.checked_sub(1)?;
        }
        while !self.parts.get(&last)?.marker {
            last += 1;
        }
        let ts = self.parts.get(&index)?.ts;
        let same = self
            .parts
            .range(first..=last)
            .all(|(_, part)| part.ts == ts);
        same.then_some((first, last))
    }

    fn take(&mut self, now: Micros, first: u64, last: u64) -> Option<Frame> {
        let start = *self.parts.get(&first)?;
        let mut frame = Frame {
            names: start.names,
            ts: start.ts,
            bytes: 0,
            complete: now,
            repaired: false,
            first,
        };
        for index in first..=last {
            let part = self.parts.remove(&index)?;
            frame.bytes += part.bytes;
            frame.repaired |= part.repaired;
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(ts: u64, start: bool, marker: bool) -> Part {
        Part {
            ts,
            start,
            marker,
            bytes: 100,
            ..Part::default()
        }
    }

    #[test]
    fn a_frame_is_whole_when_all_its_packets_came_in_any_order() {
        let packets = [
            (1, part(10, true, false)),
            (2, part(10, false, false)),
            (3, part(10, false, true)),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
            let mut buffer = PictureBuffer::default();
            let found: Vec<Frame> = order
                .iter()
                .filter_map(|&i| buffer.arrived(Micros(5), packets[i].0, packets[i].1))
                .collect();
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].bytes, found[0].first), (300, 1));
        }
    }

    #[test]
    fn a_hole_keeps_a_frame_back_and_a_second_copy_changes_nothing() {
        let mut buffer = PictureBuffer::default();
        assert!(
            buffer
                .arrived(Micros(0), 1, part(10, true, false))
                .is_none()
        );
        assert!(
            buffer
                .arrived(Micros(0), 1, part(10, true, false))
                .is_none()
        );
        assert!(
            buffer
                .arrived(Micros(0), 3, part(10, false, true))
                .is_none()
        );
        let alone = buffer.arrived(Micros(0), 4, part(20, true, true));
        assert_eq!(alone.map(|frame| frame.ts), Some(20));
        let late = buffer.arrived(Micros(9), 2, part(10, false, false));
        assert_eq!(late.map(|frame| frame.complete), Some(Micros(9)));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut buffer = PictureBuffer::default();
        for index in 0..5000 {
            buffer.arrived(Micros(0), index, part(1, false, false));
        }
        assert!(buffer.parts.len() <= MAX_PACKETS);
    }
}
