use super::*;
use crate::rewriter::{Numbers, Picture};

fn item(kind: Kind, leg: u32, source: u64, at: i64) -> Item {
    Item {
        at: Micros(at),
        leg,
        kind,
        encoding: 0,
        temporal: 0,
        keyframe: false,
        size: 1000,
        source,
        out: Numbers {
            seq: source,
            ts: source as u32,
            ..Numbers::default()
        },
    }
}

/// Take all that may leave up to a moment; what left, and when.
fn run(pacer: &mut Pacer, from: i64, to: i64) -> Vec<(i64, Item)> {
    let (mut now, mut out) = (Micros(from), Vec::new());
    while now.0 < to {
        while let Some(item) = pacer.pop(now) {
            pacer.sent(item.kind, usize::from(item.size));
            out.push((now.0, item));
        }
        while pacer.wants_padding(now) {
            pacer.sent(Kind::Padding, 250);
            out.push((
                now.0,
                Item {
                    size: 250,
                    ..item(Kind::Padding, 0, 0, now.0)
                },
            ));
        }
        let next = pacer.next(now);
        assert!(next > now);
        now = next;
    }
    out
}

#[test]
fn sound_goes_first_then_repairs_then_picture_and_what_is_left_is_for_stills() {
    let mut pacer = Pacer::default();
    let upper = Item {
        temporal: 1,
        ..item(Kind::Rtx, 1, 9, 0)
    };
    pacer.push(upper);
    for (i, kind) in [Kind::Video, Kind::Rtx, Kind::Audio, Kind::Video]
        .into_iter()
        .enumerate()
    {
        assert!(!pacer.has_leftover(Micros(0)) || i == 0);
        pacer.push(item(kind, 1, i as u64, 0));
    }
    let order: Vec<_> = std::iter::from_fn(|| pacer.pop(Micros(0)))
        .map(|item| item.source)
        .collect();
    assert_eq!(order, vec![2, 1, 9, 0, 3]);
    assert!(pacer.has_leftover(Micros(0)));
    assert_eq!(pacer.next(Micros(0)), Micros::NEVER);
    assert!(pacer.is_empty());
}

#[test]
fn a_paced_queue_sends_at_its_rate_and_sound_does_not_wait_but_counts() {
    let mut pacer = Pacer::default();
    pacer.set_rate(Micros(0), 1_000_000);
    (0..100).for_each(|i| assert!(pacer.push(item(Kind::Video, 1, i, 0))));
    let sent = run(&mut pacer, 0, 400_000).len();
    assert!(
        (49..=52).contains(&sent),
        "{sent} packets of 8 kbit in 0.4 s at 1 Mbit/s"
    );
    for i in 0..10 {
        let at = 400_000 + i * 20_000;
        pacer.push(item(Kind::Audio, 2, 7, at));
        let first = pacer.pop(Micros(at)).unwrap();
        assert_eq!(first.kind, Kind::Audio);
        pacer.sent(first.kind, 1000);
        run(&mut pacer, at, at + 20_000);
    }
    let left = pacer.take_left();
    assert_eq!((left.sound, left.sound_wait_us), (10_000, 0));
    let more = 100 - sent - pacer.video.len();
    assert!(
        (14..=16).contains(&more),
        "{more} beside ten of sound in 0.2 s"
    );
}

#[test]
fn at_low_rates_no_two_packets_leave_together() {
    for rate in [64_000, 200_000, 600_000] {
        let mut pacer = Pacer::default();
        pacer.set_rate(Micros(0), rate);
        (0..40).for_each(|i| assert!(pacer.push(item(Kind::Video, 1, i, 0))));
        let sent = run(&mut pacer, 10_000_000, 10_500_000);
        let gap = 8_000_000_000 / rate as i64 - BURST_US - 1_000;
        for pair in sent.windows(2) {
            assert!(
                pair[1].0 - pair[0].0 >= gap,
                "{rate}: {}",
                pair[1].0 - pair[0].0
            );
        }
    }
}

#[test]
fn on_a_fast_link_a_frame_leaves_at_once_and_a_key_frame_is_spread_at_the_rate() {
    let (rate, burst) = (1_500_000, 1_500_000 * FAST_BURST_US / 1_000_000);
    let mut pacer = Pacer::default();
    pacer.set_rate(Micros(0), rate as u64);
    let mut sent = Vec::new();
    for frame in 0..50 {
        let at = 1_000_000 + frame * 40_000;
        let packets = if frame == 0 { 40 } else { 4 };
        (0..packets).for_each(|i| assert!(pacer.push(item(Kind::Video, 1, i, at))));
        sent.extend(run(&mut pacer, at, at + 40_000));
    }
    assert_eq!(sent.len(), 40 + 49 * 4);
    for (from, first) in sent.iter().enumerate() {
        for (to, last) in sent.iter().enumerate().skip(from) {
            let bits = (to - from) as i64 * 8_000;
            let most = rate * (last.0 - first.0) / 1_000_000 + burst;
            assert!(bits <= most, "{bits} bits in {} us", last.0 - first.0);
        }
    }
    for frame in sent.chunks(4).rev().take(20) {
        assert!(frame.iter().all(|packet| packet.0 == frame[0].0));
    }
}

#[test]
fn what_a_link_of_64_kbit_holds_back_sound_is_one_packet_at_most() {
    // A bottleneck at the pacing rate: its queue when a packet of sound comes.
    let mut pacer = Pacer::default();
    pacer.set_rate(Micros(0), 64_000);
    (0..400).for_each(|i| assert!(pacer.push(item(Kind::Video, 1, i, 0))));
    let (mut free_at, mut longest) = (0i64, 0);
    for i in 0..500 {
        let at = i * 20_000;
        pacer.push(Item {
            size: 60,
            ..item(Kind::Audio, 2, i as u64, at)
        });
        for (left, item) in run(&mut pacer, at, at + 20_000) {
            if item.kind == Kind::Audio {
                longest = longest.max(free_at - left);
            }
            free_at = free_at.max(left) + i64::from(item.size) * 8_000_000 / 64_000;
        }
    }
    assert!(
        longest <= 125_000 + 8_000,
        "{longest} us behind one packet of 1,000 bytes"
    );
    assert_eq!(pacer.take_left().sound_wait_us, 0);
}

#[test]
fn an_old_queue_asks_for_fewer_layers_then_gives_up_and_is_relieved_when_young() {
    let mut pacer = Pacer::default();
    pacer.set_rate(Micros(0), 1000);
    pacer.push(item(Kind::Video, 2, 0, 0));
    let asked = [100_000, 160_000, 200_000, 320_000, 400_000, 2_100_000]
        .map(|at| pacer.pressure(Micros(at)));
    let squeeze = |layer| Some(Pressure::Squeeze(layer));
    assert_eq!(
        asked,
        [
            None,
            squeeze(1),
            None,
            squeeze(0),
            None,
            Some(Pressure::Hopeless(2))
        ]
    );
    pacer.drop_frames(2, Cut::All);
    assert_eq!(pacer.pressure(Micros(2_100_000)), Some(Pressure::Relieved));
    assert_eq!(pacer.pressure(Micros(2_100_000)), None);
}

/// Frames of three packets each, in temporal layers 0, 2, 1, 2; timestamps 10 apart.
fn frames(pacer: &mut Pacer, start: u64, count: u64) {
    for n in 0..count * 3 {
        let frame = n / 3;
        let picture = Picture {
            id: (100 + frame) as u16,
            tl0: (50 + frame / 4) as u8,
        };
        pacer.push(Item {
            temporal: [0, 2, 1, 2][(frame % 4) as usize],
            out: Numbers {
                seq: start + n,
                ts: (frame * 10) as u32,
                picture,
            },
            ..item(Kind::Video, 1, n, 0)
        });
    }
}

#[test]
fn frames_of_upper_layers_go_whole_and_the_rest_closes_up() {
    for start in [0u64, 1, 127, 32_767, 65_534, 65_535] {
        let mut pacer = Pacer::default();
        frames(&mut pacer, start, 8);
        for _ in 0..4 {
            pacer.pop(Micros(0));
        }
        let gone = pacer.drop_frames(1, Cut::Above(1));
        assert_eq!(
            gone.iter()
                .map(|frame| frame.from - start)
                .collect::<Vec<_>>(),
            [21, 15, 9]
        );
        let left: Vec<_> = std::iter::from_fn(|| pacer.pop(Micros(0))).collect();
        let numbers: Vec<_> = left.iter().map(|item| item.out.seq - start).collect();
        assert_eq!(
            numbers,
            (4..15).collect::<Vec<_>>(),
            "no gap, and the frame on its way is whole"
        );
        let ids: Vec<_> = left.iter().map(|item| item.out.picture.id).collect();
        assert_eq!(ids, [101, 101, 102, 102, 102, 103, 103, 103, 104, 104, 104]);
        assert_eq!(left.last().unwrap().out.picture.tl0, 51);
    }
}

#[test]
fn a_key_frame_replaces_all_before_it_and_only_what_never_left_is_taken_back() {
    let mut pacer = Pacer::default();
    frames(&mut pacer, 0, 4);
    for _ in 0..4 {
        pacer.pop(Micros(0));
    }
    let late = item(Kind::Video, 1, 2, 0);
    pacer.push(late);
    let gone = pacer.drop_frames(1, Cut::Before(9));
    let parts: Vec<_> = gone.iter().map(|f| (f.from, f.to, f.picture)).collect();
    assert_eq!(parts, [(6, 9, Some(102)), (4, 6, None)]);
    let left: Vec<_> = std::iter::from_fn(|| pacer.pop(Micros(0)))
        .map(|i| i.out.seq)
        .collect();
    assert_eq!(left, [4, 5, 6, 2]);
}

#[test]
fn in_an_outage_sound_alone_leaves() {
    let mut pacer = Pacer::default();
    pacer.set_sound_only(true);
    pacer.push(item(Kind::Video, 1, 0, 0));
    assert_eq!(pacer.next(Micros(0)), Micros::NEVER);
    pacer.push(item(Kind::Audio, 2, 1, 0));
    assert_eq!(pacer.next(Micros(0)), Micros(0));
    assert_eq!(
        pacer.pop(Micros(0)).map(|item| item.kind),
        Some(Kind::Audio)
    );
    assert!(pacer.pop(Micros(0)).is_none());
    pacer.set_sound_only(false);
    assert_eq!(
        pacer.pop(Micros(0)).map(|item| item.kind),
        Some(Kind::Video)
    );
}

#[test]
fn a_probe_fills_up_to_its_rate_and_media_may_use_it() {
    for media in [0u64, 40] {
        let mut pacer = Pacer::default();
        pacer.set_rate(Micros(0), 200_000);
        pacer
            .probe
            .start(Micros(0), &SentLog::default(), 800_000, 200_000);
        pacer.follow_probe(Micros(0));
        (0..media).for_each(|i| assert!(pacer.push(item(Kind::Video, 1, i, 0))));
        let sent = run(&mut pacer, 0, 200_000);
        let bytes: usize = sent.iter().map(|(_, item)| usize::from(item.size)).sum();
        assert!((19_000..=22_000).contains(&bytes), "{bytes} of 20,000");
        let padding = sent
            .iter()
            .filter(|(_, item)| item.kind == Kind::Padding)
            .count();
        assert_eq!(padding > 0, media == 0);
    }
}

#[test]
fn packets_of_one_frame_are_padded_to_the_largest() {
    let mut pacer = Pacer::default();
    for (source, size) in [929, 929, 930, 928, 400].into_iter().enumerate() {
        let item = item(Kind::Video, 1, source as u64, 0);
        pacer.push(Item { size, ..item });
    }
    let sizes = std::iter::from_fn(|| {
        let item = pacer.pop(Micros(0))?;
        Some(item.size + u16::from(pacer.padding(&item)))
    });
    assert_eq!(sizes.collect::<Vec<_>>(), vec![930, 930, 930, 930, 400]);
}

#[test]
fn a_removed_leg_sends_nothing_more() {
    let mut pacer = Pacer::default();
    pacer.push(item(Kind::Audio, 1, 0, 0));
    pacer.push(item(Kind::Rtx, 1, 0, 0));
    pacer.push(item(Kind::Video, 2, 0, 0));
    pacer.remove_leg(1);
    assert_eq!(pacer.pop(Micros(0)).map(|item| item.leg), Some(2));
    assert!(pacer.is_empty() && pacer.bytes() == 0);
}

#[test]
fn sound_is_not_sent_again_when_it_could_not_be_played_any_more() {
    let mut pacer = Pacer::default();
    pacer.push(item(Kind::Resend, 1, 0, 0));
    pacer.push(item(Kind::Resend, 1, 1, 200_000));
    pacer.push(item(Kind::Rtx, 2, 2, 0));
    let now = Micros(MAX_SOUND_REPAIR_AGE_US + 1);
    let left: Vec<_> = std::iter::from_fn(|| pacer.pop(now)).collect();
    assert_eq!(
        left.iter().map(|item| item.source).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(pacer.bytes(), 0);
}

#[test]
fn what_a_full_queue_does_not_take_is_told() {
    let mut pacer = Pacer::default();
    for i in 0..MAX_AUDIO as u64 {
        assert!(pacer.push(item(Kind::Audio, 1, i, 0)));
    }
    assert!(!pacer.push(item(Kind::Audio, 1, 1000, 0)));
    assert_eq!(pacer.pop(Micros(0)).map(|first| first.source), Some(1));
    let mut pacer = Pacer::default();
    let taken = (0..MAX_BYTES as u64).take_while(|i| pacer.push(item(Kind::Rtx, 1, *i, 0)));
    assert_eq!(taken.count(), MAX_REPAIRS);
}
