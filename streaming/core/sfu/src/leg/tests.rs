//! What a leg does with packets at its edges: before it is up, after it stopped, and when its stream goes on elsewhere.

use super::*;
use crate::api::{Codec, CodecParams, Extensions, PublicationId};

const STARTS: [u16; 6] = [0, 1, 127, 32_767, 65_534, 65_535];

fn picture(ssrc: u32) -> RtpParameters {
    RtpParameters {
        mid: "2".into(),
        kind: Kind::Video,
        codecs: vec![CodecParams {
            pt: 98,
            codec: Codec::H264,
            clock_rate: 90_000,
            apt: None,
        }],
        extensions: Extensions::default(),
        encodings: vec![EncodingParams {
            ssrc: Some(ssrc),
            rtx_ssrc: Some(ssrc + 1),
            ..EncodingParams::default()
        }],
        nack: true,
        twcc: false,
    }
}

/// A publication of one encoding and a leg that is connected to it.
fn pair(ready: bool) -> (Publication, Leg) {
    let mut source = Publication::new(PublicationId(1), LessonId(1), Some(0), picture(5));
    source.refresh_alive(Micros(0));
    let slot = picture(70);
    let encoding = slot.encodings[0].clone();
    let mut leg = Leg::new(SubscriptionId(2), To::Transport(1), slot, encoding, 9 << 16);
    leg.ready = ready;
    leg.attach(Some((0, &source)));
    (source, leg)
}

/// Take one packet into the publication and offer it to the leg.
fn offer(source: &mut Publication, leg: &mut Leg, number: u16, key: bool) -> Offer {
    let now = Micros(1000);
    let payload = if key { [0x65, 0x88] } else { [0x41, 0x9A] };
    let meta = Meta::parse(Codec::H264, &payload).unwrap();
    let taken = source.encodings[0]
        .take(now, number, false, meta, &payload)
        .unwrap();
    if let Some(alive) = source.refresh_alive(now) {
        leg.selector.set_alive(alive);
    }
    leg.consider(source, 0, &taken, &meta, payload.len())
}

fn sent(offer: &Offer) -> Option<u64> {
    match offer {
        Offer::Send(item) => Some(item.out.seq),
        _ => None,
    }
}

#[test]
fn a_leg_that_is_not_up_does_not_begin() {
    for start in STARTS {
        let (mut source, mut leg) = pair(false);
        let early = offer(&mut source, &mut leg, start, true);
        assert!(matches!(early, Offer::Nothing(DropReason::NotConnected)));
        assert!(!leg.waits(), "a key frame would be lost");
        leg.ready = true;
        assert!(leg.waits() && leg.selector.current().is_none());
        assert_eq!(
            sent(&offer(&mut source, &mut leg, start.wrapping_add(1), true)),
            Some(9)
        );
    }
}

#[test]
fn a_paused_leg_sends_late_packets_of_before_and_none_of_after() {
    for start in STARTS {
        let (mut source, mut leg) = pair(true);
        let at = |step: u16| start.wrapping_add(step);
        assert_eq!(sent(&offer(&mut source, &mut leg, at(0), true)), Some(9));
        assert_eq!(sent(&offer(&mut source, &mut leg, at(2), false)), Some(11));
        leg.selector.want(-1, -1);
        assert_eq!(sent(&offer(&mut source, &mut leg, at(5), false)), None);
        assert_eq!(
            sent(&offer(&mut source, &mut leg, at(1), false)),
            Some(10),
            "missing before the pause"
        );
        assert_eq!(
            sent(&offer(&mut source, &mut leg, at(4), false)),
            None,
            "late, but of after the pause"
        );
        leg.selector.want(0, -1);
        assert_eq!(
            sent(&offer(&mut source, &mut leg, at(6), true)),
            Some(12),
            "no gap in the numbers"
        );
    }
}

#[test]
fn a_new_leg_of_the_same_streams_goes_on_where_the_old_one_ended() {
    let (mut source, mut leg) = pair(true);
    for step in 0..5 {
        offer(&mut source, &mut leg, step, step == 0);
    }
    let spent: Vec<_> = leg.spent().collect();
    assert_eq!(spent, [(70, 14), (71, 0)]);
    let (mut source, mut next) = pair(true);
    spent
        .iter()
        .for_each(|(ssrc, index)| next.go_on_at(*ssrc, *index));
    assert_eq!(sent(&offer(&mut source, &mut next, 7, true)), Some(14));
}
