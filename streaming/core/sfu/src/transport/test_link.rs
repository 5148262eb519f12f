//! Two transports and the wire between them in virtual time, for tests.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use zhuandi_wire::time::Micros;

use super::*;
use crate::api::{Proto, SrtpProfile, Stills};
use crate::drop_reason::DropReason;

pub(super) const SERVER: &str = "192.0.2.1:4000";
pub(super) const CLIENT: &str = "198.51.100.9:50000";
/// One way.
const DELAY_US: i64 = 20_000;

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(super) fn certificates() -> &'static [Arc<Certificate>; 2] {
    static MADE: OnceLock<[Arc<Certificate>; 2]> = OnceLock::new();
    MADE.get_or_init(|| [(), ()].map(|()| Arc::new(Certificate::generate().unwrap())))
}

pub(super) fn epoch() -> Epoch {
    static BASE: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    Epoch {
        base: *BASE.get_or_init(Instant::now),
    }
}

pub(super) fn credentials(name: &str) -> IceCredentials {
    IceCredentials {
        ufrag: name.into(),
        pwd: format!("{name} has a password of 22+"),
    }
}

pub(super) fn params(role: Role, dtls: DtlsRole, profiles: &[SrtpProfile]) -> TransportParams {
    let (ours, theirs, peer) = match role {
        Role::Server => ("serv", "clie", 1),
        Role::Client => ("clie", "serv", 0),
    };
    TransportParams {
        role,
        local_ice: credentials(ours),
        remote_ice: credentials(theirs),
        fingerprint: certificates()[peer].fingerprint(),
        dtls,
        profiles: profiles.to_vec(),
        candidates: vec![(Proto::Udp, address(SERVER))],
        stills: Stills::None,
    }
}

pub(super) fn server(params: TransportParams) -> Transport {
    Transport::new(Micros(0), params, certificates()[0].clone(), epoch(), None).unwrap()
}

pub(super) fn client(params: TransportParams) -> Transport {
    Transport::new(
        Micros(0),
        params,
        certificates()[1].clone(),
        epoch(),
        Some(address(CLIENT)),
    )
    .unwrap()
}

/// A path as the other side sees it.
pub(super) fn mirrored(path: Path) -> Path {
    Path {
        local: path.remote,
        remote: path.local,
        ..path
    }
}

/// What happens to a datagram: nothing, loss, a copy, a detour of so many microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Lose,
    Repeat,
    Delay(i64),
}

struct Flying {
    at: Micros,
    to_server: bool,
    path: Path,
    bytes: Vec<u8>,
}

/// The pair.
pub(super) struct Link {
    pub(super) now: Micros,
    pub(super) server: Transport,
    pub(super) client: Transport,
    flying: VecDeque<Flying>,
    /// What happens to the n-th datagram, counted over both directions.
    pub(super) fates: Vec<(usize, Fate)>,
    pub(super) sent: Vec<(bool, Vec<u8>)>,
    pub(super) events: Vec<(bool, TransportEvent)>,
    pub(super) drops: Vec<DropReason>,
    /// Rewrites the client's source: a NAT.
    pub(super) client_seen_as: SocketAddr,
    pub(super) cut: bool,
}

impl Link {
    pub(super) fn new(server: Transport, client: Transport) -> Self {
        Self {
            now: Micros(0),
            server,
            client,
            flying: VecDeque::new(),
            fates: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
            drops: Vec::new(),
            client_seen_as: address(CLIENT),
            cut: false,
        }
    }

    pub(super) fn with_profiles(
        dtls_of_server: DtlsRole,
        ours: &[SrtpProfile],
        theirs: &[SrtpProfile],
    ) -> Self {
        let dtls_of_client = match dtls_of_server {
            DtlsRole::Active => DtlsRole::Passive,
            DtlsRole::Passive => DtlsRole::Active,
        };
        Self::new(
            server(params(Role::Server, dtls_of_server, ours)),
            client(params(Role::Client, dtls_of_client, theirs)),
        )
    }

    pub(super) fn gcm() -> Self {
        Self::with_profiles(
            DtlsRole::Passive,
            &[SrtpProfile::AeadAes128Gcm],
            &[SrtpProfile::AeadAes128Gcm],
        )
    }

    pub(super) fn connected() -> Self {
        let mut link = Self::gcm();
        link.run(2_000_000);
        assert!(link.server.is_connected() && link.client.is_connected());
        link
    }

    fn collect(&mut self) {
        for from_server in [true, false] {
            let transport = if from_server {
                &mut self.server
            } else {
                &mut self.client
            };
            while let Some((path, bytes)) = transport.poll_transmit() {
                let number = self.sent.len();
                self.sent.push((from_server, bytes.clone()));
                let fates: Vec<Fate> = self
                    .fates
                    .iter()
                    .filter(|(at, _)| *at == number)
                    .map(|(_, fate)| *fate)
                    .collect();
                if fates.contains(&Fate::Lose) || self.cut {
                    continue;
                }
                let more = fates
                    .iter()
                    .map(|fate| {
                        if let Fate::Delay(more) = fate {
                            *more
                        } else {
                            0
                        }
                    })
                    .sum::<i64>();
                let copies = if fates.contains(&Fate::Repeat) { 2 } else { 1 };
                for _ in 0..copies {
                    let at = self.now.plus(DELAY_US + more);
                    self.flying.push_back(Flying {
                        at,
                        to_server: !from_server,
                        path,
                        bytes: bytes.clone(),
                    });
                }
            }
            while let Some(event) = transport.poll_event() {
                self.events.push((from_server, event));
            }
        }
    }

    /// Let time pass.
    pub(super) fn run(&mut self, span_us: i64) {
        let end = self.now.plus(span_us);
        let mut steps = 0;
        for transport in [&mut self.server, &mut self.client] {
            transport.handle_timeout(self.now);
        }
        loop {
            self.collect();
            let arrival = self
                .flying
                .iter()
                .map(|flying| flying.at)
                .min()
                .unwrap_or(Micros::NEVER);
            let timers = self.server.poll_timeout().min(self.client.poll_timeout());
            let next = arrival.min(timers);
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            steps += 1;
            assert!(
                steps < 20_000,
                "a timer that is never served: {:?} {:?}",
                self.now,
                self.events
            );
            let landed = self.flying.iter().position(|flying| flying.at <= self.now);
            match landed.and_then(|at| self.flying.remove(at)) {
                Some(flying) => self.deliver(flying),
                None => {
                    self.server.handle_timeout(self.now);
                    self.client.handle_timeout(self.now);
                }
            }
        }
        self.now = end;
    }

    fn deliver(&mut self, flying: Flying) {
        let mut path = mirrored(flying.path);
        if flying.to_server {
            path.remote = self.client_seen_as;
        } else if path.local != self.client_seen_as {
            return;
        } else {
            path.local = address(CLIENT);
        }
        let transport = if flying.to_server {
            &mut self.server
        } else {
            &mut self.client
        };
        let result = match demux::classify(&flying.bytes) {
            demux::Kind::Stun => transport.handle_stun(self.now, path, &flying.bytes),
            demux::Kind::Dtls => transport.handle_dtls(self.now, path, &flying.bytes),
            _ => Ok(()),
        };
        self.drops.extend(result.err());
    }

    /// One RTP packet and one RTCP packet in each direction.
    pub(super) fn exchange_media(&mut self, index: u64) {
        let (now, to_server, to_client) = (
            self.now,
            self.client.path().unwrap(),
            self.server.path().unwrap(),
        );
        let mut to_server = mirrored(to_server);
        to_server.remote = self.client_seen_as;
        let mut to_client = mirrored(to_client);
        to_client.local = address(CLIENT);
        cross(now, &mut self.client, &mut self.server, to_server, index);
        cross(now, &mut self.server, &mut self.client, to_client, index);
    }
}

pub(super) fn rtp(ssrc: u32, index: u64) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend_from_slice(&(index as u16).to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 9]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(b"thirty two bytes of sound, or so");
    packet
}

fn cross(now: Micros, from: &mut Transport, to: &mut Transport, path: Path, index: u64) {
    let plain = rtp(77, index);
    let mut packet = plain.clone();
    from.protect_rtp(&mut packet, 0, index).unwrap();
    let got = to.unprotect_rtp(now, path, &mut packet).unwrap();
    assert_eq!((&packet[..got.len], got.index), (&plain[..], index));
    let plain = vec![0x80, 201, 0, 1, 0, 0, 0, 77];
    let mut packet = plain.clone();
    from.protect_rtcp(&mut packet, 0).unwrap();
    let got = to.unprotect_rtcp(now, path, &mut packet).unwrap();
    assert_eq!(&packet[..got.len], &plain[..]);
}
