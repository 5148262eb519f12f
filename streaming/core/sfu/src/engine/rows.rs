//! Fills the rows that the control plane reads (see [`crate::report`]).

use zhuandi_wire::time::Micros;

use super::Engine;
use super::association::Association;
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
        receivers
            .map(|(_, found)| feedback_row(now, found))
            .collect()
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
            rtt_us: found.known_rtt_us().unwrap_or(-1),
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

fn feedback_row(now: Micros, found: &mut Association) -> FeedbackRow {
    let acked = found.sent.take();
    let heard = match (found.sent.heard_at(), found.told.heard_at) {
        (Some(_), _) => Heard::Twcc,
        (None, Some(_)) => Heard::Reports,
        (None, None) => Heard::Silent,
    };
    let lost = u64::try_from(acked.lost).unwrap_or(0);
    let (lost, expected) = match heard {
        Heard::Twcc => (lost, lost + u64::from(acked.received)),
        _ => (found.told.lost, found.told.expected),
    };
    (found.told.lost, found.told.expected) = (0, 0);
    let sent_bytes = found.counters.link_bytes - found.told.sent_before;
    found.told.sent_before = found.counters.link_bytes;
    let heard_at = found.sent.heard_at().or(found.told.heard_at);
    let (probe_state, probe_sent_bps, probe_acked_bps) = found.pacer.probe.take();
    let left = found.pacer.take_left();
    let rtt_us = found.known_rtt_us().or(found.sent.rtt_us());
    let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    FeedbackRow {
        transport: found.id.0,
        remb_bps: found.told.remb_bps,
        rtt_us: rtt_us.unwrap_or(-1),
        heard,
        sent_bytes,
        acked_bytes: acked.bytes,
        acked_packets: acked.received,
        lost: narrow(lost),
        expected: narrow(expected),
        loss_runs: u32::try_from(acked.runs).unwrap_or(0),
        groups: acked.groups,
        delay_us: acked.delay_us,
        delay_mean_us: acked
            .delay_us
            .map(|_| acked.delay_sum_us / i64::from(acked.received.max(1))),
        arrival_us: acked.arrival_us,
        feedback_age_us: heard_at.map_or(-1, |_| found.outage.unheard_us(now)),
        in_flight_bytes: match heard {
            Heard::Twcc => found.sent.in_flight_bytes(),
            _ => 0,
        },
        queue_us: found.pacer.age_us(now),
        queue_bytes: found.pacer.bytes() as u64,
        probe_sent_bps,
        probe_acked_bps,
        probe_state,
        padding_bytes: left.padding,
        repair_bytes: left.repair,
        sound_bytes: left.sound,
        still_bytes: left.still,
        still_acked_bytes: found.stills.sender.take_acked_bytes(),
        still_left_bytes: found.stills.left_bytes(),
        sound_wait_us: left.sound_wait_us,
    }
}
