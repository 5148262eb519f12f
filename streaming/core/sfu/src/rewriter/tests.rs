//! The number map from every wrap-around start, and the promise that no number is given twice.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

const STARTS: [u64; 6] = [0, 1, 127, 32_767, 65_534, 65_535];

fn numbers(seq: u64, ts: u32, id: u16) -> Numbers {
    Numbers {
        seq,
        ts,
        picture: Picture {
            id: id & 0x7FFF,
            tl0: id.to_be_bytes()[1],
        },
    }
}

#[test]
fn a_switch_leaves_no_gap_in_any_number() {
    for start in STARTS {
        let wire = seq::low16(start);
        let mut map = Rewriter::new(wire);
        map.switch(0, &numbers(start, 500, 9), 7000);
        let first = map.map(0, &numbers(start, 500, 9)).unwrap();
        let second = map.map(0, &numbers(start + 1, 3500, 10)).unwrap();
        map.switch(2, &numbers(start + 77_777, 1, wire), 13_000);
        let third = map.map(2, &numbers(start + 77_777, 1, wire)).unwrap();
        assert_eq!((second.seq, third.seq), (first.seq + 1, first.seq + 2));
        assert_eq!((first.ts, second.ts, third.ts), (7000, 10_000, 13_000));
        assert_eq!((second.picture.id, third.picture.id), (2, 3));
        assert_eq!((second.picture.tl0, third.picture.tl0), (2, 3));
    }
}

#[test]
fn a_loss_stays_a_gap_and_the_late_packet_fills_it() {
    for start in STARTS {
        let mut map = Rewriter::new(5);
        map.switch(0, &numbers(start, 0, 0), 0);
        map.map(0, &numbers(start, 0, 0));
        assert_eq!(map.map(0, &numbers(start + 2, 0, 0)).unwrap().seq, 7);
        map.switch(1, &numbers(start, 0, 0), 0);
        assert_eq!(map.map(1, &numbers(start, 0, 0)).unwrap().seq, 8);
        assert_eq!(
            map.map(0, &numbers(start + 1, 0, 0)).unwrap().seq,
            6,
            "after the switch, too"
        );
        assert_eq!(map.map(0, &numbers(start + 3, 0, 0)), None);
    }
}

#[test]
fn packets_left_out_close_the_gap_and_their_picture_id_is_not_missed() {
    for start in STARTS {
        let mut map = Rewriter::new(100);
        map.switch(0, &numbers(start, 0, 40), 0);
        map.map(0, &numbers(start, 0, 40));
        assert!(map.omit(&numbers(start + 1, 9, 41), true));
        assert!(map.omit(&numbers(start + 2, 9, 41), true));
        let after = map.map(0, &numbers(start + 3, 18, 42)).unwrap();
        assert_eq!((after.seq, after.picture.id), (101, 2));
        assert_eq!(map.reverse(101), Some((0, start + 3)));
        assert_eq!(map.map(0, &numbers(start + 1, 9, 41)), None);
    }
}

#[test]
fn a_packet_left_out_too_late_keeps_its_number() {
    let mut map = Rewriter::new(0);
    map.switch(0, &numbers(10, 0, 0), 0);
    map.map(0, &numbers(10, 0, 0));
    map.map(0, &numbers(12, 0, 0));
    assert!(!map.omit(&numbers(11, 0, 0), false));
}

#[test]
fn every_number_that_went_out_maps_back_around_the_wrap() {
    for start in STARTS {
        let mut map = Rewriter::new(32_000);
        map.switch(1, &numbers(start, 0, 0), 0);
        for i in 0..70_000 {
            let out = map.map(1, &numbers(start + i, 0, 0)).unwrap();
            assert_eq!(map.reverse(seq::low16(out.seq)), Some((1, start + i)));
        }
        assert_eq!(
            map.reverse(seq::low16(32_000 + 70_000)),
            None,
            "a number of the future"
        );
    }
}

#[derive(Clone, Debug)]
enum Step {
    Packet(u64),
    Omit(u64),
    Switch(u8),
    Retime,
    Detach,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0u64..4).prop_map(Step::Packet),
        3 => (0u64..3).prop_map(Step::Omit),
        1 => (0u8..3).prop_map(Step::Switch),
        1 => Just(Step::Retime),
        1 => Just(Step::Detach),
    ]
}

proptest! {
    #[test]
    fn no_output_number_is_ever_given_to_two_packets(
        steps in prop::collection::vec(step(), 1..300), start in prop::sample::select(STARTS.to_vec())
    ) {
        let mut map = Rewriter::new(seq::low16(start));
        let mut given: HashMap<u64, (u8, u64)> = HashMap::new();
        let mut heads = [start, start + 900, start + 70_000];
        let (mut encoding, mut on) = (0u8, false);
        for step in steps {
            let at = usize::from(encoding);
            match step {
                Step::Packet(gap) => {
                    heads[at] += 1 + gap / 2;
                    for late in [0, gap] {
                        let seq = heads[at].saturating_sub(late);
                        if let Some(out) = map.map(encoding, &numbers(seq, 0, 0)) {
                            let owner = given.entry(out.seq).or_insert((encoding, seq));
                            prop_assert_eq!(*owner, (encoding, seq));
                        }
                    }
                }
                Step::Omit(gap) if on => {
                    heads[at] += 1 + gap;
                    map.omit(&numbers(heads[at], 0, 0), true);
                }
                Step::Switch(to) => {
                    (encoding, on) = (to, true);
                    heads[usize::from(to)] += 1;
                    let seq = heads[usize::from(to)];
                    map.switch(to, &numbers(seq, 0, 0), 0);
                    let out = map.map(to, &numbers(seq, 0, 0)).unwrap();
                    prop_assert_eq!(given.insert(out.seq, (to, seq)), None);
                }
                Step::Retime => map.retime(&numbers(heads[at] + 1, 0, 0), 5),
                Step::Detach => {
                    map.detach();
                    on = false;
                }
                Step::Omit(_) => {}
            }
        }
    }
}
