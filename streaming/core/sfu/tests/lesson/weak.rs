//! A receiver's link fails or says what it carries: what the mechanism does by itself, end to end.

use zhuandi_sfu::api::{Command, RateRow, TransportId};
use zhuandi_sfu::report::{FeedbackRow, Heard, ProbeState};

use crate::media::{Film, seen};
use crate::people::{Classroom, classroom, connect, teacher};
use crate::repair::whole;
use crate::world::World;

const STARTS: [u16; 6] = [0, 1, 127, 32_767, 65_534, 65_535];

fn film(keyframe_every: u32, first_seq: u16) -> Film {
    Film {
        layers: 1,
        seconds: 60,
        keyframe_every,
        temporal: true,
        first_seq,
    }
}

fn lesson(seed: u64, film: &Film) -> (World, Classroom) {
    let mut world = World::new(3, seed);
    teacher(&mut world, film);
    let room = classroom(&mut world, 50);
    world.run(500_000);
    connect(&mut world, room.camera_slot(), Some(100));
    connect(&mut world, room.voice_slot(), Some(101));
    world.run(1_500_000);
    (world, room)
}

fn decide(world: &mut World, pacing_bps: u64, probe_bps: u64) {
    let rate = RateRow {
        transport: TransportId(50),
        pacing_bps,
        probe_bps,
        probe_us: 150_000,
        redundancy: 0,
        repair_bps: 0,
    };
    let command = Command::Apply {
        layers: Vec::new(),
        rates: vec![rate],
    };
    world.command(0, command);
}

fn row(world: &mut World) -> FeedbackRow {
    let now = world.now;
    let rows = world.nodes[0].engine.take_feedback(now);
    rows.into_iter().find(|row| row.transport == 50).unwrap()
}

fn asked(world: &mut World) -> u64 {
    let now = world.now;
    let stats = world.nodes[0].engine.take_stats(now);
    stats.encodings.iter().map(|row| row.plis).max().unwrap()
}

#[test]
fn in_an_outage_sound_alone_flies_and_picture_starts_again_at_a_key_frame() {
    for start in STARTS {
        let (mut world, room) = lesson(11, &film(50, start));
        decide(&mut world, 2_000_000, 0);
        world.run(500_000);
        row(&mut world);
        let before = asked(&mut world);
        let begin = world.now.0;
        world.silenced.insert(room.local);
        world.run(1_500_000);
        row(&mut world);
        world.run(3_500_000);
        let dead = row(&mut world);
        assert!(dead.feedback_age_us >= 4_900_000, "{dead:?}");
        assert_eq!((dead.heard, dead.arrival_us), (Heard::Twcc, None));
        let picture = dead.sent_bytes - dead.sound_bytes;
        assert!(dead.sound_bytes > 10_000 && picture < 2_000, "{dead:?}");
        assert!(
            asked(&mut world) <= before + 1,
            "nobody asks for who is not there"
        );
        let end = world.now.0;
        world.silenced.clear();
        world.run(3_000_000);
        let log = &world.nodes[2].log;
        let sound = log
            .iter()
            .filter(|r| r.track == room.voice_track() && r.kind == 1);
        let first = sound.map(|record| record.arrival_us).find(|at| *at > end);
        assert!(
            first.unwrap() < end + 60_000,
            "sound was there all the time"
        );
        let picture: Vec<_> = seen(log, room.camera_track())
            .into_iter()
            .filter(|seen| seen.at_us > begin + 100_000)
            .collect();
        assert!(picture[0].label.keyframe && picture[0].at_us < end + 2_300_000);
    }
}

#[test]
fn a_probe_tells_the_rate_at_which_it_left_and_arrived() {
    for start in STARTS {
        let (mut world, _) = lesson(12, &film(50, start));
        decide(&mut world, 600_000, 0);
        world.run(1_000_000);
        row(&mut world);
        decide(&mut world, 600_000, 1_500_000);
        world.run(60_000);
        assert_eq!(row(&mut world).probe_state, ProbeState::Running);
        let mut ended = Vec::new();
        for _ in 0..10 {
            world.run(100_000);
            let row = row(&mut world);
            if row.probe_state == ProbeState::Finished {
                ended.push((row.probe_sent_bps, row.probe_acked_bps));
            }
        }
        assert_eq!(ended.len(), 1, "told once");
        let (sent, acked) = ended[0];
        assert!((1_350_000..1_650_000).contains(&sent), "{sent}");
        assert!((1_300_000..1_700_000).contains(&acked), "{acked}");
    }
}

#[test]
fn padding_and_repairs_of_a_probe_disturb_neither_numbers_nor_nonces() {
    let (mut world, room) = lesson(13, &film(50, 65_500));
    world.loss.insert(room.local, 0.1);
    for _ in 0..40 {
        decide(&mut world, 600_000, 1_000_000);
        world.run(200_000);
    }
    world.loss.clear();
    world.run(1_000_000);
    let sums = row(&mut world);
    assert!(sums.padding_bytes + sums.repair_bytes > 20_000, "{sums:?}");
    let picture = seen(&world.nodes[2].log, room.camera_track());
    let numbers: Vec<u16> = picture.iter().map(|seen| seen.fields.seq).collect();
    let share = whole(&numbers);
    assert!(
        picture.len() > 200 && share > 0.97,
        "{share} of the picture"
    );
    assert!(world.ledger.len() > 1000);
}

#[test]
fn a_link_that_falls_sheds_upper_layers_first_and_leaves_no_gap() {
    for start in STARTS {
        let (mut world, room) = lesson(14, &film(1000, start));
        decide(&mut world, 60_000, 0);
        world.run(400_000);
        decide(&mut world, 300_000, 0);
        world.run(4_000_000);
        let picture = seen(&world.nodes[2].log, room.camera_track());
        for pair in picture.windows(2) {
            assert_eq!(pair[1].fields.seq, pair[0].fields.seq.wrapping_add(1));
        }
        let upper = |from: i64, to: i64| {
            let within = picture
                .iter()
                .filter(|seen| (from..to).contains(&seen.at_us));
            within.filter(|seen| seen.temporal == Some(1)).count()
        };
        let end = world.now.0;
        assert!(upper(end - 4_100_000, end - 3_900_000) <= 1);
        assert!(upper(end - 1_000_000, end) >= 5, "all layers go again");
    }
}

#[test]
fn a_pause_of_the_teacher_is_no_silence_of_the_classroom() {
    for start in STARTS {
        let mut world = World::new(3, 15);
        let teacher = teacher(&mut world, &film(50, start));
        let room = classroom(&mut world, 50);
        world.run(500_000);
        connect(&mut world, room.camera_slot(), Some(100));
        connect(&mut world, room.voice_slot(), Some(101));
        world.run(1_500_000);
        world.silenced.insert(teacher);
        world.run(3_000_000);
        assert_eq!(
            row(&mut world).feedback_age_us,
            0,
            "there is nothing to tell"
        );
        world.silenced.clear();
        for _ in 0..20 {
            world.run(10_000);
            let age = row(&mut world).feedback_age_us;
            assert!((0..150_000).contains(&age), "{age}");
        }
    }
}

#[test]
fn without_sound_too_a_picture_is_back_soon_after_an_outage() {
    for start in STARTS {
        let mut world = World::new(3, 16);
        teacher(&mut world, &film(50, start));
        let room = classroom(&mut world, 50);
        world.run(500_000);
        connect(&mut world, room.camera_slot(), Some(100));
        world.run(2_000_000);
        world.silenced.insert(room.local);
        world.run(6_000_000);
        let dead = row(&mut world);
        assert!(dead.feedback_age_us >= 5_900_000, "{dead:?}");
        let end = world.now.0;
        world.silenced.clear();
        world.run(3_000_000);
        let picture = seen(&world.nodes[2].log, room.camera_track());
        let back = picture.iter().find(|seen| seen.at_us > end);
        assert!(back.is_some_and(|seen| seen.at_us < end + 2_800_000));
    }
}
