//! The engine routes: datagrams to associations, media to legs, commands to objects. Every machine is its own file.
//!
//! Drive it as [`crate::api`] says: one `handle_*`, or several in a batch, then drain `poll_transmit`, `poll_event` and
//! `poll_log` until they are empty, then sleep until `poll_timeout`.

mod adopt;
mod association;
mod commands;
mod connect;
mod fan_out;
mod grant;
mod keyframe_requests;
mod media_in;
mod output;
mod periodic;
mod redundant_in;
mod remove;
mod rows;
mod rtcp_in;
mod silence;
mod stills;
mod wiring;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use zhuandi_wire::time::Micros;

use crate::api::{Event, LessonId, LogRecord, Path};
use crate::clock::ntp_from_unix_us;
use crate::drop_reason::DropReason;
use crate::leg::Leg;
use crate::player::Player;
use crate::publication::Publication;
use crate::slab::Slab;
use crate::stills::LessonStills;
use crate::timers::{Timers, Wake};
use crate::transport::demux::{Kind, classify};
use crate::transport::{Certificate, Epoch, stun_username};
use association::Association;
use wiring::{Handle, SubscriptionEntry};

/// Most events that wait to be polled; more are counted and lost.
const MAX_EVENTS: usize = 4096;
/// Most log records that wait to be polled; more are counted and lost.
const MAX_LOG: usize = 16_384;

/// See the module.
pub struct Engine {
    certificate: Arc<Certificate>,
    epoch: Epoch,
    unix_us: i64,
    seed: u64,
    associations: Slab<Association>,
    publications: Slab<Publication>,
    legs: Slab<Leg>,
    players: HashMap<u32, Player>,
    stills: HashMap<LessonId, LessonStills>,
    subscriptions: HashMap<u32, SubscriptionEntry>,
    handles: HashMap<u32, Handle>,
    paths: HashMap<Path, u32>,
    ufrags: HashMap<String, u32>,
    locals: HashMap<SocketAddr, u32>,
    timers: Timers,
    dirty: VecDeque<u32>,
    events: VecDeque<Event>,
    log: VecDeque<LogRecord>,
    lost_records: u64,
    farewells: VecDeque<(Path, Vec<u8>)>,
    drops: [u64; DropReason::COUNT],
}

impl Engine {
    /// An engine without any object: who we are in DTLS, and engine time 0 as the DTLS library's instant.
    pub fn new(certificate: Arc<Certificate>, epoch: Epoch) -> Engine {
        Engine {
            certificate,
            epoch,
            unix_us: 0,
            seed: 0,
            associations: Slab::default(),
            publications: Slab::default(),
            legs: Slab::default(),
            players: HashMap::new(),
            stills: HashMap::new(),
            subscriptions: HashMap::new(),
            handles: HashMap::new(),
            paths: HashMap::new(),
            ufrags: HashMap::new(),
            locals: HashMap::new(),
            timers: Timers::default(),
            dirty: VecDeque::new(),
            events: VecDeque::new(),
            log: VecDeque::new(),
            lost_records: 0,
            farewells: VecDeque::new(),
            drops: [0; DropReason::COUNT],
        }
    }

    /// Unix time in microseconds at engine time 0, for sender reports.
    pub fn set_wall_clock(&mut self, unix_us: i64) {
        self.unix_us = unix_us;
    }

    /// Chooses the first sequence numbers of all streams.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Take one datagram; it is decrypted in place.
    pub fn handle_datagram(&mut self, now: Micros, path: Path, datagram: &mut [u8]) {
        let kind = classify(datagram);
        let Some(index) = self.route(kind, &path, datagram) else {
            self.count(match kind {
                Kind::Stun => DropReason::UnknownUfrag,
                Kind::Other => DropReason::UnknownFirstByte,
                _ => DropReason::UnknownPath,
            });
            return;
        };
        let result = match kind {
            Kind::Stun => self.handle_control(now, index, |transport| {
                transport.handle_stun(now, path, datagram)
            }),
            Kind::Dtls => self.handle_control(now, index, |transport| {
                transport.handle_dtls(now, path, datagram)
            }),
            Kind::Rtp => self.handle_rtp(now, index, path, datagram),
            Kind::Rtcp => self.handle_rtcp(now, index, path, datagram),
            Kind::Other => Err(DropReason::UnknownFirstByte),
        };
        if let Err(reason) = result {
            self.count(reason);
        }
    }

    /// Let time pass.
    pub fn handle_timeout(&mut self, now: Micros) {
        while let Some((at, wake)) = self.timers.pop(now) {
            match wake {
                Wake::Association(index) => self.wake_association(now, index, at),
                Wake::Player(index) => self.wake_player(now, index, at),
            }
        }
    }

    /// When to call [`Engine::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Micros {
        self.timers.next()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next record for the log writer.
    pub fn poll_log(&mut self) -> Option<LogRecord> {
        self.log.pop_front()
    }

    /// Log records that were lost because nobody polled, since the start.
    pub fn lost_records(&self) -> u64 {
        self.lost_records
    }

    fn route(&self, kind: Kind, path: &Path, datagram: &[u8]) -> Option<u32> {
        if kind == Kind::Stun {
            let ours = || stun_username(datagram).and_then(|ufrag| self.ufrags.get(ufrag));
            return self.locals.get(&path.local).or_else(ours).copied();
        }
        self.paths
            .get(path)
            .or_else(|| self.locals.get(&path.local))
            .copied()
    }

    fn handle_control(
        &mut self,
        now: Micros,
        index: u32,
        handle: impl FnOnce(&mut crate::transport::Transport) -> Result<(), DropReason>,
    ) -> Result<(), DropReason> {
        let association = self
            .associations
            .get_mut(index)
            .ok_or(DropReason::UnknownPath)?;
        let result = handle(&mut association.transport);
        self.take_stills(now, index);
        self.follow_transport(now, index);
        result
    }

    fn count(&mut self, reason: DropReason) {
        reason.count(&mut self.drops);
    }

    fn emit(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }

    fn append(&mut self, record: LogRecord) {
        if self.log.len() < MAX_LOG {
            self.log.push_back(record);
        } else {
            self.lost_records += 1;
        }
    }

    fn touch(&mut self, index: u32) {
        if let Some(association) = self.associations.get_mut(index)
            && !std::mem::replace(&mut association.dirty, true)
        {
            self.dirty.push_back(index);
        }
    }

    fn ntp(&self, now: Micros) -> u64 {
        ntp_from_unix_us(self.unix_us.saturating_add(now.0))
    }
}

#[cfg(test)]
mod tests;
