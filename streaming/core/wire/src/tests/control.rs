//! RTCP messages: bytes as the RFCs draw them, round trips, and what is refused.

use proptest::prelude::*;

use super::{STARTS, corpus};
use crate::Malformed;
use crate::rtcp::{self, FirEntry, Message, NackPair, ReportBlock, SenderInfo, kind};

fn only(packet: &[u8]) -> Result<Message<'_>, Malformed> {
    let mut messages = rtcp::messages(packet);
    let first = messages.next().unwrap();
    assert_eq!(messages.next(), None);
    first
}

fn body_error(kind: u8, count: u8, body: &[u8]) -> Option<Malformed> {
    let words = u8::try_from(body.len() / 4).unwrap();
    only(&[&[0x80 | count, kind, 0, words], body].concat()).err()
}

#[test]
fn a_compound_packet_gives_its_messages_in_order() {
    let packet = corpus::rtcp_compound();
    let names: Vec<_> = rtcp::messages(&packet)
        .map(|message| format!("{:?}", message.unwrap()))
        .collect();
    let starts = [
        "SenderReport",
        "ReceiverReport",
        "Sdes",
        "Nack",
        "Pli",
        "Fir",
        "Remb",
        "TransportCc",
        "Bye",
    ];
    assert_eq!(names.len(), starts.len());
    assert!(
        names
            .iter()
            .zip(starts)
            .all(|(name, start)| name.starts_with(start)),
        "{names:?}"
    );
}

#[test]
fn a_bad_message_does_not_hide_the_next_but_bad_framing_ends_the_packet() {
    let mut packet = vec![0x81, kind::RTPFB, 0, 1, 0, 0, 0, 1];
    rtcp::write_pli(&mut packet, 1, 2);
    let found: Vec<_> = rtcp::messages(&packet).collect();
    assert!(matches!(
        found.as_slice(),
        [Err(Malformed::Truncated), Ok(Message::Pli(_))]
    ));
    packet[3] = 200;
    assert_eq!(
        rtcp::messages(&packet).collect::<Vec<_>>(),
        [Err(Malformed::Truncated)]
    );
}

#[test]
fn framing_invalid() {
    assert_eq!(only(&[0x80, 200, 0]), Err(Malformed::Truncated));
    assert_eq!(only(&[0x40, 200, 0, 0]), Err(Malformed::Version));
    assert_eq!(only(&[0xA0, 203, 0, 0]), Err(Malformed::Padding));
    assert_eq!(
        only(&[0xA0, 203, 0, 1, 0, 0, 0, 0]),
        Err(Malformed::Padding)
    );
    assert_eq!(
        only(&[0xA0, 203, 0, 1, 0, 0, 0, 5]),
        Err(Malformed::Padding)
    );
    assert!(matches!(
        only(&[0xA0, 203, 0, 1, 0, 0, 0, 4]),
        Ok(Message::Bye(_))
    ));
    assert_eq!(
        only(&[0x82, 207, 0, 0]),
        Ok(Message::Other {
            kind: 207,
            count: 2
        })
    );
}

#[test]
fn reports_invalid() {
    assert_eq!(
        body_error(kind::SR, 0, &[0; 20]),
        Some(Malformed::Truncated)
    );
    assert_eq!(body_error(kind::SR, 1, &[0; 24]), Some(Malformed::Length));
    assert_eq!(body_error(kind::RR, 2, &[0; 28]), Some(Malformed::Length));
    assert_eq!(body_error(kind::RR, 0, &[]), Some(Malformed::Truncated));
    assert_eq!(
        body_error(kind::RR, 1, &[0; 40]),
        None,
        "profile-specific extensions are ignored"
    );
}

#[test]
fn feedback_invalid() {
    assert_eq!(
        body_error(kind::RTPFB, 1, &[0; 8]),
        Some(Malformed::Length),
        "a NACK of nothing"
    );
    assert_eq!(
        body_error(kind::PSFB, 1, &[0; 4]),
        Some(Malformed::Truncated)
    );
    assert_eq!(body_error(kind::PSFB, 4, &[0; 8]), Some(Malformed::Length));
    assert_eq!(body_error(kind::PSFB, 4, &[0; 12]), Some(Malformed::Length));
    assert_eq!(
        body_error(
            kind::PSFB,
            15,
            b"\0\0\0\x01\0\0\0\0REMB\x02\0\0\0\0\0\0\x05"
        ),
        Some(Malformed::Length)
    );
    assert_eq!(body_error(kind::BYE, 2, &[0; 4]), Some(Malformed::Length));
    assert_eq!(
        body_error(kind::SDES, 1, &[0, 0, 0, 1, 1, 9, b'a', 0]),
        Some(Malformed::Truncated)
    );
    assert_eq!(
        body_error(kind::SDES, 2, &[0, 0, 0, 1, 1, 1, b'a', 0]),
        Some(Malformed::Truncated),
        "a chunk is missing"
    );
    let long = [&[0x81, kind::RTPFB, 0x02, 0x02][..], &[0; 2056]].concat();
    assert_eq!(only(&long), Err(Malformed::Bound));
}

#[test]
fn compact_ntp_is_the_middle_of_the_clock() {
    let info = SenderInfo {
        ntp: 0x0123_4567_89AB_CDEF,
        ..SenderInfo::default()
    };
    assert_eq!(info.compact_ntp(), 0x4567_89AB);
}

#[test]
fn names_and_goodbyes_are_read_back() {
    for name in ["", "a", "ab", "abc", "classroom-12", &"x".repeat(300)] {
        let mut packet = Vec::new();
        rtcp::write_cname(&mut packet, 7, name);
        rtcp::write_bye(&mut packet, &[7, 8]);
        let messages: Vec<_> = rtcp::messages(&packet).map(Result::unwrap).collect();
        let [Message::Sdes(sdes), Message::Bye(bye)] = messages.as_slice() else {
            panic!("{messages:?}")
        };
        let kept = &name.as_bytes()[..name.len().min(255)];
        assert_eq!(sdes.cnames().collect::<Vec<_>>(), [(7, kept)]);
        assert_eq!(bye.ssrcs().collect::<Vec<_>>(), [7, 8]);
    }
}

#[test]
fn a_nack_pair_names_its_number_and_the_bits_after_it() {
    let pair = NackPair {
        pid: 65_535,
        blp: 0b1000_0000_0000_0001,
    };
    assert_eq!(pair.lost().collect::<Vec<_>>(), [65_535, 0, 15]);
}

#[test]
fn lost_numbers_are_packed_from_every_start() {
    for start in STARTS {
        let lost: Vec<u16> = [0, 1, 16, 17, 40, 56, 57]
            .map(|step| start.wrapping_add(step))
            .to_vec();
        let mut packet = Vec::new();
        assert_eq!(rtcp::write_nack(&mut packet, 1, 2, &lost), lost.len());
        let Ok(Message::Nack(nack)) = only(&packet) else {
            panic!()
        };
        assert_eq!(nack.lost().collect::<Vec<_>>(), lost);
        assert_eq!(nack.pairs().count(), 4);
    }
}

#[test]
fn a_nack_longer_than_a_datagram_is_cut_and_says_so() {
    let lost: Vec<u16> = (0..2000).map(|i| i * 20).collect();
    let mut packet = Vec::new();
    let taken = rtcp::write_nack(&mut packet, 1, 2, &lost);
    assert_eq!((taken, packet.len() <= 1200), (296, true));
    let Ok(Message::Nack(nack)) = only(&packet) else {
        panic!()
    };
    assert_eq!(nack.lost().collect::<Vec<_>>(), lost[..taken]);
    packet.clear();
    assert_eq!(
        (rtcp::write_nack(&mut packet, 1, 2, &[]), packet.len()),
        (0, 0)
    );
}

#[test]
fn bitrates_keep_eighteen_bits_and_saturate() {
    for (bps, read) in [
        (0, 0),
        (1, 1),
        (262_143, 262_143),
        (262_144, 262_144),
        (262_145, 262_144),
        (2_500_000, 2_500_000),
        (u64::MAX, 0xFFFF_C000_0000_0000),
    ] {
        let mut packet = Vec::new();
        rtcp::write_remb(&mut packet, 1, bps, &[5, 6]);
        let Ok(Message::Remb(remb)) = only(&packet) else {
            panic!()
        };
        assert_eq!(
            (remb.bitrate_bps, remb.ssrcs().collect::<Vec<_>>()),
            (read, vec![5, 6])
        );
    }
    let absurd = [
        &[0x8F, kind::PSFB, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0][..],
        b"REMB",
        &[0, 0xFF, 0xFF, 0xFF],
    ]
    .concat();
    let Ok(Message::Remb(remb)) = only(&absurd) else {
        panic!()
    };
    assert_eq!(remb.bitrate_bps, u64::MAX);
}

proptest! {
    #[test]
    fn reports_survive_writing_and_reading(
        ssrc: u32, ntp: u64, rtp_ts: u32, packets: u32, octets: u32,
        rows in prop::collection::vec((any::<u32>(), any::<u8>(), -0x80_0000_i32..0x80_0000, any::<(u32, u32, u32, u32)>()), 0..32),
    ) {
        let blocks: Vec<_> = rows.iter().map(|&(ssrc, fraction_lost, total_lost, (highest_seq, jitter, last_sr, delay_since_sr))| {
            ReportBlock { ssrc, fraction_lost, total_lost, highest_seq, jitter, last_sr, delay_since_sr }
        }).collect();
        let info = SenderInfo { ntp, rtp_ts, packets, octets };
        let mut packet = Vec::new();
        rtcp::write_sender_report(&mut packet, ssrc, &info, &blocks);
        rtcp::write_receiver_report(&mut packet, ssrc, &blocks);
        let messages: Vec<_> = rtcp::messages(&packet).map(Result::unwrap).collect();
        let [Message::SenderReport(sr), Message::ReceiverReport(rr)] = messages.as_slice() else { panic!() };
        prop_assert_eq!((sr.ssrc, sr.info, rr.ssrc), (ssrc, info, ssrc));
        let kept = &blocks[..blocks.len().min(31)];
        prop_assert_eq!(sr.blocks().collect::<Vec<_>>(), kept);
        prop_assert_eq!(rr.blocks().collect::<Vec<_>>(), kept);
    }

    #[test]
    fn sorted_losses_survive_a_nack(start: u16, steps in prop::collection::vec(1_u16..40, 1..200)) {
        let mut lost = vec![start];
        for step in steps {
            lost.push(lost[lost.len() - 1].wrapping_add(step));
        }
        let mut packet = Vec::new();
        let taken = rtcp::write_nack(&mut packet, 1, 2, &lost);
        let Ok(Message::Nack(nack)) = only(&packet) else { panic!() };
        prop_assert_eq!(nack.lost().collect::<Vec<_>>(), &lost[..taken]);
        prop_assert_eq!((nack.sender_ssrc, nack.media_ssrc), (1, 2));
    }

    #[test]
    fn key_frame_requests_survive(a: u32, b: u32, number: u8) {
        let mut packet = Vec::new();
        rtcp::write_pli(&mut packet, a, b);
        rtcp::write_fir(&mut packet, a, FirEntry { ssrc: b, number });
        let messages: Vec<_> = rtcp::messages(&packet).map(Result::unwrap).collect();
        let [Message::Pli(pli), Message::Fir(fir)] = messages.as_slice() else { panic!() };
        prop_assert_eq!((pli.sender_ssrc, pli.media_ssrc, fir.sender_ssrc), (a, b, a));
        prop_assert_eq!(fir.entries().collect::<Vec<_>>(), [FirEntry { ssrc: b, number }]);
    }
}
