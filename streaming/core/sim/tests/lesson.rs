//! Whole lessons in virtual time: what a classroom hears and sees over a link, the same in every run.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use zhuandi_netem::{Capacity, LinkProfile, Outage, OutageKind, QueueLimit};
use zhuandi_sfu::api::{Kind, LayerRow, SubscriptionId};
use zhuandi_sfu::transport::{Certificate, Epoch};
use zhuandi_sim::metrics::Metrics;
use zhuandi_sim::sim::Sim;
use zhuandi_sim::teacher::film::{Film, FilmEncoding, FilmFrame};

fn new_sim(seed: u64) -> Sim {
    static MADE: OnceLock<(Arc<Certificate>, Epoch)> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    let (certificate, epoch) = MADE.get_or_init(|| {
        let base = Instant::now();
        (Arc::new(Certificate::generate().unwrap()), Epoch { base })
    });
    Sim::new(certificate.clone(), *epoch, seed)
}

fn camera() -> Film {
    let frame = |i: i64, encoding: u8| FilmFrame {
        at_us: i * 40_000,
        encoding,
        temporal: [0, 2, 1, 2][(i % 4) as usize],
        sync: i % 4 == 1 || i % 4 == 2,
        bytes: 500 << (2 * encoding),
    };
    let layer = |size: u32| FilmEncoding {
        size,
        width: size * 16 / 9,
        keys: vec![20 * size],
    };
    Film {
        kind: Kind::Video,
        mid: "camera".into(),
        frames: (0..48)
            .flat_map(|i| (0..3).map(move |encoding| frame(i, encoding)))
            .collect(),
        loop_us: 48 * 40_000,
        encodings: vec![layer(180), layer(360), layer(720)],
    }
}

fn voice() -> Film {
    Film {
        kind: Kind::Audio,
        mid: "voice".into(),
        frames: vec![FilmFrame {
            at_us: 0,
            encoding: 0,
            temporal: 0,
            sync: false,
            bytes: 70,
        }],
        loop_us: 20_000,
        encodings: vec![FilmEncoding {
            size: 20_000,
            ..FilmEncoding::default()
        }],
    }
}

fn link(kbps: u64, loss: f64) -> LinkProfile {
    LinkProfile {
        capacity: Capacity::Constant(kbps * 1000),
        delay_us: 50_000,
        loss,
        queue: QueueLimit::Millis(300),
        ..LinkProfile::default()
    }
}

/// A classroom that sees one fixed layer over a link.
fn lesson(sim: &mut Sim, down: LinkProfile, spatial: i8) -> u32 {
    let lesson = sim.open_lesson();
    let up = LinkProfile {
        delay_us: 20_000,
        ..LinkProfile::default()
    };
    let teacher = sim.add_teacher(lesson, up.clone()).unwrap();
    let seen = sim.publish(teacher, camera()).unwrap();
    let heard = sim.publish(teacher, voice()).unwrap();
    let way = sim.add_bottleneck(down).unwrap();
    let room = sim.add_receiver(lesson, up, way).unwrap();
    let picture = sim.add_subscription(room, Kind::Video).unwrap();
    let sound = sim.add_subscription(room, Kind::Audio).unwrap();
    sim.connect(picture, Some(seen));
    sim.connect(sound, Some(heard));
    let subscription = SubscriptionId(picture);
    let row = LayerRow {
        subscription,
        spatial,
        temporal: -1,
    };
    sim.apply(vec![row], Vec::new());
    room
}

fn after(seconds: i64, down: LinkProfile, spatial: i8) -> Metrics {
    let mut sim = new_sim(7);
    lesson(&mut sim, down, spatial);
    sim.step(seconds * 1_000_000);
    sim.metrics()
}

#[test]
fn a_wide_link_carries_everything() {
    let metrics = after(20, link(5_000, 0.0), 2);
    let (sound, picture) = (metrics.sounds[0], metrics.pictures[0]);
    assert!(
        sound.concealed_us <= 20_000 && sound.played_us > 19_000_000,
        "{sound:?}"
    );
    assert!(picture.frames > 480 && picture.freezes == 0, "{picture:?}");
    let top = metrics.rungs.iter().find(|rung| rung.height == 720);
    assert!(
        top.is_some_and(|rung| rung.us > 18_000_000),
        "{:?}",
        metrics.rungs
    );
    assert!((70_000..200_000).contains(&picture.delay_us), "{picture:?}");
}

#[test]
fn lost_packets_are_repaired_where_the_buffer_waits_for_them() {
    let mut sim = new_sim(7);
    let room = lesson(&mut sim, link(5_000, 0.10), 1);
    sim.set_target(room, 300_000).unwrap();
    sim.step(30_000_000);
    let metrics = sim.metrics();
    let (sound, picture) = (metrics.sounds[0], metrics.pictures[0]);
    assert!(picture.nacks > 50 && picture.frames > 550, "{picture:?}");
    let concealed = sound.concealed_us as f64 / sound.played_us as f64;
    assert!(
        concealed < 0.05,
        "repairs bring some of the tenth back: {sound:?}"
    );
}

#[test]
fn an_overfull_link_freezes_the_picture_and_delays_everything() {
    let metrics = after(20, link(300, 0.0), 2);
    let picture = metrics.pictures[0];
    assert!(picture.frozen_us > 5_000_000, "{picture:?}");
    let teacher_and_room = &metrics.links;
    assert!(
        teacher_and_room
            .iter()
            .any(|row| row.own_delay_p95_ms > 200.0),
        "{teacher_and_room:?}"
    );
}

#[test]
fn an_outage_silences_and_ends() {
    let outage = Outage {
        from_us: 10_000_000,
        until_us: 12_000_000,
        kind: OutageKind::Drop,
    };
    let down = LinkProfile {
        outages: vec![outage],
        ..link(5_000, 0.0)
    };
    let mut sim = new_sim(7);
    lesson(&mut sim, down, 0);
    sim.step(20_000_000);
    let gaps = sim.take_gaps();
    assert!(
        gaps.iter()
            .any(|row| (1_900_000..2_400_000).contains(&row.gap.length_us)),
        "{gaps:?}"
    );
    let picture = sim.metrics().pictures[0];
    assert!(picture.longest_freeze_us >= 1_900_000, "{picture:?}");
    assert!(
        20_000_000 - picture.last_us < 200_000,
        "the picture came back: {picture:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_lesson_and_another_one_another() {
    let run = |seed| {
        let mut sim = new_sim(seed);
        // With half of the packets lost the data channels begin again and again, by timers of a library.
        for loss in [0.05, 0.5, 0.5, 0.5] {
            lesson(&mut sim, link(800, loss), 1);
        }
        sim.put_still(1, 12_000).unwrap();
        sim.step(15_000_000);
        format!(
            "{:?}{:?}{:?}{:?}",
            sim.metrics(),
            sim.take_gaps(),
            sim.take_slides(),
            sim.take_stats()
        )
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
}

#[test]
fn a_slide_reaches_the_classroom_over_a_line_that_loses() {
    let mut sim = new_sim(7);
    lesson(&mut sim, link(500, 0.10), 0);
    sim.step(2_000_000);
    let first = sim.put_still(1, 12_000).unwrap();
    sim.step(10_000_000);
    let second = sim.put_still(1, 900).unwrap();
    sim.step(10_000_000);
    let seen = sim.take_slides();
    let numbers: Vec<_> = seen.iter().map(|row| row.slide.number).collect();
    assert_eq!(numbers, vec![first, second], "{seen:?}");
    assert!(seen[0].slide.at.0 < 10_000_000, "{seen:?}");
    assert!(sim.put_still(1, 100_000_000).is_err());
}
