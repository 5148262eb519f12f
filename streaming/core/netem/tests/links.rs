//! What one link does, told in small numbers.
#![allow(clippy::unwrap_used)] // helpers of tests may; clippy's own exception ends at `#[test]` functions

use zhuandi_netem::{
    Capacity, DropReason, Link, LinkProfile, Outage, OutageKind, QueueLimit, SharedLink, Verdict,
};
use zhuandi_wire::time::Micros;

/// 8 Mbit/s: one byte a microsecond.
const BYTE_A_MICROSECOND: Capacity = Capacity::Constant(8_000_000);

fn link(profile: LinkProfile) -> Link<u32> {
    profile.check().unwrap();
    Link::new(profile, 1, Micros(0))
}

/// `(arrival, payload)` of all that has come by `now`.
fn arrived(link: &mut Link<u32>, now: i64) -> Vec<(i64, u32)> {
    let poll = || link.poll(Micros(now)).map(|got| (got.at.0, got.payload));
    std::iter::from_fn(poll).collect()
}

fn outage(kind: OutageKind) -> LinkProfile {
    LinkProfile {
        capacity: BYTE_A_MICROSECOND,
        outages: vec![Outage {
            from_us: 1_000,
            until_us: 5_000,
            kind,
        }],
        ..LinkProfile::default()
    }
}

#[test]
fn packets_are_served_one_after_the_other_and_then_travel() {
    let mut link = link(LinkProfile {
        capacity: BYTE_A_MICROSECOND,
        delay_us: 500,
        ..LinkProfile::default()
    });
    assert_eq!(link.push(Micros(10), 100, 1), Verdict::Arrives(Micros(610)));
    assert_eq!(link.push(Micros(10), 100, 2), Verdict::Arrives(Micros(710)));
    assert_eq!(link.queue_us(Micros(60)), 150);
    assert_eq!(link.queue_bytes(Micros(110)), 100, "the first has left");
    assert_eq!(link.next(), Micros(610));
    assert_eq!(arrived(&mut link, 609), []);
    assert_eq!(arrived(&mut link, 1_000), [(610, 1), (710, 2)]);
    assert_eq!(link.next(), Micros::NEVER);
    assert_eq!(
        link.push(Micros(2_000), 50, 3),
        Verdict::Arrives(Micros(2_550))
    );
}

#[test]
fn a_full_queue_drops_what_comes_and_one_packet_always_fits() {
    let mut link = link(LinkProfile {
        capacity: BYTE_A_MICROSECOND,
        queue: QueueLimit::Bytes(250),
        ..LinkProfile::default()
    });
    let full = Verdict::Dropped(DropReason::Queue);
    assert_eq!(
        link.push(Micros(0), 1_000, 1),
        Verdict::Arrives(Micros(1_000))
    );
    assert_eq!(link.push(Micros(0), 10, 2), full);
    assert_eq!(
        link.push(Micros(1_000), 200, 3),
        Verdict::Arrives(Micros(1_200))
    );
    assert_eq!(
        link.push(Micros(1_000), 50, 4),
        Verdict::Arrives(Micros(1_250))
    );
    assert_eq!(link.push(Micros(1_000), 1, 5), full);
    assert_eq!(
        link.push(Micros(1_200), 200, 6),
        Verdict::Arrives(Micros(1_450))
    );
    assert_eq!(link.counters().overflowed, 2);
}

#[test]
fn an_outage_that_holds_keeps_the_queue_for_afterwards() {
    let mut link = link(outage(OutageKind::Hold));
    assert_eq!(
        link.push(Micros(950), 100, 1),
        Verdict::Arrives(Micros(5_050))
    );
    assert_eq!(
        link.push(Micros(2_000), 100, 2),
        Verdict::Arrives(Micros(5_150))
    );
    assert_eq!(link.capacity_bits(Micros(900), Micros(5_100)), 1_600);
    assert_eq!(arrived(&mut link, 9_000), [(5_050, 1), (5_150, 2)]);
}

#[test]
fn an_outage_that_drops_loses_what_leaves_the_queue_meanwhile() {
    let mut link = link(outage(OutageKind::Drop));
    let cut = Verdict::Dropped(DropReason::Outage);
    assert_eq!(
        link.push(Micros(800), 100, 1),
        Verdict::Arrives(Micros(900))
    );
    assert_eq!(link.push(Micros(950), 100, 2), cut);
    assert_eq!(link.push(Micros(4_800), 100, 3), cut);
    assert_eq!(
        link.push(Micros(4_950), 100, 4),
        Verdict::Arrives(Micros(5_050))
    );
    assert_eq!(link.counters().cut, 2);
}

#[test]
fn a_late_packet_is_overtaken_by_the_next() {
    let mut link = link(LinkProfile {
        reorder: 0.5,
        reorder_us: 1_000,
        ..LinkProfile::default()
    });
    for number in 0..100 {
        link.push(Micros(i64::from(number)), 100, number);
    }
    let order: Vec<u32> = arrived(&mut link, 5_000).iter().map(|got| got.1).collect();
    let late = usize::try_from(link.counters().reordered).unwrap();
    assert_eq!(order.len(), 100);
    assert!((20..80).contains(&late), "{late}");
    let (in_time, after) = order.split_at(100 - late);
    assert!(in_time.is_sorted() && after.is_sorted() && !order.is_sorted());
}

#[test]
fn a_copy_takes_its_place_in_the_queue() {
    let mut link = link(LinkProfile {
        capacity: BYTE_A_MICROSECOND,
        duplicate: 1.0,
        ..LinkProfile::default()
    });
    link.push(Micros(0), 100, 7);
    assert_eq!(arrived(&mut link, 1_000), [(100, 7), (200, 7)]);
    assert_eq!(link.counters().duplicated, 1);
    assert_eq!(link.counters().delivered_bytes, 200);
}

#[test]
fn a_change_serves_the_queue_at_the_new_rate_and_leaves_the_wire_alone() {
    let mut link = link(LinkProfile {
        capacity: BYTE_A_MICROSECOND,
        delay_us: 100,
        ..LinkProfile::default()
    });
    for number in 1..=3 {
        link.push(Micros(0), 100, number);
    }
    link.set_profile(
        Micros(150),
        LinkProfile {
            capacity: Capacity::Constant(4_000_000),
            ..LinkProfile::default()
        },
    );
    // The first was on the wire, half of the second was served.
    assert_eq!(arrived(&mut link, 9_000), [(200, 1), (350, 2), (550, 3)]);
    assert_eq!(
        link.push(Micros(9_000), 100, 4),
        Verdict::Arrives(Micros(9_200))
    );
}

#[test]
fn a_change_to_a_quicker_link_lets_nobody_overtake() {
    let mut link = link(LinkProfile {
        capacity: Capacity::Constant(80_000),
        delay_us: 50_000,
        jitter_us: 40_000,
        ..LinkProfile::default()
    });
    for number in 0..5 {
        link.push(Micros(0), 100, number);
    }
    link.set_profile(Micros(25_000), LinkProfile::default());
    for number in 5..8 {
        link.push(Micros(25_000), 100, number);
    }
    let order: Vec<u32> = arrived(&mut link, 1_000_000)
        .iter()
        .map(|got| got.1)
        .collect();
    assert_eq!(order, (0..8).collect::<Vec<u32>>());
}

#[test]
fn flows_share_a_bottleneck_and_are_accounted_by_themselves() {
    let profile = LinkProfile {
        capacity: BYTE_A_MICROSECOND,
        queue: QueueLimit::Bytes(1_000),
        ..LinkProfile::default()
    };
    let mut shared = SharedLink::new(profile, 1, Micros(0), 2);
    for _ in 0..8 {
        shared.push(Micros(0), 0, 100, "a");
    }
    for _ in 0..4 {
        shared.push(Micros(0), 1, 100, "b");
    }
    assert_eq!(shared.queue_us(Micros(0)), 1_000);
    let flows: Vec<usize> =
        std::iter::from_fn(|| shared.poll(Micros(2_000)).map(|got| got.0)).collect();
    assert_eq!(flows, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    let [first, second] = shared.flows() else {
        panic!()
    };
    assert_eq!((first.delivered_bytes, first.dropped), (800, 0));
    assert_eq!((second.delivered, second.dropped), (2, 2));
}
