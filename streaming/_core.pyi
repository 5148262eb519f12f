"""THE contract between Python and Rust: the packet core as Python sees it.

Python pulls, Rust never calls Python; no packet of a live lesson crosses; no method waits more than 1 ms except
`Core.__init__`, `close` and `add_player` (reads a file). A bad argument raises `ValueError` (our bug), a bad packet is a
counted drop reason, a dead peer is an event. Handles are unsigned 32-bit numbers, unique for the life of a `Core`.
"""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

class CandidateDict(TypedDict):
    """One ICE candidate of ours."""

    protocol: str  # "udp" | "tcp" (passive)
    address: str
    port: int

class LocalTransport(TypedDict):
    """What our SDP says about one association."""

    transport: int
    ufrag: str
    pwd: str
    fingerprint: str  # "AA:BB:…", SHA-256
    candidates: list[CandidateDict]

class TransportParams(TypedDict, total=False):
    """What the peer's SDP says about one association."""

    role: str  # "server" (ICE-lite) | "client"
    ufrag: str
    pwd: str
    fingerprint: str  # "AA:BB:…", SHA-256
    dtls: str  # OUR role: "active" | "passive"
    profiles: list[str]  # "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"; best first; default both
    candidates: list[CandidateDict]  # client role only
    local_ufrag: str  # client role: our credentials, already in the offer that we sent
    local_pwd: str
    stills: str  # which way pictures go on its data channel: "none" (default) | "from_peer" | "to_peer"

class CodecDict(TypedDict, total=False):
    pt: int
    codec: str  # "opus" | "red" | "VP8" | "H264" | "rtx"
    clock_rate: int
    apt: int

class EncodingDict(TypedDict, total=False):
    rid: str
    ssrc: int
    rtx_ssrc: int
    mid: str  # the m-section that it comes on, where that is not the publication's own (the low-rate voice)

class RtpParameters(TypedDict):
    """One m-section as the packet path needs it. `encodings` lowest quality first."""

    mid: str
    kind: str  # "audio" | "video"
    codecs: list[CodecDict]
    extensions: dict[str, int]  # mid, rid, repaired_rid, twcc, abs_send_time, audio_level -> id
    encodings: list[EncodingDict]
    nack: bool
    twcc: bool

class LinkDict(TypedDict, total=False):
    """One direction of an emulated link (crate netem); what is absent is perfect."""

    capacity_bps: int | None  # None: nothing ever waits
    trace: list[tuple[int, int]]  # instead: (start in us from 0, bit/s), repeated; as `read_trace` gives it
    delay_us: int  # one way
    jitter_us: int  # at most this much more
    ordered: bool  # jitter lets nobody overtake; default True
    loss: float  # share of packets, lost behind the bottleneck
    burst: float  # mean run of losses; 1: each packet for itself
    reorder: float  # share of packets that come late by `reorder_us`
    reorder_us: int
    duplicate: float
    queue_ms: int  # of the mean capacity; default 1000
    queue_bytes: int  # instead
    outages: list[tuple[int, int, str]]  # (from us, until us, "hold" | "drop"), since the link was made

class LinkProfileDict(TypedDict):
    """Both directions; `down` is towards the classroom."""

    down: LinkDict
    up: LinkDict

class LinkCounters(TypedDict):
    """Since the link was made; `lost` by chance, `overflowed` at the queue, `cut` in outages."""

    pushed: int
    pushed_bytes: int
    delivered: int
    delivered_bytes: int
    lost: int
    overflowed: int
    cut: int
    duplicated: int
    reordered: int

def link_profiles() -> dict[str, LinkProfileDict]:
    """The named links, in the order in which pages list them."""

def read_trace(file: str, text: str) -> list[tuple[int, int]]:
    """A CSV `time_s,capacity_kbps` as `LinkDict` wants it; raises `ValueError` "file:line: what is wrong"."""

class Link:
    """One direction of an emulated link over the caller's clock: same calls, same result. Bytes are those at IP level."""

    def __init__(self, profile: LinkDict, *, seed: int = 0, now_us: int = 0) -> None: ...
    def push(self, now_us: int, bytes: int, packet: object) -> int | str:
        """A packet enters: when it will arrive (us), or why it never will: "loss", "queue", "outage"."""
    def poll(self, now_us: int) -> tuple[int, int, Any] | None:
        """The next arrival by now, (arrival us, bytes, packet), or None; ask until None."""
    def next_us(self) -> int | None:
        """When the next packet arrives."""
    def queue_us(self, now_us: int) -> int:
        """How long a packet that enters now would wait."""
    def queue_bytes(self, now_us: int) -> int: ...
    def capacity_bits(self, from_us: int, to_us: int) -> int:
        """Bits that could pass between two times, losses not taken off (2**64 - 1: unlimited)."""
    def set_profile(self, now_us: int, profile: LinkDict) -> None:
        """Become another link: what waits is served at the new rate."""
    def counters(self) -> LinkCounters: ...

class Sim:
    """A lesson in virtual time (crate sim): the real engine, emulated links and modelled browsers behind the control methods of `Core`.

    The same seed and the same calls give the same result. A bad argument raises `ValueError`.
    """

    now_us: int

    def __init__(self, *, seed: int = 0) -> None: ...
    def open_lesson(self) -> int: ...
    def add_teacher(self, lesson: int, up: LinkDict) -> int:
        """A modelled browser that publishes; the handle of its transport. What it sends is not adapted to its link."""
    def add_bottleneck(self, down: LinkDict) -> int:
        """A way towards classrooms that several may share; trace and outages begin now."""
    def add_receiver(self, lesson: int, bottleneck: int, up: LinkDict) -> int:
        """A modelled browser that attends; the handle of its transport."""
    def add_download(self, bottleneck: int, return_us: int) -> int:
        """A TCP download with CUBIC from now on, whose acknowledgements take `return_us`; its number."""
    def downloaded_bytes(self, download: int) -> int:
        """At IP level, headers included."""
    def publish(
        self,
        teacher: int,
        kind: str,
        mid: str,
        at_us: NDArray[np.int64],
        encoding: NDArray[np.uint8],
        temporal: NDArray[np.uint8],
        sync: NDArray[np.uint8],
        bytes: NDArray[np.uint32],
        loop_us: int,
        encodings: list[tuple[int, int, list[int]]],
    ) -> int:
        """A publication of frames (columns, sorted by time, repeated every `loop_us`); of each encoding, lowest first:
        height, width and the sizes of its key frames, or for sound the length of a frame in us, 0 and nothing.
        """
    def add_subscription(self, receiver: int, kind: str) -> int: ...
    def connect(self, subscription: int, publication: int | None) -> None: ...
    def request_keyframe(self, publication: int) -> None: ...
    def set_active(self, publication: int, count: int) -> None:
        """The teacher sends this many encodings, counted from the lowest."""
    def set_target(self, receiver: int, target_us: int) -> None:
        """The classroom's `jitterBufferTarget`."""
    def set_twcc(self, receiver: int, tells: bool) -> None:
        """Whether the classroom sends transport-wide feedback."""
    def step(self, span_us: int) -> None:
        """Let virtual time pass."""
    def take_feedback(self) -> dict[str, NDArray[Any]]:
        """As `Core.take_feedback`."""
    def apply(
        self,
        subscriptions: NDArray[np.uint32],
        spatial: NDArray[np.int8],
        temporal: NDArray[np.int8],
        transports: NDArray[np.uint32],
        pacing_bps: NDArray[np.uint64],
        probe_bps: NDArray[np.uint64],
        probe_us: NDArray[np.uint32],
        redundancy: NDArray[np.uint16],
        repair_bps: NDArray[np.uint64],
    ) -> None:
        """As `Core.apply`; time in which a picture is paused counts as off and not as frozen."""
    def take_stats(self) -> dict[str, dict[str, NDArray[Any]]]:
        """As `Core.take_stats`."""
    def metrics(self) -> dict[str, dict[str, NDArray[Any]]]:
        """What was heard and seen since the beginning, as tables of columns:

        `links`: transport, sent_bytes, delivered_bytes (at IP level), queue_us, own_delay_p50_ms, own_delay_p95_ms (one-way delay over that of the same link when empty);
        `sounds`: transport, subscription, played_us, concealed_us, bytes (encoded, played), late, delay_us (mean from capture), target_us, packets, lost, nacks;
        `pictures`: transport, subscription, frames, bytes (encoded, shown), freezes, frozen_us (W3C's definition), longest_freeze_us, off_us, switches (of height, off included),
        first_us, last_us (-1: no frame), delay_us, packets, lost, nacks, plis; `rungs`: subscription, height (0: off), us.
        """
    def take_gaps(self) -> dict[str, NDArray[Any]]:
        """Stretches of made-up sound that ended since the last call: subscription, at_us, length_us."""
    def put_still(self, lesson: int, bytes: int) -> int:
        """A page is turned: a still of this many bytes is to get to every classroom of the lesson; its number."""
    def take_slides(self) -> dict[str, NDArray[Any]]:
        """Stills that became whole since the last call: transport, number, at_us."""
    def clear_delays(self) -> None:
        """Forget the delays seen, to begin a measured span."""

class Core:
    """The packet core: `workers` threads, each with one UDP port and ICE-TCP on the same number (port + i)."""

    def __init__(
        self,
        *,
        port: int = 0,
        workers: int = 1,
        addresses: list[str] = ...,
        certificate_pem: bytes | None = None,
    ) -> None:
        """Bind and start. `port` 0 picks free ones; `addresses` are the host candidates (all interfaces when empty).

        Raises `OSError` when the port is taken.
        """
    port: int
    fingerprint: str

    def close(self) -> None:
        """Stop the workers, flush and seal the logs; idempotent."""
    def fileno(self) -> int:
        """An eventfd that is readable while `take_events` has something."""
    def new_credentials(self) -> tuple[str, str]:
        """Fresh ICE (ufrag, pwd) for an offer of ours."""

    # lessons and logs
    def open_lesson(self, log_dir: str | None) -> int:
        """A lesson's handle; with a directory (made if missing) its log is written there. Raises `OSError`."""
    def close_lesson(self, lesson: int) -> None:
        """Close its transports, write the last records, seal."""
    def log_event(self, lesson: int, body: bytes) -> None:
        """Append an EVENT record (JSON bytes, at most 16 KiB) to track 0."""

    # media
    def open_transport(self, lesson: int, params: TransportParams) -> LocalTransport: ...
    def restart_ice(self, transport: int, ufrag: str, pwd: str) -> LocalTransport: ...
    def add_publication(self, transport: int, rtp: RtpParameters, *, granted: bool = True) -> int: ...
    def grant(self, publication: int, on: bool) -> None:
        """Its packets pass, from a key frame on, or end at the door; then nothing of it that waits leaves any more."""
    def add_player(self, lesson: int, paths: list[str], rtp: RtpParameters, loop_us: int) -> int:
        """A publication that comes from `.zwl` track files (one an encoding, lowest first), repeated every `loop_us`."""
    def add_subscription(self, transport: int, rtp: RtpParameters) -> int:
        """A slot: `rtp.encodings[0]` holds its SSRC and RTX SSRC (client role: one per rid)."""
    def add_tap(self, publication: int, track: int, header: bytes) -> int:
        """A subscription into the log of the publication's lesson, forwarding the highest encoding that arrives; `header` is the TRACK record's JSON."""
    def connect(self, subscription: int, publication: int | None, *, all_encodings: bool = False) -> None: ...
    def put_still(self, lesson: int, source: str, format: str, width: int, height: int, file: bytes) -> str:
        """A picture for everybody in the lesson whose transport has `stills` "to_peer"; its SHA-256 in hexadecimal digits.

        `source` "camera" | "screen", `format` "webp" | "png" | "jpeg"; at most 256 KiB.
        """
    def give_still(self, transport: int, format: str, width: int, height: int, file: bytes) -> str:
        """Client role: this end's camera as a still, to its server (a teacher's is the lesson's); its SHA-256. At most 24 KiB."""
    def show_stills(self, transport: int, of: list[tuple[int, int]]) -> None:
        """The transport gets the own stills of these transports of its lesson, each named by a tile (not 0), and no others
        any more; at most 64, and handles that are gone are left out.
        """
    def request_keyframe(self, publication: int) -> None: ...
    def remove(self, handle: int) -> None:
        """Idempotent; a transport takes its publications and subscriptions along."""

    # what happened
    def take_events(self) -> list[dict[str, Any]]:
        """What happened since the last call, bounded:

        {"event": "connected", transport, protocol, address}, "disconnected" {transport}, "failed"|"closed" {transport, reason},
        "first_media" {publication}, "still" {lesson, source, hash, bytes, width, height},
        "own_still" {transport, tile, hash, bytes, width, height} (tile 0: of the peer itself), "log" {lesson, bytes, error, sealed}, "overflow" {count}.
        """

    # control: columns only
    def take_feedback(self) -> dict[str, NDArray[Any]]:
        """One row per transport that receives media from us, since the last call. Bytes are those of the link: IP and UDP headers included.

        `transport` u32, `remb_bps` u64 (last REMB, 0: none), `rtt_us` i64 (-1: unknown), `heard` u8 (2: TWCC, 1: only RR or REMB, 0: nothing yet),
        `sent_bytes` u64 (of all kinds), `acked_bytes` u64 and `acked_packets` u32 (TWCC alone), `lost` u32 and `expected` u32 (TWCC, else RR; a packet
        that came after it was called lost is taken back), `loss_runs` u32 (runs of consecutive losses, TWCC alone),
        `groups` f64 (rows, 16, 3): send delta, arrival delta and arrival in ms of pairs of packet groups, oldest first, and `group_count` u8,
        `delay_ms` f64 (least arrival less send time, origin arbitrary, NaN: no news), `delay_mean_ms` f64, `arrival_ms` f64 (last arrival on the
        receiver's clock, unwrapped, NaN: no news), `feedback_age_us` i64 (how long packets fly of which nothing was heard, 0: none do; -1: never
        any feedback), `in_flight_bytes` u64 (sent after the last packet that feedback spoke of), `queue_us` i64 and `queue_bytes` u64 (what waits in the pacer), `probe_sent_bps` u64, `probe_acked_bps` u64 (rates at which the
        last probe left and arrived), `probe_state` u8 (0 none, 1 running, 2 finished and 3 aborted since the last call), `padding_bytes`,
        `repair_bytes`, `sound_bytes`, `still_bytes` u64, `still_acked_bytes` u64 (of stills, what the receiver said it got), `still_left_bytes` u64
        (of stills, what it has not got yet, 0 once it answers nothing), `sound_wait_us` i64 (longest wait of a packet of sound in the pacer).
        """
    def apply(
        self,
        subscriptions: NDArray[np.uint32],
        spatial: NDArray[np.int8],
        temporal: NDArray[np.int8],
        transports: NDArray[np.uint32],
        pacing_bps: NDArray[np.uint64],
        probe_bps: NDArray[np.uint64],
        probe_us: NDArray[np.uint32],
        redundancy: NDArray[np.uint16],
        repair_bps: NDArray[np.uint64],
    ) -> None:
        """One whole decision: layers per subscription (-1 paused), and per transport the rate of all that it is sent (0: unpaced),
        a probe that starts now (rate media included, length; a rate of 0 starts none and stops none), copies of sound in each
        packet (bit k: of the packet k + 1 before), and what repairs may take (0: by the measured loss).
        """
    def take_stats(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Tables of columns; counters grow for ever, rates are over the last second.

        `transports`: transport u32, connected u8, tcp u8, rx_packets u64, rx_bytes u64, tx_packets u64, tx_bytes u64, rtt_us i64, queue_us i64;
        `encodings`: publication u32, encoding u8, packets u64, bytes u64, lost u64, recovered u64, bitrate_bps u64,
        temporal_bps u64 (rows, 4) (rates of the temporal layers up to each; all equal to bitrate_bps where the codec names none), keyframes u64,
        last_keyframe_us i64 (age; -1 none), plis u64, nacks u64, width u16, height u16, jitter_us u32, first_media_us i64 (engine time of the first packet, -1);
        `subscriptions`: subscription u32, publication u32 (0: none), spatial i8, temporal i8, packets u64, bytes u64, dropped u64,
        nacks u64, rtx_packets u64, plis u64, loss_q8 u8 (last fraction lost / 256), jitter_us u32;
        `drops`: reason (index into `drop_reasons`) u8, count u64.
        """
    drop_reasons: list[str]
