"""What goes into the policy and what comes out, as columns: one row a transport or a forwarding leg, never a packet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

# Why a leg gets what it gets; `Decision.reason` indexes it.
REASONS = ("ok", "link_slow", "link_lossy", "link_out", "choice", "no_source")
OK, LINK_SLOW, LINK_LOSSY, LINK_OUT, CHOICE, NO_SOURCE = range(len(REASONS))

# What a receiver tells; `Feedback.heard`.
SILENT, REPORTS, TWCC = range(3)
# Where a probe stands; `Feedback.probe_state`.
NO_PROBE, PROBE_RUNS, PROBE_DONE, PROBE_ABORTED = range(4)

# What a leg carries; `Demand.role`. The stage is a classroom that speaks.
MICROPHONE, SCREEN, CAMERA, STAGE_SOUND, STAGE_PICTURE = range(5)
ROLES = 5
# Spatial layers of a sound leg: the low-rate encoding and the normal one.
LOW_RATE, NORMAL_RATE = 0, 1


@dataclass(frozen=True)
class Feedback:
    """One row per transport that receives media from us, since the last decision (`Core.take_feedback`).

    Bytes are those of the link, headers included.
    """

    transport: U32
    remb_bps: U64  # 0: none
    rtt_us: I64  # -1: unknown
    heard: U8  # 2: TWCC, 1: only RR or REMB, 0: nothing yet
    sent_bytes: U64
    acked_bytes: U64  # as acked_packets and loss_runs: TWCC alone
    acked_packets: U32
    lost: U32
    expected: U32
    loss_runs: U32  # runs of consecutive losses
    groups: Floats  # shape (rows, 16, 3): send delta, arrival delta, arrival of packet groups in ms, oldest first
    group_count: U8
    delay_ms: Floats  # least one-way delay, origin arbitrary; NaN: no news
    delay_mean_ms: Floats
    arrival_ms: Floats  # last arrival on the receiver's clock; NaN: no news
    feedback_age_us: I64  # how long packets fly of which nothing was heard, 0: none do; -1: never any feedback
    in_flight_bytes: U64
    queue_us: I64  # age and bytes of what waits in the pacer
    queue_bytes: U64
    probe_sent_bps: U64
    probe_acked_bps: U64
    probe_state: U8  # 0 none, 1 running, 2 finished, 3 aborted since the last decision
    padding_bytes: U64
    repair_bytes: U64
    sound_bytes: U64
    still_bytes: U64
    still_acked_bytes: U64
    still_left_bytes: U64  # what the receiver has not got yet
    sound_wait_us: I64  # longest wait of a packet of sound in the pacer

    @classmethod
    def of(cls, table: Mapping[str, NDArray[Any]]) -> Feedback:
        """The columns of `Core.take_feedback` by name."""
        return cls(**{field.name: table[field.name] for field in fields(cls)})

    @classmethod
    def quiet(cls, transport: U32) -> Feedback:
        """Rows of transports of which nothing is known yet."""
        n = transport.size
        columns: dict[str, NDArray[Any]] = {
            name: np.zeros(n, dtype=kind)
            for kind, names in {
                np.uint8: ("heard", "group_count", "probe_state"),
                np.uint32: ("acked_packets", "lost", "expected", "loss_runs"),
                np.uint64: (
                    "remb_bps", "sent_bytes", "acked_bytes", "in_flight_bytes", "queue_bytes", "probe_sent_bps",
                    "probe_acked_bps", "padding_bytes", "repair_bytes", "sound_bytes", "still_bytes",
                    "still_acked_bytes", "still_left_bytes",
                ),
                np.int64: ("queue_us", "sound_wait_us"),
            }.items()
            for name in names
        }  # fmt: skip
        unknown = np.full(n, -1, dtype=np.int64)
        nothing = np.full(n, np.nan)
        return cls(
            transport=transport,
            rtt_us=unknown,
            feedback_age_us=unknown,
            groups=np.zeros((n, 16, 3)),
            delay_ms=nothing,
            delay_mean_ms=nothing,
            arrival_ms=nothing,
            **columns,
        )


@dataclass(frozen=True)
class Demand:
    """One row per leg that is connected to a publication, sound included."""

    subscription: U32
    transport: U32
    role: I8  # MICROPHONE …
    cap: I8  # highest layer that the classroom wants, -1 pauses
    chosen_us: I64  # when a fixed choice was made; -1: automatic
    rates_bps: U64  # shape (legs, layers, temporal layers): payload up to each, 0 where a layer sends nothing
    packets_hz: Floats  # shape (legs, layers): packets of the whole layer
    listening: Bools  # the leg's classroom only listens: its play-out buffer is deep
    start_bps: U64  # what this link was last seen to carry, 0: unknown


@dataclass(frozen=True)
class Decision:
    """What every leg forwards from now on, and `reason`: what keeps it from more. Others keep what they had."""

    subscription: U32
    spatial: I8
    temporal: I8
    reason: I8
    transport: U32
    pacing_bps: U64  # all that is sent, 0: unpaced
    probe_bps: U64  # a probe that starts now, media included; 0: none
    probe_us: U32
    redundancy: U16  # copies of sound in each packet: bit k is of the packet k + 1 before
    repair_bps: U64  # what repairs may take, 0: by the measured loss
    estimate_bps: U64  # what the link is believed to carry, 0: unknown


# The columns of `Decision` that speak of transports, in order, where none is meant.
NO_TRANSPORT: tuple[U32, U64, U64, U32, U16, U64] = (
    np.zeros(0, dtype=np.uint32),
    np.zeros(0, dtype=np.uint64),
    np.zeros(0, dtype=np.uint64),
    np.zeros(0, dtype=np.uint32),
    np.zeros(0, dtype=np.uint16),
    np.zeros(0, dtype=np.uint64),
)
