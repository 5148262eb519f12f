//! Two ends of SRTP against each other: roll-over, replays, forgeries, bounds, and no index sealed twice.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const PROFILES: [SrtpProfile; 2] = [SrtpProfile::AeadAes128Gcm, SrtpProfile::AesCm128HmacSha1_80];
const STARTS: [u64; 6] = [0, 1, 127, 32_767, 65_534, 65_535];

fn pair(profile: SrtpProfile) -> (Srtp, Srtp) {
    let material: Vec<u8> = (0..60).collect();
    let client = Srtp::from_keying_material(profile, &material, true).unwrap();
    (
        client,
        Srtp::from_keying_material(profile, &material, false).unwrap(),
    )
}

fn rtp(ssrc: u32, index: u64) -> Vec<u8> {
    let mut packet = vec![0x90, 96];
    packet.extend_from_slice(&(index as u16).to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 9]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(&[0xbe, 0xde, 0, 1, 0x10, 7, 0, 0]);
    packet.extend_from_slice(format!("payload {index}").as_bytes());
    packet
}

fn sealed(from: &mut Srtp, ssrc: u32, index: u64) -> Vec<u8> {
    let mut buf = rtp(ssrc, index);
    from.protect_rtp(&mut buf, 0, index).unwrap();
    buf
}

fn opens(to: &mut Srtp, packet: &[u8], ssrc: u32, index: u64) {
    let mut packet = packet.to_vec();
    let plain = to.unprotect_rtp(&mut packet).unwrap();
    assert_eq!(plain.index, index);
    assert_eq!(packet[..plain.len], rtp(ssrc, index));
}

#[test]
fn packets_cross_in_both_directions_at_every_wrap_start() {
    for profile in PROFILES {
        for start in STARTS {
            let (mut client, mut server) = pair(profile);
            for index in start..start + 300 {
                let packet = sealed(&mut client, 7, index);
                opens(&mut server, &packet, 7, index);
                let packet = sealed(&mut server, 7, index);
                opens(&mut client, &packet, 7, index);
            }
        }
    }
}

#[test]
fn every_ssrc_has_its_own_roll_over_counter() {
    let (mut client, mut server) = pair(SrtpProfile::AeadAes128Gcm);
    for step in 0..70_000u64 {
        for (ssrc, start) in [(1, 0), (2, 65_535), (3, 30_000)] {
            if step % 97 == 0 || step > 69_900 || start + step == 65_535 {
                let packet = sealed(&mut client, ssrc, start + step);
                opens(&mut server, &packet, ssrc, start + step);
            }
        }
    }
}

#[test]
fn a_lost_wrap_and_late_packets_around_it_still_open() {
    for profile in PROFILES {
        let (mut client, mut server) = pair(profile);
        let packets: Vec<_> = (65_500..66_000)
            .map(|index| (index, sealed(&mut client, 5, index)))
            .collect();
        let order = [0, 20, 100, 30, 99, 31, 36, 35, 400, 34, 33];
        for at in order {
            opens(&mut server, &packets[at].1, 5, packets[at].0);
        }
    }
}

#[test]
fn an_ssrc_whose_packets_before_an_early_wrap_were_lost_still_opens() {
    for profile in PROFILES {
        let (mut client, mut server) = pair(profile);
        let packet = sealed(&mut client, 5, 65_536 + 40);
        opens(&mut server, &packet, 5, 65_536 + 40);
        let packet = sealed(&mut client, 5, 65_536 + 41);
        opens(&mut server, &packet, 5, 65_536 + 41);
    }
}

#[test]
fn forged_packets_change_nothing_whatever_their_distance() {
    for profile in PROFILES {
        let (mut client, mut server) = pair(profile);
        let first = sealed(&mut client, 5, 65_530);
        opens(&mut server, &first, 5, 65_530);
        for seq in (0..65_536u64).step_by(13) {
            let mut forged = rtp(5, seq);
            forged.extend_from_slice(&[0x5a; 16]);
            let refused = server.unprotect_rtp(&mut forged).unwrap_err();
            assert!(
                matches!(refused, DropReason::SrtpAuth | DropReason::SrtpReplay),
                "{refused:?}"
            );
        }
        let next = sealed(&mut client, 5, 65_540);
        opens(&mut server, &next, 5, 65_540);
        assert_eq!(
            server.unprotect_rtp(&mut next.clone()),
            Err(DropReason::SrtpReplay)
        );
    }
}

#[test]
fn rtcp_crosses_once_and_only_encrypted() {
    for profile in PROFILES {
        let (mut client, mut server) = pair(profile);
        for round in 0..5u8 {
            let plain = [0x81, 201, 0, 2, 0, 0, 0, 9, round, 2, 3, 4];
            let mut buf = vec![1, 2, 3];
            buf.extend_from_slice(&plain);
            client.protect_rtcp(&mut buf, 3).unwrap();
            let packet = buf.split_off(3);
            let mut taken = packet.clone();
            let got = server.unprotect_rtcp(&mut taken).unwrap();
            assert_eq!(
                (got.index, &taken[..got.len]),
                (u64::from(round), &plain[..])
            );
            assert_eq!(
                server.unprotect_rtcp(&mut packet.clone()),
                Err(DropReason::SrtpReplay)
            );
            let mut clear = packet.clone();
            let at = if profile == SrtpProfile::AeadAes128Gcm {
                packet.len() - 4
            } else {
                packet.len() - 14
            };
            clear[at] &= 0x7f;
            assert_eq!(
                server.unprotect_rtcp(&mut clear),
                Err(DropReason::SrtcpUnencrypted)
            );
            let mut forged = packet;
            forged[at + 2] ^= 1;
            assert_eq!(
                server.unprotect_rtcp(&mut forged),
                Err(DropReason::SrtpAuth)
            );
        }
    }
}

#[test]
fn a_flood_of_new_ssrcs_is_bounded_and_declared_ones_pass() {
    let (mut client, mut server) = pair(SrtpProfile::AeadAes128Gcm);
    for ssrc in 0..16 {
        let packet = sealed(&mut client, ssrc, 1);
        opens(&mut server, &packet, ssrc, 1);
    }
    let mut packet = sealed(&mut client, 99, 1);
    assert_eq!(
        server.unprotect_rtp(&mut packet.clone()),
        Err(DropReason::SrtpTooManySsrcs)
    );
    server.declare_ssrc(99);
    assert!(server.unprotect_rtp(&mut packet).is_ok());
    let packet = sealed(&mut client, 3, 2);
    opens(&mut server, &packet, 3, 2);
}

#[test]
fn an_index_is_sealed_once() {
    let (mut client, _) = pair(SrtpProfile::AeadAes128Gcm);
    sealed(&mut client, 5, 70_000);
    sealed(&mut client, 5, 69_990);
    for index in [70_000, 69_990, 60_000] {
        let mut buf = rtp(5, index);
        assert_eq!(
            client.protect_rtp(&mut buf, 0, index),
            Err(DropReason::NonceReuse)
        );
        assert_eq!(buf, rtp(5, index), "a refused packet stays as it was");
    }
    let mut buf = rtp(5, 70_001);
    assert_eq!(
        client.protect_rtp(&mut buf, 0, 70_002),
        Err(DropReason::SrtpMalformed),
        "index and header disagree"
    );
}

#[test]
fn nothing_is_sealed_behind_the_last_rtcp_index() {
    let (mut client, _) = pair(SrtpProfile::AeadAes128Gcm);
    client.rtcp_next = MAX_RTCP_INDEX;
    let mut buf = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
    assert_eq!(client.protect_rtcp(&mut buf, 0), Ok(()));
    assert_eq!(
        client.protect_rtcp(&mut vec![0x80, 201, 0, 1, 0, 0, 0, 9], 0),
        Err(DropReason::NonceReuse)
    );
}

proptest! {
    #[test]
    fn no_nonce_is_ever_used_twice(
        steps in proptest::collection::vec((0u32..3, 65_000u64..66_200, any::<bool>()), 1..200),
    ) {
        let (mut client, _) = pair(SrtpProfile::AeadAes128Gcm);
        let mut nonces = HashSet::new();
        for (ssrc, index, is_rtcp) in steps {
            let mut buf = rtp(ssrc, index);
            if is_rtcp {
                buf = vec![0x80, 201, 0, 1, 0, 0, 0, ssrc as u8];
                client.protect_rtcp(&mut buf, 0).unwrap();
                let word = buf.last_chunk::<4>().unwrap();
                prop_assert!(nonces.insert((true, ssrc, u64::from(u32::from_be_bytes(*word)))));
            } else if client.protect_rtp(&mut buf, 0, index).is_ok() {
                prop_assert!(nonces.insert((false, ssrc, index)));
            }
        }
    }

    #[test]
    fn junk_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..80), first in 128u8..192) {
        let (_, mut server) = pair(SrtpProfile::AesCm128HmacSha1_80);
        if let Some(byte) = bytes.first_mut() { *byte = first; }
        prop_assert!(server.unprotect_rtp(&mut bytes.clone()).is_err());
        prop_assert!(server.unprotect_rtcp(&mut bytes.clone()).is_err());
        let _ = server.protect_rtp(&mut bytes.clone(), 0, 1);
        let _ = server.protect_rtcp(&mut bytes, 0);
    }
}
