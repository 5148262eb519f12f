//! Storms: joins, key-frame requests, repairs; and that sound and picture stay in step.

use zhuandi_sfu::api::{Command, Played, PublicationId, RateRow, TransportId};

use crate::forwarding::film;
use crate::media::{self, Film, seen};
use crate::people::{classroom, connect, publish, teacher};
use crate::world::World;

#[test]
fn two_hundred_joins_cost_the_teacher_at_most_three_key_frame_requests() {
    let mut world = World::new(3, 5);
    // The player cannot answer a request: key frames come every 10 s only.
    teacher(
        &mut world,
        &Film {
            layers: 1,
            seconds: 20,
            keyframe_every: 250,
            temporal: false,
            first_seq: 0,
        },
    );
    let rooms: Vec<_> = (0..200).map(|i| classroom(&mut world, 300 + i)).collect();
    world.run(1_500_000);
    for room in &rooms {
        connect(&mut world, room.camera_slot(), Some(100));
        for _ in 0..5 {
            world.command(
                0,
                Command::RequestKeyframe {
                    publication: PublicationId(100),
                },
            );
        }
        world.run(5_000);
    }
    let stats = world.nodes[0].engine.take_stats(world.now);
    let plis = stats
        .encodings
        .iter()
        .find(|row| row.publication == 100)
        .unwrap()
        .plis;
    assert!((1..=3).contains(&plis), "{plis} requests");
    let served = rooms
        .iter()
        .filter(|room| !seen(&world.nodes[2].log, room.camera_track()).is_empty());
    assert!(
        served.count() >= 198,
        "late joiners are served from the key-frame chain"
    );
}

#[test]
fn late_joiners_see_the_newest_key_frame_and_its_chain_at_once() {
    let mut world = World::new(3, 5);
    teacher(
        &mut world,
        &Film {
            layers: 1,
            seconds: 20,
            keyframe_every: 250,
            temporal: false,
            first_seq: 65_530,
        },
    );
    world.run(1_000_000);
    let room = classroom(&mut world, 60);
    world.run(300_000);
    let asked = world.now;
    connect(&mut world, room.camera_slot(), Some(100));
    world.run(1_000_000);
    let frames = seen(&world.nodes[2].log, room.camera_track());
    assert!(frames[0].label.keyframe && frames[0].at_us - asked.0 < 30_000);
    for pair in frames.windows(2) {
        assert_eq!(pair[1].fields.seq, pair[0].fields.seq.wrapping_add(1));
    }
    let burst: Vec<_> = frames
        .iter()
        .filter(|seen| seen.at_us - asked.0 < 30_000)
        .collect();
    let span = burst
        .last()
        .unwrap()
        .fields
        .ts
        .wrapping_sub(burst[0].fields.ts);
    assert!(
        burst.len() > 40 && span < 9000,
        "{} packets over {span} ticks: caught up",
        burst.len()
    );
}

#[test]
fn a_paced_receiver_gets_sound_in_time_while_picture_queues() {
    let mut world = World::new(3, 5);
    teacher(&mut world, &film(3, 0));
    let room = classroom(&mut world, 50);
    world.run(500_000);
    let rate = RateRow {
        transport: TransportId(50),
        pacing_bps: 300_000,
        probe_bps: 0,
        probe_us: 0,
        redundancy: 0,
        repair_bps: 0,
    };
    world.command(
        0,
        Command::Apply {
            layers: Vec::new(),
            rates: vec![rate],
        },
    );
    connect(&mut world, room.camera_slot(), Some(100));
    connect(&mut world, room.voice_slot(), Some(101));
    world.run(500_000);
    let from = world.now.0;
    world.run(4_000_000);
    let log = &world.nodes[2].log;
    let sound: Vec<i64> = log
        .iter()
        .filter(|record| {
            record.track == room.voice_track() && record.kind == 1 && record.arrival_us > from
        })
        .map(|record| record.arrival_us)
        .collect();
    let longest = sound
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap();
    assert!(
        sound.len() > 190 && longest <= 30_000,
        "{} packets, longest gap {longest}",
        sound.len()
    );
    let stats = world.nodes[0].engine.take_stats(world.now);
    let full = zhuandi_sfu::drop_reason::DropReason::QueueFull.index();
    assert!(stats.drops[full] > 0, "picture that is too old is dropped");
}

#[test]
fn sound_and_picture_keep_one_clock_through_a_layer_switch() {
    let mut world = World::new(3, 5);
    teacher(&mut world, &film(3, 0));
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    connect(&mut world, room.voice_slot(), Some(101));
    for layer in [0, 2, 1] {
        crate::people::apply(&mut world, room.camera_slot(), layer, -1);
        world.run(2_500_000);
    }
    let log = &world.nodes[2].log;
    let reports = |track: u16| {
        log.iter()
            .filter(move |record| record.track == track && record.kind == 2)
    };
    assert!(reports(room.camera_track()).count() >= 4 && reports(room.voice_track()).count() >= 4);
    for track in [room.camera_track(), room.voice_track()] {
        let rate = if track == room.camera_track() { 90 } else { 48 };
        let last = reports(track).next_back().unwrap();
        let ntp = u64::from_le_bytes(last.body[4..12].try_into().unwrap());
        let ts = u32::from_le_bytes(last.body[12..16].try_into().unwrap());
        let packet = log
            .iter()
            .rfind(|r| r.track == track && r.kind == 1 && r.arrival_us <= last.arrival_us)
            .unwrap();
        let sent = u32::from_be_bytes(packet.body[4..8].try_into().unwrap());
        // The players began at 10 ms; both clocks are Unix time: what was captured at the report's time arrives 20 ms later.
        let age_ms = i64::from(ts.wrapping_sub(sent) as i32) / rate;
        let unix_s = (ntp >> 32) - 2_208_988_800;
        assert_eq!(
            unix_s,
            u64::try_from(1_790_000_000 + last.arrival_us / 1_000_000).unwrap()
        );
        assert!((-45..=45).contains(&age_ms), "track {track}: {age_ms} ms");
    }
}

#[test]
fn who_joins_while_a_still_screen_sends_nothing_sees_it_at_once() {
    let mut world = World::new(3, 5);
    crate::people::link(&mut world, 1, 1);
    world.run(500_000);
    let whole = film(1, 0).played();
    let played = Played {
        loop_us: 60_000_000,
        ..whole
    };
    let screen = (
        media::video(&["only"], Some(1000)),
        media::video(&["only"], None),
    );
    publish(&mut world, 1, 1, 100, screen, played);
    world.run(12_000_000);
    let room = classroom(&mut world, 60);
    world.run(300_000);
    let asked = world.now;
    connect(&mut world, room.camera_slot(), Some(100));
    world.run(100_000);
    let frames = seen(&world.nodes[2].log, room.camera_track());
    assert!(frames[0].label.keyframe && frames[0].at_us - asked.0 < 30_000);
    assert_eq!(frames.last().unwrap().label.frame, 49, "the newest frame");
}
