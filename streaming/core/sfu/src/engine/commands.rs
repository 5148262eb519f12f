//! Commands: objects come; how they go is in `remove.rs`.

use std::net::SocketAddr;

use zhuandi_wire::time::Micros;

use super::association::{Association, Route, TICK_US};
use super::wiring::{Handle, SubscriptionEntry};
use super::{Engine, Event};
use crate::api::{
    Command, IceCredentials, LessonId, Played, PublicationId, RateRow, Role, RtpParameters, Sink,
    SubscriptionId, TransportId, TransportParams,
};
use crate::leg::{Leg, To};
use crate::outage::Silence;
use crate::player::Player;
use crate::publication::Publication;
use crate::stills::End;
use crate::transport::Transport;

impl Engine {
    /// Take one command; one that names an unknown object changes nothing.
    pub fn handle_command(&mut self, now: Micros, command: Command) {
        match command {
            Command::OpenTransport {
                id,
                lesson,
                params,
                local,
            } => self.open(now, id, lesson, *params, local),
            Command::RestartIce { id, local, remote } => {
                self.restart_ice(now, id, local, remote);
            }
            Command::AddPublication { id, transport, rtp } => {
                self.add_publication(now, id, transport, *rtp)
            }
            Command::AddPlayer {
                id,
                lesson,
                rtp,
                played,
            } => self.add_player(now, id, lesson, *rtp, played),
            Command::AddSubscription {
                id,
                lesson,
                sink,
                rtp,
            } => self.add_subscription(now, id, lesson, sink, *rtp),
            Command::Connect {
                subscription,
                publication,
                all_encodings,
            } => {
                self.connect(now, subscription, publication, all_encodings);
            }
            Command::Grant { publication, on } => self.grant(now, publication, on),
            Command::ShowStills { transport, of } => self.show_stills(transport, of),
            Command::RequestKeyframe { publication } => {
                if let Some(Handle::Publication(index)) = self.handles.get(&publication.0).copied()
                {
                    self.want_keyframe(now, index);
                }
            }
            Command::Apply { layers, rates } => {
                for row in layers {
                    self.apply_layers(now, row);
                }
                for row in rates {
                    self.apply_rate(now, row);
                }
            }
            Command::PutStill { lesson, still } => self.put_still(lesson, still),
            Command::GiveStill { transport, still } => self.give_still(transport, &still),
            Command::CloseLesson { lesson } => self.forget_stills(lesson),
            Command::Remove { handle } => self.remove(now, handle),
        }
    }

    fn restart_ice(
        &mut self,
        now: Micros,
        id: TransportId,
        local: IceCredentials,
        remote: IceCredentials,
    ) {
        let Some(Handle::Transport(index)) = self.handles.get(&id.0).copied() else {
            return;
        };
        if let Some(association) = self.associations.get_mut(index) {
            association.transport.restart_ice(now, local, remote);
        }
        self.follow_transport(now, index);
        self.learn_ufrags(index);
    }

    fn apply_rate(&mut self, now: Micros, row: RateRow) {
        let Some(Handle::Transport(index)) = self.handles.get(&row.transport.0).copied() else {
            return;
        };
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        association
            .budget
            .set_rate(now, row.pacing_bps, row.repair_bps);
        association.redundancy = row.redundancy;
        let long = association.outage.level() == Silence::Long;
        for leg in &association.legs {
            if let Some(leg) = self.legs.get_mut(*leg) {
                leg.redundancy = if long { 0 } else { row.redundancy };
            }
        }
        // Without transport-wide feedback nobody would learn anything from a probe, and without a rate nothing is beyond it.
        let learns = association.sent.heard_at().is_some() && row.pacing_bps > 0;
        if learns && association.outage.level() == Silence::None {
            let (pacer, log) = (&mut association.pacer, &association.sent);
            pacer.probe.start(now, log, row.probe_bps, row.probe_us);
        }
        association.pacer.set_rate(now, row.pacing_bps);
        self.touch(index);
    }

    fn open(
        &mut self,
        now: Micros,
        id: TransportId,
        lesson: LessonId,
        params: TransportParams,
        local: Option<SocketAddr>,
    ) {
        let certificate = self.certificate.clone();
        let stills = End::new(params.stills, params.role == Role::Client);
        let transport = match Transport::new(now, params, certificate, self.epoch, local) {
            Ok(transport) => transport,
            Err(reason) => {
                return self.emit(Event::Failed {
                    transport: id,
                    reason,
                });
            }
        };
        let index = self.insert(id, lesson, transport);
        if let Some(association) = self.associations.get_mut(index) {
            association.stills = stills;
        }
        if let Some(local) = local {
            self.locals.insert(local, index);
        }
        self.learn_ufrags(index);
        self.follow_transport(now, index);
    }

    pub(super) fn insert(
        &mut self,
        id: TransportId,
        lesson: LessonId,
        transport: Transport,
    ) -> u32 {
        let index = self
            .associations
            .insert(Association::new(id, lesson, transport));
        self.handles.insert(id.0, Handle::Transport(index));
        index
    }

    fn learn_ufrags(&mut self, index: u32) {
        let Some(association) = self.associations.get(index) else {
            return;
        };
        let current: Vec<String> = association.transport.ufrags().map(str::to_owned).collect();
        self.ufrags.retain(|_, owner| *owner != index);
        for ufrag in current {
            self.ufrags.insert(ufrag, index);
        }
    }

    fn add_publication(
        &mut self,
        now: Micros,
        id: PublicationId,
        transport: TransportId,
        rtp: RtpParameters,
    ) {
        let Some(Handle::Transport(owner)) = self.handles.get(&transport.0).copied() else {
            return;
        };
        let Some(association) = self.associations.get_mut(owner) else {
            return;
        };
        let publication = Publication::new(id, association.lesson, Some(owner), rtp);
        association.extensions = association.extensions.or(publication.rtp.extensions);
        let known = publication
            .encodings
            .iter()
            .map(|encoding| encoding.params.clone())
            .collect::<Vec<_>>();
        let index = self.publications.insert(publication);
        association.publications.push(index);
        for (encoding, params) in (0u8..).zip(known) {
            for (ssrc, repair) in [(params.ssrc, false), (params.rtx_ssrc, true)] {
                let Some(ssrc) = ssrc else { continue };
                association.transport.declare_ssrc(ssrc);
                association.bind(Route {
                    ssrc,
                    publication: index,
                    encoding,
                    repair,
                    declared: true,
                });
            }
        }
        association.tick_at = now.plus(TICK_US);
        if association.report_at == Micros::NEVER {
            association.report_at = now.plus(super::association::REPORT_US);
        }
        self.handles.insert(id.0, Handle::Publication(index));
        self.arm(now, owner);
    }

    fn add_player(
        &mut self,
        now: Micros,
        id: PublicationId,
        lesson: LessonId,
        rtp: RtpParameters,
        played: Played,
    ) {
        let player = Player::new(now, &rtp, played);
        let index = self
            .publications
            .insert(Publication::new(id, lesson, None, rtp));
        self.handles.insert(id.0, Handle::Publication(index));
        self.players.insert(index, player);
        self.wake_player(now, index, Micros::NEVER);
    }

    fn add_subscription(
        &mut self,
        now: Micros,
        id: SubscriptionId,
        lesson: LessonId,
        sink: Sink,
        rtp: RtpParameters,
    ) {
        let to = match sink {
            Sink::Log(track) => To::Log(lesson, track),
            Sink::Transport(transport) => match self.handles.get(&transport.0) {
                Some(Handle::Transport(index)) => To::Transport(*index),
                _ => return,
            },
        };
        let encoding = rtp.encodings.first().cloned().unwrap_or_default();
        let entry = SubscriptionEntry {
            id,
            rtp,
            legs: Vec::new(),
            all_encodings: false,
            publication: None,
        };
        let leg = self.add_leg(now, &entry, to, encoding);
        self.subscriptions.insert(
            id.0,
            SubscriptionEntry {
                legs: vec![leg],
                ..entry
            },
        );
        self.handles.insert(id.0, Handle::Subscription);
    }

    pub(super) fn add_leg(
        &mut self,
        now: Micros,
        entry: &SubscriptionEntry,
        to: To,
        encoding: crate::api::EncodingParams,
    ) -> u32 {
        let seed = self.next_seed(entry.id.0);
        let ssrcs = [encoding.ssrc, encoding.rtx_ssrc];
        let index = self
            .legs
            .insert(Leg::new(entry.id, to, entry.rtp.clone(), encoding, seed));
        if let Some(leg) = self.legs.get_mut(index) {
            leg.set_index(index);
        }
        if let To::Transport(owner) = to
            && let Some(association) = self.associations.get_mut(owner)
        {
            association.legs.push(index);
            for ssrc in ssrcs.into_iter().flatten() {
                association.transport.declare_ssrc(ssrc);
            }
            if let Some(leg) = self.legs.get_mut(index) {
                leg.ready = association.up;
                leg.redundancy = association.redundancy;
                association
                    .spent
                    .iter()
                    .for_each(|(ssrc, at)| leg.go_on_at(*ssrc, *at));
            }
            if association.report_at == Micros::NEVER {
                association.report_at = now.plus(super::association::REPORT_US);
            }
            self.arm(now, owner);
        }
        index
    }

    /// splitmix64 of the seed and a handle: first sequence numbers, repeatable in tests.
    fn next_seed(&mut self, handle: u32) -> u32 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed ^ u64::from(handle).rotate_left(32);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        zhuandi_wire::seq::low32(z ^ (z >> 31))
    }
}
