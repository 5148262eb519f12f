//! One ICE + DTLS-SRTP association as a sans-IO machine.
//!
//! Drive it as the engine is driven: one `handle_*`, then drain `poll_transmit` and `poll_event`, then sleep until
//! `poll_timeout`. Only a STUN check that verifies opens a 5-tuple; DTLS and SRTP are taken from opened ones alone;
//! nothing that arrives tears the association down but an authenticated `close_notify` or silence.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zhuandi_wire::time::Micros;

pub use crate::api::{IceCredentials, Path, TransportParams};
pub use certificate::Certificate;
pub(crate) use dtls::micros;

use crate::api::{DtlsRole, Role};
use checks::Checks;
use dtls::Dtls;
use ice::{Credentials, Paths};
use srtp::Srtp;
use stun::{Class, Message};

mod certificate;
mod checks;
pub mod demux;
mod dtls;
pub mod established;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod ice;
mod inbound;
mod media;
mod replay;
mod srtp;
mod srtp_key;
mod stun;

/// The anchor between [`Micros`] and the opaque `Instant` of the DTLS library: `net` makes it once, at time 0.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// The instant at which engine time is 0.
    pub base: Instant,
}

impl Epoch {
    /// Engine time as an instant.
    pub fn instant(&self, now: Micros) -> Instant {
        self.base + Duration::from_micros(u64::try_from(now.0).unwrap_or(0))
    }
}

/// What [`Transport::poll_event`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportEvent {
    /// A check from this 5-tuple verified: packets on it belong to this transport from now on.
    PathOpened(Path),
    /// The 5-tuple was given up for newer ones.
    PathForgotten(Path),
    /// ICE and DTLS are up, media may flow.
    Connected(Path),
    /// Media goes another way from now on (a nomination, or a NAT that rebound).
    PathChanged(Path),
    /// Five seconds without an authenticated packet.
    Disconnected,
    /// An authenticated packet after [`TransportEvent::Disconnected`].
    Reconnected,
    /// It never came up, or the certificate is not the one of the SDP; final.
    Failed(String),
    /// Consent lost for 30 s (RFC 7675) or closed by the peer; final.
    Closed(String),
}

/// A packet whose tag verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unprotected {
    /// Length of the plain packet, from the start of the buffer.
    pub len: usize,
    /// RTP: ROC << 16 | sequence number. RTCP: the SRTCP index.
    pub index: u64,
}

/// The local part of a Binding request's USERNAME: finds the transport before any crypto.
pub fn stun_username(datagram: &[u8]) -> Option<&str> {
    let message = Message::parse(datagram).filter(|message| message.class == Class::Request)?;
    message.username?.split_once(':').map(|(local, _)| local)
}

const SECOND_US: i64 = 1_000_000;
/// Silence after which the transport counts as disconnected.
const DISCONNECTED_US: i64 = 5 * SECOND_US;
/// Silence after which it is closed (RFC 7675 5.1), and the time that it may take to come up.
const CLOSED_US: i64 = 30 * SECOND_US;
/// Datagrams and events that wait for the next poll.
const MAX_WAITING: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No keys yet.
    Opening,
    Connected,
    Disconnected,
    /// Failed or closed.
    Over,
}

/// One ICE + DTLS-SRTP association.
pub struct Transport {
    role: Role,
    credentials: Credentials,
    /// Before the last ICE restart; answered until the first check under the new ones.
    previous: Option<Credentials>,
    paths: Paths,
    checks: Option<Checks>,
    dtls: Dtls,
    certificate: Arc<Certificate>,
    epoch: Epoch,
    srtp: Option<Box<Srtp>>,
    declared: Vec<u32>,
    state: State,
    created: Micros,
    heard: Micros,
    rtt_us: Option<i64>,
    transmits: VecDeque<(Path, Vec<u8>)>,
    events: VecDeque<TransportEvent>,
    data: VecDeque<Vec<u8>>,
    /// No DTLS: the association was made as it stands.
    bare: bool,
}

impl Transport {
    /// A new association. `local` is the socket's address in the client role. The error is a bad argument in words.
    pub fn new(
        now: Micros,
        params: TransportParams,
        certificate: Arc<Certificate>,
        epoch: Epoch,
        local: Option<SocketAddr>,
    ) -> Result<Self, String> {
        let checks = match (params.role, local) {
            (Role::Server, _) => None,
            (Role::Client, Some(local)) => Some(Checks::new(now, local, &params.candidates)),
            (Role::Client, None) => return Err("the client role needs a socket of its own".into()),
        };
        Ok(Self {
            role: params.role,
            credentials: Credentials::new(&params.local_ice, &params.remote_ice),
            previous: None,
            paths: Paths::default(),
            checks,
            dtls: Dtls::new(
                params.dtls == DtlsRole::Active,
                &params.profiles,
                params.fingerprint,
            )?,
            certificate,
            epoch,
            srtp: None,
            declared: Vec::new(),
            state: State::Opening,
            created: now,
            heard: now,
            rtt_us: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            data: VecDeque::new(),
            bare: false,
        })
    }

    /// New credentials on the same DTLS and SRTP (RFC 8445 9); the old ones hold until the first check under the new.
    pub fn restart_ice(&mut self, now: Micros, local: IceCredentials, remote: IceCredentials) {
        let new = Credentials::new(&local, &remote);
        self.previous = Some(std::mem::replace(&mut self.credentials, new));
        if let Some(checks) = &mut self.checks {
            checks.start(now);
        }
    }

    /// Our user fragments: the one in force, and the one before a restart while it is still answered.
    pub fn ufrags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.credentials)
            .chain(&self.previous)
            .map(|credentials| credentials.local_ufrag.as_str())
    }

    /// Say goodbye: a DTLS `close_notify` where there is one to send; drain `poll_transmit` afterwards.
    pub fn close(&mut self, now: Micros) {
        let outputs = self.dtls.close(self.epoch);
        self.take_dtls(now, outputs);
        self.state = State::Over;
        self.srtp = None;
    }

    fn finish(&mut self, event: TransportEvent) {
        if self.state != State::Over {
            self.state = State::Over;
            self.srtp = None;
            self.tell(event);
        }
    }

    fn send(&mut self, path: Path, bytes: Vec<u8>) {
        if self.transmits.len() < MAX_WAITING {
            self.transmits.push_back((path, bytes));
        }
    }

    fn tell(&mut self, event: TransportEvent) {
        if self.events.len() < MAX_WAITING {
            self.events.push_back(event);
        }
    }

    /// The next STUN or DTLS datagram to send.
    pub fn poll_transmit(&mut self) -> Option<(Path, Vec<u8>)> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        self.events.pop_front()
    }

    /// The next packet of the data channel.
    pub fn poll_data(&mut self) -> Option<Vec<u8>> {
        self.data.pop_front()
    }

    /// Send a packet of the data channel inside DTLS; it is lost while nothing is connected.
    pub fn send_data(&mut self, now: Micros, packet: &[u8]) {
        if self.bare {
            return self.send_bare(packet);
        }
        let outputs = self.dtls.send(self.epoch, packet);
        self.take_dtls(now, outputs);
    }

    /// When to call [`Transport::handle_timeout`] next; [`Micros::NEVER`] when there is nothing to wait for.
    pub fn poll_timeout(&self) -> Micros {
        let silence = match self.state {
            State::Over => return Micros::NEVER,
            State::Opening => self.created.plus(CLOSED_US),
            State::Connected => self.heard.plus(DISCONNECTED_US),
            State::Disconnected => self.heard.plus(CLOSED_US),
        };
        let checks = self.checks.as_ref().map_or(Micros::NEVER, Checks::due);
        silence.min(checks).min(self.dtls.due())
    }

    /// Let time pass: retransmissions, checks, silence.
    pub fn handle_timeout(&mut self, now: Micros) {
        let silent = now.since(self.heard);
        match self.state {
            State::Over => return,
            State::Opening if now.since(self.created) >= CLOSED_US => {
                return self.finish(TransportEvent::Failed("no connection within 30 s".into()));
            }
            State::Connected if silent >= DISCONNECTED_US => {
                self.state = State::Disconnected;
                self.tell(TransportEvent::Disconnected);
                if let Some(checks) = &mut self.checks {
                    checks.start(now);
                }
            }
            State::Disconnected if silent >= CLOSED_US => {
                return self.finish(TransportEvent::Closed("no sign of life for 30 s".into()));
            }
            _ => {}
        }
        let outputs = self.dtls.handle_timeout(now, self.epoch);
        self.take_dtls(now, outputs);
        self.start_dtls(now);
        self.run_checks(now);
    }

    fn run_checks(&mut self, now: Micros) {
        if let Some(checks) = &mut self.checks {
            for (path, request) in checks.handle_timeout(now, &self.credentials) {
                self.send(path, request);
            }
        }
    }

    /// Where media goes.
    pub fn path(&self) -> Option<Path> {
        self.paths.selected()
    }

    /// ICE and DTLS are up (still true while disconnected, until closed).
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected | State::Disconnected)
    }

    /// Round trip of the last STUN check, client role only.
    pub fn rtt_us(&self) -> Option<i64> {
        self.rtt_us
    }
}

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod test_link;
#[cfg(test)]
mod tests;
