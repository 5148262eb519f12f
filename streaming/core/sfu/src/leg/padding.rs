//! What a leg can give to a probe: its recent packets once more, which helps where something was lost, or padding alone.

use zhuandi_wire::rtp::{self, Fields};
use zhuandi_wire::seq::low16;
use zhuandi_wire::time::Micros;

use super::Leg;
use crate::pacer::{Item, Kind};
use crate::probe::PADDING_BYTES;
use crate::publication::Publication;

/// Newest packets of which the next one is sent again.
const RECENT: u64 = 24;
/// Packets that are looked at for one that is short enough.
const TRIES: usize = 4;
/// A repair that comes later than this is shown no more.
const RECENT_US: i64 = 600_000;

impl Leg {
    /// Whether it can pad: a repair stream, numbered for transport-wide feedback.
    pub fn pads(&self) -> bool {
        self.is_video() && self.rtx_pt().is_some() && self.rtx_header.has_twcc()
    }

    /// A packet that left a moment ago, for once more; not longer than `most` bytes.
    pub fn recent(&mut self, now: Micros, most: u16, source: &Publication) -> Option<Item> {
        let newest = self.rewriter.last()?.seq;
        let oldest = newest
            .saturating_sub(RECENT)
            .max(self.floor)
            .max(self.keyframe.0);
        let from = self.padded.max(oldest);
        let turn = (from..newest).chain(oldest..from.min(newest));
        for out in turn.take(TRIES) {
            let Some(item) = self.recent_item(now, out, source) else {
                continue;
            };
            if item.size <= most {
                self.padded = out + 1;
                return Some(item);
            }
        }
        None
    }

    fn recent_item(&self, now: Micros, out: u64, source: &Publication) -> Option<Item> {
        let number = low16(out);
        let (encoding, seq) = self.rewriter.reverse(number)?;
        let (meta, payload) = source.encoding(encoding)?.history.get(seq)?;
        let mapped = self.rewriter.sent_as(number, &meta.numbers(seq))?;
        let fits = now.since(meta.arrival) < RECENT_US && !payload.is_empty();
        fits.then(|| self.item(now, Kind::Rtx, encoding, seq, mapped, payload.len()))
    }

    /// Append a packet of padding alone; answers its index in the repair stream.
    pub fn write_padding(&mut self, out: &mut Vec<u8>, now: Micros, twcc: u16) -> Option<u64> {
        let start = out.len();
        let index = self.rtx_next;
        let fields = Fields {
            marker: false,
            pt: self.rtx_pt()?,
            seq: low16(index),
            ts: self.rewriter.last().map_or(0, |last| last.ts),
            ssrc: 0,
        };
        self.rtx_header.write(out, &fields, now, twcc, None);
        let missing = usize::from(PADDING_BYTES).saturating_sub(out.len() - start);
        rtp::pad(out, start, u8::try_from(missing).unwrap_or(u8::MAX).max(1));
        self.rtx_next += 1;
        Some(index)
    }

    fn rtx_pt(&self) -> Option<u8> {
        self.encoding.rtx_ssrc?;
        self.pts.any_rtx()
    }
}
