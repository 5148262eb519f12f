//! Why a packet was not taken or not sent: every loss that we cause has a name and a counter.

macro_rules! drop_reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// Why a packet was dropped; the index into [`DropReason::names`] is its number in the statistics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum DropReason { $($(#[doc = $doc])+ $variant,)+ }

        impl DropReason {
            const NAMES: &'static [&'static str] = &[$($name),+];
            /// How many reasons there are.
            pub const COUNT: usize = Self::NAMES.len();
        }
    };
}

drop_reasons! {
    /// Shorter than any packet of its kind.
    TooShort = "too_short",
    /// The first byte belongs to nothing that we speak (RFC 7983).
    UnknownFirstByte = "unknown_first_byte",
    /// No transport has opened this 5-tuple.
    UnknownPath = "unknown_path",
    /// A STUN username that names no transport.
    UnknownUfrag = "unknown_ufrag",
    /// STUN that does not parse (RFC 8489), or with a wrong fingerprint.
    StunMalformed = "stun_malformed",
    /// STUN whose USERNAME is not ours.
    StunUsername = "stun_username",
    /// STUN without a MESSAGE-INTEGRITY that verifies.
    StunIntegrity = "stun_integrity",
    /// A STUN class or transaction that nobody waits for.
    StunUnexpected = "stun_unexpected",
    /// More Binding requests on a path than are answered.
    StunRate = "stun_rate",
    /// DTLS from a path that no STUN check opened.
    DtlsUnopenedPath = "dtls_unopened_path",
    /// DTLS that is too large, or came when no handshake can use it.
    DtlsUnexpected = "dtls_unexpected",
    /// DTLS on which the handshake broke.
    DtlsFailed = "dtls_failed",
    /// SRTP from a path that no STUN check opened.
    SrtpUnopenedPath = "srtp_unopened_path",
    /// SRTP before the keys are there.
    SrtpNoKeys = "srtp_no_keys",
    /// A header that reaches beyond the packet.
    SrtpMalformed = "srtp_malformed",
    /// A tag that does not verify.
    SrtpAuth = "srtp_auth",
    /// An index that was taken before, or is older than the replay window (RFC 3711 3.3.2).
    SrtpReplay = "srtp_replay",
    /// More SSRCs than a transport may have.
    SrtpTooManySsrcs = "srtp_too_many_ssrcs",
    /// SRTCP without the E bit.
    SrtcpUnencrypted = "srtcp_unencrypted",
    /// We refused to seal an index a second time.
    NonceReuse = "nonce_reuse",
    /// RTP that does not parse (RFC 3550, RFC 8285).
    RtpMalformed = "rtp_malformed",
    /// An SSRC, mid or rid of no publication.
    UnknownSsrc = "unknown_ssrc",
    /// A payload type that was not negotiated.
    UnknownPayloadType = "unknown_payload_type",
    /// A payload descriptor that does not parse.
    DescriptorMalformed = "descriptor_malformed",
    /// A sequence number that was taken before.
    Duplicate = "duplicate",
    /// An RTX packet without an original sequence number, or padding alone (RFC 4588).
    RtxEmpty = "rtx_empty",
    /// RTCP that does not parse, or beyond the work bound of one packet.
    RtcpMalformed = "rtcp_malformed",
    /// Media of a publication that is not granted.
    NotGranted = "not_granted",
    /// A publisher far above its negotiated rate.
    PublisherRate = "publisher_rate",
    /// The leg is connected to nothing or paused.
    Paused = "paused",
    /// Another encoding is forwarded on this leg.
    OtherLayer = "other_layer",
    /// A temporal layer above the leg's.
    TemporalLayer = "temporal_layer",
    /// The leg waits for a key frame.
    WaitingKeyframe = "waiting_keyframe",
    /// Older than what the leg has sent, or no number is left for it.
    TooLate = "too_late",
    /// The pacer's queue is full or the packet aged in it.
    QueueFull = "queue_full",
    /// A NACK for a packet that the history no longer holds, or never sent.
    NackUnknown = "nack_unknown",
    /// A NACK for sound that came after all, or whose copies came or are on their way.
    NackCovered = "nack_covered",
    /// A NACK beyond the repair budget.
    NackThrottled = "nack_throttled",
    /// A PLI or FIR beyond the one rule of key frames.
    PliThrottled = "pli_throttled",
    /// The transport is not connected.
    NotConnected = "not_connected",
    /// SCTP, DCEP or a message of a still that does not parse.
    ChannelMalformed = "channel_malformed",
    /// A data channel that we do not serve.
    ChannelUnknown = "channel_unknown",
    /// Data for a channel that is over.
    ChannelClosed = "channel_closed",
    /// A message about stills from who may not send it.
    StillForbidden = "still_forbidden",
    /// An own still larger than those may be.
    StillTooLarge = "still_too_large",
    /// A chunk or an answer about a still that nobody announced.
    StillUnknown = "still_unknown",
    /// A still whose bytes are not those that were announced.
    StillHash = "still_hash",
    /// New stills faster than one in 200 ms.
    StillRate = "still_rate",
}

impl DropReason {
    /// The names of all reasons, in the order of their numbers.
    pub fn names() -> &'static [&'static str] {
        Self::NAMES
    }

    /// The reason's number.
    pub fn index(self) -> usize {
        self as usize
    }

    /// One more of it.
    pub fn count(self, drops: &mut [u64; Self::COUNT]) {
        if let Some(count) = drops.get_mut(self.index()) {
            *count += 1;
        }
    }
}
