//! What a classroom gets from a teacher: everything, once, in order, and in step.

use zhuandi_sfu::api::{Extensions, RtpParameters};

use crate::media::{self, Film, heard, seen};
use crate::people::{classroom, connect, connected, link, publish, teacher};
use crate::world::World;

/// Film that the tests share: one layer, a key frame a second.
pub fn film(layers: u8, first_seq: u16) -> Film {
    Film {
        layers,
        seconds: 2,
        keyframe_every: 25,
        temporal: false,
        first_seq,
    }
}

#[test]
fn a_classroom_gets_every_packet_of_camera_and_voice_over_the_loop() {
    for first_seq in [0, 1, 127, 32_767, 65_534, 65_535] {
        let mut world = World::new(3, 7);
        teacher(&mut world, &film(1, first_seq));
        let room = classroom(&mut world, 50);
        world.run(500_000);
        assert!(connected(&world, 2, 50));
        connect(&mut world, room.camera_slot(), Some(100));
        connect(&mut world, room.voice_slot(), Some(101));
        world.run(6_000_000);
        let frames = seen(&world.nodes[2].log, room.camera_track());
        assert!(frames.len() > 140, "{} packets", frames.len());
        assert!(frames[0].label.keyframe && frames[0].label.part == 0);
        for pair in frames.windows(2) {
            assert_eq!(pair[1].fields.seq, pair[0].fields.seq.wrapping_add(1));
            let step = pair[1].fields.ts.wrapping_sub(pair[0].fields.ts);
            assert!(step == 0 || step == 3600 || step <= 90, "a step of {step}");
        }
        let sounds = heard(&world.nodes[2].log, room.voice_track());
        assert!(sounds.len() > 290, "{} packets", sounds.len());
        for pair in sounds.windows(2) {
            assert_eq!(pair[1].0, pair[0].0.wrapping_add(1));
            assert_eq!(pair[1].1.wrapping_sub(pair[0].1), 960);
        }
    }
}

#[test]
fn a_disconnected_slot_and_a_removed_one_send_nothing_more() {
    let mut world = World::new(3, 7);
    teacher(&mut world, &film(1, 0));
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    connect(&mut world, room.voice_slot(), Some(101));
    world.run(1_000_000);
    connect(&mut world, room.camera_slot(), None);
    let handle = room.voice_slot().0;
    world.command(0, zhuandi_sfu::api::Command::Remove { handle });
    world.run(30_000);
    let before = (
        seen(&world.nodes[2].log, room.camera_track()).len(),
        heard(&world.nodes[2].log, room.voice_track()).len(),
    );
    world.run(2_000_000);
    let after = (
        seen(&world.nodes[2].log, room.camera_track()).len(),
        heard(&world.nodes[2].log, room.voice_track()).len(),
    );
    assert_eq!(before, after);
    assert!(before.0 > 0 && before.1 > 0);
}

#[test]
fn connecting_the_same_again_changes_nothing() {
    let mut world = World::new(3, 7);
    teacher(&mut world, &film(1, 0));
    let room = classroom(&mut world, 50);
    world.run(500_000);
    for _ in 0..20 {
        connect(&mut world, room.camera_slot(), Some(100));
        world.run(110_000);
    }
    let frames = seen(&world.nodes[2].log, room.camera_track());
    for pair in frames.windows(2) {
        assert!(
            pair[1].label > pair[0].label || pair[1].label.frame == 0,
            "no frame twice"
        );
    }
}

/// An m-section as FFmpeg's WHIP offers it: no header extensions, no RTX, no feedback.
fn plain(rtp: RtpParameters) -> RtpParameters {
    let codecs = rtp.codecs.into_iter().filter(|codec| codec.apt.is_none());
    RtpParameters {
        codecs: codecs.collect(),
        extensions: Extensions::default(),
        nack: false,
        twcc: false,
        ..rtp
    }
}

#[test]
fn a_publisher_without_extensions_is_told_apart_by_payload_type() {
    let mut world = World::new(3, 7);
    link(&mut world, 1, 1);
    world.run(500_000);
    let camera = (
        media::video(&["only"], Some(1000)),
        media::video(&["only"], None),
    );
    let camera = (plain(camera.0), plain(camera.1));
    publish(&mut world, 1, 1, 100, camera, film(1, 0).played());
    let microphone = (plain(media::audio(Some(2000))), plain(media::audio(None)));
    publish(&mut world, 1, 1, 101, microphone, media::voice(2, 0));
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    connect(&mut world, room.voice_slot(), Some(101));
    world.run(3_000_000);
    assert!(seen(&world.nodes[2].log, room.camera_track()).len() > 70);
    assert!(heard(&world.nodes[2].log, room.voice_track()).len() > 140);
}
