//! Which packets of a publication one leg forwards. Pure: values in, a verdict out.
//!
//! Encodings change only where a key frame of the new one starts; until it comes the old one goes on. Temporal layers
//! change only where a frame starts, upwards only at a layer sync (RFC 7741 4.2, Y bit) or a key frame.

use crate::drop_reason::DropReason;

/// Encoding number that stands for "the highest that arrives".
pub const HIGHEST: i8 = i8::MAX;
/// Temporal layer that stands for "all".
pub const ALL_TEMPORAL: i8 = -1;

/// What the selector looks at in a packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Index of its encoding.
    pub encoding: u8,
    /// It starts a key frame (or is sound, where every packet is one).
    pub keyframe: bool,
    /// It starts a frame.
    pub frame_start: bool,
    /// Temporal layer, where the packet says one.
    pub temporal: Option<u8>,
    /// One may switch up to this temporal layer here.
    pub layer_sync: bool,
}

/// The selector's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it; `switched`: it is the first of its encoding on this leg.
    Forward {
        /// A new numbering interval starts here.
        switched: bool,
    },
    /// Leave it out on purpose, and close the gap in the numbers.
    Omit(DropReason),
    /// Not a packet of this leg's stream.
    Drop(DropReason),
}

/// Layers of one leg: what is wanted, what goes out.
#[derive(Clone, Copy, Debug)]
pub struct Selector {
    wanted: i8,
    wanted_temporal: i8,
    alive: u8,
    current: Option<u8>,
    temporal: u8,
    squeezed: u8,
}

impl Default for Selector {
    fn default() -> Self {
        Selector {
            wanted: HIGHEST,
            wanted_temporal: ALL_TEMPORAL,
            alive: u8::MAX,
            current: None,
            temporal: u8::MAX,
            squeezed: u8::MAX,
        }
    }
}

impl Selector {
    /// One row of a decision; -1 in `spatial` pauses at once, [`ALL_TEMPORAL`] takes every frame.
    pub fn want(&mut self, spatial: i8, temporal: i8) {
        self.wanted = spatial;
        self.wanted_temporal = temporal;
        if spatial < 0 {
            self.current = None;
        }
    }

    /// What the last decision wanted: (spatial, temporal).
    pub fn wanted(&self) -> (i8, i8) {
        (self.wanted, self.wanted_temporal)
    }

    /// The queue is old: no temporal layer above this one for now (255: all again); `cut`: not even the rest of a frame.
    pub fn squeeze(&mut self, layer: u8, cut: bool) {
        self.squeezed = layer;
        if cut {
            self.temporal = self.temporal.min(layer);
        }
    }

    /// Bit mask of the encodings that arrive now.
    pub fn set_alive(&mut self, alive: u8) {
        self.alive = alive;
    }

    /// The source changed: start again at a key frame.
    pub fn restart(&mut self) {
        self.current = None;
    }

    /// The encoding that goes out.
    pub fn current(&self) -> Option<u8> {
        self.current
    }

    /// The temporal layer up to which frames go out, -1 = all.
    pub fn temporal(&self) -> i8 {
        if self.temporal == u8::MAX {
            ALL_TEMPORAL
        } else {
            i8::try_from(self.temporal).unwrap_or(ALL_TEMPORAL)
        }
    }

    /// The encoding to go to: the highest arriving one that is not above the wanted one, else the lowest arriving one.
    pub fn target(&self) -> Option<u8> {
        let wanted = u32::try_from(self.wanted).ok()?;
        let below = self.alive & u8::try_from((1u32 << (wanted.min(7) + 1)) - 1).unwrap_or(u8::MAX);
        match (below, self.alive) {
            (0, 0) => None,
            (0, alive) => u8::try_from(alive.trailing_zeros()).ok(),
            (below, _) => u8::try_from(7 - below.leading_zeros()).ok(),
        }
    }

    /// Whether a key frame of the target is needed to go on.
    pub fn waits(&self) -> bool {
        self.target()
            .is_some_and(|target| self.current != Some(target))
    }

    /// Judge one packet, newest first seen; packets older than the newest must not come here but to the rewriter.
    pub fn judge(&mut self, look: &Look) -> Verdict {
        if self.wanted < 0 {
            return Verdict::Drop(DropReason::Paused);
        }
        if look.keyframe
            && self.current != Some(look.encoding)
            && self.target() == Some(look.encoding)
        {
            self.current = Some(look.encoding);
            self.temporal = self.cap();
            return Verdict::Forward { switched: true };
        }
        match self.current {
            None => Verdict::Drop(DropReason::WaitingKeyframe),
            Some(current) if current != look.encoding => Verdict::Drop(DropReason::OtherLayer),
            Some(_) => self.judge_temporal(look),
        }
    }

    fn cap(&self) -> u8 {
        u8::try_from(self.wanted_temporal)
            .unwrap_or(u8::MAX)
            .min(self.squeezed)
    }

    fn judge_temporal(&mut self, look: &Look) -> Verdict {
        let Some(temporal) = look.temporal else {
            return Verdict::Forward { switched: false };
        };
        let cap = self.cap();
        if look.frame_start {
            if cap < self.temporal || look.keyframe {
                self.temporal = cap;
            } else if look.layer_sync && temporal > self.temporal {
                self.temporal = if temporal >= 2 || cap <= temporal {
                    cap
                } else {
                    temporal
                };
            }
        }
        if temporal > self.temporal {
            return Verdict::Omit(DropReason::TemporalLayer);
        }
        Verdict::Forward { switched: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(encoding: u8, keyframe: bool) -> Look {
        Look {
            encoding,
            keyframe,
            frame_start: true,
            temporal: Some(0),
            layer_sync: false,
        }
    }

    fn frame(temporal: u8, layer_sync: bool) -> Look {
        Look {
            encoding: 0,
            keyframe: false,
            frame_start: true,
            temporal: Some(temporal),
            layer_sync,
        }
    }

    const GO: Verdict = Verdict::Forward { switched: false };
    const SWITCH: Verdict = Verdict::Forward { switched: true };

    #[test]
    fn the_old_layer_goes_on_until_the_key_frame_of_the_new_one() {
        let mut selector = Selector::default();
        selector.set_alive(0b111);
        selector.want(0, ALL_TEMPORAL);
        assert_eq!(
            selector.judge(&packet(2, true)),
            Verdict::Drop(DropReason::WaitingKeyframe)
        );
        assert_eq!(selector.judge(&packet(0, true)), SWITCH);
        selector.want(2, ALL_TEMPORAL);
        assert!(selector.waits());
        assert_eq!(selector.judge(&packet(0, false)), GO);
        assert_eq!(
            selector.judge(&packet(2, false)),
            Verdict::Drop(DropReason::OtherLayer)
        );
        assert_eq!(selector.judge(&packet(2, true)), SWITCH);
        assert_eq!(
            selector.judge(&packet(0, true)),
            Verdict::Drop(DropReason::OtherLayer)
        );
        assert!(!selector.waits());
    }

    #[test]
    fn a_pause_stops_at_once_and_needs_a_key_frame_afterwards() {
        let mut selector = Selector::default();
        selector.judge(&packet(7, true));
        selector.want(-1, ALL_TEMPORAL);
        assert_eq!(
            selector.judge(&packet(7, true)),
            Verdict::Drop(DropReason::Paused)
        );
        selector.want(HIGHEST, ALL_TEMPORAL);
        assert_eq!(
            selector.judge(&packet(7, false)),
            Verdict::Drop(DropReason::WaitingKeyframe)
        );
    }

    #[test]
    fn a_silent_encoding_is_left_for_the_best_that_arrives() {
        let mut selector = Selector::default();
        selector.want(2, ALL_TEMPORAL);
        selector.set_alive(0b011);
        assert_eq!(selector.target(), Some(1));
        selector.want(0, ALL_TEMPORAL);
        selector.set_alive(0b110);
        assert_eq!(selector.target(), Some(1));
        selector.set_alive(0);
        assert_eq!(selector.target(), None);
    }

    #[test]
    fn temporal_layers_fall_at_a_frame_and_rise_at_a_sync() {
        let mut selector = Selector::default();
        selector.set_alive(1);
        selector.judge(&packet(0, true));
        assert_eq!(selector.judge(&frame(2, false)), GO);
        selector.want(0, 0);
        let rest_of_frame = Look {
            frame_start: false,
            ..frame(2, false)
        };
        assert_eq!(selector.judge(&rest_of_frame), GO, "a frame is never cut");
        assert_eq!(
            selector.judge(&frame(1, false)),
            Verdict::Omit(DropReason::TemporalLayer)
        );
        selector.want(0, ALL_TEMPORAL);
        assert_eq!(
            selector.judge(&frame(1, false)),
            Verdict::Omit(DropReason::TemporalLayer)
        );
        assert_eq!(selector.judge(&frame(1, true)), GO);
        assert_eq!(
            selector.judge(&frame(2, false)),
            Verdict::Omit(DropReason::TemporalLayer)
        );
        assert_eq!(selector.judge(&frame(2, true)), GO);
        assert_eq!(selector.judge(&frame(0, false)), GO);
    }

    proptest! {
        #[test]
        fn what_goes_out_is_one_encoding_that_began_with_a_key_frame(
            steps in prop::collection::vec((0u8..3, any::<bool>(), -1i8..3), 1..200)
        ) {
            let mut selector = Selector::default();
            selector.set_alive(0b111);
            let mut began = None;
            for (encoding, keyframe, want) in steps {
                selector.want(want, ALL_TEMPORAL);
                if want < 0 {
                    began = None;
                }
                if let Verdict::Forward { switched } = selector.judge(&packet(encoding, keyframe)) {
                    if switched {
                        prop_assert!(keyframe);
                        began = Some(encoding);
                    }
                    prop_assert_eq!(began, Some(encoding));
                }
            }
        }
    }
}
