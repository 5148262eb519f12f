//! The DTLS 1.2 handshake around a sans-IO library: SRTP keys out, fingerprint checked, errors contained (RFC 5764, RFC 8842).

use std::time::Instant;

use dimpl::Output;
use zhuandi_wire::time::Micros;

use super::Epoch;
use super::certificate::{Certificate, sha256};
use super::srtp::Srtp;
use crate::api::SrtpProfile;
use crate::drop_reason::DropReason;
use hello::OfferReader;
use profile::Choice;

#[cfg(any(test, feature = "fuzz"))]
pub(crate) use hello::read_any;

mod hello;
mod profile;

/// The largest datagram that may hold DTLS: bounds what a handshake can make us keep.
const MAX_DATAGRAM: usize = 2_048;
/// One poll of the library never needs more: 16 queued datagrams, and a certificate is not larger than those.
const POLL_BUFFER: usize = 16 * MAX_DATAGRAM;
/// A handshake that broke starts again this often (a forged flight must not end a real one).
const MAX_ATTEMPTS: u32 = 4;

/// What came of a datagram or a timer.
pub(super) enum DtlsOutput {
    /// Send this to the peer.
    Packet(Vec<u8>),
    /// The handshake is done and the certificate is the one of the SDP.
    Keys(Box<Srtp>),
    /// It cannot succeed any more; in words.
    Failed(String),
    /// The peer closed in good order.
    Closed,
    /// What the peer says inside: SCTP.
    Data(Vec<u8>),
}

/// One handshake.
pub(super) struct Dtls {
    /// Boxed: it is 8 KB by itself.
    inner: Option<Box<dimpl::Dtls>>,
    choice: &'static Choice,
    offer: OfferReader,
    fingerprint: [u8; 32],
    peer: Option<[u8; 32]>,
    attempts: u32,
    connected: bool,
    due: Micros,
}

impl Dtls {
    /// A handshake that has not begun. The error is a bad argument in words.
    pub(super) fn new(
        client: bool,
        profiles: &[SrtpProfile],
        fingerprint: [u8; 32],
    ) -> Result<Self, String> {
        let choice =
            Choice::find(client, profiles).ok_or("SRTP profiles are missing or repeated")?;
        choice
            .config()
            .ok_or("the cryptographic library refuses to start")?;
        Ok(Self {
            inner: None,
            choice,
            offer: OfferReader::default(),
            fingerprint,
            peer: None,
            attempts: 0,
            connected: false,
            due: Micros::NEVER,
        })
    }

    /// Begin, once a path is open: the client speaks, the server gets ready.
    pub(super) fn start(
        &mut self,
        now: Micros,
        epoch: Epoch,
        certificate: &Certificate,
    ) -> Vec<DtlsOutput> {
        if self.inner.is_some() || self.connected || self.attempts >= MAX_ATTEMPTS {
            return Vec::new();
        }
        let Some(config) = self.choice.config() else {
            return Vec::new();
        };
        self.attempts += 1;
        let instant = epoch.instant(now);
        let mut inner = dimpl::Dtls::new_12(config, certificate.dtls.clone(), instant);
        inner.set_active(self.choice.is_client());
        self.peer = None;
        self.offer = OfferReader::default();
        let started = inner.handle_timeout(instant).is_ok();
        self.inner = started.then(|| Box::new(inner));
        self.drain(epoch)
    }

    /// Take a datagram from an opened path.
    pub(super) fn handle(
        &mut self,
        now: Micros,
        epoch: Epoch,
        bytes: &[u8],
    ) -> Result<Vec<DtlsOutput>, DropReason> {
        // Anybody can forge an alert before the keys exist, and the library obeys it: a real one costs us a timeout only.
        if bytes.len() > MAX_DATAGRAM || hello::has_plain_alert(bytes) {
            return Err(DropReason::DtlsUnexpected);
        }
        let inner = self.inner.as_mut().ok_or(DropReason::DtlsUnexpected)?;
        if !self.connected && !self.choice.is_client() {
            self.offer.look(bytes);
        }
        let result = inner
            .handle_timeout(epoch.instant(now))
            .and_then(|()| inner.handle_packet(bytes));
        let outputs = self.drain(epoch);
        match result {
            Ok(()) => Ok(outputs),
            Err(_) if outputs.is_empty() => Err(self.broken()),
            Err(_) => {
                self.broken();
                Ok(outputs)
            }
        }
    }

    /// Retransmissions.
    pub(super) fn handle_timeout(&mut self, now: Micros, epoch: Epoch) -> Vec<DtlsOutput> {
        let Some(inner) = self.inner.as_mut().filter(|_| now >= self.due) else {
            return Vec::new();
        };
        if inner.handle_timeout(epoch.instant(now)).is_err() {
            self.broken();
        }
        self.drain(epoch)
    }

    /// Seal data for the peer; without a completed handshake, or with an instance that is lost, nothing comes of it.
    pub(super) fn send(&mut self, epoch: Epoch, data: &[u8]) -> Vec<DtlsOutput> {
        let Some(inner) = self.inner.as_mut().filter(|_| self.connected) else {
            return Vec::new();
        };
        // A queue that is full loses the packet, as the network might.
        let _ = inner.send_application_data(data);
        self.drain(epoch)
    }

    /// Say goodbye where a handshake has been completed.
    pub(super) fn close(&mut self, epoch: Epoch) -> Vec<DtlsOutput> {
        let Some(inner) = self.inner.as_mut().filter(|_| self.connected) else {
            return Vec::new();
        };
        let _ = inner.close();
        let outputs = self.drain(epoch);
        self.inner = None;
        outputs
    }

    /// When [`Dtls::handle_timeout`] has something to do.
    pub(super) fn due(&self) -> Micros {
        if self.inner.is_some() {
            self.due
        } else {
            Micros::NEVER
        }
    }

    /// No try is left.
    pub(super) fn is_exhausted(&self) -> bool {
        self.inner.is_none() && !self.connected && self.attempts >= MAX_ATTEMPTS
    }

    /// The library says that this instance is lost. Keys that exist stay in force.
    fn broken(&mut self) -> DropReason {
        self.inner = None;
        DropReason::DtlsFailed
    }

    fn drain(&mut self, epoch: Epoch) -> Vec<DtlsOutput> {
        let mut outputs = Vec::new();
        let mut buffer = vec![0; POLL_BUFFER];
        while let Some(inner) = self.inner.as_mut() {
            match inner.poll_output(&mut buffer) {
                Output::Packet(packet) => {
                    let mut packet = packet.to_vec();
                    self.choice
                        .rewrite_datagram(&mut packet, &self.offer.offered);
                    outputs.push(DtlsOutput::Packet(packet));
                }
                Output::PeerCert(der) => self.peer = Some(sha256(der)),
                Output::KeyingMaterial(material, picked) => {
                    let keys = self.keys(&material, picked);
                    self.connected = true;
                    outputs.push(keys.map_or_else(DtlsOutput::Failed, DtlsOutput::Keys));
                }
                Output::CloseNotify => {
                    outputs.push(DtlsOutput::Closed);
                    self.inner = None;
                }
                Output::Timeout(at) => {
                    self.due = micros(epoch.base, at);
                    break;
                }
                Output::ApplicationData(data) if self.connected => {
                    outputs.push(DtlsOutput::Data(data.to_vec()));
                }
                Output::BufferTooSmall { .. } => break,
                _ => {}
            }
        }
        outputs
    }

    fn keys(&self, material: &[u8], picked: dimpl::SrtpProfile) -> Result<Box<Srtp>, String> {
        if self.peer != Some(self.fingerprint) {
            return Err("the certificate is not the one that the SDP announced".into());
        }
        let number = if self.choice.is_client() {
            match picked {
                dimpl::SrtpProfile::AEAD_AES_128_GCM => {
                    Some(profile::number(SrtpProfile::AeadAes128Gcm))
                }
                dimpl::SrtpProfile::AES128_CM_SHA1_80 => {
                    Some(profile::number(SrtpProfile::AesCm128HmacSha1_80))
                }
                _ => None,
            }
        } else {
            self.choice.answer(&self.offer.offered)
        };
        let profile = number
            .filter(|number| self.choice.allows(*number))
            .and_then(profile::from_number);
        let profile = profile.ok_or("no SRTP profile in common")?;
        Srtp::from_keying_material(profile, material, self.choice.is_client())
            .map(Box::new)
            .ok_or_else(|| "the handshake gave no SRTP keys".into())
    }
}

/// The first engine time that is not before `at`.
pub(crate) fn micros(base: Instant, at: Instant) -> Micros {
    // Rounded up: a timer that is served a fraction too early is not served.
    i64::try_from(at.saturating_duration_since(base).as_micros())
        .map_or(Micros::NEVER, |us| Micros(us).plus(1))
}

#[cfg(test)]
mod tests;
