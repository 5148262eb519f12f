//! Stills through the engine: from data channels into lessons, from lessons into data channels.

use std::sync::Arc;

use zhuandi_wire::time::Micros;

use super::association::Association;
use super::wiring::Handle;
use super::{Engine, Event};
use crate::api::{LessonId, Still, Stills, TransportId};
use crate::stills::Came;
use crate::transport::Epoch;

impl Engine {
    /// Take what came on a data channel.
    pub(super) fn take_stills(&mut self, now: Micros, index: u32) {
        let mut came = Vec::new();
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        let (lesson_id, id) = (association.lesson, association.id);
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
                    Ok(still) => came.extend(still),
                    Err(reason) => reasons.push(reason),
                }
            }
            association.stills.greet(lesson);
        }
        reasons.into_iter().for_each(|reason| self.count(reason));
        for one in came {
            match one {
                Came::Lesson(still) => self.spread(lesson_id, &still),
                Came::Own(tile, still) => self.spread_own(lesson_id, id, tile, &still),
            }
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

    /// A page's own still, given to its server.
    pub(super) fn give_still(&mut self, transport: TransportId, still: &Arc<Still>) {
        let Some(Handle::Transport(index)) = self.handles.get(&transport.0).copied() else {
            return;
        };
        if let Some(association) = self.associations.get_mut(index) {
            association.stills.sender.offer(0, still);
        }
        self.touch(index);
    }

    /// An output end looks at the own stills of others of its lesson from now on, and at no more.
    pub(super) fn show_stills(&mut self, transport: TransportId, of: Vec<(TransportId, u32)>) {
        let Some(Handle::Transport(index)) = self.handles.get(&transport.0).copied() else {
            return;
        };
        let Some(lesson) = self.associations.get(index).map(|found| found.lesson) else {
            return;
        };
        let kept: Vec<_> = of
            .iter()
            .filter_map(|(shown, tile)| Some((*tile, self.own_still(lesson, *shown)?)))
            .collect();
        if let Some(association) = self.associations.get_mut(index)
            && association.stills.way == Stills::FromPeer
        {
            association.stills.show(of);
            for (tile, still) in &kept {
                association.stills.sender.offer(*tile, still);
            }
        }
        self.touch(index);
    }

    /// The last own still of a transport of this lesson.
    fn own_still(&self, lesson: LessonId, transport: TransportId) -> Option<Arc<Still>> {
        let Handle::Transport(index) = self.handles.get(&transport.0)? else {
            return None;
        };
        let association = self.associations.get(*index)?;
        let own = association.stills.own.kept(0);
        own.filter(|_| association.lesson == lesson).cloned()
    }

    /// Output ends that look at this transport are to get its own still, and nobody else.
    fn spread_own(&mut self, lesson: LessonId, from: TransportId, tile: u32, still: &Arc<Still>) {
        let mut touched = Vec::new();
        let ends = self
            .associations
            .iter_mut()
            .filter(|(_, found)| found.lesson == lesson && found.stills.way == Stills::FromPeer);
        for (index, association) in ends {
            if let Some(tile) = association.stills.tile_of(from) {
                association.stills.sender.offer(tile, still);
                touched.push(index);
            }
        }
        touched.into_iter().for_each(|index| self.touch(index));
        self.emit(Event::OwnStill {
            transport: from,
            tile,
            still: Arc::clone(still),
        });
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
