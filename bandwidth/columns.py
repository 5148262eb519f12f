"""What goes into the policy and what comes out, as columns: one row a transport or a forwarding leg, never a packet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
Bools = NDArray[np.bool_]

# Why a leg gets what it gets; `Decision.reason` indexes it.
REASONS = ("ok", "loss", "estimate", "choice", "no_source")
OK, LOSS, ESTIMATE, CHOICE, NO_SOURCE = range(5)


@dataclass(frozen=True)
class Feedback:
    """One row per transport that receives media from us, since the last decision (`Core.take_feedback`)."""

    transport: U32
    remb_bps: U64
    lost: U32
    expected: U32
    rtt_us: I64
    sent_bytes: U64
    acked_bytes: U64
    queue_us: I64

    @classmethod
    def of(cls, table: Mapping[str, NDArray[Any]]) -> Feedback:
        """The columns of `Core.take_feedback` by name."""
        return cls(**{field.name: table[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Demand:
    """One row per video leg that is connected to a publication."""

    subscription: U32
    transport: U32
    priority: I8  # 0 is served first
    cap: I8  # highest layer that the classroom wants, -1 pauses
    chosen_us: I64  # when a fixed choice was made; -1: automatic
    rates_bps: U64  # shape (legs, layers): what each layer of the source sends now, 0 when it sends nothing


@dataclass(frozen=True)
class Decision:
    """What every leg forwards from now on; `reason` says what keeps it from more."""

    subscription: U32
    spatial: I8
    temporal: I8
    reason: I8
    transport: U32
    pacing_bps: U64
    probe_bps: U64
