//! Asking a publisher for key frames, under the one rule.

use zhuandi_wire::rtcp::write_pli;
use zhuandi_wire::time::Micros;

use super::Engine;
use super::fan_out::record;
use crate::api::LogRecord;
use crate::leg::To;

impl Engine {
    /// Somebody needs a key frame: ask the publisher now, or when the rule allows it. Answers whether it was asked now.
    pub(super) fn want_keyframe(&mut self, now: Micros, source: u32) -> bool {
        let found = self.publications.get_mut(source);
        let Some(publication) = found.filter(|found| found.granted) else {
            return false;
        };
        let owner = publication.transport;
        let Some(association) = owner.and_then(|owner| self.associations.get_mut(owner)) else {
            return false;
        };
        publication.rule.want();
        let ssrcs = publication
            .encodings
            .iter()
            .filter_map(|encoding| encoding.params.ssrc);
        if !association.up || ssrcs.clone().next().is_none() || !publication.rule.poll(now) {
            return false;
        }
        let mut packet = Vec::new();
        ssrcs.for_each(|ssrc| write_pli(&mut packet, 1, ssrc));
        association.queue_rtcp(packet);
        self.note_request(now, source);
        owner.into_iter().for_each(|owner| self.touch(owner));
        true
    }

    /// Taps write down that a key frame was asked for.
    fn note_request(&mut self, now: Micros, source: u32) {
        let legs = self
            .publications
            .get(source)
            .map_or_else(Vec::new, |found| found.legs.clone());
        for leg in legs {
            if let Some(To::Log(lesson, track)) = self.legs.get(leg).map(|leg| leg.to) {
                let kind = record::KEYFRAME_ASKED;
                self.append(LogRecord {
                    lesson,
                    track,
                    kind,
                    arrival_us: now.0,
                    body: Vec::new(),
                });
            }
        }
    }
}
