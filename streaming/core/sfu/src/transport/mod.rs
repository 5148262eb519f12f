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

use crate::drop_reason::DropReason;

mod certificate;
pub mod demux;

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
    let _ = datagram;
    None
}

/// One ICE + DTLS-SRTP association.
pub struct Transport {
    params: TransportParams,
    certificate: Arc<Certificate>,
    epoch: Epoch,
    local: Option<SocketAddr>,
    path: Option<Path>,
    transmits: VecDeque<(Path, Vec<u8>)>,
    events: VecDeque<TransportEvent>,
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
        let _ = now;
        Ok(Self {
            params,
            certificate,
            epoch,
            local,
            path: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        })
    }

    /// New credentials on the same DTLS and SRTP (RFC 8445 9); the old ones hold until the first check under the new.
    pub fn restart_ice(&mut self, now: Micros, local: IceCredentials, remote: IceCredentials) {
        let _ = now;
        self.params.local_ice = local;
        self.params.remote_ice = remote;
    }

    /// Our user fragments: the one in force, and the one before a restart while it is still answered.
    pub fn ufrags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.params.local_ice.ufrag.as_str())
    }

    /// Take a STUN datagram.
    pub fn handle_stun(&mut self, now: Micros, path: Path, bytes: &[u8]) -> Result<(), DropReason> {
        let _ = (now, path, bytes);
        Err(DropReason::StunMalformed)
    }

    /// Take a DTLS datagram.
    pub fn handle_dtls(&mut self, now: Micros, path: Path, bytes: &[u8]) -> Result<(), DropReason> {
        let _ = (now, path, bytes, &self.certificate, self.epoch, self.local);
        Err(DropReason::DtlsUnopenedPath)
    }

    /// Name an SSRC that the SDP or the engine knows; 16 more may appear by themselves.
    pub fn declare_ssrc(&mut self, ssrc: u32) {
        let _ = ssrc;
    }

    /// Decrypt an SRTP packet in place.
    pub fn unprotect_rtp(
        &mut self,
        now: Micros,
        path: Path,
        packet: &mut [u8],
    ) -> Result<Unprotected, DropReason> {
        let _ = (now, path, packet);
        Err(DropReason::SrtpNoKeys)
    }

    /// Decrypt an SRTCP packet in place.
    pub fn unprotect_rtcp(
        &mut self,
        now: Micros,
        path: Path,
        packet: &mut [u8],
    ) -> Result<Unprotected, DropReason> {
        let _ = (now, path, packet);
        Err(DropReason::SrtpNoKeys)
    }

    /// Encrypt the RTP packet at `buf[start..]` in place and append its tag. `index` is ROC << 16 | sequence number;
    /// an index is sealed once per SSRC, a second time is refused with [`DropReason::NonceReuse`].
    pub fn protect_rtp(
        &mut self,
        buf: &mut Vec<u8>,
        start: usize,
        index: u64,
    ) -> Result<(), DropReason> {
        let _ = (buf, start, index);
        Err(DropReason::SrtpNoKeys)
    }

    /// Encrypt the RTCP packet at `buf[start..]` in place and append its index and tag.
    pub fn protect_rtcp(&mut self, buf: &mut Vec<u8>, start: usize) -> Result<(), DropReason> {
        let _ = (buf, start);
        Err(DropReason::SrtpNoKeys)
    }

    /// Say goodbye: a DTLS `close_notify` where there is one to send; drain `poll_transmit` afterwards.
    pub fn close(&mut self, now: Micros) {
        let _ = now;
    }

    /// The next STUN or DTLS datagram to send.
    pub fn poll_transmit(&mut self) -> Option<(Path, Vec<u8>)> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        self.events.pop_front()
    }

    /// When to call [`Transport::handle_timeout`] next; [`Micros::NEVER`] when there is nothing to wait for.
    pub fn poll_timeout(&self) -> Micros {
        Micros::NEVER
    }

    /// Let time pass: retransmissions, checks, silence.
    pub fn handle_timeout(&mut self, now: Micros) {
        let _ = now;
    }

    /// Where media goes.
    pub fn path(&self) -> Option<Path> {
        self.path
    }

    /// ICE and DTLS are up (still true while disconnected, until closed).
    pub fn is_connected(&self) -> bool {
        false
    }

    /// Round trip of the last STUN check, client role only.
    pub fn rtt_us(&self) -> Option<i64> {
        None
    }
}
