//! Sound is sent again only where neither it nor a copy of it came, or may still come.

use zhuandi_wire::rtcp::{Message, messages};
use zhuandi_wire::time::Micros;
use zhuandi_wire::twcc::{Arrival, write_feedback};

use super::*;
use crate::api::{
    Codec, CodecParams, EncodingParams, Extensions, Kind, LessonId, PublicationId, RtpParameters,
    SubscriptionId,
};
use crate::leg::{Offer, To};
use crate::packet::Meta;

const RTT_US: i64 = 50_000;

fn voice() -> RtpParameters {
    let codec = |pt, codec| CodecParams {
        pt,
        codec,
        clock_rate: 48_000,
        apt: None,
    };
    RtpParameters {
        mid: "0".into(),
        kind: Kind::Audio,
        codecs: vec![codec(111, Codec::Opus), codec(63, Codec::Red)],
        extensions: Extensions {
            twcc: Some(3),
            ..Extensions::default()
        },
        encodings: vec![EncodingParams {
            ssrc: Some(5),
            ..EncodingParams::default()
        }],
        nack: true,
        twcc: true,
    }
}

/// A leg that sent ten packets 20 ms apart with these copies; their numbers and what the transport remembers.
fn sent(start: u16, copies: u16) -> (Leg, SentLog, Vec<u16>) {
    let mut source = Publication::new(PublicationId(1), LessonId(1), Some(0), voice());
    let encoding = voice().encodings[0].clone();
    let mut leg = Leg::new(
        SubscriptionId(2),
        To::Transport(1),
        voice(),
        encoding,
        u32::from(start) << 16,
    );
    leg.ready = true;
    leg.redundancy = copies;
    leg.attach(Some((0, &source)));
    let (mut log, mut numbers) = (SentLog::default(), Vec::new());
    for step in 0..10u16 {
        let now = Micros(i64::from(step) * 20_000);
        let meta = Meta::parse(Codec::Opus, &[72, 1]).unwrap();
        let meta = Meta {
            ts: u32::from(step) * 960,
            ..meta
        };
        let taken = source.encodings[0]
            .take(now, start.wrapping_add(step), false, meta, &[72, 1])
            .unwrap();
        let Offer::Send(item) = leg.consider(&source, 0, &taken, &meta, 2) else {
            panic!("not sent")
        };
        let mut packet = Vec::new();
        leg.write(&mut packet, now, &item, 0, &source).unwrap();
        leg.keep_sealed(now, item.out.seq, log.next_index(), &packet);
        log.sent(now, packet.len());
        numbers.push(zhuandi_wire::seq::low16(item.out.seq));
    }
    (leg, log, numbers)
}

/// The receiver tells that these packets came, and none else before the last of them.
fn told(log: &mut SentLog, came: &[u64]) {
    let arrivals: Vec<_> = came
        .iter()
        .map(|&index| Arrival {
            index,
            at: Micros(index as i64 * 20_000 + 9_000),
        })
        .collect();
    let mut packet = Vec::new();
    write_feedback(&mut packet, 1, 2, 0, 0, &arrivals);
    let Some(Ok(Message::TransportCc(feedback))) = messages(&packet).next() else {
        panic!("no feedback")
    };
    log.feedback(Micros(300_000), &feedback);
}

#[test]
fn a_packet_whose_copy_came_is_not_sent_again() {
    for start in [0, 1, 127, 32_767, 65_534, 65_535] {
        let (leg, mut log, numbers) = sent(start, 0b1);
        told(&mut log, &[0, 2, 5]);
        let now = Micros(300_000);
        let covered = |at: usize| leg.is_covered(now, numbers[at], RTT_US, &log);
        assert!(covered(1), "its copy came with 2");
        assert!(!covered(3), "4 was lost, too");
        assert!(covered(4), "its copy came with 5");
        assert!(covered(5), "it came itself");
    }
}

#[test]
fn a_copy_on_its_way_is_waited_for_but_not_for_ever() {
    let (leg, mut log, numbers) = sent(7, 0b10);
    told(&mut log, &[0, 3]);
    let covered = |at_us, at: usize| leg.is_covered(Micros(at_us), numbers[at], RTT_US, &log);
    assert!(covered(100_000, 1), "its copy came with 3");
    assert!(covered(100_000, 2), "4 has just left");
    assert!(
        !covered(80_000 + RTT_US + FEEDBACK_US + 1, 2),
        "nobody will tell of 4"
    );
    assert!(covered(10_000_000, 9), "11 leaves next");
}

#[test]
fn without_copies_all_that_was_lost_is_sent_again() {
    let (leg, mut log, numbers) = sent(65_530, 0);
    told(&mut log, &[0, 2, 4]);
    let now = Micros(300_000);
    assert!(!leg.is_covered(now, numbers[1], RTT_US, &log));
    assert!(leg.is_covered(now, numbers[2], RTT_US, &log), "it came");
}

#[test]
fn a_copy_that_stands_far_apart_is_not_waited_for_before_it_leaves() {
    let (leg, mut log, numbers) = sent(32_767, 0b1_0000);
    told(&mut log, &[0, 3, 9]);
    let covered = |at: usize| leg.is_covered(Micros(300_000), numbers[at], RTT_US, &log);
    assert!(covered(4), "its copy came with 9");
    assert!(!covered(6), "11 is still to be sent");
}
