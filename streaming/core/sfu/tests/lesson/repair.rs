//! Losses: repaired upwards by NACK and RTX, downwards by RTX from the one history, sound by its own ciphertext.

use std::collections::BTreeSet;

use crate::forwarding::film;
use crate::media::{heard, seen};
use crate::people::{Classroom, classroom, connect, teacher};
use crate::world::{SERVER, World};

fn lesson(seed: u64) -> (World, Classroom) {
    let mut world = World::new(3, seed);
    teacher(&mut world, &film(1, 65_500));
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    connect(&mut world, room.voice_slot(), Some(101));
    world.run(500_000);
    (world, room)
}

/// Share of the sequence numbers between the first and the last that came.
pub fn whole(numbers: &[u16]) -> f64 {
    let first = numbers[0];
    let mut highest = 0i64;
    let unwrapped: BTreeSet<i64> = numbers
        .iter()
        .map(|number| {
            let at =
                highest + i64::from(number.wrapping_sub(first).wrapping_sub(highest as u16) as i16);
            highest = highest.max(at);
            at
        })
        .collect();
    unwrapped.len() as f64 / (highest + 1) as f64
}

#[test]
fn ten_percent_loss_on_the_way_down_is_repaired_for_picture_and_sound() {
    for seed in [1, 2, 3] {
        let (mut world, room) = lesson(seed);
        world.loss.insert(room.local, 0.1);
        world.run(10_000_000);
        world.loss.clear();
        world.run(1_000_000);
        let log = &world.nodes[2].log;
        let picture: Vec<u16> = seen(log, room.camera_track())
            .iter()
            .map(|seen| seen.fields.seq)
            .collect();
        let sound: Vec<u16> = heard(log, room.voice_track())
            .iter()
            .map(|heard| heard.0)
            .collect();
        assert!(
            picture.len() > 260 && whole(&picture) == 1.0,
            "picture {}",
            whole(&picture)
        );
        assert!(
            sound.len() > 500 && whole(&sound) == 1.0,
            "sound {}",
            whole(&sound)
        );
        let stats = world.nodes[0].engine.take_stats(world.now);
        let repaired: u64 = stats.subscriptions.iter().map(|row| row.rtx_packets).sum();
        assert!((60..400).contains(&repaired), "{repaired} repairs");
    }
}

#[test]
fn ten_percent_loss_on_the_way_up_is_repaired() {
    for seed in [1, 2, 3] {
        let (mut world, room) = lesson(seed);
        world.loss.insert(SERVER.parse().unwrap(), 0.1);
        world.run(10_000_000);
        world.loss.clear();
        world.run(1_000_000);
        let log = &world.nodes[2].log;
        let picture: Vec<u16> = seen(log, room.camera_track())
            .iter()
            .map(|seen| seen.fields.seq)
            .collect();
        let sound: Vec<u16> = heard(log, room.voice_track())
            .iter()
            .map(|heard| heard.0)
            .collect();
        assert!(
            picture.len() > 260 && whole(&picture) == 1.0,
            "picture {}",
            whole(&picture)
        );
        assert!(
            sound.len() > 500 && whole(&sound) == 1.0,
            "sound {}",
            whole(&sound)
        );
        let stats = world.nodes[0].engine.take_stats(world.now);
        let camera = stats
            .encodings
            .iter()
            .find(|row| row.publication == 100)
            .unwrap();
        assert!(camera.recovered > 10 && camera.lost == 0, "{camera:?}");
    }
}

#[test]
fn reordering_brings_no_loss_and_hardly_a_repair() {
    let (mut world, room) = lesson(9);
    world.jitter_us = 8_000;
    world.run(5_000_000);
    let log = &world.nodes[2].log;
    let picture: Vec<u16> = seen(log, room.camera_track())
        .iter()
        .map(|seen| seen.fields.seq)
        .collect();
    assert_eq!(whole(&picture), 1.0);
    let stats = world.nodes[0].engine.take_stats(world.now);
    let nacks: u64 = stats.subscriptions.iter().map(|row| row.nacks).sum();
    assert!(nacks < 30, "{nacks} packets asked for again");
}

#[test]
fn the_feedback_of_a_receiver_says_what_it_lost_and_how_far_it_is() {
    let (mut world, room) = lesson(4);
    world.nodes[0].engine.take_feedback(world.now);
    world.loss.insert(room.local, 0.2);
    world.run(5_000_000);
    let rows = world.nodes[0].engine.take_feedback(world.now);
    let row = rows.iter().find(|row| row.transport == 50).unwrap();
    let share = f64::from(row.lost) / f64::from(row.expected);
    assert!((0.14..0.26).contains(&share), "{row:?}");
    assert!((19_000..26_000).contains(&row.rtt_us), "{row:?}");
    assert!(
        row.acked_bytes > row.sent_bytes / 2 && row.acked_bytes < row.sent_bytes,
        "{row:?}"
    );
    assert!(
        rows.iter().all(|row| row.transport == 50),
        "the teacher receives no media"
    );
}

#[test]
fn a_hopeless_link_costs_at_most_a_quarter_of_its_media_in_repairs() {
    let (mut world, room) = lesson(6);
    world.loss.insert(room.local, 0.7);
    world.run(90_000_000);
    let stats = world.nodes[0].engine.take_stats(world.now);
    let slot = room.camera_slot().0;
    let camera = stats
        .subscriptions
        .iter()
        .find(|row| row.subscription == slot)
        .unwrap();
    // A quarter of picture and sound, and the credit of the start.
    let most = (camera.packets * 750 + 5000 * 120) / 4 + (128 << 10);
    assert!(camera.rtx_packets * 700 <= most, "{camera:?}");
    assert!(camera.nacks > camera.rtx_packets, "{camera:?}");
}
