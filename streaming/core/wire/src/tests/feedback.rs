//! Transport-wide feedback: chunks as the draft draws them, round trips, bounds.

use proptest::prelude::*;

use super::STARTS;
use crate::Malformed;
use crate::rtcp::{self, Message};
use crate::seq::{self, Unwrapper};
use crate::time::Micros;
use crate::twcc::{Arrival, Feedback, MAX_STATUSES, write_feedback};

/// A feedback body with base 65,534, reference 1 (64 ms) and the given count, chunks and deltas.
fn body(count: u16, rest: &[u8]) -> Vec<u8> {
    let [c0, c1] = count.to_be_bytes();
    [
        &[0, 0, 0, 1, 0, 0, 0, 2, 0xFF, 0xFE, c0, c1, 0, 0, 1, 9][..],
        rest,
    ]
    .concat()
}

#[test]
fn all_three_kinds_of_chunk_are_read() {
    // A run of 2 small, a one-bit vector of 14 (1 in the first, third and last place), a two-bit vector (large, none, small …).
    let chunks = [0x20, 0x02, 0b1010_1000, 0b0000_0001, 0b1110_0001, 0];
    let deltas = [4, 4, 0, 8, 1, 0xFF, 0xFC, 2];
    let packet = body(2 + 14 + 3, &[&chunks[..], &deltas].concat());
    let feedback = Feedback::parse(&packet).unwrap();
    assert_eq!(
        (feedback.base_seq, feedback.count, feedback.reference),
        (65_534, 9, 1)
    );
    let arrived: Vec<_> = feedback
        .statuses()
        .filter_map(|(number, at)| Some((number, at?)))
        .collect();
    assert_eq!(
        arrived,
        [
            (65_534, 65_000),
            (65_535, 66_000),
            (0, 66_000),
            (2, 68_000),
            (13, 68_250),
            (14, 67_250),
            (16, 67_750)
        ]
    );
    assert_eq!(feedback.statuses().count(), 19);
}

#[test]
fn the_reference_time_is_signed() {
    let mut packet = body(1, &[0x20, 0x01, 0]);
    packet[12..15].fill(0xFF);
    let feedback = Feedback::parse(&packet).unwrap();
    assert_eq!(feedback.statuses().next(), Some((65_534, Some(-64_000))));
}

#[test]
fn feedback_invalid() {
    let error = |count, rest: &[u8]| Feedback::parse(&body(count, rest)).err();
    assert_eq!(Feedback::parse(&[0; 11]), Err(Malformed::Truncated));
    assert_eq!(error(0, &[]), Some(Malformed::Length), "no status");
    assert_eq!(
        error(MAX_STATUSES + 1, &[0x1F, 0xFF, 0x1F, 0xFF]),
        Some(Malformed::Bound)
    );
    assert_eq!(error(MAX_STATUSES, &[0x1F, 0xFF, 0x00, 0x01]), None);
    assert_eq!(
        error(8, &[0x20]),
        Some(Malformed::Truncated),
        "half a chunk"
    );
    assert_eq!(
        error(15, &[0x80, 0]),
        Some(Malformed::Truncated),
        "a chunk is missing"
    );
    assert_eq!(
        error(2, &[0x20, 2, 1]),
        Some(Malformed::Truncated),
        "a delta is missing"
    );
    assert_eq!(
        error(1, &[0x40, 1, 1]),
        Some(Malformed::Truncated),
        "half a large delta"
    );
    assert_eq!(
        error(1, &[0x60, 1, 1, 1]),
        Some(Malformed::Reserved),
        "symbol 3"
    );
    assert_eq!(
        error(1, &[0x20, 0, 0x20, 1, 1]),
        Some(Malformed::Length),
        "a run of nothing"
    );
}

/// Write all arrivals, one feedback after the other, and read them back.
fn round_trip(base: u64, arrivals: &[Arrival]) -> Vec<(u16, Option<i64>)> {
    let (mut next, mut rest, mut seen) = (base, arrivals, Vec::new());
    while !rest.is_empty() {
        let mut out = Vec::new();
        let taken = write_feedback(&mut out, 1, 2, 0, next, rest);
        assert!(taken > 0 && out.len() <= 1200 && out.len() % 4 == 0);
        let Some(Ok(Message::TransportCc(feedback))) = rtcp::messages(&out).next() else {
            panic!("{out:02x?}")
        };
        seen.extend(feedback.statuses());
        next = rest[taken - 1].index + 1;
        rest = &rest[taken..];
    }
    seen
}

#[test]
fn arrivals_and_losses_are_reported_from_every_start() {
    for start in STARTS {
        let base = Unwrapper::FIRST_CYCLE + u64::from(start);
        let lost = |i: u64| i % 7 == 3 || (100..180).contains(&i);
        let arrivals: Vec<_> = (0..2999)
            .filter(|&i| !lost(i))
            .map(|i| Arrival {
                index: base + i,
                at: Micros(5_000_000 + i.cast_signed() * 1250),
            })
            .collect();
        let expected: Vec<_> = (0..2999)
            .map(|i| {
                (
                    seq::low16(base + i),
                    (!lost(i)).then_some(5_000_000 + i.cast_signed() * 1250),
                )
            })
            .collect();
        assert!(
            round_trip(base, &arrivals) == expected,
            "changed from start {start}"
        );
    }
}

#[test]
fn a_pause_that_no_delta_can_express_starts_another_feedback() {
    let arrivals = [0_i64, 8_191_000, 30_000_000].map(|at_us| Arrival {
        index: 70_000 + at_us.cast_unsigned() / 1_000_000,
        at: Micros(at_us),
    });
    let mut out = Vec::new();
    assert_eq!(write_feedback(&mut out, 1, 2, 0, 70_000, &arrivals), 2);
    assert_eq!(write_feedback(&mut out, 1, 2, 0, 70_009, &arrivals[2..]), 1);
    out.clear();
    assert_eq!(write_feedback(&mut out, 1, 2, 0, 0, &[]), 0);
    assert!(out.is_empty());
}

#[test]
fn a_gap_too_large_for_one_feedback_is_not_reported_as_lost() {
    let arrivals = [Arrival {
        index: 100_000,
        at: Micros(1000),
    }];
    let mut out = Vec::new();
    assert_eq!(write_feedback(&mut out, 1, 2, 0, 70_000, &arrivals), 1);
    let Some(Ok(Message::TransportCc(feedback))) = rtcp::messages(&out).next() else {
        panic!()
    };
    assert_eq!(
        feedback.statuses().collect::<Vec<_>>(),
        [(seq::low16(100_000), Some(1000))]
    );
}

proptest! {
    #[test]
    fn feedback_survives_writing_and_reading(
        base in 65_536_u64..200_000, reference in 0_i64..1_000_000_000,
        steps in prop::collection::vec((1_u64..40, -100_000_i64..100_000), 1..600),
    ) {
        let (mut index, mut ticks) = (base, reference + 100_000_000);
        let arrivals: Vec<_> = steps.iter().map(|&(ahead, later)| {
            (index, ticks) = (index + ahead, ticks + later / 100);
            Arrival { index: index - 1, at: Micros(ticks * 250 + 17) }
        }).collect();
        let seen: Vec<_> = round_trip(base, &arrivals).into_iter().filter_map(|(number, at)| Some((number, at?))).collect();
        // The reference has 24 bits of 64 ms.
        let circle = 64_000_i64 << 24;
        let wire = |at_us: i64| { let us = (at_us - 17).rem_euclid(circle); if us >= circle / 2 { us - circle } else { us } };
        let expected: Vec<_> = arrivals.iter().map(|arrival| (seq::low16(arrival.index), arrival.at.0)).collect();
        prop_assert_eq!(seen.len(), expected.len());
        for (seen, expected) in seen.iter().zip(&expected) {
            prop_assert_eq!(seen.0, expected.0);
            prop_assert_eq!((seen.1 - wire(expected.1)).rem_euclid(circle), 0);
        }
    }
}
