//! Two transports back to back: handshakes under loss, rights of paths, silence, restarts.

use super::test_link::{Fate, Link, address, certificates, credentials, epoch, params};
use super::*;
use crate::api::SrtpProfile;

const GCM: SrtpProfile = SrtpProfile::AeadAes128Gcm;
const SHA1: SrtpProfile = SrtpProfile::AesCm128HmacSha1_80;

fn connects(link: &mut Link) {
    link.run(12_000_000);
    assert!(
        link.server.is_connected() && link.client.is_connected(),
        "{:?} {:?}",
        link.events,
        link.drops
    );
    link.exchange_media(65_535);
    link.exchange_media(65_536);
}

#[test]
fn both_ends_connect_in_both_dtls_roles_and_with_both_profiles() {
    for dtls in [DtlsRole::Passive, DtlsRole::Active] {
        for (ours, theirs) in [
            (&[GCM, SHA1][..], &[GCM, SHA1][..]),
            (&[GCM][..], &[GCM, SHA1][..]),
            (&[GCM, SHA1][..], &[GCM][..]),
            (&[SHA1][..], &[SHA1][..]),
            (&[GCM, SHA1][..], &[SHA1, GCM][..]),
        ] {
            let mut link = Link::with_profiles(dtls, ours, theirs);
            connects(&mut link);
            let told = link
                .events
                .iter()
                .filter(|(_, event)| matches!(event, TransportEvent::Connected(_)))
                .count();
            assert_eq!(told, 2);
        }
    }
}

#[test]
fn profiles_without_one_in_common_fail_in_words() {
    let mut link = Link::with_profiles(DtlsRole::Passive, &[GCM], &[SHA1]);
    link.run(40_000_000);
    assert!(!link.server.is_connected() && !link.client.is_connected());
    assert!(
        link.events
            .iter()
            .any(|(of_server, event)| *of_server && matches!(event, TransportEvent::Failed(_)))
    );
}

#[test]
fn the_loss_of_any_one_datagram_only_delays() {
    let mut clean = Link::gcm();
    connects(&mut clean);
    let handshake = clean.sent.len().min(24);
    for dtls in [DtlsRole::Passive, DtlsRole::Active] {
        for number in 0..handshake {
            for fate in [
                Fate::Lose,
                Fate::Repeat,
                Fate::Delay(30_000),
                Fate::Delay(700_000),
            ] {
                let mut link = Link::with_profiles(dtls, &[GCM, SHA1], &[GCM, SHA1]);
                link.fates.push((number, fate));
                connects(&mut link);
            }
        }
    }
}

#[test]
fn every_third_datagram_lost_only_delays() {
    // The loss ends: a flight of three datagrams could meet the same phase for ever.
    for phase in 0..3 {
        let mut link = Link::gcm();
        link.fates = (0..30)
            .filter(|number| number % 3 == phase)
            .map(|number| (number, Fate::Lose))
            .collect();
        link.run(20_000_000);
        assert!(
            link.server.is_connected() && link.client.is_connected(),
            "phase {phase}"
        );
    }
}

#[test]
fn no_datagram_of_ours_is_longer_than_1200_bytes() {
    let mut link = Link::gcm();
    connects(&mut link);
    assert!(link.sent.iter().all(|(_, bytes)| bytes.len() <= 1_200));
}

#[test]
fn a_nat_that_rebinds_is_followed_by_the_next_check() {
    let mut link = Link::connected();
    link.client_seen_as = address("198.51.100.9:61000");
    link.run(4_000_000);
    assert_eq!(link.server.path().unwrap().remote, link.client_seen_as);
    assert!(
        link.events
            .iter()
            .any(|(_, event)| matches!(event, TransportEvent::PathChanged(_)))
    );
    link.exchange_media(9);
}

#[test]
fn silence_disconnects_after_5_s_reconnects_and_closes_after_30_s() {
    let mut link = Link::connected();
    link.cut = true;
    link.run(8_000_000);
    let told = |link: &Link, wanted: &TransportEvent| {
        link.events
            .iter()
            .filter(|(_, event)| event == wanted)
            .count()
    };
    assert_eq!(told(&link, &TransportEvent::Disconnected), 2);
    link.cut = false;
    link.run(3_000_000);
    assert_eq!(told(&link, &TransportEvent::Reconnected), 2);
    link.exchange_media(10);
    link.cut = true;
    link.run(36_000_000);
    let closed = link
        .events
        .iter()
        .filter(|(_, event)| matches!(event, TransportEvent::Closed(_)))
        .count();
    assert_eq!(closed, 2);
    assert!(!link.server.is_connected());
    assert_eq!(link.server.poll_timeout(), Micros::NEVER);
}

#[test]
fn one_who_never_comes_fails_after_30_s() {
    let mut link = Link::gcm();
    link.cut = true;
    link.run(31_000_000);
    let failed = link
        .events
        .iter()
        .filter(|(_, event)| matches!(event, TransportEvent::Failed(_)))
        .count();
    assert_eq!(failed, 2);
}

#[test]
fn a_goodbye_closes_the_other_side_at_once() {
    for server_first in [true, false] {
        let mut link = Link::connected();
        let now = link.now;
        if server_first {
            link.server.close(now)
        } else {
            link.client.close(now)
        }
        link.run(100_000);
        let closed = TransportEvent::Closed("closed by the peer".into());
        assert!(
            link.events.contains(&(!server_first, closed)),
            "{:?}",
            link.events
        );
    }
}

#[test]
fn an_ice_restart_keeps_the_keys_and_old_credentials_hold_until_the_new_are_used() {
    let mut link = Link::connected();
    let (now, ours, theirs) = (link.now, credentials("srv2"), credentials("cli2"));
    link.server.restart_ice(now, ours.clone(), theirs.clone());
    assert_eq!(link.server.ufrags().collect::<Vec<_>>(), ["srv2", "serv"]);
    link.run(3_000_000);
    assert!(
        link.events
            .iter()
            .all(|(_, event)| *event != TransportEvent::Disconnected),
        "old checks are answered"
    );
    let now = link.now;
    link.client.restart_ice(now, theirs, ours);
    link.run(3_000_000);
    assert_eq!(link.server.ufrags().collect::<Vec<_>>(), ["srv2"]);
    assert!(link.server.is_connected() && link.client.is_connected());
    link.exchange_media(11);
}

#[test]
fn the_round_trip_is_measured_by_the_checks() {
    let link = Link::connected();
    assert_eq!(link.client.rtt_us(), Some(40_000));
    assert_eq!(link.server.rtt_us(), None);
}

#[test]
fn more_paths_than_the_bound_push_out_the_oldest() {
    let mut link = Link::connected();
    for port in 1..=20 {
        link.client_seen_as = address(&format!("198.51.100.9:{}", 61_000 + port));
        link.run(6_000_000);
    }
    let forgotten = link
        .events
        .iter()
        .filter(|(_, event)| matches!(event, TransportEvent::PathForgotten(_)))
        .count();
    assert_eq!(forgotten, 21 - 8);
    assert!(link.server.is_connected());
}

#[test]
fn impossible_parameters_are_refused_in_words() {
    let refused = |params: TransportParams, local| {
        Transport::new(Micros(0), params, certificates()[0].clone(), epoch(), local).err()
    };
    assert!(refused(params(Role::Client, DtlsRole::Active, &[GCM]), None).is_some());
    assert!(refused(params(Role::Server, DtlsRole::Passive, &[]), None).is_some());
    assert!(refused(params(Role::Server, DtlsRole::Passive, &[GCM, GCM]), None).is_some());
}
