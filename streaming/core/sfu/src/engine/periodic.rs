//! What happens by the clock: transport timers, TWCC feedback, NACKs, reports, silence, played media.

use zhuandi_wire::rtcp::{write_cname, write_nack, write_receiver_report, write_sender_report};
use zhuandi_wire::seq::low16;
use zhuandi_wire::time::Micros;

use super::association::{REPORT_US, TICK_US};
use super::{Engine, Event};
use crate::timers::Wake;
use crate::transport::TransportEvent;

/// A player tells its clock this often.
const PLAYER_CLOCK_US: i64 = 1_000_000;
/// One name for all streams, so that a receiver plays sound and picture in step (RFC 3550 6.5.1).
const CNAME: &str = "zhuandi";
/// A report packet is sent on when it is longer than this.
const MAX_REPORT_BYTES: usize = 1_100;

impl Engine {
    pub(super) fn arm(&mut self, now: Micros, index: u32) {
        if let Some(association) = self.associations.get_mut(index) {
            let next = association.next(now, self.epoch).max(now.plus(1));
            self.timers
                .arm(Wake::Association(index), next, &mut association.armed);
        }
    }

    pub(super) fn wake_association(&mut self, now: Micros, index: u32, at: Micros) {
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        if association.armed != at {
            return;
        }
        association.armed = Micros::NEVER;
        if association.transport.poll_timeout() <= now {
            association.transport.handle_timeout(now);
        }
        association.stills.handle_timeout(now, self.epoch);
        self.send_twcc(now, index);
        self.watch_receiver(now, index);
        if self
            .associations
            .get(index)
            .is_some_and(|association| association.tick_at <= now)
        {
            self.tick(now, index);
        }
        if self
            .associations
            .get(index)
            .is_some_and(|association| association.report_at <= now)
        {
            self.report(now, index);
        }
        self.follow_transport(now, index);
    }

    /// Act on what the transport has to tell; it may have something to send.
    pub(super) fn follow_transport(&mut self, now: Micros, index: u32) {
        loop {
            let Some(association) = self.associations.get_mut(index) else {
                return;
            };
            let transport = association.id;
            let Some(event) = association.transport.poll_event() else {
                break;
            };
            match event {
                TransportEvent::PathOpened(path) => {
                    self.paths.insert(path, index);
                }
                TransportEvent::PathForgotten(path) => {
                    if self.paths.get(&path) == Some(&index) {
                        self.paths.remove(&path);
                    }
                }
                TransportEvent::Connected(path) => {
                    association.up = true;
                    association.stills.connected();
                    self.start_legs(now, index);
                    self.emit(Event::Connected { transport, path });
                }
                TransportEvent::PathChanged(_) => {}
                TransportEvent::Disconnected => self.emit(Event::Disconnected { transport }),
                TransportEvent::Reconnected => {
                    if let Some(path) = association.transport.path() {
                        self.emit(Event::Connected { transport, path });
                    }
                }
                TransportEvent::Failed(reason) => {
                    self.emit(Event::Failed { transport, reason });
                    return self.drop_association(index, None);
                }
                TransportEvent::Closed(reason) => {
                    return self.drop_association(index, Some(&reason));
                }
            }
        }
        self.touch(index);
        self.arm(now, index);
    }

    fn send_twcc(&mut self, now: Micros, index: u32) {
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        loop {
            let mut packet = Vec::new();
            if !association.twcc.poll(now, 1, &mut packet) {
                return;
            }
            association.queue_rtcp(packet);
        }
    }

    /// Holes, key-frame waits and silence of what this transport sends to us.
    fn tick(&mut self, now: Micros, index: u32) {
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        let publications = association.publications.clone();
        association.tick_at = if publications.is_empty() {
            Micros::NEVER
        } else {
            now.plus(TICK_US)
        };
        let rtt = association.known_rtt_us();
        for source in publications {
            let found = self.publications.get_mut(source);
            let Some(publication) = found.filter(|found| found.granted) else {
                continue;
            };
            let mut packet = Vec::new();
            for encoding in publication
                .encodings
                .iter_mut()
                .filter(|encoding| !encoding.nacks.is_empty())
            {
                let due: Vec<u16> = encoding
                    .nacks
                    .due(now, rtt)
                    .into_iter()
                    .map(low16)
                    .collect();
                if let Some(ssrc) = encoding
                    .params
                    .ssrc
                    .filter(|_| publication.rtp.nack && !due.is_empty())
                {
                    encoding.counters.nacks += due.len() as u64;
                    write_nack(&mut packet, 1, ssrc, &due);
                }
            }
            let legs = publication.legs.clone();
            if let Some(association) = self.associations.get_mut(index) {
                association.queue_rtcp(packet);
            }
            self.refresh_alive(now, source);
            let waits = |leg: &u32| {
                self.legs
                    .get(*leg)
                    .is_some_and(|leg| leg.is_video() && leg.waits())
            };
            let wanted = self
                .publications
                .get(source)
                .is_some_and(|found| found.rule.is_wanted());
            if wanted || legs.iter().any(waits) {
                self.want_keyframe(now, source);
            }
        }
    }

    fn report(&mut self, now: Micros, index: u32) {
        let ntp = self.ntp(now);
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        let idle = association.legs.is_empty() && association.publications.is_empty();
        association.report_at = if idle {
            Micros::NEVER
        } else {
            now.plus(REPORT_US)
        };
        let mut packet = Vec::new();
        for leg in association.legs.clone() {
            let Some(leg) = self.legs.get_mut(leg) else {
                continue;
            };
            let Some(publication) = leg.publication.and_then(|at| self.publications.get(at)) else {
                continue;
            };
            let Some(current) = leg
                .selector
                .current()
                .and_then(|at| publication.encoding(at))
            else {
                continue;
            };
            let Some(clock) = current.clock_or(ntp, now) else {
                continue;
            };
            let Some(info) = leg.sender_info(now, &clock) else {
                continue;
            };
            write_sender_report(&mut packet, leg.ssrc(), &info, &[]);
            write_cname(&mut packet, leg.ssrc(), CNAME);
            if packet.len() > MAX_REPORT_BYTES {
                association.queue_rtcp(std::mem::take(&mut packet));
            }
        }
        let mut blocks = Vec::new();
        for publication in &association.publications {
            let Some(publication) = self.publications.get_mut(*publication) else {
                continue;
            };
            blocks.extend(
                publication
                    .encodings
                    .iter_mut()
                    .filter_map(|encoding| encoding.report(now)),
            );
        }
        for blocks in blocks.chunks(31) {
            write_receiver_report(&mut packet, 1, blocks);
        }
        association.queue_rtcp(packet);
        self.touch(index);
    }

    pub(super) fn wake_player(&mut self, now: Micros, index: u32, at: Micros) {
        if self
            .players
            .get(&index)
            .is_none_or(|player| player.armed != at)
        {
            return;
        }
        let Some(mut player) = self.players.remove(&index) else {
            return;
        };
        let ntp = self.ntp(now);
        while let Some(packet) = player.poll(now) {
            if let Err(reason) = self.ingest(now, index, packet, player.payload()) {
                self.count(reason);
            }
        }
        if let Some(publication) = self.publications.get_mut(index) {
            for (encoding, clock) in player.clocks(now, ntp, PLAYER_CLOCK_US) {
                if let Some(encoding) = publication.encoding_mut(encoding) {
                    encoding.clock = Some(clock);
                }
            }
        }
        player.armed = Micros::NEVER;
        self.timers
            .arm(Wake::Player(index), player.next(), &mut player.armed);
        self.players.insert(index, player);
    }
}
