//! What an encoding says about packets that come once, twice, late or from a source that began anew.

use super::*;
use crate::api::Codec;

fn encoding() -> Encoding {
    Encoding::new(
        EncodingParams {
            ssrc: Some(9),
            ..EncodingParams::default()
        },
        Kind::Video,
        90_000,
    )
}

fn meta(ts: u32, keyframe: bool) -> Meta {
    Meta {
        ts,
        keyframe,
        ..Meta::parse(Codec::H264, &[]).unwrap()
    }
}

const STARTS: [u16; 6] = [0, 1, 127, 32_767, 65_534, 65_535];

#[test]
fn a_repeat_dies_and_a_repair_fills_its_hole() {
    for start in STARTS {
        let mut encoding = encoding();
        let now = Micros(0);
        let take = |e: &mut Encoding, i: u16, rtx| {
            e.take(now, start.wrapping_add(i), rtx, meta(0, false), &[1])
        };
        assert!(take(&mut encoding, 0, false).unwrap().first);
        assert!(take(&mut encoding, 2, false).unwrap().newest);
        assert_eq!(encoding.lost(), 1);
        assert!(!take(&mut encoding, 1, true).unwrap().newest);
        assert_eq!(
            take(&mut encoding, 1, false).unwrap_err(),
            DropReason::Duplicate
        );
        assert_eq!((encoding.lost(), encoding.counters.recovered), (0, 1));
    }
}

#[test]
fn a_chain_is_fresh_while_it_is_whole_and_young() {
    for start in STARTS {
        let mut encoding = encoding();
        let mut take = |i: u16, ts: u32, keyframe| {
            encoding
                .take(
                    Micros(0),
                    start.wrapping_add(i),
                    false,
                    meta(ts, keyframe),
                    &[1; 900],
                )
                .unwrap();
            encoding
                .fresh_chain(Micros(1000))
                .map(|chain| chain.count())
        };
        assert_eq!(take(0, 0, false), None);
        assert_eq!(take(1, 3000, true), Some(1));
        assert_eq!(take(2, 3000, false), Some(2));
        assert_eq!(take(4, 6000, false), None, "a hole");
        assert_eq!(take(3, 3000, false), Some(4), "repaired");
        assert_eq!(encoding.fresh_chain(Micros(60_000_000)), None);
    }
}

#[test]
fn a_source_that_begins_anew_goes_on_with_higher_indexes() {
    for start in STARTS {
        let mut encoding = encoding();
        let first = encoding
            .take(Micros(0), start, false, meta(0, true), &[1])
            .unwrap();
        let number = start.wrapping_add(20_000);
        let again = encoding
            .take(Micros(0), number, false, meta(0, true), &[1])
            .unwrap();
        assert!(again.restarted && again.newest && again.seq > first.seq);
        assert_eq!(low16(again.seq), number);
        assert_eq!(encoding.lost(), 0);
    }
}
