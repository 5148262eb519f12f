//! Received sound with copies of older frames (RFC 2198): taken apart, so that the history holds each frame once, as plain
//! Opus, and each receiver gets the copies that its own link needs.

use zhuandi_wire::opus;
use zhuandi_wire::red::{Block, Red};
use zhuandi_wire::time::Micros;

use super::Engine;
use crate::api::Codec;
use crate::drop_reason::DropReason;
use crate::packet::{Incoming, Meta};

impl Engine {
    /// Take the frames of one packet in: older ones only where their own packets are missing.
    pub(super) fn take_redundant(
        &mut self,
        now: Micros,
        source: u32,
        packet: Incoming,
        payload: &[u8],
    ) -> Result<(), DropReason> {
        let opus = self
            .publications
            .get(source)
            .and_then(|publication| publication.pt_of(Codec::Opus));
        let pt = opus.ok_or(DropReason::UnknownPayloadType)?;
        let meta = Meta {
            codec: Codec::Opus,
            pt,
            ..packet.meta
        };
        let mut packet = Incoming { meta, ..packet };
        if payload.is_empty() {
            return self.ingest(now, source, packet, payload);
        }
        let red = Red::parse(payload).map_err(|_| DropReason::DescriptorMalformed)?;
        if red.primary_pt != pt {
            return Err(DropReason::UnknownPayloadType);
        }
        for block in red.redundant().filter(|block| block.pt == pt) {
            self.fill_hole(now, source, &packet, &block);
        }
        packet.meta.sound_ticks = opus::ticks(red.primary).unwrap_or(0);
        self.ingest(now, source, packet, red.primary)
    }

    fn fill_hole(&mut self, now: Micros, source: u32, carrier: &Incoming, block: &Block<'_>) {
        let ts = carrier.meta.ts.wrapping_sub(u32::from(block.ts_offset));
        let hole = self
            .publications
            .get(source)
            .and_then(|publication| publication.encoding(carrier.encoding))
            .and_then(|encoding| encoding.hole_of(carrier.seq, carrier.meta.ts, ts));
        let (Some(seq), false) = (hole, block.data.is_empty()) else {
            return;
        };
        let meta = Meta {
            ts,
            marker: false,
            sound_ticks: opus::ticks(block.data).unwrap_or(0),
            audio_level: None,
            ..carrier.meta
        };
        let filled = Incoming {
            seq,
            repaired: true,
            meta,
            ..*carrier
        };
        if let Err(reason) = self.ingest(now, source, filled, block.data) {
            self.count(reason);
        }
    }
}
