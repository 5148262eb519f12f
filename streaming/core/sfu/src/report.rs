//! What the engine tells the control plane in tables: `Engine::take_feedback` and `Engine::take_stats` fill these rows,
//! which reach Python as columns (`streaming/_core.pyi`). Counters grow for ever unless a row says otherwise.

/// One transport that receives media from us, since the last call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackRow {
    /// Handle.
    pub transport: u32,
    /// Last REMB (draft-alvestrand-rmcat-remb) in bit/s; 0: none.
    pub remb_bps: u64,
    /// Packets that receiver reports or TWCC call lost.
    pub lost: u32,
    /// Packets that they speak of.
    pub expected: u32,
    /// Round trip; -1: unknown.
    pub rtt_us: i64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes that TWCC acknowledged; 0 without TWCC.
    pub acked_bytes: u64,
    /// Age of the oldest packet in the pacer.
    pub queue_us: i64,
}

/// One transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportRow {
    /// Handle.
    pub transport: u32,
    /// ICE and DTLS are up.
    pub connected: bool,
    /// Media goes over TCP.
    pub tcp: bool,
    /// Datagrams that came.
    pub rx_packets: u64,
    /// Their bytes.
    pub rx_bytes: u64,
    /// Datagrams that went.
    pub tx_packets: u64,
    /// Their bytes.
    pub tx_bytes: u64,
    /// Round trip; -1: unknown.
    pub rtt_us: i64,
    /// Age of the oldest packet in the pacer.
    pub queue_us: i64,
}

/// One encoding of a publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodingRow {
    /// Handle of the publication.
    pub publication: u32,
    /// Index, lowest first.
    pub encoding: u8,
    /// Packets that came.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came by repair.
    pub recovered: u64,
    /// Over the last second.
    pub bitrate_bps: u64,
    /// Key frames that came.
    pub keyframes: u64,
    /// Age of the last key frame; -1: none.
    pub last_keyframe_us: i64,
    /// Key frames that we asked for.
    pub plis: u64,
    /// Packets that we asked for again.
    pub nacks: u64,
    /// Picture, 0: unknown.
    pub width: u16,
    /// Picture, 0: unknown.
    pub height: u16,
    /// Interarrival jitter (RFC 3550 A.8).
    pub jitter_us: u32,
    /// Engine time of the first packet; -1: none yet.
    pub first_media_us: i64,
}

/// One forwarding leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Handle.
    pub subscription: u32,
    /// What it carries; 0: nothing.
    pub publication: u32,
    /// Encoding that it forwards now, -1: paused.
    pub spatial: i8,
    /// Highest temporal layer, -1: all.
    pub temporal: i8,
    /// Packets sent.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets that it was not given.
    pub dropped: u64,
    /// Packets that its receiver asked for again.
    pub nacks: u64,
    /// Repairs sent.
    pub rtx_packets: u64,
    /// Key frames that its receiver asked for.
    pub plis: u64,
    /// Last fraction lost, of 256 (RFC 3550 6.4.1).
    pub loss_q8: u8,
    /// Jitter at its receiver.
    pub jitter_us: u32,
}

/// All tables of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transports.
    pub transports: Vec<TransportRow>,
    /// Encodings of publications.
    pub encodings: Vec<EncodingRow>,
    /// Legs.
    pub subscriptions: Vec<SubscriptionRow>,
    /// Packets dropped, by `DropReason` as an index.
    pub drops: Vec<u64>,
}
