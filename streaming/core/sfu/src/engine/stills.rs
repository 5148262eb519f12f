//! Stills through the engine: from data channels into lessons, from lessons into data channels.

use std::sync::Arc;

use zhuandi_wire::time::Micros;

use super::association::Association;
use super::wiring::Handle;
use super::{Engine, Event};
use crate::api::{LessonId, Still, Stills, TransportId};
use crate::transport::Epoch;

impl Engine {
    /// Take what came on a data channel.
    pub(super) fn take_stills(&mut self, now: Micros, index: u32) {
        let mut fresh = Vec::new();
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        let lesson_id = association.lesson;
        let (mut messages, mut reasons) = (Vec::new(), Vec::new());
        while let Some(packet) = association.transport.poll_data() {
            let taken = association
                .stills
                .handle(now, self.epoch, &packet, &mut messages);
            reasons.extend(taken.err());
        }
        if association.stills.channel.is_some() {
            let lesson = self.stills.entry(lesson_id).or_default();
            for message in messages {
                match association.stills.message(now, lesson, &message) {
                    Ok(still) => fresh.extend(still),
                    Err(reason) => reasons.push(reason),
                }
            }
            association.stills.greet(lesson);
        }
        reasons.into_iter().for_each(|reason| self.count(reason));
        for still in fresh {
            self.spread(lesson_id, &still);
        }
    }

    /// A still that comes from no transport.
    pub(super) fn put_still(&mut self, lesson: LessonId, still: Arc<Still>) {
        self.stills
            .entry(lesson)
            .or_default()
            .put(Arc::clone(&still));
        self.spread(lesson, &still);
    }

    /// A transport looks at the own stills of others from now on, and at no more.
    pub(super) fn show_stills(&mut self, transport: TransportId, of: Vec<(TransportId, u32)>) {
        let Some(Handle::Transport(index)) = self.handles.get(&transport.0).copied() else {
            return;
        };
        if let Some(association) = self.associations.get_mut(index) {
            association.stills.shows = of;
        }
    }

    /// The lesson is over.
    pub(super) fn forget_stills(&mut self, lesson: LessonId) {
        self.stills.remove(&lesson);
    }

    /// Everybody who gets stills in this lesson is to get this one.
    fn spread(&mut self, lesson: LessonId, still: &Arc<Still>) {
        let ends = self.associations.iter_mut().filter(|(_, association)| {
            association.lesson == lesson && association.stills.way == Stills::ToPeer
        });
        let mut touched = Vec::new();
        for (index, association) in ends {
            association.stills.sender.offer_again(still);
            touched.push(index);
        }
        touched.into_iter().for_each(|index| self.touch(index));
        self.emit(Event::Still {
            lesson,
            still: Arc::clone(still),
        });
    }

    /// Acknowledge, then send chunks as far as the pacer leaves room after all media.
    pub(super) fn pump_stills(&mut self, now: Micros, index: u32) {
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        if association.stills.channel.is_none() {
            return;
        }
        if let Some(lesson) = self.stills.get(&association.lesson) {
            association.stills.acknowledge(now, lesson);
        }
        pump(now, self.epoch, association);
    }
}

fn pump(now: Micros, epoch: Epoch, association: &mut Association) {
    let rtt_us = association.rtt_us.or(association.transport.rtt_us());
    association.stills.sender.set_rtt(rtt_us);
    let Association {
        stills,
        transport,
        pacer,
        ..
    } = association;
    pacer.took_still(now, stills.flush(now, epoch, transport));
    while pacer.has_leftover(now) && stills.is_ready(now) {
        stills.send_next(now);
        pacer.took_still(now, stills.flush(now, epoch, transport));
    }
}
