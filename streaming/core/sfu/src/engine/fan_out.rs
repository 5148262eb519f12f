//! From a publication to its legs. This loop is the hot path: one judgement and one queue entry per leg, no copies.

use std::ops::RangeInclusive;

use zhuandi_wire::time::Micros;

use super::silence::relieve;
use super::{Engine, Event, LogRecord};
use crate::drop_reason::DropReason;
use crate::encoding::Taken;
use crate::leg::{Leg, Offer, To};
use crate::pacer::{Item, Kind};
use crate::packet::{Incoming, Meta};
use crate::publication::Publication;
use crate::timers::Wake;

/// Record types of PROTOCOL section 6.
pub mod record {
    /// An RTP packet.
    pub const RTP: u8 = 1;
    /// A sender report.
    pub const SR: u8 = 2;
    /// The layer changed.
    pub const LAYER: u8 = 5;
    /// A key frame was asked for.
    pub const KEYFRAME_ASKED: u8 = 6;
}

impl Engine {
    /// Take one packet of media into its publication and out on all legs.
    pub(super) fn ingest(
        &mut self,
        now: Micros,
        source: u32,
        packet: Incoming,
        payload: &[u8],
    ) -> Result<(), DropReason> {
        let Incoming {
            encoding,
            seq,
            repaired,
            meta,
        } = packet;
        let publication = self
            .publications
            .get_mut(source)
            .ok_or(DropReason::UnknownSsrc)?;
        let target = publication
            .encoding_mut(encoding)
            .ok_or(DropReason::UnknownSsrc)?;
        let woke = !target.is_alive(now);
        let taken = target.take(now, seq, repaired, meta, payload)?;
        if meta.keyframe && publication.is_video() {
            publication.rule.arrived();
        }
        if taken.first {
            let id = publication.id;
            self.emit(Event::FirstMedia { publication: id });
        }
        if taken.restarted {
            self.restart_legs(source, encoding);
        }
        let meta = Meta {
            arrival: now,
            ..meta
        };
        self.fan_out(source, encoding, &taken, &meta, payload.len());
        if woke {
            self.refresh_alive(now, source);
        }
        Ok(())
    }

    fn fan_out(&mut self, source: u32, encoding: u8, taken: &Taken, meta: &Meta, size: usize) {
        let Some(publication) = self.publications.get(source) else {
            return;
        };
        let mut replays = Vec::new();
        for &index in &publication.legs {
            let Some(leg) = self.legs.get_mut(index) else {
                continue;
            };
            match leg.consider(publication, encoding, taken, meta, size) {
                Offer::Send(item) => match leg.to {
                    To::Transport(owner) => {
                        let Some(association) = self.associations.get_mut(owner) else {
                            continue;
                        };
                        if !association.pacer.push(item) {
                            DropReason::QueueFull.count(&mut self.drops);
                        }
                        if std::mem::take(&mut leg.report_soon) {
                            association.report_soon(item.at);
                            let armed = &mut association.armed;
                            let wake = Wake::Association(owner);
                            self.timers.arm(wake, association.report_at, armed);
                        }
                        if item.kind == Kind::Video {
                            relieve(association, &mut self.legs, &item, &mut self.drops);
                        }
                        if !std::mem::replace(&mut association.dirty, true) {
                            self.dirty.push_back(owner);
                        }
                    }
                    To::Log(..) => write_record(
                        &mut self.log,
                        &mut self.lost_records,
                        leg,
                        publication,
                        &item,
                        meta,
                    ),
                },
                Offer::Replay => replays.push(index),
                Offer::Nothing(reason) => {
                    leg.counters.dropped += u64::from(reason == DropReason::UnknownPayloadType);
                    reason.count(&mut self.drops);
                }
            }
        }
        for index in replays {
            if let Some(highest) = self
                .publications
                .get(source)
                .and_then(|p| p.encoding(encoding)?.highest())
            {
                self.replay(meta.arrival, index, encoding, taken.seq..=highest);
            }
        }
    }

    /// Send kept packets of an encoding on a leg that starts here.
    pub(super) fn replay(
        &mut self,
        now: Micros,
        index: u32,
        encoding: u8,
        chain: RangeInclusive<u64>,
    ) {
        for seq in chain {
            let Some(leg) = self.legs.get_mut(index) else {
                return;
            };
            let Some(publication) = leg.publication.and_then(|at| self.publications.get(at)) else {
                return;
            };
            let kept = publication
                .encoding(encoding)
                .and_then(|encoding| encoding.history.get(seq));
            let Some((meta, payload)) = kept else {
                continue;
            };
            let meta = Meta {
                arrival: now,
                ..meta
            };
            let Offer::Send(item) = leg.replay(publication, encoding, seq, &meta, payload.len())
            else {
                continue;
            };
            match leg.to {
                To::Transport(owner) => {
                    let Some(association) = self.associations.get_mut(owner) else {
                        return;
                    };
                    if !association.pacer.push(item) {
                        DropReason::QueueFull.count(&mut self.drops);
                    }
                    if std::mem::take(&mut leg.report_soon) {
                        association.report_soon(now);
                        self.arm(now, owner);
                    }
                    self.touch(owner);
                }
                To::Log(..) => write_record(
                    &mut self.log,
                    &mut self.lost_records,
                    leg,
                    publication,
                    &item,
                    &meta,
                ),
            }
        }
    }

    fn restart_legs(&mut self, source: u32, encoding: u8) {
        let Some(publication) = self.publications.get(source) else {
            return;
        };
        for index in &publication.legs {
            if let Some(leg) = self.legs.get_mut(*index)
                && leg.selector.current() == Some(encoding)
            {
                leg.begin_anew();
            }
        }
    }

    /// Look which encodings arrive, and tell the legs.
    pub(super) fn refresh_alive(&mut self, now: Micros, source: u32) {
        let Some(publication) = self.publications.get_mut(source) else {
            return;
        };
        let Some(alive) = publication
            .refresh_alive(now)
            .filter(|_| publication.has_choice())
        else {
            return;
        };
        let legs = publication.legs.clone();
        for index in legs {
            if let Some(leg) = self.legs.get_mut(index)
                && leg.fixed.is_none()
            {
                leg.selector.set_alive(alive);
                self.start_leg(now, index);
            }
        }
    }
}

fn write_record(
    log: &mut std::collections::VecDeque<LogRecord>,
    lost: &mut u64,
    leg: &mut Leg,
    publication: &Publication,
    item: &Item,
    meta: &Meta,
) {
    let To::Log(lesson, track) = leg.to else {
        return;
    };
    let mut body = Vec::with_capacity(usize::from(item.size));
    if leg
        .write(&mut body, meta.arrival, item, 0, publication)
        .is_none()
    {
        return;
    }
    if log.len() >= super::MAX_LOG {
        *lost += 1;
        return;
    }
    let mut push = |kind, body| {
        log.push_back(LogRecord {
            lesson,
            track,
            kind,
            arrival_us: meta.arrival.0,
            body,
        })
    };
    if std::mem::take(&mut leg.report_soon) && publication.is_video() {
        push(record::LAYER, vec![item.encoding]);
    }
    push(record::RTP, body);
}
