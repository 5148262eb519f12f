//! Received RTCP: it ends here; nothing of a receiver is forwarded raw (DESIGN 6).

use zhuandi_wire::rtcp::{Message, ReportBlock, SenderInfo, messages};
use zhuandi_wire::time::Micros;

use super::fan_out::record;
use super::silence::Sign;
use super::{Engine, LogRecord};
use crate::api::Path;
use crate::drop_reason::DropReason;
use crate::leg::To;
use crate::repair_budget::Repair;

/// Most feedback items of one packet that are worked on.
const MAX_ITEMS: usize = 1024;

impl Engine {
    pub(super) fn handle_rtcp(
        &mut self,
        now: Micros,
        index: u32,
        path: Path,
        datagram: &mut [u8],
    ) -> Result<(), DropReason> {
        let association = self
            .associations
            .get_mut(index)
            .ok_or(DropReason::UnknownPath)?;
        let plain = association.transport.unprotect_rtcp(now, path, datagram)?;
        association.counters.rx_packets += 1;
        association.counters.rx_bytes += datagram.len() as u64;
        let packet = datagram.get(..plain.len).ok_or(DropReason::RtcpMalformed)?;
        for message in messages(packet).take(MAX_ITEMS) {
            match message {
                Ok(message) => self.handle_message(now, index, &message),
                Err(_) => self.count(DropReason::RtcpMalformed),
            }
        }
        Ok(())
    }

    pub(super) fn handle_message(&mut self, now: Micros, index: u32, message: &Message<'_>) {
        match message {
            Message::SenderReport(report) => {
                self.handle_sender_report(now, index, report.ssrc, &report.info);
                report
                    .blocks()
                    .for_each(|block| self.handle_block(now, index, &block));
            }
            Message::ReceiverReport(report) => {
                report
                    .blocks()
                    .for_each(|block| self.handle_block(now, index, &block));
            }
            Message::Nack(nack) => {
                self.heard(now, index, Sign::Arrivals);
                for number in nack.lost().take(MAX_ITEMS) {
                    if let Err(reason) = self.handle_nack(now, index, nack.media_ssrc, number) {
                        self.count(reason);
                    }
                }
            }
            Message::Pli(pli) => self.handle_keyframe_request(now, index, pli.media_ssrc),
            Message::Fir(fir) => {
                for entry in fir.entries().take(MAX_ITEMS) {
                    self.handle_keyframe_request(now, index, entry.ssrc);
                }
            }
            Message::Remb(remb) => {
                if let Some(association) = self.associations.get_mut(index) {
                    association.told.remb_bps = remb.bitrate_bps;
                    association.told.heard_at = Some(now);
                }
                self.heard(now, index, Sign::Report);
            }
            Message::TransportCc(feedback) => {
                if let Some(association) = self.associations.get_mut(index) {
                    association.take_feedback(now, feedback);
                }
                self.heard(now, index, Sign::Arrivals);
            }
            Message::Sdes(_) | Message::Bye(_) | Message::Other { .. } => {}
        }
    }

    fn handle_sender_report(&mut self, now: Micros, index: u32, ssrc: u32, info: &SenderInfo) {
        let Some(route) = self
            .associations
            .get(index)
            .and_then(|found| found.route(ssrc))
        else {
            return;
        };
        let Some(publication) = self.publications.get_mut(route.publication) else {
            return;
        };
        let Some(encoding) = publication.encoding_mut(route.encoding) else {
            return;
        };
        encoding.sender_report(now, info);
        self.log_sender_report(now, route.publication, route.encoding);
    }

    /// A sender report of the encoding that a tap carries goes into the log, in the numbers of its track.
    pub(super) fn log_sender_report(&mut self, now: Micros, source: u32, encoding: u8) {
        let Some(publication) = self.publications.get(source) else {
            return;
        };
        let Some(clock) = publication
            .encoding(encoding)
            .and_then(|encoding| encoding.clock)
        else {
            return;
        };
        let mut records = Vec::new();
        for index in &publication.legs {
            let Some(leg) = self.legs.get_mut(*index) else {
                continue;
            };
            let To::Log(lesson, track) = leg.to else {
                continue;
            };
            if leg.selector.current() != Some(encoding) {
                continue;
            }
            let Some(info) = leg.sender_info(now, &clock) else {
                continue;
            };
            let mut body = leg.ssrc().to_le_bytes().to_vec();
            body.extend_from_slice(&info.ntp.to_le_bytes());
            body.extend_from_slice(&info.rtp_ts.to_le_bytes());
            records.push(LogRecord {
                lesson,
                track,
                kind: record::SR,
                arrival_us: now.0,
                body,
            });
        }
        records.into_iter().for_each(|record| self.append(record));
    }

    fn leg_of_ssrc(&self, index: u32, ssrc: u32) -> Option<u32> {
        let legs = &self.associations.get(index)?.legs;
        legs.iter()
            .copied()
            .find(|leg| self.legs.get(*leg).is_some_and(|leg| leg.ssrc() == ssrc))
    }

    fn handle_block(&mut self, now: Micros, index: u32, block: &ReportBlock) {
        let Some(leg) = self
            .leg_of_ssrc(index, block.ssrc)
            .and_then(|leg| self.legs.get_mut(leg))
        else {
            return;
        };
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        leg.counters.loss_q8 = block.fraction_lost;
        leg.counters.jitter = block.jitter;
        let expected = leg.note_reported();
        let lost = (expected * u64::from(block.fraction_lost)) >> 8;
        association.told.heard_at = Some(now);
        association.told.expected += expected;
        association.told.lost += lost;
        if association.sent.heard_at().is_none() {
            association.budget.told(lost, expected);
        }
        if let Some(rtt) = leg.reports.rtt_us(now, block.last_sr, block.delay_since_sr) {
            association.rtt_us = Some(rtt);
        }
        self.heard(now, index, Sign::Report);
    }

    fn handle_nack(
        &mut self,
        now: Micros,
        index: u32,
        ssrc: u32,
        number: u16,
    ) -> Result<(), DropReason> {
        let leg = self
            .leg_of_ssrc(index, ssrc)
            .ok_or(DropReason::UnknownSsrc)?;
        let leg = self.legs.get_mut(leg).ok_or(DropReason::UnknownSsrc)?;
        let association = self
            .associations
            .get_mut(index)
            .ok_or(DropReason::UnknownPath)?;
        let source = leg
            .publication
            .and_then(|at| self.publications.get(at))
            .ok_or(DropReason::NackUnknown)?;
        leg.counters.nacks += 1;
        let sound = !leg.is_video();
        let any = if sound { Repair::Sound } else { Repair::Base };
        if !association.budget.allows(now, any) {
            return Err(DropReason::NackThrottled);
        }
        let sparing = association.pacer.rate_bps() > 0;
        let rtt_us = association.rtt_or_default_us();
        if sound && leg.is_covered(now, number, rtt_us, &association.sent) {
            return Err(DropReason::NackCovered);
        }
        let item = leg.nack(now, number, rtt_us, sparing, source)?;
        let repair = match (sound, item.temporal) {
            (true, _) => Repair::Sound,
            (false, 0) => Repair::Base,
            (false, _) => Repair::Upper,
        };
        if !association.budget.allows(now, repair) {
            return Err(DropReason::NackThrottled);
        }
        association.budget.spend(repair, item.size);
        let queued = association.pacer.push(item);
        self.touch(index);
        queued.then_some(()).ok_or(DropReason::QueueFull)
    }

    fn handle_keyframe_request(&mut self, now: Micros, index: u32, ssrc: u32) {
        let rtt_us = self
            .associations
            .get(index)
            .map_or(0, |found| found.rtt_or_default_us());
        let Some(leg) = self
            .leg_of_ssrc(index, ssrc)
            .and_then(|leg| self.legs.get_mut(leg))
        else {
            return;
        };
        let may = leg.may_ask_keyframe(now, rtt_us);
        if let Some(source) = leg.publication
            && !(may && self.want_keyframe(now, source))
        {
            self.count(DropReason::PliThrottled);
        }
    }
}
