//! Receivers that fall silent and are heard again, probes that end, and queues that grow old: what the mechanism does by
//! itself, before the next decision.

use zhuandi_wire::time::Micros;
use zhuandi_wire::twcc::Feedback;

use super::Engine;
use super::association::Association;
use crate::drop_reason::DropReason;
use crate::leg::Leg;
use crate::outage::{REPORT_INTERVAL_US, Silence, TWCC_INTERVAL_US};
use crate::pacer::{Item, Pressure};
use crate::slab::Slab;

/// What a sign of life says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// That packets arrive: TWCC or a NACK.
    Arrivals,
    /// That somebody is there: a report or an estimate.
    Report,
}

impl Association {
    /// Transport-wide feedback: into the log of what was sent, the probe and the budget of repairs.
    pub(super) fn take_feedback(&mut self, now: Micros, feedback: &Feedback<'_>) {
        let (lost, received) = self.sent.feedback(now, feedback);
        self.budget.told(lost, lost + received);
        self.pacer.probe.feedback(&self.sent);
        self.pacer.follow_probe(now);
    }
}

impl Engine {
    /// The receiver gave a sign of life. Where it sends transport-wide feedback, reports alone are none: they come as well
    /// when nothing arrives.
    pub(super) fn heard(&mut self, now: Micros, index: u32, sign: Sign) {
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        let tells_arrivals = association.sent.heard_at().is_some();
        if sign == Sign::Report && tells_arrivals {
            return;
        }
        let interval_us = match tells_arrivals {
            true => TWCC_INTERVAL_US,
            false => REPORT_INTERVAL_US,
        };
        let flying = association.sent.in_flight_bytes() > 0;
        if association.outage.heard(now, flying, interval_us) {
            self.resume(now, index);
        }
        self.arm(now, index);
    }

    /// By the clock: silence of the receiver, the end of a probe.
    pub(super) fn watch_receiver(&mut self, now: Micros, index: u32) {
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        let rtt_us = association.rtt_or_default_us();
        if association.pacer.probe.next() <= now {
            association.pacer.probe.tick(now, &association.sent, rtt_us);
            association.pacer.follow_probe(now);
        }
        let level = association.outage.tick(now, rtt_us);
        let knocks = association.outage.knocks(now);
        match level {
            None | Some(Silence::None) => {}
            Some(Silence::Short) => {
                association.pacer.set_sound_only(true);
                association.pacer.abort_probe(now, &association.sent);
            }
            Some(Silence::Long) => {
                for index in &association.legs {
                    let Some(leg) = self.legs.get_mut(*index) else {
                        continue;
                    };
                    leg.redundancy = 0;
                    if leg.is_video() {
                        leg.hold(&mut association.pacer);
                    }
                }
            }
        }
        if knocks {
            self.touch(index);
        }
    }

    fn resume(&mut self, now: Micros, index: u32) {
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        association.pacer.set_sound_only(false);
        let (legs, redundancy) = (association.legs.clone(), association.redundancy);
        for index in legs {
            if let Some(leg) = self.legs.get_mut(index) {
                leg.redundancy = redundancy;
                leg.let_go();
            }
            self.start_leg(now, index);
        }
        self.touch(index);
    }
}

/// A packet of picture was queued: what its queue needs now that it is as old as it is.
pub(super) fn relieve(
    association: &mut Association,
    legs: &mut Slab<Leg>,
    item: &Item,
    drops: &mut [u64; DropReason::COUNT],
) {
    let pacer = &mut association.pacer;
    if item.keyframe
        && pacer.is_old(item.at)
        && let Some(leg) = legs.get_mut(item.leg)
    {
        leg.skip_to_keyframe(pacer);
        DropReason::QueueFull.count(drops);
    }
    match pacer.pressure(item.at) {
        None => {}
        Some(Pressure::Hopeless(leg)) => {
            if let Some(leg) = legs.get_mut(leg) {
                leg.give_up_queue(pacer);
            }
            DropReason::QueueFull.count(drops);
        }
        Some(Pressure::Squeeze(layer)) => {
            for index in &association.legs {
                if let Some(leg) = legs.get_mut(*index) {
                    leg.squeeze(layer, pacer);
                }
            }
            DropReason::QueueFull.count(drops);
        }
        Some(Pressure::Relieved) => {
            for index in &association.legs {
                if let Some(leg) = legs.get_mut(*index) {
                    leg.squeeze(u8::MAX, pacer);
                }
            }
        }
    }
}
