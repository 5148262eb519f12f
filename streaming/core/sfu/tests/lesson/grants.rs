//! Who is not granted is not there: none of its packets leaves, nothing is asked of it, and its own reports go on.

use zhuandi_sfu::api::{Command, PublicationId, RateRow, TransportId};
use zhuandi_sfu::drop_reason::DropReason;
use zhuandi_sfu::report::Heard;

use crate::media::{Film, heard, seen};
use crate::people::{Classroom, classroom, connect, teacher};
use crate::world::{SERVER, World};

const STARTS: [u16; 6] = [0, 1, 127, 32_767, 65_534, 65_535];
/// One way, and the sound that the teacher's engine sent before.
const FLIGHT_US: i64 = 12_000;

fn film(first_seq: u16) -> Film {
    Film {
        layers: 1,
        seconds: 60,
        keyframe_every: 25,
        temporal: true,
        first_seq,
    }
}

fn grant(world: &mut World, on: bool) {
    for publication in [100, 101] {
        let publication = PublicationId(publication);
        world.command(0, Command::Grant { publication, on });
    }
}

fn lesson(first_seq: u16) -> (World, Classroom) {
    let mut world = World::new(3, 7);
    teacher(&mut world, &film(first_seq));
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    connect(&mut world, room.voice_slot(), Some(101));
    (world, room)
}

fn count(world: &World, room: Classroom) -> (usize, usize) {
    let log = &world.nodes[2].log;
    let sounds = heard(log, room.voice_track());
    (seen(log, room.camera_track()).len(), sounds.len())
}

/// Requests for repairs and key frames that reached the teacher.
fn asked(world: &mut World) -> (u64, u64) {
    let now = world.now;
    let rows = world.nodes[1].engine.take_stats(now).subscriptions;
    let sum = |of: fn(&zhuandi_sfu::report::SubscriptionRow) -> u64| rows.iter().map(of).sum();
    (sum(|row| row.nacks), sum(|row| row.plis))
}

fn dropped(world: &World) -> u64 {
    world.nodes[0].engine.drops()[DropReason::NotGranted.index()]
}

#[test]
fn revoked_media_ends_at_once_and_granted_media_begins_at_a_key_frame_without_a_gap() {
    for start in STARTS {
        let (mut world, room) = lesson(start);
        world.run(1_200_000);
        grant(&mut world, false);
        world.run(FLIGHT_US);
        let before = count(&world, room);
        assert!(before.0 > 10 && before.1 > 40, "{before:?}");
        world.run(3_000_000);
        assert_eq!(count(&world, room), before, "from {start}");
        grant(&mut world, true);
        world.run(2_500_000);
        let frames = seen(&world.nodes[2].log, room.camera_track());
        let sounds = heard(&world.nodes[2].log, room.voice_track());
        assert!(frames.len() > before.0 + 20 && sounds.len() > before.1 + 100);
        let first = frames[before.0];
        assert!(first.label.keyframe && first.label.part == 0);
        assert!(first.at_us < world.now.0 - 1_300_000, "the next key frame");
        for pair in frames.windows(2) {
            assert_eq!(pair[1].fields.seq, pair[0].fields.seq.wrapping_add(1));
        }
        for pair in sounds.windows(2) {
            assert_eq!(pair[1].0, pair[0].0.wrapping_add(1), "from {start}");
        }
        let silence = sounds[before.1].1.wrapping_sub(sounds[before.1 - 1].1);
        assert!((140_000..150_000).contains(&silence), "{silence} ticks");
    }
}

#[test]
fn what_waits_for_a_slow_link_goes_when_the_grant_ends() {
    let (mut world, room) = lesson(65_000);
    world.run(1_000_000);
    let rate = RateRow {
        transport: TransportId(50),
        pacing_bps: 80_000,
        probe_bps: 0,
        probe_us: 0,
        redundancy: 0,
        repair_bps: 0,
    };
    let (layers, rates) = (Vec::new(), vec![rate]);
    world.command(0, Command::Apply { layers, rates });
    world.run(1_000_000);
    let now = world.now;
    let waiting = |world: &mut World| {
        let rows = world.nodes[0].engine.take_feedback(now);
        let row = rows.into_iter().find(|row| row.transport == 50).unwrap();
        row.queue_bytes
    };
    assert!(waiting(&mut world) > 5_000, "the queue is long");
    grant(&mut world, false);
    assert_eq!(waiting(&mut world), 0);
    world.run(FLIGHT_US);
    let before = count(&world, room);
    world.run(5_000_000);
    assert_eq!(count(&world, room), before);
}

#[test]
fn who_was_never_granted_is_not_heard_nor_asked_but_learns_its_link() {
    let mut world = World::new(3, 7);
    teacher(&mut world, &film(0));
    grant(&mut world, false);
    world.run(100_000);
    let asked_before = asked(&mut world);
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    connect(&mut world, room.voice_slot(), Some(101));
    world.command(
        0,
        Command::RequestKeyframe {
            publication: PublicationId(100),
        },
    );
    // Holes on the way up, which would be asked for if anybody cared.
    world.loss.insert(SERVER.parse().unwrap(), 0.2);
    let now = world.now;
    world.nodes[1].engine.take_feedback(now);
    let before = dropped(&world);
    world.run(4_000_000);
    assert_eq!(count(&world, room), (0, 0));
    assert_eq!(asked(&mut world), asked_before, "nothing is asked for");
    assert!(dropped(&world) > before + 200, "each is counted");
    let now = world.now;
    let told = world.nodes[1].engine.take_feedback(now);
    assert_eq!(told[0].heard, Heard::Twcc);
    assert!(told[0].acked_packets > 200 && told[0].lost > 40, "{told:?}");
    let rows = world.nodes[1].engine.take_stats(now).subscriptions;
    assert!(
        rows.iter().all(|row| row.loss_q8 > 0),
        "receiver reports go on"
    );
}

#[test]
fn however_often_a_grant_comes_and_goes_only_granted_time_is_heard_and_pictures_go_on_without_a_gap()
 {
    for start in STARTS {
        let (mut world, room) = lesson(start);
        world.run(200_000);
        let (mut spans, mut on) = (vec![(0, i64::MAX)], true);
        for _ in 0..24 {
            let span = (world.chance() * 700_000.0) as i64;
            world.run(span);
            on = !on;
            grant(&mut world, on);
            let now = world.now.0;
            match (on, spans.last_mut()) {
                (false, Some(last)) => last.1 = now + FLIGHT_US,
                _ => spans.push((now, i64::MAX)),
            }
        }
        world.run(1_500_000);
        let heard_at = |at: i64| spans.iter().any(|(from, to)| (*from..=*to).contains(&at));
        let frames = seen(&world.nodes[2].log, room.camera_track());
        for frame in &frames {
            assert!(
                heard_at(frame.at_us),
                "a picture at {} from {start}",
                frame.at_us
            );
        }
        for pair in frames.windows(2) {
            assert_eq!(pair[1].fields.seq, pair[0].fields.seq.wrapping_add(1));
        }
        let sounds = world.nodes[2]
            .log
            .iter()
            .filter(|record| record.track == room.voice_track() && record.kind == 1);
        for sound in sounds {
            assert!(
                heard_at(sound.arrival_us),
                "a sound at {} from {start}",
                sound.arrival_us
            );
        }
    }
}
