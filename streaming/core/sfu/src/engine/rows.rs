//! Fills the rows that the control plane reads (see [`crate::report`]).

use zhuandi_wire::time::Micros;

use super::Engine;
use super::wiring::SubscriptionEntry;
use crate::drop_reason::DropReason;
use crate::leg::{Leg, LegCounters};
use crate::report::{EncodingRow, FeedbackRow, Heard, Stats, SubscriptionRow, TransportRow};

impl Engine {
    /// One row for each transport that media goes to.
    pub fn take_feedback(&mut self, now: Micros) -> Vec<FeedbackRow> {
        let receivers = self
            .associations
            .iter_mut()
            .filter(|(_, found)| found.up && !found.legs.is_empty());
        let rows = receivers.map(|(_, found)| {
            let acked = found.sent.take();
            let (lost, received) = match found.sent.heard() {
                true => (acked.lost, acked.received),
                false => (
                    found.told.lost,
                    found.told.expected.saturating_sub(found.told.lost),
                ),
            };
            let sent_bytes = found.counters.tx_bytes - found.told.sent_before;
            found.told.sent_before = found.counters.tx_bytes;
            (found.told.lost, found.told.expected) = (0, 0);
            FeedbackRow {
                transport: found.id.0,
                remb_bps: found.told.remb_bps,
                lost: u32::try_from(lost).unwrap_or(u32::MAX),
                expected: u32::try_from(lost + received).unwrap_or(u32::MAX),
                rtt_us: found.rtt_us.or(found.transport.rtt_us()).unwrap_or(-1),
                sent_bytes,
                acked_bytes: acked.bytes,
                acked_packets: u32::try_from(acked.received).unwrap_or(u32::MAX),
                feedback_age_us: -1,
                queue_us: found.pacer.age_us(now),
                heard: match (found.sent.heard(), found.told.heard) {
                    (true, _) => Heard::Twcc,
                    (false, true) => Heard::Reports,
                    (false, false) => Heard::Silent,
                },
                ..FeedbackRow::default()
            }
        });
        rows.collect()
    }

    /// All tables.
    pub fn take_stats(&mut self, now: Micros) -> Stats {
        let transports = self.associations.iter().map(|(_, found)| TransportRow {
            transport: found.id.0,
            connected: found.transport.is_connected(),
            tcp: found
                .transport
                .path()
                .is_some_and(|path| path.proto != crate::api::Proto::Udp),
            rx_packets: found.counters.rx_packets,
            rx_bytes: found.counters.rx_bytes,
            tx_packets: found.counters.tx_packets,
            tx_bytes: found.counters.tx_bytes,
            rtt_us: found.rtt_us.or(found.transport.rtt_us()).unwrap_or(-1),
            queue_us: found.pacer.age_us(now),
        });
        Stats {
            transports: transports.collect(),
            subscriptions: self
                .subscriptions
                .values()
                .map(|entry| self.subscription_row(entry))
                .collect(),
            drops: self.drops.to_vec(),
            encodings: self.encoding_rows(now),
        }
    }

    /// How often each [`DropReason`] was counted, by its index.
    pub fn drops(&self) -> &[u64; DropReason::COUNT] {
        &self.drops
    }

    fn encoding_rows(&mut self, now: Micros) -> Vec<EncodingRow> {
        let mut rows = Vec::new();
        for (_, publication) in self.publications.iter_mut() {
            let (id, plis) = (publication.id.0, publication.rule.sent());
            for (index, encoding) in (0u8..).zip(&mut publication.encodings) {
                let counters = encoding.counters;
                let temporal_bps = encoding.temporal_bps(now);
                rows.push(EncodingRow {
                    publication: id,
                    encoding: index,
                    packets: counters.packets,
                    bytes: counters.bytes,
                    lost: encoding.lost(),
                    recovered: counters.recovered,
                    bitrate_bps: temporal_bps.last().copied().unwrap_or(0),
                    temporal_bps,
                    keyframes: counters.keyframes,
                    last_keyframe_us: encoding.keyframe_age_us(now).unwrap_or(-1),
                    plis,
                    nacks: counters.nacks,
                    width: encoding.size.0,
                    height: encoding.size.1,
                    jitter_us: encoding.jitter_us(),
                    first_media_us: encoding.first_at.map_or(-1, |at| at.0),
                });
            }
        }
        rows
    }

    fn subscription_row(&self, entry: &SubscriptionEntry) -> SubscriptionRow {
        let legs = || entry.legs.iter().filter_map(|leg| self.legs.get(*leg));
        let sum = |of: fn(&LegCounters) -> u64| legs().map(|leg| of(&leg.counters)).sum();
        let first = legs().next();
        let spatial = legs().filter_map(|leg| leg.selector.current()).max();
        SubscriptionRow {
            subscription: entry.id.0,
            publication: entry.publication.map_or(0, |publication| publication.0),
            spatial: spatial.map_or(-1, |spatial| i8::try_from(spatial).unwrap_or(i8::MAX)),
            temporal: first.map_or(-1, |leg| leg.selector.temporal()),
            packets: sum(|counters| counters.packets),
            bytes: sum(|counters| counters.bytes),
            dropped: sum(|counters| counters.dropped),
            nacks: sum(|counters| counters.nacks),
            rtx_packets: sum(|counters| counters.rtx_packets),
            plis: sum(|counters| counters.plis),
            loss_q8: legs().map(|leg| leg.counters.loss_q8).max().unwrap_or(0),
            jitter_us: legs().map(Leg::jitter_us).max().unwrap_or(0),
        }
    }
}
