//! Receivers that are selfish or broken, straight into the engine: nobody else's lesson changes.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use zhuandi_wire::rtcp::{messages, write_nack, write_pli, write_remb};
use zhuandi_wire::time::Micros;

use super::Engine;
use super::wiring::Handle;
use crate::api::{
    Codec, CodecParams, Command, DtlsRole, EncodingParams, Extensions, IceCredentials, Kind,
    LessonId, PublicationId, RateRow, Role, RtpParameters, Sink, SrtpProfile, Stills,
    SubscriptionId, TransportId, TransportParams,
};
use crate::packet::{Incoming, Meta};
use crate::report::Heard;
use crate::transport::{Certificate, Epoch};

const CAMERA: PublicationId = PublicationId(100);

fn certificate() -> Arc<Certificate> {
    static MADE: OnceLock<Arc<Certificate>> = OnceLock::new();
    MADE.get_or_init(|| Arc::new(Certificate::generate().unwrap()))
        .clone()
}

fn picture(ssrc: u32) -> RtpParameters {
    let codec = |pt, codec, apt| CodecParams {
        pt,
        codec,
        clock_rate: 90_000,
        apt,
    };
    RtpParameters {
        mid: "1".into(),
        kind: Kind::Video,
        codecs: vec![
            codec(98, Codec::H264, None),
            codec(99, Codec::Rtx, Some(98)),
        ],
        extensions: Extensions {
            twcc: Some(3),
            ..Extensions::default()
        },
        encodings: vec![EncodingParams {
            ssrc: Some(ssrc),
            rtx_ssrc: Some(ssrc + 1),
            ..EncodingParams::default()
        }],
        nack: true,
        twcc: true,
    }
}

/// A teacher (transport 1) whose camera goes to rooms 2 and 3, all of them up.
struct Lesson {
    engine: Engine,
    number: u16,
}

impl Lesson {
    fn new() -> Lesson {
        #[allow(clippy::disallowed_methods)]
        let base = Instant::now();
        let mut engine = Engine::new(certificate(), Epoch { base });
        for id in 1..=3 {
            open(&mut engine, id);
        }
        let camera = Command::AddPublication {
            id: CAMERA,
            transport: TransportId(1),
            rtp: Box::new(picture(500)),
        };
        engine.handle_command(Micros(0), camera);
        for room in [2, 3] {
            attend(&mut engine, room);
        }
        let mut lesson = Lesson { engine, number: 0 };
        lesson.packet(0, true);
        lesson
    }

    fn index(&self, handle: u32) -> u32 {
        match self.engine.handles.get(&handle) {
            Some(Handle::Transport(index) | Handle::Publication(index)) => *index,
            other => panic!("{handle} is {other:?}"),
        }
    }

    fn packet(&mut self, at: i64, keyframe: bool) {
        let payload = [if keyframe { 0x65 } else { 0x41 }, 0x88, 0, 0];
        let meta = Meta {
            ts: u32::from(self.number) * 3000,
            ..Meta::parse(Codec::H264, &payload).unwrap()
        };
        let packet = Incoming {
            encoding: 0,
            seq: self.number,
            repaired: false,
            meta,
        };
        self.number = self.number.wrapping_add(1);
        let source = self.index(CAMERA.0);
        self.engine
            .ingest(Micros(at), source, packet, &payload)
            .unwrap();
    }

    /// RTCP of a room, as if it had been decrypted.
    fn told(&mut self, at: i64, room: u32, rtcp: &[u8]) {
        let index = self.index(room);
        for message in messages(rtcp) {
            self.engine
                .handle_message(Micros(at), index, &message.unwrap());
        }
    }

    /// What leaves for a room now: sources of media and of repairs.
    fn leaves(&mut self, at: i64, room: u32) -> (Vec<u64>, usize) {
        let index = self.index(room);
        let pacer = &mut self.engine.associations.get_mut(index).unwrap().pacer;
        let items: Vec<_> = std::iter::from_fn(|| pacer.pop(Micros(at))).collect();
        items
            .iter()
            .for_each(|item| pacer.sent(item.kind, usize::from(item.size)));
        let repairs = items
            .iter()
            .filter(|item| item.kind == crate::pacer::Kind::Rtx);
        let repairs = repairs.count();
        let media = items
            .iter()
            .filter(|item| item.kind == crate::pacer::Kind::Video);
        (media.map(|item| item.source).collect(), repairs)
    }

    fn asked(&self) -> u64 {
        let camera = self.engine.publications.get(self.index(CAMERA.0)).unwrap();
        camera.rule.sent()
    }
}

fn open(engine: &mut Engine, id: u32) {
    let ice = |name: &str| IceCredentials {
        ufrag: format!("{name}{id}"),
        pwd: format!("a-long-password-of-{name}-{id}"),
    };
    let params = TransportParams {
        role: Role::Server,
        local_ice: ice("ours"),
        remote_ice: ice("theirs"),
        fingerprint: [0; 32],
        dtls: DtlsRole::Passive,
        profiles: vec![SrtpProfile::AeadAes128Gcm],
        candidates: Vec::new(),
        stills: Stills::None,
    };
    let command = Command::OpenTransport {
        id: TransportId(id),
        lesson: LessonId(1),
        params: Box::new(params),
        local: None,
    };
    engine.handle_command(Micros(0), command);
    let Some(Handle::Transport(index)) = engine.handles.get(&id).copied() else {
        panic!("no transport {id}")
    };
    engine.associations.get_mut(index).unwrap().up = true;
}

fn attend(engine: &mut Engine, room: u32) {
    let slot = SubscriptionId(room + 50);
    let command = Command::AddSubscription {
        id: slot,
        lesson: LessonId(1),
        sink: Sink::Transport(TransportId(room)),
        rtp: Box::new(picture(room * 1000)),
    };
    engine.handle_command(Micros(0), command);
    let command = Command::Connect {
        subscription: slot,
        publication: Some(CAMERA),
        all_encodings: false,
    };
    engine.handle_command(Micros(0), command);
    let rate = RateRow {
        transport: TransportId(room),
        pacing_bps: 1_000_000,
        probe_bps: 0,
        probe_us: 0,
        redundancy: 0,
        repair_bps: 0,
    };
    let command = Command::Apply {
        layers: Vec::new(),
        rates: vec![rate],
    };
    engine.handle_command(Micros(0), command);
}

#[test]
fn fifty_key_frame_requests_a_second_of_one_receiver_are_heard_ten_times_a_minute() {
    let mut lesson = Lesson::new();
    let mut pli = Vec::new();
    write_pli(&mut pli, 1, 2000);
    let before = lesson.asked();
    for step in 0..3000 {
        let at = 1_000_000 + step * 20_000;
        lesson.packet(at, false);
        lesson.told(at, 2, &pli);
    }
    let selfish = lesson.asked() - before;
    assert!((8..=13).contains(&selfish), "{selfish} in a minute");
    let mut other = Vec::new();
    write_pli(&mut other, 1, 3000);
    let before = lesson.asked();
    lesson.packet(70_000_000, true);
    lesson.told(75_000_000, 3, &other);
    assert_eq!(
        lesson.asked(),
        before + 1,
        "another receiver is heard at once"
    );
}

#[test]
fn a_flood_of_nacks_takes_a_share_of_its_senders_link_and_nothing_of_others() {
    let mut lesson = Lesson::new();
    let (mut repairs, mut media) = (0, [0, 0]);
    lesson.leaves(900_000, 2);
    lesson.leaves(900_000, 3);
    for step in 0..2500 {
        let at = 1_000_000 + step * 4_000;
        lesson.packet(at, false);
        let newest = lesson
            .engine
            .legs
            .iter()
            .find(|(_, leg)| leg.ssrc() == 2000);
        let newest = newest.unwrap().1.rewriter.next_index() as u16;
        let all: Vec<u16> = (1..200).map(|back| newest.wrapping_sub(back)).collect();
        let mut nack = Vec::new();
        write_nack(&mut nack, 1, 2000, &all);
        lesson.told(at, 2, &nack);
        let (flooded, again) = lesson.leaves(at, 2);
        repairs += again;
        media[0] += flooded.len();
        let (calm, none) = lesson.leaves(at, 3);
        media[1] += calm.len();
        assert_eq!((calm.len(), none), (1, 0), "no packet more or less");
    }
    // 15 % of 1 Mbit/s for ten seconds, and what was saved up.
    let size = 4 + 20 + 2 + 16;
    assert!(repairs * size < 215_000, "{repairs} repairs");
    assert!(media[0] >= 2400 && media[1] == 2500, "{media:?}");
}

#[test]
fn an_estimate_of_nothing_is_none_and_concerns_its_receiver_alone() {
    let mut lesson = Lesson::new();
    lesson.packet(500_000, false);
    for at in [1_000_000, 2_000_000] {
        let mut remb = Vec::new();
        write_remb(&mut remb, 1, 0, &[2000]);
        lesson.told(at, 2, &remb);
        let rows = lesson.engine.take_feedback(Micros(at));
        let of = |room| rows.iter().find(|row| row.transport == room).unwrap();
        assert_eq!((of(2).remb_bps, of(2).heard), (0, Heard::Reports));
        assert_eq!((of(3).remb_bps, of(3).heard), (0, Heard::Silent));
        lesson.packet(at, false);
        assert_eq!(lesson.leaves(at, 2).0.len(), lesson.leaves(at, 3).0.len());
    }
}
