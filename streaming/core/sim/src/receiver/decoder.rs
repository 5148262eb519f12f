//! Which whole frames can be decoded: the references of VP8 temporal layers (as libwebrtc's RtpVp8RefFinder reads them).
//!
//! A key frame needs nothing, a base frame the base frame before it, a frame that says "sync" its base frame, any other
//! frame everything since its base frame. A frame without its references waits; one that comes after a later frame was
//! shown is of no use any more.

use std::collections::BTreeMap;

use zhuandi_wire::time::Micros;

use super::picture_buffer::Frame;

/// Most whole frames that wait.
pub const MAX_FRAMES: usize = 800;

/// How far decoding came.
#[derive(Clone, Copy, Debug)]
struct Decoded {
    /// Picture that was decoded last.
    picture: u64,
    /// Number of the last base frame.
    tl0: u64,
    /// Every picture from that base frame to here was decoded.
    unbroken: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Decoder {
    waiting: BTreeMap<u64, Frame>,
    decoded: Option<Decoded>,
}

impl Decoder {
    /// A whole frame; answers false when it came too late.
    pub fn push(&mut self, frame: Frame) -> bool {
        if self
            .decoded
            .is_some_and(|done| frame.names.picture <= done.picture)
        {
            return false;
        }
        self.waiting.insert(frame.names.picture, frame);
        if self.waiting.len() > MAX_FRAMES {
            self.waiting.pop_first();
        }
        true
    }

    /// The first frame that could be decoded now.
    pub fn next(&self) -> Option<Frame> {
        self.waiting
            .values()
            .find(|frame| self.fits(frame))
            .copied()
    }

    /// Decode it: what is older is dropped.
    pub fn decode(&mut self, frame: &Frame) {
        let names = frame.names;
        self.waiting = self.waiting.split_off(&(names.picture + 1));
        let base = names.key || names.temporal == 0;
        let unbroken = match self.decoded {
            Some(done) if !base && done.unbroken + 1 != names.picture => done.unbroken,
            _ => names.picture,
        };
        self.decoded = Some(Decoded {
            picture: names.picture,
            tl0: if base {
                names.tl0
            } else {
                self.decoded.map_or(names.tl0, |done| done.tl0)
            },
            unbroken,
        });
    }

    /// Nothing was decoded yet.
    pub fn needs_key(&self) -> bool {
        self.decoded.is_none()
    }

    /// When the oldest frame that waits was whole; none waits: never.
    pub fn oldest(&self) -> Option<Micros> {
        self.waiting.values().map(|frame| frame.complete).min()
    }

    fn fits(&self, frame: &Frame) -> bool {
        let names = frame.names;
        if names.key {
            return true;
        }
        let Some(done) = self.decoded else {
            return false;
        };
        match (names.temporal, names.sync) {
            (0, _) => names.tl0 == done.tl0 + 1,
            (_, true) => names.tl0 == done.tl0,
            (_, false) => names.tl0 == done.tl0 && done.unbroken + 1 == names.picture,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::picture_buffer::Names;
    use super::*;

    /// Pictures of L1T3 as browsers send it: 0 2 1 2, the first of layer 1 and 2 of each turn with sync.
    fn frame(picture: u64) -> Frame {
        let place = picture % 4;
        let temporal = [0, 2, 1, 2][place as usize];
        Frame {
            names: Names {
                picture,
                tl0: picture / 4,
                temporal,
                sync: place == 1 || place == 2,
                key: picture == 0,
                ..Names::default()
            },
            ts: picture * 3000,
            bytes: 100,
            complete: Micros(picture as i64),
            repaired: false,
            first: picture,
        }
    }

    fn played(pictures: &[u64]) -> Vec<u64> {
        let mut decoder = Decoder::default();
        let mut out = Vec::new();
        for picture in pictures {
            decoder.push(frame(*picture));
            while let Some(next) = decoder.next() {
                decoder.decode(&next);
                out.push(next.names.picture);
            }
        }
        out
    }

    #[test]
    fn all_frames_in_order_are_shown() {
        let all: Vec<u64> = (0..20).collect();
        assert_eq!(played(&all), all);
    }

    #[test]
    fn a_lost_top_frame_costs_itself_alone() {
        assert_eq!(
            played(&[0, 2, 3, 4, 5]),
            vec![0, 2, 4, 5],
            "3 leans on 2 and on 1's place"
        );
        assert_eq!(played(&[0, 1, 2, 4, 5, 6, 7]), vec![0, 1, 2, 4, 5, 6, 7]);
    }

    #[test]
    fn a_lost_base_frame_stops_the_picture_until_it_comes_or_a_key_frame() {
        assert_eq!(played(&[0, 1, 2, 3, 5, 6, 7, 8, 9]), vec![0, 1, 2, 3]);
        assert_eq!(played(&[0, 1, 2, 3, 5, 8, 4]), vec![0, 1, 2, 3, 4, 5, 8]);
        let mut decoder = Decoder::default();
        let mut key = frame(8);
        key.names.key = true;
        for one in [frame(0), frame(5), key] {
            decoder.push(one);
            while let Some(next) = decoder.next() {
                decoder.decode(&next);
            }
        }
        assert_eq!(decoder.decoded.map(|done| done.picture), Some(8));
    }

    #[test]
    fn what_came_after_its_turn_is_refused_and_what_waits_is_bounded() {
        let mut decoder = Decoder::default();
        decoder.push(frame(0));
        decoder.decode(&frame(0));
        assert!(!decoder.push(frame(0)));
        (5..3000).for_each(|picture| {
            decoder.push(frame(picture));
        });
        assert!(decoder.waiting.len() <= MAX_FRAMES);
    }
}
