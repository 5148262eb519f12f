//! What holds for every link.
#![allow(clippy::panic)] // helpers of tests may; clippy's own exception ends at `#[test]` functions

use std::sync::Arc;

use proptest::prelude::*;
use zhuandi_netem::{
    Capacity, Counters, Link, LinkProfile, Outage, OutageKind, QueueLimit, Trace, Verdict,
};
use zhuandi_wire::time::Micros;

fn capacities() -> impl Strategy<Value = Capacity> {
    let steps = prop::collection::vec((1_i64..500_000, 0_u64..3_000_000), 1..20);
    let trace = steps.prop_filter_map("carries nothing", |steps| {
        let mut at = 0;
        let rows: Vec<(i64, u64)> = steps
            .iter()
            .map(|(span, bps)| {
                let row = (at, *bps);
                at += span;
                row
            })
            .collect();
        Some(Capacity::Trace(Arc::new(Trace::from_steps(&rows)?)))
    });
    prop_oneof![
        Just(Capacity::Unlimited),
        (1_000_u64..5_000_000).prop_map(Capacity::Constant),
        trace,
    ]
}

fn outages() -> impl Strategy<Value = Vec<Outage>> {
    let one = (0_i64..2_000_000, 1_i64..2_000_000, any::<bool>());
    prop::collection::vec(one, 0..3).prop_map(|spans| {
        let mut free_from = 0;
        let outage = |(gap, length, hold): (i64, i64, bool)| {
            let from_us = free_from + gap;
            free_from = from_us + length;
            Outage {
                from_us,
                until_us: free_from,
                kind: if hold {
                    OutageKind::Hold
                } else {
                    OutageKind::Drop
                },
            }
        };
        spans.into_iter().map(outage).collect()
    })
}

prop_compose! {
    fn profiles()(
        capacity in capacities(),
        outages in outages(),
        delay_us in 0_i64..300_000,
        jitter_us in 0_i64..50_000,
        ordered in any::<bool>(),
        loss in 0.0_f64..0.5,
        burst in 1.0_f64..4.0,
        late in (0.0_f64..0.2, 0_i64..100_000),
        duplicate in 0.0_f64..0.1,
        queue in prop_oneof![
            (0_usize..100_000).prop_map(QueueLimit::Bytes),
            (0_u32..3_000).prop_map(QueueLimit::Millis),
        ],
    ) -> LinkProfile {
        LinkProfile {
            capacity, delay_us, jitter_us, ordered, loss, burst, reorder: late.0, reorder_us: late.1,
            duplicate, queue, outages,
        }
    }
}

/// Gaps in microseconds and sizes in bytes.
fn packets() -> impl Strategy<Value = Vec<(i64, usize)>> {
    prop::collection::vec((0_i64..60_000, 1_usize..1_500), 1..200)
}

/// `(arrival, bytes, number)` of each delivery, in order, and the verdicts.
struct Told {
    deliveries: Vec<(i64, usize, usize)>,
    verdicts: Vec<Verdict>,
    counters: Counters,
}

/// Push all packets as time goes on and take each delivery when `next` says so.
fn run(profile: &LinkProfile, packets: &[(i64, usize)], seed: u64, start: i64) -> Told {
    let mut link = Link::new(profile.clone(), seed, Micros(start));
    let (mut deliveries, mut verdicts, mut now) = (Vec::new(), Vec::new(), start);
    let mut take = |link: &mut Link<usize>, until: Micros| {
        while link.next() <= until && link.next() != Micros::NEVER {
            let at = link.next();
            let Some(got) = link.poll(at) else {
                panic!("`next` named this moment")
            };
            assert_eq!(got.at, at);
            deliveries.push((got.at.0, got.bytes, got.payload));
        }
    };
    for (number, (gap, bytes)) in packets.iter().enumerate() {
        now += gap;
        take(&mut link, Micros(now));
        verdicts.push(link.push(Micros(now), *bytes, number));
    }
    take(&mut link, Micros(i64::MAX - 1));
    Told {
        deliveries,
        verdicts,
        counters: *link.counters(),
    }
}

proptest! {
    #[test]
    fn no_more_is_delivered_than_the_capacity_so_far_and_one_packet(profile in profiles(), packets in packets()) {
        let told = run(&profile, &packets, 5, 1_000);
        let mut bits = 0;
        for (at, bytes, _) in &told.deliveries {
            bits += *bytes as u64 * 8;
            let carried = profile.capacity_bits(0, at - 1_000 - profile.delay_us);
            prop_assert!(bits <= carried.saturating_add(1_500 * 8), "{bits} bits, {carried} carried");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_result(profile in profiles(), packets in packets(), seed in any::<u64>()) {
        let (first, second) = (run(&profile, &packets, seed, 0), run(&profile, &packets, seed, 0));
        prop_assert_eq!(first.deliveries, second.deliveries);
        prop_assert_eq!(first.verdicts, second.verdicts);
    }

    #[test]
    fn where_time_begins_changes_nothing(profile in profiles(), packets in packets(), start in 0_i64..1 << 50) {
        let (first, second) = (run(&profile, &packets, 9, 0), run(&profile, &packets, 9, start));
        let moved: Vec<_> = second.deliveries.iter().map(|(at, bytes, number)| (at - start, *bytes, *number)).collect();
        prop_assert_eq!(first.deliveries, moved);
    }

    #[test]
    fn every_packet_arrives_or_is_counted(profile in profiles(), packets in packets()) {
        let told = run(&profile, &packets, 6, 0);
        let counted = told.counters;
        prop_assert_eq!(counted.pushed, packets.len() as u64);
        prop_assert_eq!(
            counted.pushed + counted.duplicated,
            counted.delivered + counted.lost + counted.overflowed + counted.cut
        );
        prop_assert_eq!(counted.delivered as usize, told.deliveries.len());
        for (number, verdict) in told.verdicts.iter().enumerate() {
            let arrivals = told.deliveries.iter().filter(|got| got.2 == number);
            match verdict {
                Verdict::Arrives(at) => prop_assert!(arrivals.clone().any(|got| got.0 == at.0)),
                Verdict::Dropped(_) => prop_assert!(arrivals.count() <= 1, "a copy at most"),
            }
        }
    }

    #[test]
    fn order_is_kept_when_asked(profile in profiles(), packets in packets()) {
        let profile = LinkProfile { ordered: true, reorder: 0.0, ..profile };
        let told = run(&profile, &packets, 7, 0);
        prop_assert!(told.deliveries.is_sorted_by_key(|got| (got.0, got.2)));
    }

    #[test]
    fn an_outage_delivers_nothing(profile in profiles(), packets in packets()) {
        let profile = LinkProfile { delay_us: 0, jitter_us: 0, reorder: 0.0, ..profile };
        let told = run(&profile, &packets, 8, 0);
        for outage in &profile.outages {
            // What is served as the last bit before it arrives as it begins.
            let within = told.deliveries.iter().filter(|got| got.0 > outage.from_us && got.0 < outage.until_us);
            prop_assert_eq!(within.count(), 0);
        }
    }

    #[test]
    fn the_queue_stays_within_its_bound(profile in profiles(), packets in packets()) {
        let QueueLimit::Bytes(bound) = profile.queue else { return Ok(()) };
        let (mut link, mut now) = (Link::new(profile, 3, Micros(0)), 0);
        for (number, (gap, bytes)) in packets.iter().enumerate() {
            now += gap / 10;
            link.push(Micros(now), *bytes, number);
            prop_assert!(link.queue_bytes(Micros(now)) <= bound.max(1_500));
        }
    }

    #[test]
    fn a_change_of_profile_keeps_every_packet(before in profiles(), after in profiles(), packets in packets()) {
        let (mut link, mut now) = (Link::new(before, 3, Micros(0)), 0);
        for (number, (gap, bytes)) in packets.iter().enumerate() {
            now += gap / 10;
            link.push(Micros(now), *bytes, number);
            if number == packets.len() / 2 {
                link.set_profile(Micros(now), after.clone());
            }
        }
        let arrived = std::iter::from_fn(|| link.poll(Micros(i64::MAX - 1))).count() as u64;
        let counted = link.counters();
        prop_assert_eq!(
            counted.pushed + counted.duplicated,
            arrived + counted.lost + counted.overflowed + counted.cut
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn loss_is_what_the_profile_says(loss in 0.0_f64..0.4, burst in 1.0_f64..4.0, seed in any::<u64>()) {
        let profile = LinkProfile { loss, burst, ..LinkProfile::default() };
        let told = run(&profile, &vec![(1, 100); 20_000], seed, 0);
        let share = told.counters.lost as f64 / 20_000.0;
        // Five standard deviations of 20,000 packets; a burst multiplies the variance by about 2 burst.
        let bound = 5.0 * (loss.max(0.001) * 2.0 * burst / 20_000.0).sqrt();
        prop_assert!((share - loss).abs() < bound, "{share} for {loss}");
    }
}
