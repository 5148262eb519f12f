//! One voice in two encodings on two m-sections: a leg takes the one that it is told, and the sound goes on in its own time.

use std::net::SocketAddr;

use zhuandi_sfu::api::{
    Command, EncodingParams, LogRecord, Played, PlayedPacket, PublicationId, RtpParameters, Sink,
    SubscriptionId, TransportId,
};
use zhuandi_wire::extensions::Form;
use zhuandi_wire::rtp::{Fields, Header, Writer};

use crate::media;
use crate::people::{LESSON, apply, connect, link, logged_slot, tap};
use crate::world::World;

const ROOM: u32 = 50;
const SLOT: SubscriptionId = SubscriptionId(900);
const VOICE: PublicationId = PublicationId(101);
const HEARD_TRACK: u16 = 7;
const TAP_TRACK: u16 = 8;
/// First bytes of Opus packets of one frame: 20 and 60 ms (RFC 6716 3.1).
const SHORT: u8 = 9 << 3;
const LONG: u8 = 11 << 3;

/// A voice that says in each packet at which 20 ms of it the packet begins; sent when the packet is whole, as browsers do.
fn voice(frame_ms: i64, toc: u8, first_ts: u32) -> Played {
    let packet = |i: i64| {
        let mut rtp = Vec::new();
        let fields = Fields {
            marker: false,
            pt: 111,
            seq: 65_000u16.wrapping_add(u16::try_from(i).unwrap()),
            ts: first_ts.wrapping_add(u32::try_from(i * frame_ms * 48).unwrap()),
            ssrc: 1,
        };
        Writer::new(&mut rtp, &fields, Form::OneByte).finish();
        rtp.push(toc);
        rtp.extend_from_slice(&u16::try_from(i * frame_ms / 20).unwrap().to_be_bytes());
        rtp.resize(rtp.len() + 60, 3);
        PlayedPacket {
            at_us: (i + 1) * frame_ms * 1000,
            encoding: 0,
            rtp: rtp.into(),
        }
    };
    let packets: Vec<_> = (0..60_000 / frame_ms).map(packet).collect();
    Played {
        packets: packets.into(),
        loop_us: 61_000_000,
    }
}

fn section(mid: &str, ssrc: Option<u32>) -> RtpParameters {
    RtpParameters {
        mid: mid.into(),
        ..media::audio(ssrc)
    }
}

/// One sender of the teacher: a player and the slot that it goes out on.
fn send(world: &mut World, handle: u32, rtp: RtpParameters, played: Played) {
    let (player, slot) = (PublicationId(handle), SubscriptionId(handle + 1));
    let rtp = Box::new(rtp);
    world.command(
        1,
        Command::AddPlayer {
            id: player,
            lesson: LESSON,
            rtp: rtp.clone(),
            played,
        },
    );
    let sink = Sink::Transport(TransportId(1));
    world.command(
        1,
        Command::AddSubscription {
            id: slot,
            lesson: LESSON,
            sink,
            rtp,
        },
    );
    world.command(
        1,
        Command::Connect {
            subscription: slot,
            publication: Some(player),
            all_encodings: false,
        },
    );
}

/// A teacher with both encodings, recorded, and one classroom that hears it; both sender reports are known.
fn lesson(seed: u64) -> (World, SocketAddr) {
    let mut world = World::new(3, seed);
    link(&mut world, 1, 1);
    let local = link(&mut world, 2, ROOM);
    world.run(1_000_000);
    let low = EncodingParams {
        mid: Some("1".into()),
        ..EncodingParams::default()
    };
    let received = RtpParameters {
        encodings: vec![low, EncodingParams::default()],
        ..section("0", None)
    };
    world.command(
        0,
        Command::AddPublication {
            id: VOICE,
            transport: TransportId(1),
            rtp: Box::new(received.clone()),
        },
    );
    tap(&mut world, 0, VOICE, 950, TAP_TRACK, received);
    send(
        &mut world,
        5000,
        section("0", Some(2000)),
        voice(20, SHORT, u32::MAX - 50_000),
    );
    send(
        &mut world,
        5010,
        section("1", Some(2001)),
        voice(60, LONG, 77),
    );
    logged_slot(&mut world, ROOM, SLOT, HEARD_TRACK, section("0", Some(500)));
    connect(&mut world, SLOT, Some(VOICE.0));
    world.run(7_000_000);
    (world, local)
}

/// Sequence number, timestamp, beginning in units of 20 ms, and whether it is a long packet.
fn heard(log: &[LogRecord], track: u16) -> Vec<(u16, u32, u16, bool)> {
    let rtp = log
        .iter()
        .filter(|record| record.track == track && record.kind == 1);
    rtp.map(|record| {
        let header = Header::parse(&record.body).unwrap();
        let payload = &record.body[header.len..];
        let begin = u16::from_be_bytes([payload[1], payload[2]]);
        (
            header.fields.seq,
            header.fields.ts,
            begin,
            payload[0] == LONG,
        )
    })
    .collect()
}

/// Numbers go on one by one, and each packet has the timestamp of what it says, across all switches.
fn goes_on_in_its_own_time(packets: &[(u16, u32, u16, bool)]) {
    let first = packets[0];
    for pair in packets.windows(2) {
        assert_eq!(pair[1].0, pair[0].0.wrapping_add(1), "{pair:?}");
        let late = i64::from(pair[1].1.wrapping_sub(first.1).cast_signed())
            - (i64::from(pair[1].2) - i64::from(first.2)) * 960;
        assert!(late.abs() <= 480, "{late} ticks off: {pair:?}");
        let end = pair[0].2 + if pair[0].3 { 3 } else { 1 };
        assert!(pair[1].2 <= end, "nothing is left out: {pair:?}");
    }
}

#[test]
fn a_leg_changes_to_the_low_rate_and_back_without_a_gap() {
    for seed in [1, 2, 3] {
        let (mut world, _) = lesson(seed);
        world.nodes[2].log.clear();
        for spatial in [0, 1, 0, 1, 0] {
            apply(&mut world, SLOT, spatial, -1);
            world.run(1_000_000 + i64::from(spatial) * 7_000);
        }
        let packets = heard(&world.nodes[2].log, HEARD_TRACK);
        let switches = packets.windows(2).filter(|pair| pair[0].3 != pair[1].3);
        assert_eq!(switches.count(), 5);
        assert!(packets.last().unwrap().3, "the low rate at the end");
        goes_on_in_its_own_time(&packets);
    }
}

#[test]
fn the_other_encoding_takes_over_when_one_no_longer_arrives() {
    let (mut world, _) = lesson(4);
    apply(&mut world, SLOT, 0, -1);
    world.run(1_000_000);
    assert!(heard(&world.nodes[2].log, HEARD_TRACK).last().unwrap().3);
    world.nodes[2].log.clear();
    world.command(1, Command::Remove { handle: 5011 });
    world.run(1_000_000);
    let packets = heard(&world.nodes[2].log, HEARD_TRACK);
    assert!(
        packets.len() > 30 && !packets.last().unwrap().3,
        "{packets:?}"
    );
    assert!(
        packets
            .windows(2)
            .all(|pair| pair[1].0 == pair[0].0.wrapping_add(1))
    );
}

#[test]
fn the_recording_keeps_the_normal_rate() {
    let (mut world, _) = lesson(5);
    apply(&mut world, SLOT, 0, -1);
    world.run(2_000_000);
    let recorded = heard(&world.nodes[0].log, TAP_TRACK);
    assert!(recorded.len() > 400, "{} packets", recorded.len());
    assert!(recorded.iter().skip(3).all(|packet| !packet.3));
}
