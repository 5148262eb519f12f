//! Layers: a switch leaves no gap in any number, waits for its key frame, and gives way when an encoding falls silent.

use zhuandi_sfu::api::{Command, Played, PlayedPacket, PublicationId, RtpParameters};

use crate::forwarding::film;
use crate::media::{self, Film, Seen, heard, seen};
use crate::people::{Classroom, apply, classroom, connect, publish, tap, teacher};
use crate::world::World;

fn lesson(film: &Film) -> (World, Classroom) {
    let mut world = World::new(3, 5);
    teacher(&mut world, film);
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    (world, room)
}

fn without_gaps(frames: &[Seen]) {
    for pair in frames.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        assert_eq!(
            after.fields.seq,
            before.fields.seq.wrapping_add(1),
            "{before:?} {after:?}"
        );
        let step = after.fields.ts.wrapping_sub(before.fields.ts);
        assert!(
            step <= 8000,
            "a timestamp step of {step}: {before:?} {after:?}"
        );
        let pictures = after.picture.unwrap().wrapping_sub(before.picture.unwrap()) & 0x7FFF;
        assert_eq!(pictures, u16::from(step > 0), "{before:?} {after:?}");
        let base = after.tl0.unwrap().wrapping_sub(before.tl0.unwrap());
        assert!(base <= 1, "{before:?} {after:?}");
    }
}

#[test]
fn switches_up_and_down_leave_no_gap_and_begin_with_a_key_frame() {
    for first_seq in [0, 1, 127, 32_767, 65_534, 65_535] {
        let (mut world, room) = lesson(&film(3, first_seq));
        for layer in [0, 2, 1, 2, 0, 1] {
            apply(&mut world, room.camera_slot(), layer, -1);
            world.run(1_500_000);
        }
        let frames = seen(&world.nodes[2].log, room.camera_track());
        without_gaps(&frames);
        let mut order: Vec<u8> = frames.iter().map(|seen| seen.label.encoding).collect();
        order.dedup();
        assert_eq!(order[order.len() - 6..], [0, 2, 1, 2, 0, 1]);
        for pair in frames
            .windows(2)
            .filter(|pair| pair[0].label.encoding != pair[1].label.encoding)
        {
            assert!(
                pair[1].label.keyframe && pair[1].label.part == 0,
                "{pair:?}"
            );
        }
        let longest = frames
            .windows(2)
            .map(|pair| pair[1].at_us - pair[0].at_us)
            .max()
            .unwrap();
        assert!(longest <= 90_000, "a freeze of {longest} us");
    }
}

#[test]
fn temporal_layers_are_left_out_without_a_gap() {
    let film = Film {
        temporal: true,
        ..film(1, 65_530)
    };
    let (mut world, room) = lesson(&film);
    world.run(1_000_000);
    apply(&mut world, room.camera_slot(), 0, 0);
    world.run(2_000_000);
    let from = world.now.0;
    world.run(2_000_000);
    apply(&mut world, room.camera_slot(), 0, -1);
    world.run(2_000_000);
    let frames = seen(&world.nodes[2].log, room.camera_track());
    without_gaps(&frames);
    let halved = frames
        .iter()
        .filter(|seen| (from..from + 1_900_000).contains(&seen.at_us));
    assert!(halved.clone().count() > 20 && halved.clone().all(|seen| seen.temporal == Some(0)));
    assert!(frames.last().unwrap().at_us > from);
    let last: Vec<_> = frames
        .iter()
        .rev()
        .take(20)
        .filter(|seen| seen.temporal == Some(1))
        .collect();
    assert!(last.len() > 5, "both layers again");
}

#[test]
fn a_paused_leg_sends_nothing_and_a_resumed_one_begins_with_a_key_frame() {
    let (mut world, room) = lesson(&film(3, 0));
    world.run(1_000_000);
    apply(&mut world, room.camera_slot(), -1, -1);
    world.run(30_000);
    let before = seen(&world.nodes[2].log, room.camera_track()).len();
    world.run(2_000_000);
    assert_eq!(seen(&world.nodes[2].log, room.camera_track()).len(), before);
    apply(&mut world, room.camera_slot(), 1, -1);
    world.run(1_500_000);
    let frames = seen(&world.nodes[2].log, room.camera_track());
    assert!(frames[before].label.keyframe && frames[before].label.encoding == 1);
    assert_eq!(
        frames[before].fields.seq,
        frames[before - 1].fields.seq.wrapping_add(1)
    );
}

/// A second teacher's node 1 is the same engine; its camera is publication 200 on transport 2.
fn second_teacher(world: &mut World, first_seq: u16) {
    crate::people::link(world, 1, 2);
    let camera = (
        media::video(&["only"], Some(3000)),
        media::video(&["only"], None),
    );
    publish(world, 1, 2, 200, camera, film(1, first_seq).played());
    world.run(500_000);
}

#[test]
fn another_source_on_the_same_slot_continues_its_numbers() {
    for first_seq in [0, 127, 32_767, 65_535] {
        let (mut world, room) = lesson(&film(1, first_seq));
        world.run(1_000_000);
        second_teacher(&mut world, first_seq.wrapping_add(77));
        world.command(0, Command::Remove { handle: 1 });
        world.run(200_000);
        connect(&mut world, room.camera_slot(), Some(200));
        world.run(2_000_000);
        let frames = seen(&world.nodes[2].log, room.camera_track());
        let gap = frames
            .windows(2)
            .position(|pair| pair[1].at_us - pair[0].at_us > 150_000)
            .unwrap();
        assert!(frames[gap + 1].label.keyframe, "begins with a key frame");
        assert_eq!(
            frames[gap + 1].fields.seq,
            frames[gap].fields.seq.wrapping_add(1)
        );
        let step = frames[gap + 1]
            .fields
            .ts
            .wrapping_sub(frames[gap].fields.ts);
        let elapsed = (frames[gap + 1].at_us - frames[gap].at_us) * 9 / 100;
        assert!(
            (i64::from(step) - elapsed).abs() < 4000,
            "{step} for {elapsed}"
        );
        assert_eq!(
            frames[gap + 1].picture.unwrap(),
            (frames[gap].picture.unwrap() + 1) & 0x7FFF
        );
        assert!(frames.len() > gap + 40);
    }
}

#[test]
fn a_tap_takes_the_highest_layer_that_arrives_and_notes_it() {
    let mut world = World::new(3, 5);
    teacher(&mut world, &film(3, 0));
    let rtp = RtpParameters {
        mid: String::new(),
        ..media::video(&["only"], None)
    };
    tap(&mut world, 0, PublicationId(100), 900, 7, rtp);
    tap(
        &mut world,
        0,
        PublicationId(101),
        901,
        8,
        media::audio(None),
    );
    world.run(4_000_000);
    let log = &world.nodes[0].log;
    let frames = seen(log, 7);
    assert!(
        frames
            .iter()
            .rev()
            .take(100)
            .all(|seen| seen.label.encoding == 2)
    );
    let layers: Vec<u8> = log
        .iter()
        .filter(|record| record.track == 7 && record.kind == 5)
        .map(|r| r.body[0])
        .collect();
    assert_eq!(layers.last(), Some(&2));
    let report = log
        .iter()
        .rfind(|record| record.track == 7 && record.kind == 2)
        .unwrap();
    let ts = u32::from_le_bytes([
        report.body[12],
        report.body[13],
        report.body[14],
        report.body[15],
    ]);
    let near = frames
        .iter()
        .rfind(|seen| seen.at_us <= report.arrival_us)
        .unwrap();
    assert!(
        ts.wrapping_sub(near.fields.ts).wrapping_add(20_000) < 40_000,
        "a report in the numbers of the track"
    );
    assert!(heard(log, 8).len() > 180);
}

#[test]
fn a_layer_that_falls_silent_is_left_for_the_best_that_arrives() {
    let mut world = World::new(3, 5);
    crate::people::link(&mut world, 1, 1);
    world.run(500_000);
    let whole = Film {
        seconds: 20,
        ..film(3, 0)
    }
    .played();
    let high_stops = |packet: &&PlayedPacket| packet.encoding < 2 || packet.at_us < 3_000_000;
    let packets: Vec<_> = whole.packets.iter().filter(high_stops).cloned().collect();
    let played = Played {
        packets: packets.into(),
        ..whole
    };
    let rids = ["l", "m", "h"];
    let camera = (media::video(&rids, Some(1000)), media::video(&rids, None));
    publish(&mut world, 1, 1, 100, camera, played);
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    world.run(6_000_000);
    let frames = seen(&world.nodes[2].log, room.camera_track());
    for pair in frames.windows(2) {
        assert_eq!(pair[1].fields.seq, pair[0].fields.seq.wrapping_add(1));
    }
    let last_high = frames
        .iter()
        .rfind(|seen| seen.label.encoding == 2)
        .unwrap();
    let next = frames
        .iter()
        .find(|seen| seen.at_us > last_high.at_us)
        .unwrap();
    assert!(next.label.encoding == 1 && next.label.keyframe);
    let pause_us = next.at_us - last_high.at_us;
    assert!(pause_us < 2_100_000, "a second, then the next key frame");
    let step = i64::from(next.fields.ts.wrapping_sub(last_high.fields.ts));
    assert_eq!(step, pause_us * 9 / 100, "by the clock of the teacher");
}
