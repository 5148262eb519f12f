//! Whatever waits, is dropped or starts again: the numbers that leave have no gap, and pictures count on.

use proptest::prelude::*;
use zhuandi_wire::time::Micros;

use crate::api::{
    Codec, CodecParams, EncodingParams, Extensions, Kind, LessonId, PublicationId, RtpParameters,
    SubscriptionId,
};
use crate::leg::{Leg, Offer, To};
use crate::pacer::{Item, Pacer};
use crate::packet::Meta;
use crate::publication::Publication;

const STARTS: [u16; 6] = [0, 1, 127, 32_767, 65_534, 65_535];
const LAYERS: [u8; 4] = [0, 2, 1, 2];

fn camera() -> RtpParameters {
    RtpParameters {
        mid: "2".into(),
        kind: Kind::Video,
        codecs: vec![CodecParams {
            pt: 96,
            codec: Codec::Vp8,
            clock_rate: 90_000,
            apt: None,
        }],
        extensions: Extensions::default(),
        encodings: vec![EncodingParams {
            ssrc: Some(5),
            ..EncodingParams::default()
        }],
        nack: true,
        twcc: false,
    }
}

/// A camera in three temporal layers, a leg and its queue.
struct Run {
    source: Publication,
    leg: Leg,
    pacer: Pacer,
    number: u16,
    picture: u16,
    tl0: u8,
    step: usize,
    now: i64,
    left: Vec<Item>,
}

impl Run {
    fn new(start: u16) -> Run {
        let source = Publication::new(PublicationId(1), LessonId(1), Some(0), camera());
        let encoding = camera().encodings[0].clone();
        let (to, seed) = (To::Transport(1), u32::from(start) << 16);
        let mut leg = Leg::new(SubscriptionId(2), to, camera(), encoding, seed);
        leg.set_index(3);
        leg.ready = true;
        leg.attach(Some((0, &source)));
        leg.selector.set_alive(1);
        Run {
            source,
            leg,
            pacer: Pacer::default(),
            number: start,
            picture: start & 0x7FFF,
            tl0: 250,
            step: 0,
            now: 0,
            left: Vec::new(),
        }
    }

    /// One packet of the frame that is due, into the publication and the queue.
    fn packet(&mut self, keyframe: bool, layer: u8, first: bool) {
        let [high, low] = (self.picture | 0x8000).to_be_bytes();
        let start = if first { 0x90 } else { 0x80 };
        let payload = [
            start,
            0xE0,
            high,
            low,
            self.tl0,
            layer << 6 | 0x20,
            u8::from(!keyframe),
            1,
        ];
        let meta = Meta::parse(Codec::Vp8, &payload).unwrap();
        let meta = Meta {
            ts: (self.step as u32) * 3000,
            arrival: Micros(self.now),
            ..meta
        };
        let taken = self.source.encodings[0]
            .take(Micros(self.now), self.number, false, meta, &payload)
            .unwrap();
        self.number = self.number.wrapping_add(1);
        let offer = self
            .leg
            .consider(&self.source, 0, &taken, &meta, payload.len());
        if let Offer::Send(item) = offer {
            self.pacer.push(item);
            if item.keyframe {
                self.leg.skip_to_keyframe(&mut self.pacer);
            }
        }
    }

    fn frame(&mut self, keyframe: bool, parts: usize) {
        let layer = if keyframe { 0 } else { LAYERS[self.step % 4] };
        self.tl0 = self.tl0.wrapping_add(u8::from(layer == 0));
        for part in 0..parts {
            self.packet(keyframe, layer, part == 0);
        }
        self.picture = self.picture.wrapping_add(1) & 0x7FFF;
        self.step += 1;
        self.now += 40_000;
    }

    fn pop(&mut self, count: usize) {
        for _ in 0..count {
            let Some(item) = self.pacer.pop(Micros(self.now)) else {
                return;
            };
            self.left.push(item);
        }
    }

    fn check(&self) {
        for pair in self.left.windows(2) {
            let (before, after) = (pair[0].out, pair[1].out);
            assert_eq!(after.seq, before.seq + 1, "numbers have no gap");
            let pictures = after.picture.id.wrapping_sub(before.picture.id) & 0x7FFF;
            assert_eq!(
                pictures,
                u16::from(after.ts != before.ts),
                "pictures count on"
            );
            let bases = after.picture.tl0.wrapping_sub(before.picture.tl0);
            let base = after.ts != before.ts && pair[1].temporal == 0;
            assert_eq!(bases, u8::from(base), "so do those of the base layer");
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Frame(bool, usize),
    Pop(usize),
    Squeeze(u8),
    GiveUp,
    Hold,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (prop::bool::weighted(0.1), 1usize..4).prop_map(|(key, parts)| Step::Frame(key, parts)),
        6 => (1usize..6).prop_map(Step::Pop),
        2 => prop_oneof![Just(0u8), Just(1), Just(255)].prop_map(Step::Squeeze),
        1 => Just(Step::GiveUp),
        1 => Just(Step::Hold),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn what_leaves_counts_on_whatever_is_dropped(start in prop::sample::select(&STARTS[..]), steps in steps()) {
        let mut run = Run::new(start);
        run.frame(true, 3);
        for step in steps {
            match step {
                Step::Frame(keyframe, parts) => run.frame(keyframe, parts),
                Step::Pop(count) => run.pop(count),
                Step::Squeeze(layer) => run.leg.squeeze(layer, &mut run.pacer),
                Step::GiveUp => run.leg.give_up_queue(&mut run.pacer),
                Step::Hold => {
                    run.leg.hold(&mut run.pacer);
                    run.frame(true, 2);
                    run.leg.let_go();
                }
            }
        }
        run.pop(usize::MAX);
        run.check();
    }
}

#[test]
fn a_frame_of_which_the_rest_is_still_to_come_goes_whole() {
    for start in STARTS {
        let mut run = Run::new(start);
        run.frame(true, 2);
        run.packet(false, 2, true);
        run.leg.squeeze(1, &mut run.pacer);
        run.packet(false, 2, false);
        run.picture = run.picture.wrapping_add(1) & 0x7FFF;
        run.step = 2;
        run.frame(false, 2);
        run.pop(usize::MAX);
        let layers: Vec<_> = run.left.iter().map(|item| item.temporal).collect();
        assert_eq!(layers, [0, 0, 1, 1]);
        run.check();
    }
}

#[test]
fn the_rest_of_a_frame_takes_no_picture_back_when_older_frames_went_with_its_beginning() {
    for start in STARTS {
        let mut run = Run::new(start);
        run.frame(true, 2);
        run.pop(2);
        run.frame(false, 2);
        run.frame(false, 2);
        run.packet(false, 2, true);
        run.leg.squeeze(0, &mut run.pacer);
        run.packet(false, 2, false);
        run.picture = run.picture.wrapping_add(1) & 0x7FFF;
        run.step = 4;
        run.frame(false, 2);
        run.pop(usize::MAX);
        let layers: Vec<_> = run.left.iter().map(|item| item.temporal).collect();
        assert_eq!(layers, [0; 4]);
        run.check();
    }
}

#[test]
fn behind_a_key_frame_an_old_queue_is_gone_and_layers_come_back_when_it_is_young() {
    let mut run = Run::new(9);
    (0..8).for_each(|i| run.frame(i == 0, 2));
    run.leg.squeeze(0, &mut run.pacer);
    (8..12).for_each(|_| run.frame(false, 1));
    run.frame(true, 3);
    let waiting = run.pacer.bytes();
    run.pop(usize::MAX);
    assert_eq!(run.left.len(), 3, "{waiting} bytes waited");
    run.leg.squeeze(u8::MAX, &mut run.pacer);
    (0..8).for_each(|_| run.frame(false, 1));
    run.pop(usize::MAX);
    assert!(run.left.iter().any(|item| item.temporal == 2));
    run.check();
}
