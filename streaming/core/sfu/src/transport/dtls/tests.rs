//! Our end against the library as it is: a peer that offers GCM-256 first, and ClientHellos that come in pieces.

use std::sync::Arc;
use std::time::Duration;

use dimpl::{Config, Output};

use super::super::test_link::{certificates, epoch, rtp};
use super::*;

const BOTH: [SrtpProfile; 2] = [SrtpProfile::AeadAes128Gcm, SrtpProfile::AesCm128HmacSha1_80];

/// A peer with its own order: GCM-256, GCM-128, SHA1_80.
struct Peer {
    inner: dimpl::Dtls,
    keys: Option<(Vec<u8>, dimpl::SrtpProfile)>,
}

impl Peer {
    fn new(active: bool) -> Self {
        let config = Arc::new(Config::builder().use_server_cookie(false).build().unwrap());
        let mut inner = dimpl::Dtls::new_12(config, certificates()[1].dtls.clone(), epoch().base);
        inner.set_active(active);
        inner.handle_timeout(epoch().base).unwrap();
        Self { inner, keys: None }
    }

    fn drain(&mut self) -> Vec<Vec<u8>> {
        let (mut packets, mut buffer) = (Vec::new(), vec![0; 4096]);
        loop {
            match self.inner.poll_output(&mut buffer) {
                Output::Packet(packet) => packets.push(packet.to_vec()),
                Output::KeyingMaterial(material, profile) => {
                    self.keys = Some((material.to_vec(), profile))
                }
                Output::Timeout(_) => return packets,
                _ => {}
            }
        }
    }

    fn take(&mut self, packets: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        for packet in packets {
            self.inner.handle_packet(&packet).unwrap();
            answers.extend(self.drain());
        }
        answers
    }
}

/// Our end, and what it has said so far.
struct Ours {
    dtls: Dtls,
    keys: Option<Srtp>,
}

impl Ours {
    fn new(client: bool, profiles: &[SrtpProfile]) -> (Self, Vec<Vec<u8>>) {
        let dtls = Dtls::new(client, profiles, certificates()[1].fingerprint()).unwrap();
        let mut ours = Self { dtls, keys: None };
        let outputs = ours.dtls.start(Micros(0), epoch(), &certificates()[0]);
        let packets = ours.sort(outputs);
        (ours, packets)
    }

    fn sort(&mut self, outputs: Vec<DtlsOutput>) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        for output in outputs {
            match output {
                DtlsOutput::Packet(packet) => packets.push(packet),
                DtlsOutput::Keys(srtp) => self.keys = Some(*srtp),
                DtlsOutput::Failed(reason) => panic!("{reason}"),
                DtlsOutput::Closed | DtlsOutput::Data(_) => panic!("closed, or data"),
            }
        }
        packets
    }

    fn take(&mut self, packets: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        for packet in packets {
            let outputs = self.dtls.handle(Micros(0), epoch(), &packet).unwrap();
            answers.extend(self.sort(outputs));
        }
        answers
    }
}

fn finish(ours: &mut Ours, peer: &mut Peer, mut to_peer: Vec<Vec<u8>>) {
    for _ in 0..6 {
        let to_us = peer.take(to_peer);
        to_peer = ours.take(to_us);
    }
    assert!(ours.keys.is_some() && peer.keys.is_some());
}

fn cross(ours: Ours, peer: Peer, profile: SrtpProfile, peer_is_client: bool) {
    let (material, _) = peer.keys.unwrap();
    let mut theirs = Srtp::from_keying_material(profile, &material, peer_is_client).unwrap();
    let mut packet = rtp(9, 1);
    theirs.protect_rtp(&mut packet, 0, 1).unwrap();
    let mut ours = ours.keys.unwrap();
    assert_eq!(ours.unprotect_rtp(&mut packet).unwrap().index, 1);
}

#[test]
fn gcm_128_is_chosen_by_the_server_although_gcm_256_is_offered_first() {
    let (mut ours, _) = Ours::new(false, &BOTH);
    let mut peer = Peer::new(true);
    let hello = peer.drain();
    let answer = ours.take(hello);
    finish(&mut ours, &mut peer, answer);
    assert_eq!(
        peer.keys.as_ref().unwrap().1,
        dimpl::SrtpProfile::AEAD_AES_128_GCM
    );
    cross(ours, peer, SrtpProfile::AeadAes128Gcm, true);
}

#[test]
fn what_the_client_insists_on_is_taken_by_a_server_with_another_order() {
    for profile in BOTH {
        let (mut ours, hello) = Ours::new(true, &[profile]);
        let mut peer = Peer::new(false);
        finish(&mut ours, &mut peer, hello);
        cross(ours, peer, profile, false);
    }
}

/// The ClientHello of a datagram in pieces of at most `size` bytes, each a datagram.
fn pieces(datagram: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (header, message) = datagram.split_at(13);
    let (start, body) = message.split_at(12);
    let mut found = Vec::new();
    for (number, chunk) in body.chunks(size).enumerate() {
        let (offset, len) = ((number * size) as u32, chunk.len() as u32);
        let mut piece = header[..10].to_vec();
        piece.push(number as u8 + 1);
        piece.extend_from_slice(&(len as u16 + 12).to_be_bytes());
        piece.extend_from_slice(&start[..6]);
        piece.extend_from_slice(&offset.to_be_bytes()[1..]);
        piece.extend_from_slice(&len.to_be_bytes()[1..]);
        piece.extend_from_slice(chunk);
        found.push(piece);
    }
    found
}

#[test]
fn a_client_hello_in_pieces_is_put_together_in_any_order() {
    for size in [1, 7, 50, 100, 160] {
        let hello = Peer::new(true).drain();
        if hello[0].len() / size > 12 {
            continue;
        }
        for reorder in [0, 1, 2] {
            let (mut ours, _) = Ours::new(false, &BOTH);
            let mut peer = Peer::new(true);
            let hello = peer.drain();
            let mut parts = pieces(&hello[0], size);
            match reorder {
                1 => parts.reverse(),
                2 => parts.insert(0, parts[parts.len() - 1].clone()),
                _ => {}
            }
            let answer = ours.take(parts);
            finish(&mut ours, &mut peer, answer);
            assert_eq!(peer.keys.unwrap().1, dimpl::SrtpProfile::AEAD_AES_128_GCM);
        }
    }
}

#[test]
fn a_lost_piece_of_a_client_hello_comes_with_the_retransmission() {
    for lost in [0, 1] {
        let (mut ours, _) = Ours::new(false, &BOTH);
        let mut peer = Peer::new(true);
        let hello = peer.drain();
        let mut parts = pieces(&hello[0], 60);
        parts.remove(lost);
        assert!(ours.take(parts).is_empty());
        peer.inner
            .handle_timeout(epoch().base + Duration::from_secs(2))
            .unwrap();
        let again = peer.drain();
        let again = again.iter().flat_map(|hello| pieces(hello, 60)).collect();
        let answer = ours.take(again);
        finish(&mut ours, &mut peer, answer);
    }
}

#[test]
fn fragments_that_lie_about_their_place_are_not_kept() {
    let (mut ours, _) = Ours::new(false, &BOTH);
    let hello = Peer::new(true).drain();
    for (at, value) in [(14, 0xff), (19, 0xff), (22, 0xff), (15, 0xff), (20, 0xf0)] {
        let mut lie = hello[0].clone();
        lie[at] = value;
        let _ = ours.dtls.handle(Micros(0), epoch(), &lie);
        assert!(ours.dtls.offer.bytes_kept() <= 16_384);
    }
    assert_eq!(
        ours.dtls.handle(Micros(0), epoch(), &vec![22; 2_049]).err(),
        Some(DropReason::DtlsUnexpected)
    );
}
