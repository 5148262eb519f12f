//! What the engine tells the control plane in tables: `Engine::take_feedback` and `Engine::take_stats` fill these rows,
//! which reach Python as columns (`streaming/_core.pyi`). Counters grow for ever unless a row says otherwise.

/// Groups of arrivals that one row holds at most; of more the newest are kept.
pub const MAX_GROUPS: usize = 16;
/// Temporal layers whose rates are told apart (RFC 7741 4.2: two bits).
pub const TEMPORAL_LAYERS: usize = 4;

/// How a receiver tells what arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    /// Nothing was heard yet.
    #[default]
    Silent,
    /// Receiver reports or REMB alone.
    Reports,
    /// Transport-wide feedback.
    Twcc,
}

/// Where a probe stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProbeState {
    /// None was asked for.
    #[default]
    Idle,
    /// It is sent, or its feedback is awaited.
    Running,
    /// It ended since the last call with a result.
    Finished,
    /// It was given up since the last call: delay rose, losses burst or no feedback came.
    Aborted,
}

/// One pair of packet groups: how far apart they left and arrived (draft-ietf-rmcat-gcc-02 5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArrivalGroup {
    /// Last packet to last packet, when sent.
    pub send_delta_us: i64,
    /// The same when received.
    pub recv_delta_us: i64,
    /// Arrival of the later group's last packet on the receiver's clock, unwrapped.
    pub arrival_us: i64,
}

/// One transport that receives media from us, since the last call. Bytes are those of the link, IP and UDP headers included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedbackRow {
    /// Handle.
    pub transport: u32,
    /// Last REMB (draft-alvestrand-rmcat-remb) in bit/s; 0: none.
    pub remb_bps: u64,
    /// Round trip; -1: unknown.
    pub rtt_us: i64,
    /// What its receiver tells.
    pub heard: Heard,
    /// Bytes sent, of all kinds.
    pub sent_bytes: u64,
    /// Bytes that TWCC acknowledged.
    pub acked_bytes: u64,
    /// Packets that TWCC acknowledged.
    pub acked_packets: u32,
    /// Packets that TWCC or receiver reports call lost, less those that came later after all.
    pub lost: u32,
    /// Packets that they speak of.
    pub expected: u32,
    /// Runs of consecutive losses; 0 without TWCC.
    pub loss_runs: u32,
    /// Groups of arrivals, oldest first.
    pub groups: Vec<ArrivalGroup>,
    /// Least arrival time less send time, of two clocks with an arbitrary origin.
    pub delay_us: Option<i64>,
    /// The mean of the same.
    pub delay_mean_us: Option<i64>,
    /// Last arrival on the receiver's clock, unwrapped.
    pub arrival_us: Option<i64>,
    /// How long packets fly of which nothing was heard, 0: none do; -1: there never was any feedback.
    pub feedback_age_us: i64,
    /// Bytes sent after the last packet that feedback spoke of; 0 without TWCC.
    pub in_flight_bytes: u64,
    /// Age of the oldest packet in the pacer.
    pub queue_us: i64,
    /// Bytes in the pacer.
    pub queue_bytes: u64,
    /// Rate at which the last probe left.
    pub probe_sent_bps: u64,
    /// Rate at which it arrived.
    pub probe_acked_bps: u64,
    /// Where it stands.
    pub probe_state: ProbeState,
    /// Bytes of padding.
    pub padding_bytes: u64,
    /// Bytes of repairs.
    pub repair_bytes: u64,
    /// Bytes of sound.
    pub sound_bytes: u64,
    /// Bytes of stills.
    pub still_bytes: u64,
    /// Bytes of stills that the receiver said it got.
    pub still_acked_bytes: u64,
    /// Bytes of stills that it has not got yet.
    pub still_left_bytes: u64,
    /// Longest wait of a packet of sound in the pacer.
    pub sound_wait_us: i64,
}

impl FeedbackRow {
    /// Go on with a newer row: counts add up, readings are the newest, an ended probe stays until it is taken.
    pub fn add(&mut self, newer: FeedbackRow) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.extend_from_slice(&newer.groups);
        groups.drain(..groups.len().saturating_sub(MAX_GROUPS));
        let ended = |state| matches!(state, ProbeState::Finished | ProbeState::Aborted);
        let kept = ended(self.probe_state) && !ended(newer.probe_state);
        let probe = if kept { &*self } else { &newer };
        let (delay_us, acked) = (self.delay_us, self.acked_packets);
        *self = FeedbackRow {
            probe_sent_bps: probe.probe_sent_bps,
            probe_acked_bps: probe.probe_acked_bps,
            probe_state: probe.probe_state,
            sent_bytes: self.sent_bytes.saturating_add(newer.sent_bytes),
            acked_bytes: self.acked_bytes.saturating_add(newer.acked_bytes),
            acked_packets: acked.saturating_add(newer.acked_packets),
            lost: self.lost.saturating_add(newer.lost),
            expected: self.expected.saturating_add(newer.expected),
            loss_runs: self.loss_runs.saturating_add(newer.loss_runs),
            delay_us: delay_us.into_iter().chain(newer.delay_us).min(),
            delay_mean_us: mean(
                (self.delay_mean_us, acked),
                (newer.delay_mean_us, newer.acked_packets),
            ),
            arrival_us: newer.arrival_us.or(self.arrival_us),
            padding_bytes: self.padding_bytes.saturating_add(newer.padding_bytes),
            repair_bytes: self.repair_bytes.saturating_add(newer.repair_bytes),
            sound_bytes: self.sound_bytes.saturating_add(newer.sound_bytes),
            still_bytes: self.still_bytes.saturating_add(newer.still_bytes),
            still_acked_bytes: self
                .still_acked_bytes
                .saturating_add(newer.still_acked_bytes),
            sound_wait_us: self.sound_wait_us.max(newer.sound_wait_us),
            groups,
            ..newer
        };
    }
}

/// Mean of two means by the number of packets behind each.
fn mean(a: (Option<i64>, u32), b: (Option<i64>, u32)) -> Option<i64> {
    match (a, b) {
        ((Some(first), n), (Some(second), m)) => {
            let step = (second - first).saturating_mul(i64::from(m));
            Some(first + step / (i64::from(n) + i64::from(m)).max(1))
        }
        ((first, _), (second, _)) => first.or(second),
    }
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
    /// The same for temporal layers up to each; all equal where the codec names none.
    pub temporal_bps: [u64; TEMPORAL_LAYERS],
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
