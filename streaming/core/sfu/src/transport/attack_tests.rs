//! What attackers send: nothing may open, switch, end or answer.

use super::test_link::{CLIENT, Link, SERVER, address, client, mirrored, params, rtp, server};
use super::*;
use crate::api::{Proto, SrtpProfile};
use crate::drop_reason::DropReason;

const GCM: SrtpProfile = SrtpProfile::AeadAes128Gcm;

#[test]
fn a_wrong_certificate_never_gets_keys() {
    for dtls in [DtlsRole::Passive, DtlsRole::Active] {
        let mut link = Link::with_profiles(dtls, &[GCM], &[GCM]);
        let mut wrong = params(Role::Server, dtls, &[GCM]);
        wrong.fingerprint[31] ^= 1;
        link.server = server(wrong);
        link.run(3_000_000);
        assert!(!link.server.is_connected());
        let failed = link.events.iter().any(|(of_server, event)| {
            *of_server
                && matches!(event, TransportEvent::Failed(reason) if reason.contains("certificate"))
        });
        assert!(failed, "{:?}", link.events);
        let mut packet = rtp(1, 1);
        assert_eq!(
            link.server.protect_rtp(&mut packet, 0, 1),
            Err(DropReason::SrtpNoKeys)
        );
    }
}

#[test]
fn stun_that_does_not_verify_gets_no_byte_and_opens_nothing() {
    let mut link = Link::gcm();
    link.run(1_000);
    let (_, request) = link.sent[0].clone();
    assert_eq!(stun_username(&request), Some("serv"));
    let path = Path {
        proto: Proto::Udp,
        local: address(SERVER),
        remote: address("203.0.113.66:9"),
    };
    let mut target = server(params(Role::Server, DtlsRole::Passive, &[GCM]));
    let mut other = params(Role::Server, DtlsRole::Passive, &[GCM]);
    other.local_ice.pwd = "quite another password".into();
    let mut stranger = server(other);
    assert_eq!(
        stranger.handle_stun(Micros(5), path, &request),
        Err(DropReason::StunIntegrity)
    );
    for at in 0..request.len() {
        let mut forged = request.clone();
        forged[at] ^= 0x10;
        let refused = target.handle_stun(Micros(5), path, &forged);
        let uncovered = (request.len() - 8..request.len() - 4).contains(&at);
        assert!(refused.is_err() || uncovered, "byte {at}");
        if refused.is_ok() {
            target = server(params(Role::Server, DtlsRole::Passive, &[GCM]));
            continue;
        }
        assert_eq!(
            target.handle_dtls(Micros(6), path, &[22; 60]),
            Err(DropReason::DtlsUnopenedPath)
        );
        assert!(target.poll_transmit().is_none() && target.poll_event().is_none());
    }
    for len in 0..request.len() {
        assert!(
            target
                .handle_stun(Micros(5), path, &request[..len])
                .is_err()
        );
    }
    assert!(target.poll_transmit().is_none() && target.path().is_none());
    assert_eq!(target.handle_stun(Micros(7), path, &request), Ok(()));
    let (to, answer) = target.poll_transmit().unwrap();
    assert!(to == path && answer.len() <= request.len());
}

#[test]
fn answers_are_bounded_per_second_and_path() {
    let mut link = Link::gcm();
    link.run(1_000);
    let (_, request) = link.sent[0].clone();
    let path = Path {
        proto: Proto::Udp,
        local: address(SERVER),
        remote: address("203.0.113.66:9"),
    };
    let mut target = server(params(Role::Server, DtlsRole::Passive, &[GCM]));
    let answered = (0..1_000)
        .filter(|_| target.handle_stun(Micros(5), path, &request).is_ok())
        .count();
    assert_eq!(answered, 20);
    assert_eq!(
        target.handle_stun(Micros(1_000_005), path, &request),
        Ok(())
    );
}

#[test]
fn a_forged_answer_selects_nothing() {
    let mut link = Link::gcm();
    link.run(45_000);
    let answer = link
        .sent
        .iter()
        .find(|(of_server, _)| *of_server)
        .unwrap()
        .1
        .clone();
    let path = Path {
        proto: Proto::Udp,
        local: address(CLIENT),
        remote: address(SERVER),
    };
    let mut fresh = client(params(Role::Client, DtlsRole::Active, &[GCM]));
    fresh.handle_timeout(Micros(0));
    assert_eq!(
        fresh.handle_stun(Micros(1), path, &answer),
        Err(DropReason::StunUnexpected),
        "not our transaction"
    );
    assert!(fresh.path().is_none());
    let elsewhere = Path {
        remote: address("203.0.113.66:9"),
        ..path
    };
    assert_eq!(
        fresh.handle_stun(Micros(1), elsewhere, &answer),
        Err(DropReason::StunUnexpected)
    );
}

#[test]
fn dtls_and_srtp_from_an_unopened_path_change_nothing() {
    let mut link = Link::connected();
    let attacker = Path {
        proto: Proto::Udp,
        local: address(SERVER),
        remote: address("203.0.113.66:9"),
    };
    let mut packet = rtp(5, 9);
    link.client.protect_rtp(&mut packet, 0, 9).unwrap();
    let now = link.now;
    assert_eq!(
        link.server
            .unprotect_rtp(now, attacker, &mut packet.clone()),
        Err(DropReason::SrtpUnopenedPath)
    );
    assert_eq!(
        link.server.handle_dtls(now, attacker, &[22; 100]),
        Err(DropReason::DtlsUnopenedPath)
    );
    assert_eq!(link.server.path().unwrap().remote, address(CLIENT));
    let path = mirrored(link.client.path().unwrap());
    assert!(
        link.server.unprotect_rtp(now, path, &mut packet).is_ok(),
        "the real one still opens"
    );
}

#[test]
fn junk_on_the_opened_path_never_ends_the_association() {
    let mut link = Link::connected();
    let path = mirrored(link.client.path().unwrap());
    let now = link.now;
    let mut alert = vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];
    for round in 0..2_000u32 {
        let mut junk: Vec<u8> = (0..90u32)
            .map(|at| (round.wrapping_mul(2_654_435_761) >> (at % 24)) as u8)
            .collect();
        junk[0] = 20 + (round % 44) as u8;
        let _ = link.server.handle_dtls(now, path, &junk);
        let _ = link.server.handle_dtls(now, path, &alert);
        alert[10] = alert[10].wrapping_add(1);
        junk[0] = 128;
        assert!(link.server.unprotect_rtp(now, path, &mut junk).is_err());
    }
    link.exchange_media(700);
    link.run(3_000_000);
    assert!(link.server.is_connected());
    link.exchange_media(701);
}

#[test]
fn a_forged_alert_or_hello_during_the_handshake_only_delays() {
    let forgeries: [&[u8]; 3] = [
        &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 7, 0, 2, 2, 40],
        &[
            22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 7, 0, 12, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0,
        ],
        &[20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 7, 0, 1, 1],
    ];
    for forgery in forgeries {
        for at in 1..20 {
            let mut link = Link::gcm();
            link.run(at * 10_000);
            for of_server in [true, false] {
                let (transport, path) = if of_server {
                    (&mut link.server, link.client.path().map(mirrored))
                } else {
                    (&mut link.client, link.server.path().map(mirrored))
                };
                if let Some(path) = path {
                    let _ = transport.handle_dtls(link.now, path, forgery);
                }
            }
            connects(&mut link);
        }
    }
}

fn connects(link: &mut Link) {
    link.run(12_000_000);
    assert!(
        link.server.is_connected() && link.client.is_connected(),
        "{:?} {:?}",
        link.events,
        link.drops
    );
    link.exchange_media(1);
}

/// Small and the same in every run.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 16) as usize
}

#[test]
fn mutated_handshake_datagrams_never_panic_at_any_stage() {
    let mut clean = Link::gcm();
    connects(&mut clean);
    let dtls: Vec<Vec<u8>> = clean
        .sent
        .into_iter()
        .map(|(_, bytes)| bytes)
        .filter(|bytes| bytes[0] >= 20)
        .collect();
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..150 {
        let mut link = Link::gcm();
        link.run((random(&mut state) % 16) as i64 * 10_000);
        for _ in 0..12 {
            let mut bytes = dtls[random(&mut state) % dtls.len()].clone();
            for _ in 0..1 + random(&mut state) % 4 {
                let at = random(&mut state) % bytes.len();
                match random(&mut state) % 4 {
                    0 => bytes[at] = random(&mut state) as u8,
                    1 => bytes[at] ^= 1 << (random(&mut state) % 8),
                    2 => bytes.truncate(at + 1),
                    _ => bytes.insert(at, 0xff),
                }
            }
            for (of_server, path) in [(true, link.client.path()), (false, link.server.path())] {
                let transport = if of_server {
                    &mut link.server
                } else {
                    &mut link.client
                };
                if let Some(path) = path.map(mirrored) {
                    let _ = transport.handle_dtls(link.now, path, &bytes);
                }
            }
        }
        link.run(40_000_000);
        assert!(
            link.sent.len() < 300,
            "forgeries make us send {} datagrams",
            link.sent.len()
        );
    }
}
