//! The values that cross the engine's boundary: commands in, events and datagrams out.
//!
//! Drive contract of `Engine` (follows quinn-proto's order of polling): call one `handle_*`, then drain
//! `poll_transmit`, `poll_event` and `poll_log` until they are empty, then sleep until `poll_timeout`.

use std::net::SocketAddr;
use std::sync::Arc;

pub use crate::command::Command;
pub use crate::outgoing::{Outgoing, Run};
pub use crate::played::{Played, PlayedPacket};
pub use crate::stills::{Still, Stills};

/// One lesson; a lesson lives on one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LessonId(pub u32);
/// One ICE + DTLS-SRTP association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransportId(pub u32);
/// One received media source (RFC 7656 media source).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicationId(pub u32);
/// One forwarding leg: a slot of a transport, or a tap into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub u32);

/// How a datagram travels: protocol and both addresses (RFC 8445 5-tuple).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// UDP, or one accepted or opened TCP connection.
    pub proto: Proto,
    /// The destination address of what we receive; never unspecified (IP_PKTINFO).
    pub local: SocketAddr,
    /// The peer.
    pub remote: SocketAddr,
}

/// Protocol of a [`Path`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proto {
    /// A datagram each.
    Udp,
    /// RFC 4571 frames on the numbered connection; `net` does the framing.
    Tcp(u32),
}

/// ICE user fragment and password (RFC 8839).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCredentials {
    /// `a=ice-ufrag`
    pub ufrag: String,
    /// `a=ice-pwd`
    pub pwd: String,
}

/// Which side of ICE and of the service we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// ICE-lite, one shared socket: browsers come to us.
    Server,
    /// Full controlling agent towards one remote candidate list, a socket of its own: our headless ends and relays.
    Client,
}

/// Our part in the DTLS handshake (RFC 8842).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtlsRole {
    /// We send the ClientHello.
    Active,
    /// We wait for it.
    Passive,
}

/// SRTP protection profile (RFC 5764, RFC 7714).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpProfile {
    /// AEAD_AES_128_GCM (0x0007): preferred.
    AeadAes128Gcm,
    /// AES_CM_128_HMAC_SHA1_80 (0x0001).
    AesCm128HmacSha1_80,
}

/// What the SDP of the other side says about the association.
#[derive(Clone, Debug)]
pub struct TransportParams {
    /// Server or client.
    pub role: Role,
    /// Ours, made by the caller's thread.
    pub local_ice: IceCredentials,
    /// Theirs.
    pub remote_ice: IceCredentials,
    /// SHA-256 of the peer's certificate.
    pub fingerprint: [u8; 32],
    /// Our DTLS role.
    pub dtls: DtlsRole,
    /// Profiles that we accept or offer, best first.
    pub profiles: Vec<SrtpProfile>,
    /// The peer's candidates; used in the client role only.
    pub candidates: Vec<(Proto, SocketAddr)>,
    /// Which way stills go on its data channel.
    pub stills: Stills,
}

/// Audio or video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// Payload formats that are forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 7587
    Opus,
    /// RFC 2198 around Opus
    Red,
    /// RFC 7741
    Vp8,
    /// RFC 6184
    H264,
    /// RFC 4588 for the payload type `apt`
    Rtx,
}

/// One line of a payload type table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecParams {
    /// Payload type, 0-127.
    pub pt: u8,
    /// What it carries.
    pub codec: Codec,
    /// Hz.
    pub clock_rate: u32,
    /// Associated payload type, for RTX.
    pub apt: Option<u8>,
}

/// Negotiated header extension ids (RFC 8285); `None` = not negotiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// sdes:mid
    pub mid: Option<u8>,
    /// sdes:rtp-stream-id
    pub rid: Option<u8>,
    /// sdes:repaired-rtp-stream-id
    pub repaired_rid: Option<u8>,
    /// transport-wide congestion control sequence number
    pub twcc: Option<u8>,
    /// abs-send-time
    pub abs_send_time: Option<u8>,
    /// RFC 6464 client-to-mixer audio level
    pub audio_level: Option<u8>,
}

impl Extensions {
    /// These, and those of the other where these have none: under BUNDLE an id means the same in every m-section (RFC 8843 14).
    pub fn or(self, other: Extensions) -> Extensions {
        Extensions {
            mid: self.mid.or(other.mid),
            rid: self.rid.or(other.rid),
            repaired_rid: self.repaired_rid.or(other.repaired_rid),
            twcc: self.twcc.or(other.twcc),
            abs_send_time: self.abs_send_time.or(other.abs_send_time),
            audio_level: self.audio_level.or(other.audio_level),
        }
    }
}

/// One simulcast stream; receivers' slots have exactly one, with both SSRCs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodingParams {
    /// `a=rid`, lowest layer first in the list.
    pub rid: Option<String>,
    /// Media SSRC where the SDP names it.
    pub ssrc: Option<u32>,
    /// RTX SSRC where the SDP names it.
    pub rtx_ssrc: Option<u32>,
    /// The m-section that it comes on, where that is not the publication's own: the low-rate voice has one to itself.
    pub mid: Option<String>,
}

/// One m-section, as the packet path needs it.
#[derive(Clone, Debug)]
pub struct RtpParameters {
    /// `a=mid`
    pub mid: String,
    /// Audio or video.
    pub kind: Kind,
    /// Payload types of this transport.
    pub codecs: Vec<CodecParams>,
    /// Extension ids of this transport.
    pub extensions: Extensions,
    /// Lowest quality first.
    pub encodings: Vec<EncodingParams>,
    /// Generic NACK negotiated.
    pub nack: bool,
    /// transport-cc negotiated.
    pub twcc: bool,
}

/// Where a subscription sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// A slot of this transport.
    Transport(TransportId),
    /// The log of the publication's lesson, under this track number.
    Log(u16),
}

/// One row of a decision: what a subscription forwards. -1 = paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerRow {
    /// The leg.
    pub subscription: SubscriptionId,
    /// Encoding index, -1 = nothing.
    pub spatial: i8,
    /// Highest temporal layer, -1 = all.
    pub temporal: i8,
}

/// One row of a decision: how fast a transport may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateRow {
    /// The association.
    pub transport: TransportId,
    /// Pacing rate in bit/s; 0 = unpaced.
    pub pacing_bps: u64,
    /// Rate of a probe that starts now, media included, in bit/s; 0 = none. One that runs goes on.
    pub probe_bps: u64,
    /// Its length in microseconds.
    pub probe_us: u32,
    /// Copies of sound in each packet: bit k stands for the packet k + 1 before (RFC 2198).
    pub redundancy: u16,
    /// What repairs of picture may take, in bit/s; 0 = by the loss that was measured.
    pub repair_bps: u64,
}

/// What the engine tells the control plane.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// ICE and DTLS are up.
    Connected {
        /** which */
        transport: TransportId,
        /** how */
        path: Path,
    },
    /// Five seconds without an authenticated packet.
    Disconnected {
        /** which */
        transport: TransportId,
    },
    /// It never came up, or the certificate is wrong.
    Failed {
        /** which */
        transport: TransportId,
        /** in words */
        reason: String,
    },
    /// Gone: closed by the peer, by consent loss (30 s) or by `Remove`.
    Closed {
        /** which */
        transport: TransportId,
        /** in words */
        reason: String,
    },
    /// The first packet of a publication was decrypted.
    FirstMedia {
        /** which */
        publication: PublicationId,
    },
    /// A new still came whole, or was put.
    Still {
        /** whose */
        lesson: LessonId,
        /** the picture */
        still: Arc<Still>,
    },
    /// A page's own still came whole, or is the newest again.
    OwnStill {
        /** from which connection */
        transport: TransportId,
        /** 0: the peer's own; else whose, as a server names it */
        tile: u32,
        /** the picture */
        still: Arc<Still>,
    },
}

/// What goes to the log writer.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// Whose log.
    pub lesson: LessonId,
    /// Track number of the tap.
    pub track: u16,
    /// Record type of PROTOCOL section 6.
    pub kind: u8,
    /// Engine time of arrival; `net` turns it into Unix time.
    pub arrival_us: i64,
    /// The record's body.
    pub body: Vec<u8>,
}
