//! No (key, SSRC, index) is ever sealed with other bytes, whatever happens to slots, layers, sources and the wire.

use zhuandi_sfu::api::{Command, Sink, SubscriptionId, TransportId};
use zhuandi_sfu::drop_reason::DropReason;

use crate::forwarding::film;
use crate::media;
use crate::people::{Classroom, LESSON, apply, classroom, connect, teacher};
use crate::world::World;

/// Remove a slot and make it again with the same SSRCs: the numbers of its streams must go on.
fn replace(world: &mut World, room: &Classroom, slot: SubscriptionId) {
    world.command(0, Command::Remove { handle: slot.0 });
    let rtp = if slot == room.camera_slot() {
        media::video(&["only"], Some(room.handle * 10))
    } else {
        media::audio(Some(room.handle * 10 + 5))
    };
    world.command(
        0,
        Command::AddSubscription {
            id: slot,
            lesson: LESSON,
            sink: Sink::Transport(TransportId(room.handle)),
            rtp: Box::new(rtp),
        },
    );
}

fn step(world: &mut World, room: &Classroom) {
    let dice = (world.chance() * 16.0) as u32;
    let pick = (world.chance() * 4.0) as i8 - 1;
    match dice {
        0..=4 => apply(world, room.camera_slot(), pick, -1),
        5..=6 => apply(world, room.camera_slot(), 2, pick.min(2)),
        7 => connect(world, room.camera_slot(), None),
        8 => connect(world, room.voice_slot(), None),
        9 => connect(world, room.camera_slot(), Some(100)),
        10 => replace(world, room, room.camera_slot()),
        11 => replace(world, room, room.voice_slot()),
        12 => world.jitter_us = 60_000,
        13 => world.jitter_us = 0,
        14 => {
            world.loss.insert(room.local, 0.3);
        }
        _ => world.loss.clear(),
    }
    if dice >= 7 {
        connect(world, room.camera_slot(), Some(100));
        connect(world, room.voice_slot(), Some(101));
    }
    let span = (world.chance() * 400_000.0) as i64;
    world.run(span);
}

#[test]
fn no_nonce_is_ever_used_for_other_bytes() {
    for (seed, first_seq) in [
        (1, 0),
        (2, 1),
        (3, 127),
        (4, 32_767),
        (5, 65_534),
        (6, 65_535),
    ] {
        let mut world = World::new(3, seed);
        let source = teacher(&mut world, &film(3, first_seq));
        let room = classroom(&mut world, 50);
        world.run(500_000);
        world.loss.insert(source, 0.05);
        world.loss.insert(room.local, 0.1);
        for _ in 0..60 {
            step(&mut world, &room);
        }
        let refused = world.nodes[0].engine.drops()[DropReason::NonceReuse.index()];
        assert_eq!(refused, 0, "the guard of SRTP had to step in, seed {seed}");
        assert!(
            world.ledger.len() > 3_000,
            "{} packets, seed {seed}",
            world.ledger.len()
        );
        assert!(
            world.ledger.repeats > 0,
            "sound was repaired by its own ciphertext, seed {seed}"
        );
    }
}
