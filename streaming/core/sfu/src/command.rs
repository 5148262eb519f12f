//! What is asked of the engine: objects come and go, meet and part.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::api::{
    IceCredentials, LayerRow, LessonId, Played, PublicationId, RateRow, RtpParameters, Sink, Still,
    SubscriptionId, TransportId, TransportParams,
};

/// What other threads ask of the engine; posted to a bounded mailbox, checked before.
#[derive(Clone, Debug)]
pub enum Command {
    /// A new association. `local` is set in the client role: its own socket.
    OpenTransport {
        /** handle */
        id: TransportId,
        /** its lesson */
        lesson: LessonId,
        /** from SDP */
        params: Box<TransportParams>,
        /** client socket */
        local: Option<SocketAddr>,
    },
    /// RFC 8445 9: new credentials, same DTLS and SRTP.
    RestartIce {
        /** which */
        id: TransportId,
        /** ours */
        local: IceCredentials,
        /** theirs */
        remote: IceCredentials,
    },
    /// Media that this transport will send to us.
    AddPublication {
        /** handle */
        id: PublicationId,
        /** from */
        transport: TransportId,
        /** m-section */
        rtp: Box<RtpParameters>,
    },
    /// Media that comes from a file instead of a transport.
    AddPlayer {
        /** handle */
        id: PublicationId,
        /** lesson */
        lesson: LessonId,
        /** codecs, extensions empty */
        rtp: Box<RtpParameters>,
        /** packets */
        played: Played,
    },
    /// A leg; starts connected to nothing.
    AddSubscription {
        /** handle */
        id: SubscriptionId,
        /** lesson */
        lesson: LessonId,
        /** to */
        sink: Sink,
        /** m-section (empty encodings for a tap) */
        rtp: Box<RtpParameters>,
    },
    /// Point a leg at a publication, or at nothing. `all_encodings`: client role, every encoding goes out under its rid.
    Connect {
        /** leg */
        subscription: SubscriptionId,
        /** source */
        publication: Option<PublicationId>,
        /** publish simulcast as it is */
        all_encodings: bool,
    },
    /// Let the packets of a publication in, or end them at the door; it begins granted.
    Grant {
        /** source */
        publication: PublicationId,
        /** in */
        on: bool,
    },
    /// The own stills of these transports go to this one, each under the tile that stands beside it; no others any more.
    ShowStills {
        /** who looks */
        transport: TransportId,
        /** at whom */
        of: Vec<(TransportId, u32)>,
    },
    /// Ask the source for a key frame, under the one rule of DESIGN 2.
    RequestKeyframe {
        /** source */
        publication: PublicationId,
    },
    /// Whole decision at once.
    Apply {
        /** legs */
        layers: Vec<LayerRow>,
        /** associations */
        rates: Vec<RateRow>,
    },
    /// A still that comes from no transport.
    PutStill {
        /** whose */
        lesson: LessonId,
        /** whole and hashed */
        still: Arc<Still>,
    },
    /// A client's own still, for its server.
    GiveStill {
        /** to */
        transport: TransportId,
        /** whole and hashed */
        still: Arc<Still>,
    },
    /// A lesson is over: its stills are forgotten; its transports are removed one by one.
    CloseLesson {
        /** which */
        lesson: LessonId,
    },
    /// Remove by handle; idempotent; a transport takes its publications and subscriptions along.
    Remove {
        /** any handle */
        handle: u32,
    },
}
