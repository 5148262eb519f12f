//! Teachers and classrooms, made of the engine's own client role.

use std::net::SocketAddr;

use zhuandi_sfu::api::{
    Command, DtlsRole, Event, IceCredentials, LayerRow, LessonId, Played, Proto, PublicationId,
    Role, RtpParameters, Sink, SrtpProfile, Stills, SubscriptionId, TransportId, TransportParams,
};

use crate::media;
use crate::world::{SERVER, World, certificate};

/// The one lesson.
pub const LESSON: LessonId = LessonId(1);

fn credentials(name: &str, number: u32) -> IceCredentials {
    IceCredentials {
        ufrag: format!("{name}{number}"),
        pwd: format!("password-of-{name}-{number}-long"),
    }
}

/// Open a transport between the server and a client node; handles on both sides are `handle`.
pub fn link(world: &mut World, node: usize, handle: u32) -> SocketAddr {
    let [_, _, high, low] = handle.to_be_bytes();
    let local = SocketAddr::from(([10, 0, high, low], 5000));
    world.homes.insert(local, node);
    let (server, client) = (credentials("srv", handle), credentials("cli", handle));
    let params =
        |role, local_ice: &IceCredentials, remote_ice: &IceCredentials, dtls| TransportParams {
            role,
            local_ice: local_ice.clone(),
            remote_ice: remote_ice.clone(),
            fingerprint: certificate().fingerprint(),
            dtls,
            profiles: vec![SrtpProfile::AeadAes128Gcm],
            candidates: vec![(Proto::Udp, SERVER.parse().unwrap())],
            stills: Stills::None,
        };
    let id = TransportId(handle);
    let ours = params(Role::Server, &server, &client, DtlsRole::Passive);
    let theirs = params(Role::Client, &client, &server, DtlsRole::Active);
    world.command(
        0,
        Command::OpenTransport {
            id,
            lesson: LESSON,
            params: Box::new(ours),
            local: None,
        },
    );
    world.command(
        node,
        Command::OpenTransport {
            id,
            lesson: LESSON,
            params: Box::new(theirs),
            local: Some(local),
        },
    );
    local
}

/// Whether the transport came up on a node.
pub fn connected(world: &World, node: usize, handle: u32) -> bool {
    let id = TransportId(handle);
    world.nodes[node]
        .events
        .iter()
        .any(|event| matches!(event, Event::Connected { transport, .. } if *transport == id))
}

/// One track of a teacher: played on `node`, published on the server as `publication`.
pub fn publish(
    world: &mut World,
    node: usize,
    transport: u32,
    publication: u32,
    (sent, received): (RtpParameters, RtpParameters),
    played: Played,
) {
    let (player, slot) = (
        PublicationId(publication + 5000),
        SubscriptionId(publication + 6000),
    );
    let sink = Sink::Transport(TransportId(transport));
    world.command(
        0,
        Command::AddPublication {
            id: PublicationId(publication),
            transport: TransportId(transport),
            rtp: Box::new(received),
        },
    );
    let rtp = Box::new(sent.clone());
    world.command(
        node,
        Command::AddPlayer {
            id: player,
            lesson: LESSON,
            rtp,
            played,
        },
    );
    world.command(
        node,
        Command::AddSubscription {
            id: slot,
            lesson: LESSON,
            sink,
            rtp: Box::new(sent),
        },
    );
    world.command(
        node,
        Command::Connect {
            subscription: slot,
            publication: Some(player),
            all_encodings: true,
        },
    );
}

/// A teacher with a camera of some layers (publication 100) and a voice (101), on transport 1 of node 1.
pub fn teacher(world: &mut World, film: &media::Film) -> SocketAddr {
    let local = link(world, 1, 1);
    world.run(500_000);
    world.run(500_000);
    let rids = &["l", "m", "h"][..usize::from(film.layers)];
    let camera = (media::video(rids, Some(1000)), media::video(rids, None));
    publish(world, 1, 1, 100, camera, film.played());
    let microphone = (media::audio(Some(2000)), media::audio(None));
    publish(
        world,
        1,
        1,
        101,
        microphone,
        media::voice(film.seconds, film.first_seq),
    );
    world.run(500_000);
    assert!(
        connected(world, 0, 1) && connected(world, 1, 1),
        "the teacher is connected"
    );
    local
}

/// Handles of one classroom, all made from its number.
#[derive(Clone, Copy, Debug)]
pub struct Classroom {
    pub handle: u32,
    pub local: SocketAddr,
}

impl Classroom {
    pub fn camera_slot(&self) -> SubscriptionId {
        SubscriptionId(self.handle + 10_000)
    }

    pub fn voice_slot(&self) -> SubscriptionId {
        SubscriptionId(self.handle + 20_000)
    }

    /// Track number of what it sees in the log of its node.
    pub fn camera_track(&self) -> u16 {
        u16::try_from(self.handle * 2).unwrap()
    }

    /// Track number of what it hears.
    pub fn voice_track(&self) -> u16 {
        self.camera_track() + 1
    }
}

/// A classroom on node 2 with a slot for a camera and one for a voice, connected to nothing yet. Node 2 logs what it gets.
pub fn classroom(world: &mut World, handle: u32) -> Classroom {
    let room = Classroom {
        handle,
        local: link(world, 2, handle),
    };
    let camera = media::video(&["only"], Some(handle * 10));
    let voice = media::audio(Some(handle * 10 + 5));
    let slots = [
        (room.camera_slot(), camera, room.camera_track()),
        (room.voice_slot(), voice, room.voice_track()),
    ];
    for (slot, rtp, track) in slots {
        logged_slot(world, handle, slot, track, rtp);
    }
    room
}

/// A slot of a transport between nodes 0 and 2; node 2 logs what it gets there.
pub fn logged_slot(
    world: &mut World,
    transport: u32,
    slot: SubscriptionId,
    track: u16,
    rtp: RtpParameters,
) {
    let (transport, publication) = (TransportId(transport), PublicationId(slot.0 + 30_000));
    world.command(
        0,
        Command::AddSubscription {
            id: slot,
            lesson: LESSON,
            sink: Sink::Transport(transport),
            rtp: Box::new(rtp.clone()),
        },
    );
    world.command(
        2,
        Command::AddPublication {
            id: publication,
            transport,
            rtp: Box::new(rtp.clone()),
        },
    );
    tap(world, 2, publication, slot.0 + 60_000, track, rtp);
}

/// A tap into the log of a node.
pub fn tap(
    world: &mut World,
    node: usize,
    publication: PublicationId,
    handle: u32,
    track: u16,
    rtp: RtpParameters,
) {
    let id = SubscriptionId(handle);
    let rtp = RtpParameters {
        codecs: Vec::new(),
        encodings: Vec::new(),
        ..rtp
    };
    world.command(
        node,
        Command::AddSubscription {
            id,
            lesson: LESSON,
            sink: Sink::Log(track),
            rtp: Box::new(rtp),
        },
    );
    world.command(
        node,
        Command::Connect {
            subscription: id,
            publication: Some(publication),
            all_encodings: false,
        },
    );
}

/// Connect a slot of the server.
pub fn connect(world: &mut World, slot: SubscriptionId, publication: Option<u32>) {
    let publication = publication.map(PublicationId);
    world.command(
        0,
        Command::Connect {
            subscription: slot,
            publication,
            all_encodings: false,
        },
    );
}

/// Choose layers of a slot of the server.
pub fn apply(world: &mut World, slot: SubscriptionId, spatial: i8, temporal: i8) {
    let layers = vec![LayerRow {
        subscription: slot,
        spatial,
        temporal,
    }];
    world.command(
        0,
        Command::Apply {
            layers,
            rates: Vec::new(),
        },
    );
}
