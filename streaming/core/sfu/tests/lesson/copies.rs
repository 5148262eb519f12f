//! Sound with copies of older frames (RFC 2198): what a receiver asked for, what a browser sends, what reaches the log.

use zhuandi_sfu::api::{
    Codec, CodecParams, Command, RateRow, RtpParameters, SubscriptionId, TransportId,
};

use crate::media::{self, heard};
use crate::people::{self, connect, link, logged_slot, publish};
use crate::world::{SERVER, World};

const ROOM: u32 = 50;
const SLOT: SubscriptionId = SubscriptionId(900);
const TRACK: u16 = 7;

/// A microphone or a slot that knows RED; `nack` off leaves the copies alone with the losses.
fn redundant(ssrc: Option<u32>, nack: bool) -> RtpParameters {
    let mut rtp = media::audio(ssrc);
    let red = CodecParams {
        pt: 63,
        codec: Codec::Red,
        ..rtp.codecs[0]
    };
    rtp.codecs.push(red);
    rtp.nack = nack;
    rtp
}

/// Which frames go again with each packet to a transport.
fn copies(world: &mut World, node: usize, transport: u32, mask: u16) {
    let rate = RateRow {
        transport: TransportId(transport),
        pacing_bps: 0,
        probe_bps: 0,
        probe_us: 0,
        redundancy: mask,
        repair_bps: 0,
    };
    let rates = vec![rate];
    let layers = Vec::new();
    world.command(node, Command::Apply { layers, rates });
}

/// A voice on the way from a teacher (node 1) over the server to one classroom (node 2), which logs what it hears.
fn lesson(seed: u64, first_seq: u16, nack: bool) -> (World, std::net::SocketAddr) {
    let mut world = World::new(3, seed);
    link(&mut world, 1, 1);
    let local = link(&mut world, 2, ROOM);
    world.run(1_000_000);
    let parameters = (redundant(Some(2000), nack), redundant(None, nack));
    publish(
        &mut world,
        1,
        1,
        101,
        parameters,
        media::voice(60, first_seq),
    );
    logged_slot(&mut world, ROOM, SLOT, TRACK, redundant(Some(500), nack));
    connect(&mut world, SLOT, Some(101));
    world.run(1_000_000);
    assert!(people::connected(&world, 2, ROOM));
    (world, local)
}

/// Share of the frames that never came, and whether each came once and with its own timestamp.
fn missing(world: &World, track: u16) -> f64 {
    let mut heard = heard(&world.nodes[2].log, track);
    heard.sort_by_key(|frame| frame.2);
    let (first, last) = (heard[0], heard[heard.len() - 1]);
    for pair in heard.windows(2) {
        let frames = u32::from(pair[1].2 - pair[0].2);
        assert!(frames > 0, "a frame came twice");
        assert_eq!(pair[1].1.wrapping_sub(pair[0].1), frames * 960);
        assert_eq!(u32::from(pair[1].0.wrapping_sub(pair[0].0)), frames);
    }
    1.0 - heard.len() as f64 / f64::from(last.2 - first.2 + 1)
}

#[test]
fn copies_at_one_and_two_leave_less_than_a_hundredth_of_twenty_percent_loss() {
    for (seed, first_seq) in [(1, 0), (2, 65_500), (3, 32_767)] {
        let (mut world, room) = lesson(seed, first_seq, false);
        copies(&mut world, 0, ROOM, 0b11);
        world.loss.insert(room, 0.2);
        world.run(50_000_000);
        world.loss.clear();
        let left = missing(&world, TRACK);
        assert!(left < 0.02, "{left} of the frames are missing");
        copies(&mut world, 0, ROOM, 0);
        world.nodes[2].log.clear();
        world.loss.insert(room, 0.2);
        world.run(5_000_000);
        let left = missing(&world, TRACK);
        assert!((0.1..0.3).contains(&left), "{left} without copies");
    }
}

#[test]
fn copies_of_the_teachers_browser_fill_what_was_lost_on_its_way() {
    for seed in [1, 2, 3] {
        let (mut world, _) = lesson(seed, 65_500, false);
        copies(&mut world, 1, 1, 0b1);
        world.run(100_000);
        world.loss.insert(SERVER.parse().unwrap(), 0.2);
        world.run(50_000_000);
        world.loss.clear();
        let left = missing(&world, TRACK);
        assert!(left < 0.06, "{left} of the frames are missing");
        let stats = world.nodes[0].engine.take_stats(world.now);
        let row = stats.encodings.iter().find(|row| row.publication == 101);
        assert!(row.unwrap().recovered > 300, "{row:?}");
    }
}

#[test]
fn asking_again_and_copies_together_leave_nothing_and_stay_in_their_budget() {
    for seed in [4, 5] {
        let (mut world, room) = lesson(seed, 65_000, true);
        copies(&mut world, 0, ROOM, 0b1);
        world.loss.insert(room, 0.2);
        world.run(30_000_000);
        world.loss.clear();
        world.run(1_000_000);
        assert!(missing(&world, TRACK) < 0.001);
        let stats = world.nodes[0].engine.take_stats(world.now);
        let slot = stats
            .subscriptions
            .iter()
            .find(|row| row.subscription == SLOT.0)
            .unwrap();
        // One in five is lost, and the copy of one in five of those.
        assert!(
            (1..slot.packets / 10).contains(&slot.rtx_packets),
            "what copies brought is not sent again: {slot:?}"
        );
    }
}
