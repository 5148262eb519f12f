//! The packets and reports of a leg as bytes, made at the moment they leave.

use zhuandi_wire::red;
use zhuandi_wire::rtcp::SenderInfo;
use zhuandi_wire::rtp::{self, Fields};
use zhuandi_wire::seq::{low16, low32};
use zhuandi_wire::time::Micros;

use super::Leg;
use crate::clock::SenderClock;
use crate::encoding::Encoding;
use crate::pacer::{self, Item};
use crate::publication::Publication;

impl Leg {
    /// Append the plain packet of a queued item; answers its SRTP index, or `None` when there is nothing to send.
    pub fn write(
        &mut self,
        out: &mut Vec<u8>,
        now: Micros,
        item: &Item,
        twcc: u16,
        source: &Publication,
    ) -> Option<u64> {
        let start = out.len();
        let encoding = source.encoding(item.encoding)?;
        let (meta, payload) = encoding.history.get(item.source)?;
        let pt = self.pts.media(meta.codec)?;
        let fields = Fields {
            marker: meta.marker,
            pt,
            seq: low16(item.out.seq),
            ts: item.out.ts,
            ssrc: 0,
        };
        if item.kind == pacer::Kind::Filler {
            let fields = Fields {
                marker: false,
                ..fields
            };
            self.header.write(out, &fields, now, twcc, None);
            rtp::pad(out, start, 4);
            return Some(item.out.seq);
        }
        if item.kind == pacer::Kind::Audio {
            self.write_sound(out, now, item, &fields, twcc, encoding)?;
            return Some(item.out.seq);
        }
        let index = if item.kind == pacer::Kind::Rtx {
            let pt = self.pts.rtx(meta.codec)?;
            self.write_repair_header(out, now, Fields { pt, ..fields }, twcc)
        } else {
            self.header.write(out, &fields, now, twcc, None);
            self.count(payload.len());
            item.out.seq
        };
        let body = out.len();
        out.extend_from_slice(payload);
        if let Some(vp8) = meta.vp8 {
            let picture = item.out.picture;
            vp8.rewrite(
                out.get_mut(body..).unwrap_or_default(),
                picture.id,
                picture.tl0,
            );
        }
        Some(index)
    }

    /// A packet of sound: with copies of older frames where the last decision wants them and there are any, else plain.
    fn write_sound(
        &mut self,
        out: &mut Vec<u8>,
        now: Micros,
        item: &Item,
        fields: &Fields,
        twcc: u16,
        encoding: &Encoding,
    ) -> Option<()> {
        let (meta, payload) = encoding.history.get(item.source)?;
        let copies = self.copies(item, payload.len(), fields.pt, encoding);
        let redundant = self.pts.redundant().filter(|_| !copies.blocks().is_empty());
        let pt = redundant.unwrap_or(fields.pt);
        self.carried = copies.mask;
        self.header
            .write(out, &Fields { pt, ..*fields }, now, twcc, meta.audio_level);
        let body = out.len();
        match redundant {
            Some(_) => red::write(out, copies.blocks(), fields.pt, payload),
            None => out.extend_from_slice(payload),
        }
        self.count(out.len() - body);
        Some(())
    }

    fn count(&mut self, payload_len: usize) {
        self.counters.packets += 1;
        self.counters.bytes += payload_len as u64;
    }

    /// Header and original sequence number of a repair (RFC 4588 4); the next index of the repair stream.
    fn write_repair_header(
        &mut self,
        out: &mut Vec<u8>,
        now: Micros,
        original: Fields,
        twcc: u16,
    ) -> u64 {
        let index = self.rtx_next;
        let fields = Fields {
            seq: low16(index),
            ..original
        };
        self.rtx_header.write(out, &fields, now, twcc, None);
        out.extend_from_slice(&original.seq.to_be_bytes());
        self.rtx_next += 1;
        self.counters.rtx_packets += 1;
        index
    }

    /// A sender report: the publisher's clock, carried through the rewriter.
    pub fn sender_info(&mut self, now: Micros, clock: &SenderClock) -> Option<SenderInfo> {
        let offset = self.rewriter.ts_offset()?;
        let clock = clock.advanced(now, self.rate);
        let info = SenderInfo {
            ntp: clock.ntp,
            rtp_ts: clock.ts.wrapping_add(offset),
            packets: low32(self.counters.packets),
            octets: low32(self.counters.bytes),
        };
        self.reports.sent(now, &info);
        self.report_soon = false;
        Some(info)
    }

    /// A report block came: how many packets left since the one before.
    pub fn note_reported(&mut self) -> u64 {
        let newest = self.rewriter.last().map(|last| last.seq);
        let before = std::mem::replace(&mut self.reported, newest);
        newest
            .unwrap_or(0)
            .saturating_sub(before.or(newest).unwrap_or(0))
    }
}
