//! A publication that is played from recorded packets again and again; its numbers go on across the loop.

use zhuandi_wire::rtp::Header;
use zhuandi_wire::seq::{TsUnwrapper, Unwrapper, low16, low32};
use zhuandi_wire::time::Micros;

use crate::api::{Codec, Played, RtpParameters};
use crate::clock::{SenderClock, ticks};
use crate::packet::{Incoming, Meta};
use crate::publication::MAX_ENCODINGS;

/// Longest span that is caught up after a stall; what is older is skipped.
const MAX_BEHIND_US: i64 = 500_000;

/// From the command to the first packet: time to connect what shall send it, so that none is lost at the beginning.
const LEAD_US: i64 = 50_000;

/// Shortest loop: one of no length would never end.
const MIN_LOOP_US: i64 = 20_000;

/// One packet with numbers that count from the start of its encoding.
#[derive(Clone, Copy, Debug)]
struct Prepared {
    at_us: i64,
    encoding: u8,
    index: usize,
    start: usize,
    end: usize,
    seq: u64,
    ts: u64,
    picture: u64,
    tl0: u64,
    meta: Meta,
}

/// How far the numbers of one encoding go in one loop.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    packets: u64,
    pictures: u64,
    tl0s: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Player {
    /// Its timer in the heap.
    pub armed: Micros,
    played: Played,
    rate: u32,
    prepared: Vec<Prepared>,
    spans: [Span; MAX_ENCODINGS],
    start: Micros,
    turn: u64,
    next: usize,
    payload: Vec<u8>,
    clock_at: Micros,
}

impl Player {
    /// Start playing soon. Packets that do not parse, or of unknown payload types, are left out.
    pub fn new(now: Micros, rtp: &RtpParameters, mut played: Played) -> Player {
        played.loop_us = played.loop_us.max(MIN_LOOP_US);
        let rate = rtp.codecs.first().map_or(90_000, |codec| codec.clock_rate);
        let mut player = Player {
            armed: Micros::NEVER,
            rate,
            prepared: Vec::new(),
            spans: [Span::default(); MAX_ENCODINGS],
            start: now.plus(LEAD_US),
            turn: 0,
            next: 0,
            payload: Vec::new(),
            clock_at: Micros(i64::MIN),
            played,
        };
        for encoding in (0u8..).take(MAX_ENCODINGS) {
            player.prepare(rtp, encoding);
        }
        player
            .prepared
            .sort_by_key(|packet| (packet.at_us, packet.encoding, packet.seq));
        player
    }

    /// The next packet that is due; its payload is [`Player::payload`].
    pub fn poll(&mut self, now: Micros) -> Option<Incoming> {
        if now.since(self.due()?) > MAX_BEHIND_US {
            self.start = self.start.plus(now.since(self.due()?));
        }
        if self.due()? > now {
            return None;
        }
        let packet = *self.prepared.get(self.next)?;
        let due = self.render(&packet)?;
        self.next += 1;
        if self.next >= self.prepared.len() {
            self.next = 0;
            self.turn += 1;
        }
        Some(due)
    }

    /// Payload of the packet that was polled last.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// When the next packet is due.
    pub fn next(&self) -> Micros {
        self.due().unwrap_or(Micros::NEVER)
    }

    /// The clock of each encoding, once in `every_us`.
    pub fn clocks(&mut self, now: Micros, ntp: u64, every_us: i64) -> Vec<(u8, SenderClock)> {
        if self.clock_at.plus(every_us) > now {
            return Vec::new();
        }
        self.clock_at = now;
        // Before the start the clock is below zero, which is high in 32 bits.
        let elapsed = ticks(now.since(self.start), self.rate).rem_euclid(1 << 32);
        let clock = SenderClock {
            ntp,
            ts: low32(elapsed.unsigned_abs()),
            at: now,
        };
        (0u8..)
            .zip(&self.spans)
            .filter(|(_, span)| span.packets > 0)
            .map(|(at, _)| (at, clock))
            .collect()
    }

    fn due(&self) -> Option<Micros> {
        let packet = self.prepared.get(self.next)?;
        let turn = i64::try_from(self.turn).unwrap_or(i64::MAX);
        Some(
            self.start
                .plus(self.played.loop_us.saturating_mul(turn))
                .plus(packet.at_us),
        )
    }

    fn render(&mut self, packet: &Prepared) -> Option<Incoming> {
        let span = *self.spans.get(usize::from(packet.encoding))?;
        let source = self.played.packets.get(packet.index)?;
        self.payload.clear();
        self.payload
            .extend_from_slice(source.rtp.get(packet.start..packet.end)?);
        let loops = i64::try_from(self.turn)
            .unwrap_or(0)
            .saturating_mul(self.played.loop_us);
        let mut meta = packet.meta;
        meta.ts = low32(
            packet
                .ts
                .wrapping_add(ticks(loops, self.rate).unsigned_abs()),
        );
        if let Some(vp8) = meta.vp8.as_mut() {
            let picture = low16(packet.picture + self.turn * span.pictures) & 0x7FFF;
            let [_, tl0] = low16(packet.tl0 + self.turn * span.tl0s).to_be_bytes();
            vp8.rewrite(&mut self.payload, picture, tl0);
            if let Some(id) = vp8.picture_id.as_mut() {
                id.value = picture & id.mask();
            }
            vp8.tl0_pic_idx = vp8.tl0_pic_idx.map(|_| tl0);
        }
        let seq = low16(packet.seq + self.turn * span.packets);
        Some(Incoming {
            encoding: packet.encoding,
            seq,
            repaired: false,
            meta,
        })
    }

    /// Number the packets of one encoding in the order of their sequence numbers, without gaps.
    fn prepare(&mut self, rtp: &RtpParameters, encoding: u8) {
        let mut found: Vec<(u64, Prepared)> = Vec::new();
        let (mut seqs, mut stamps) = (Unwrapper::new(), TsUnwrapper::new());
        for (index, packet) in self
            .played
            .packets
            .iter()
            .enumerate()
            .filter(|(_, p)| p.encoding == encoding)
        {
            let Ok(header) = Header::parse(&packet.rtp) else {
                continue;
            };
            let codec = rtp
                .codecs
                .iter()
                .find(|codec| codec.pt == header.fields.pt && codec.codec != Codec::Rtx);
            let (Some(codec), Ok(range)) = (codec, header.payload(&packet.rtp)) else {
                continue;
            };
            let payload = packet.rtp.get(range.clone()).unwrap_or_default();
            let Ok(mut meta) = Meta::parse(codec.codec, payload) else {
                continue;
            };
            (meta.pt, meta.marker) = (header.fields.pt, header.fields.marker);
            let prepared = Prepared {
                at_us: packet.at_us,
                encoding,
                index,
                start: range.start,
                end: range.end,
                seq: 0,
                ts: stamps.unwrap(header.fields.ts),
                picture: 0,
                tl0: 0,
                meta,
            };
            found.push((seqs.unwrap(header.fields.seq), prepared));
        }
        found.sort_by_key(|(seq, _)| *seq);
        found.dedup_by_key(|(seq, _)| *seq);
        let span = number(&mut found, self.rate);
        if let Some(place) = self.spans.get_mut(usize::from(encoding)) {
            *place = span;
        }
        self.prepared
            .extend(found.into_iter().map(|(_, packet)| packet));
    }
}

/// Give all packets of an encoding numbers that begin at 0, and timestamps that begin at the time of the first one.
fn number(found: &mut [(u64, Prepared)], rate: u32) -> Span {
    let Some((_, first)) = found.first().copied() else {
        return Span::default();
    };
    let base_ts = first.ts;
    let offset = ticks(first.at_us, rate).max(0).unsigned_abs();
    let (mut pictures, mut tl0s) = (0u64, 0u64);
    let mut before: Option<(u64, Option<u8>)> = None;
    for (seq, (_, packet)) in (0u64..).zip(found.iter_mut()) {
        let tl0 = packet.meta.vp8.and_then(|vp8| vp8.tl0_pic_idx);
        pictures += u64::from(before.is_none_or(|(ts, _)| ts != packet.ts));
        tl0s += u64::from(before.is_none_or(|(_, last)| last != tl0));
        before = Some((packet.ts, tl0));
        packet.seq = seq;
        packet.picture = pictures - 1;
        packet.tl0 = tl0s - 1;
        packet.ts = packet.ts.saturating_sub(base_ts) + offset;
    }
    Span {
        packets: found.len() as u64,
        pictures,
        tl0s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{CodecParams, Kind, PlayedPacket};

    fn voice(packets: u8) -> Player {
        let packet = |number: u8| PlayedPacket {
            at_us: i64::from(number) * 20_000,
            encoding: 0,
            rtp: vec![
                0x80, 111, 0, number, 0, 0, number, 0, 0, 0, 0, 1, number, 9, 9,
            ]
            .into(),
        };
        let rtp = RtpParameters {
            mid: "0".into(),
            kind: Kind::Audio,
            codecs: vec![CodecParams {
                pt: 111,
                codec: Codec::Opus,
                clock_rate: 48_000,
                apt: None,
            }],
            extensions: crate::api::Extensions::default(),
            encodings: Vec::new(),
            nack: true,
            twcc: true,
        };
        let packets: Vec<_> = (0..packets).map(packet).collect();
        let played = Played {
            packets: packets.into(),
            loop_us: 1_000_000,
        };
        Player::new(Micros(7), &rtp, played)
    }

    #[test]
    fn nothing_is_played_before_what_sends_it_can_be_connected() {
        let mut player = voice(3);
        assert!(player.poll(Micros(7 + LEAD_US - 1)).is_none());
        assert_eq!(player.next(), Micros(7 + LEAD_US));
        let first = player.poll(Micros(7 + LEAD_US)).unwrap();
        assert_eq!((first.seq, first.meta.ts), (0, 0));
        assert_eq!(player.payload(), &[0, 9, 9]);
    }

    #[test]
    fn the_clock_before_the_first_packet_and_after_it_is_one() {
        let mut player = voice(3);
        for (at_us, ts) in [(7, 0u32.wrapping_sub(2_400)), (7 + LEAD_US + 20_000, 960)] {
            let clocks = player.clocks(Micros(at_us), 0, 0);
            assert_eq!(clocks.first().map(|(_, clock)| clock.ts), Some(ts));
        }
    }
}
