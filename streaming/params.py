"""Values that cross the Unix socket of PROTOCOL section 5, and the configuration of the media process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

# A JSON value that its opener understands; the media process only keeps it and gives it back.
Label = Any
Source = Literal["microphone", "camera", "screen"]
Stills = Literal["none", "from_peer", "to_peer"]
# `data_cap` and `server_full` are said by signalling alone: media knows a cap, not whose it is.
Reason = Literal["ok", "link_slow", "link_lossy", "link_out", "data_cap", "server_full", "choice", "no_source"]


@dataclass(frozen=True)
class NodeConfig:
    """How one media process is started; it travels as JSON on its command line."""

    socket: str
    port: int = 0
    workers: int = 1
    addresses: list[str] = field(default_factory=list)
    certificate_file: str | None = None
    policy: str = "bandwidth.policy:AdaptivePolicy"
    exit_with_parent: bool = True
    log_level: str = "info"
    log_format: str = "json"
    recorded_layers: Literal["best", "watched"] = "best"


class Wanted(TypedDict):
    """How many encodings of a picture, counted from the lowest, somebody wants."""

    watched: int  # by classrooms
    recorded: int  # by the recording


class PublicationState(TypedDict):
    """A publication that stands, as `hello` tells it."""

    publication: int
    source: Source
    label: Label
    granted: bool
    recorded: bool
    wanted: Wanted | None


class SubscriptionState(TypedDict):
    """A slot that stands, as `hello` tells it."""

    subscription: int
    publication: int | None
    cap: int
    label: Label


class TransportState(TypedDict):
    """An association that stands, as `hello` tells it."""

    transport: int
    connected: bool
    label: Label
    stills: str  # which way slide pictures go, as in its TransportParams
    shows: list[tuple[int, int]]  # transports whose own stills it gets, and under which tile
    publications: list[PublicationState]
    subscriptions: list[SubscriptionState]


class LessonState(TypedDict):
    """A lesson that stands, as `hello` tells it."""

    lesson: str
    log_dir: str | None
    label: Label
    transports: list[TransportState]


class TransportStats(TypedDict):
    """One association in the `stats` event; counters grow for ever, rates are over the last second."""

    transport: int
    connected: bool
    tcp: bool
    rx_packets: int
    rx_bytes: int
    tx_packets: int
    tx_bytes: int
    recv_bps: int
    send_bps: int
    rtt_us: int
    queue_us: int


class EncodingStats(TypedDict):
    """One simulcast stream in the `stats` event."""

    encoding: int
    packets: int
    bytes: int
    lost: int
    recovered: int
    bitrate_bps: int
    temporal_bps: list[int]
    keyframes: int
    last_keyframe_us: int
    plis: int
    nacks: int
    width: int
    height: int
    jitter_us: int
    first_media_us: int


class PublicationStats(TypedDict):
    """One publication in the `stats` event."""

    publication: int
    source: NotRequired[Source]
    encodings: list[EncodingStats]


class SubscriptionStats(TypedDict):
    """One slot in the `stats` event; `spatial` -1 is paused, `height` 0 unknown or paused."""

    subscription: int
    publication: int
    spatial: int
    temporal: int
    height: int
    reason: Reason
    packets: int
    bytes: int
    dropped: int
    nacks: int
    rtx_packets: int
    plis: int
    loss: float
    jitter_us: int


# {"event": name, …}; the names and fields are in `MediaClient.events`.
MediaEvent = dict[str, Any]
