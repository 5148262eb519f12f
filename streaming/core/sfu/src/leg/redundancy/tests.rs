//! Whatever a source does, a packet with copies says what was said before, at the distances that were asked for.

use proptest::prelude::*;
use zhuandi_wire::red::Red;
use zhuandi_wire::rtp::Header;
use zhuandi_wire::time::Micros;

use super::*;
use crate::api::{
    Codec, CodecParams, EncodingParams, Extensions, Kind, LessonId, PublicationId, RtpParameters,
    SubscriptionId,
};
use crate::leg::{Offer, To};
use crate::packet::Meta;
use crate::publication::Publication;

const STARTS: [u16; 6] = [0, 1, 127, 32_767, 65_534, 65_535];
const OPUS: u8 = 111;
const RED: u8 = 63;

fn voice(red: bool) -> RtpParameters {
    let codec = |pt, codec| CodecParams {
        pt,
        codec,
        clock_rate: 48_000,
        apt: None,
    };
    let mut codecs = vec![codec(OPUS, Codec::Opus)];
    codecs.extend(red.then(|| codec(RED, Codec::Red)));
    RtpParameters {
        mid: "0".into(),
        kind: Kind::Audio,
        codecs,
        extensions: Extensions::default(),
        encodings: vec![EncodingParams {
            ssrc: Some(5),
            ..EncodingParams::default()
        }],
        nack: true,
        twcc: false,
    }
}

/// A frame as the receiver may hear of it: its number in the source, timestamp on this leg, and bytes.
#[derive(Clone, Debug)]
struct Frame {
    seq: u64,
    ts: u32,
    data: Vec<u8>,
}

/// A source and a leg, and the frames that went out since the numbers were mapped last.
struct Run {
    source: Publication,
    leg: Leg,
    number: u16,
    ts: u32,
    frames: Vec<Frame>,
    last_seq: Option<u16>,
}

impl Run {
    fn new(red: bool, number: u16, ts: u32) -> Run {
        let source = Publication::new(PublicationId(1), LessonId(1), Some(0), voice(true));
        let (slot, encoding) = (voice(red), voice(red).encodings[0].clone());
        let mut leg = Leg::new(SubscriptionId(2), To::Transport(1), slot, encoding, 9 << 16);
        leg.ready = true;
        leg.attach(Some((0, &source)));
        Run {
            source,
            leg,
            number,
            ts,
            frames: Vec::new(),
            last_seq: None,
        }
    }

    fn begin_anew(&mut self, number: u16) {
        self.number = number;
        self.source.encodings[0].expect_restart();
        self.leg.selector.restart();
        self.leg.rewriter.detach();
        self.frames.clear();
    }

    /// One frame through publication and leg; the packet as it leaves.
    fn send(&mut self, data: Vec<u8>) -> Vec<u8> {
        let now = Micros(1_000_000);
        let meta = Meta::parse(Codec::Opus, &data).unwrap();
        let meta = Meta {
            ts: self.ts,
            ..meta
        };
        let taken = self.source.encodings[0]
            .take(now, self.number, false, meta, &data)
            .unwrap();
        let offer = self
            .leg
            .consider(&self.source, 0, &taken, &meta, data.len());
        let Offer::Send(item) = offer else {
            panic!("{offer:?}")
        };
        let mut out = Vec::new();
        self.leg
            .write(&mut out, now, &item, 0, &self.source)
            .unwrap();
        let header = Header::parse(&out).unwrap();
        self.frames.push(Frame {
            seq: taken.seq,
            ts: header.fields.ts,
            data,
        });
        out
    }

    /// What the packet of the newest frame should carry again, by the plainest reading of the rules.
    fn expected(&self) -> Vec<(u16, Vec<u8>)> {
        let newest = self.frames.last().unwrap();
        let mut room = MAX_PACKET - 12 - 1 - newest.data.len();
        let mut found = Vec::new();
        for distance in 1..=16u64 {
            if self.leg.redundancy >> (distance - 1) & 1 == 0 {
                continue;
            }
            let old = self
                .frames
                .iter()
                .find(|old| old.seq + distance == newest.seq);
            let Some(old) = old else { continue };
            let offset = newest.ts.wrapping_sub(old.ts);
            let cost = 4 + old.data.len();
            if offset > 0x3FFF || old.data.len() > 1023 || cost > room {
                continue;
            }
            room -= cost;
            found.push((offset as u16, old.data.clone()));
        }
        found.reverse();
        found
    }

    fn check(&mut self, packet: &[u8]) {
        let header = Header::parse(packet).unwrap();
        let payload = &packet[header.len..];
        let newest = &self.frames.last().unwrap().data;
        let expected = self.expected();
        assert!(packet.len() <= MAX_PACKET.max(12 + newest.len()));
        if expected.is_empty() {
            assert_eq!((header.fields.pt, payload), (OPUS, newest.as_slice()));
        } else {
            let red = Red::parse(payload).unwrap();
            assert_eq!((header.fields.pt, red.primary_pt), (RED, OPUS));
            assert_eq!(red.primary, newest.as_slice());
            assert!(red.redundant().all(|block| block.pt == OPUS));
            let got: Vec<_> = red
                .redundant()
                .map(|block| (block.ts_offset, block.data.to_vec()))
                .collect();
            assert_eq!(got, expected);
        }
    }
}

/// What a microphone, its line or its page may do before the next frame.
#[derive(Clone, Debug)]
enum Step {
    Frames(u8),
    Lost(u16),
    Pause(u32),
    Restart(u16),
    Wanted(u16),
    FrameTicks(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1u8..20).prop_map(Step::Frames),
        2 => (1u16..5).prop_map(Step::Lost),
        1 => (1u32..40_000).prop_map(Step::Pause),
        1 => any::<u16>().prop_map(Step::Restart),
        3 => prop_oneof![Just(0), Just(1), Just(3), Just(10), any::<u16>()].prop_map(Step::Wanted),
        1 => prop_oneof![Just(480u32), Just(960), Just(2880)].prop_map(Step::FrameTicks),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #[test]
    fn copies_are_what_was_said_at_the_distances_asked_for(
        steps in steps(),
        start in prop::sample::select(STARTS.to_vec()),
        ts in prop_oneof![Just(0u32), Just(u32::MAX - 3000), any::<u32>()],
        len in prop_oneof![1usize..120, 1usize..1100],
    ) {
        let mut run = Run::new(true, start, ts);
        let mut frame_ticks = 960;
        for step in steps {
            match step {
                Step::Frames(count) => for i in 0..count {
                    let data = vec![i ^ run.number as u8; (len + usize::from(i) * 7) % 1150 + 1];
                    let packet = run.send(data);
                    let seq = Header::parse(&packet).unwrap().fields.seq;
                    run.check(&packet);
                    if let Some(last) = run.last_seq {
                        let on = seq.wrapping_sub(last);
                        prop_assert!((1..=30).contains(&on), "numbers go on: {on}");
                    }
                    run.last_seq = Some(seq);
                    run.number = run.number.wrapping_add(1);
                    run.ts = run.ts.wrapping_add(frame_ticks);
                },
                Step::Lost(count) => {
                    run.number = run.number.wrapping_add(count);
                    run.ts = run.ts.wrapping_add(frame_ticks * u32::from(count));
                }
                Step::Pause(ticks) => run.ts = run.ts.wrapping_add(ticks),
                Step::Restart(number) => run.begin_anew(number),
                Step::Wanted(mask) => run.leg.redundancy = mask,
                Step::FrameTicks(ticks) => frame_ticks = ticks,
            }
        }
    }
}

#[test]
fn a_receiver_without_red_gets_plain_frames_whatever_is_wanted() {
    for start in STARTS {
        let mut run = Run::new(false, start, 7);
        run.leg.redundancy = 0b11;
        for step in 0..10u8 {
            let packet = run.send(vec![step; 40]);
            let header = Header::parse(&packet).unwrap();
            assert_eq!((header.fields.pt, packet.len()), (OPUS, 12 + 40));
            run.number = run.number.wrapping_add(1);
            run.ts = run.ts.wrapping_add(960);
        }
    }
}

#[test]
fn redundancy_comes_and_goes_between_two_packets_of_one_stream() {
    for start in STARTS {
        let mut run = Run::new(true, start, u32::MAX - 2000);
        let mut kinds = Vec::new();
        for step in 0..12u8 {
            run.leg.redundancy = if (4..8).contains(&step) { 0b1010 } else { 0 };
            let packet = run.send(vec![step; 40]);
            let fields = Header::parse(&packet).unwrap().fields;
            kinds.push((fields.pt, fields.seq, packet.len()));
            run.check(&packet);
            run.number = run.number.wrapping_add(1);
            run.ts = run.ts.wrapping_add(960);
        }
        let pts: Vec<u8> = kinds.iter().map(|kind| kind.0).collect();
        assert_eq!(
            pts,
            [111, 111, 111, 111, 63, 63, 63, 63, 111, 111, 111, 111]
        );
        assert!(
            kinds
                .windows(2)
                .all(|pair| pair[1].1 == pair[0].1.wrapping_add(1))
        );
        assert_eq!(kinds[5].2, 12 + 1 + 40 + 2 * 44, "two copies, at 2 and 4");
    }
}
