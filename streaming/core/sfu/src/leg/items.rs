//! What a leg queues: references into the history, with the numbers that they get.

use zhuandi_wire::time::Micros;

use super::{Leg, Offer};
use crate::drop_reason::DropReason;
use crate::encoding::Taken;
use crate::pacer::{self, Item};
use crate::packet::Meta;
use crate::rewriter::Numbers;

impl Leg {
    pub(super) fn consider_late(
        &mut self,
        encoding: u8,
        taken: &Taken,
        meta: &Meta,
        size: usize,
    ) -> Offer {
        let input = meta.numbers(taken.seq);
        let above = meta
            .vp8
            .and_then(|vp8| vp8.temporal)
            .is_some_and(|temporal| {
                i8::try_from(temporal).is_ok_and(|temporal| {
                    self.selector.temporal() >= 0 && temporal > self.selector.temporal()
                })
            });
        // A leg that stopped sends what was missing before, nothing that would have come after.
        let going = self.selector.current() == Some(encoding);
        let before = |out: &Numbers| self.rewriter.last().is_some_and(|last| out.seq < last.seq);
        let out = match self
            .rewriter
            .look(encoding, &input)
            .filter(|out| going || before(out))
        {
            Some(_) => self.rewriter.map(encoding, &input),
            None => None,
        };
        let Some(out) = out else {
            return Offer::Nothing(DropReason::TooLate);
        };
        let kind = if size == 0 || above {
            pacer::Kind::Filler
        } else {
            self.kind()
        };
        Offer::Send(self.item(meta.arrival, kind, encoding, taken.seq, out, size))
    }

    pub(super) fn send(
        &mut self,
        encoding: u8,
        input: &Numbers,
        meta: &Meta,
        size: usize,
    ) -> Offer {
        let Some(out) = self.rewriter.map(encoding, input) else {
            return Offer::Nothing(DropReason::TooLate);
        };
        (self.last_at, self.last_ticks) = (meta.arrival, meta.sound_ticks);
        let kind = self.kind();
        if kind == pacer::Kind::Video && meta.keyframe {
            self.keyframe = (out.seq, Some(meta.arrival));
        }
        let item = self.item(meta.arrival, kind, encoding, input.seq, out, size);
        Offer::Send(Item {
            temporal: meta.temporal(),
            keyframe: meta.keyframe,
            ..item
        })
    }

    fn kind(&self) -> pacer::Kind {
        if self.is_video() {
            pacer::Kind::Video
        } else {
            pacer::Kind::Audio
        }
    }

    pub(super) fn item(
        &self,
        at: Micros,
        kind: pacer::Kind,
        encoding: u8,
        source: u64,
        out: Numbers,
        size: usize,
    ) -> Item {
        let copies = if kind == pacer::Kind::Audio {
            self.copies_size(size)
        } else {
            0
        };
        let size = u16::try_from(size + copies + self.header.len() + 16).unwrap_or(u16::MAX);
        Item {
            at,
            leg: self.index,
            kind,
            encoding,
            temporal: 0,
            keyframe: false,
            size,
            source,
            out,
        }
    }
}
