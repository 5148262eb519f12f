"""Feedback laid out by the policy's own rows, in bits and milliseconds, whichever way a receiver reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwidth.columns import I64, TWCC, U32, Bools, Feedback, Floats

# Later than any time, and negative: before any.
FOREVER_US = 1 << 60


@dataclass(frozen=True)
class Heard:
    """One row per transport of the policy; NaN and 0 where nothing was heard."""

    news: Bools  # something was reported in this tick
    reports: Bools  # anything was ever reported
    twcc: Bools  # its receiver sends transport-wide feedback
    sent_bits: Floats
    acked_bits: Floats
    lost: Floats
    expected: Floats
    loss_runs: Floats
    groups: Floats  # (rows, most that any row has, 3): send delta, receive delta, arrival in ms
    group_count: I64
    delay_ms: Floats
    arrival_ms: Floats
    age_us: I64  # how long packets fly of which nothing was heard, -1: never any feedback
    in_flight_bits: Floats
    rtt_us: Floats  # -1: unknown
    remb_bps: Floats  # 0: none
    probe_state: I64
    probe_sent_bps: Floats
    probe_acked_bps: Floats
    still_bits: Floats  # that left, arrived, and are missing at the receiver
    still_acked_bits: Floats
    still_left_bits: Floats


def lay_out(feedback: Feedback, transports: U32, timed: Bools, now_us: int) -> Heard:
    """The feedback by row of `transports` (sorted, all of the feedback's among them); other rows heard nothing.

    `timed` rows have told arrival times before; until a row does, only its counts are used.
    """
    row, count = np.searchsorted(transports, feedback.transport), transports.size

    def column(values: NDArray[Any], missing: float = 0.0) -> Floats:
        dense = np.full((count, *values.shape[1:]), missing)
        dense[row] = values
        return dense

    heard = column(feedback.heard)
    expected, lost, sent_bits = column(feedback.expected), column(feedback.lost), column(feedback.sent_bytes) * 8
    rtt_us, remb_bps = column(feedback.rtt_us, -1.0), column(feedback.remb_bps)
    delay_ms, arrival_ms = column(feedback.delay_ms, np.nan), column(feedback.arrival_ms, np.nan)
    twcc = (heard >= TWCC) & (timed | np.isfinite(arrival_ms))
    # Without transport-wide feedback the round trip stands for the delay.
    told = ~twcc & (expected > 0)
    by_rtt = told & (rtt_us >= 0)
    return Heard(
        news=np.where(twcc, np.isfinite(arrival_ms), told),
        reports=heard > 0,
        twcc=twcc,
        sent_bits=sent_bits,
        acked_bits=column(feedback.acked_bytes) * 8,
        lost=lost,
        expected=expected,
        loss_runs=column(feedback.loss_runs),
        groups=column(feedback.groups[:, : int(feedback.group_count.max(initial=0))]),
        group_count=np.where(twcc, column(feedback.group_count), 0).astype(np.int64),
        delay_ms=np.where(twcc, delay_ms, np.where(by_rtt, rtt_us / 1000, np.nan)),
        arrival_ms=np.where(twcc, arrival_ms, np.where(told, now_us / 1000, np.nan)),
        age_us=column(feedback.feedback_age_us, -1.0).astype(np.int64),
        in_flight_bits=column(feedback.in_flight_bytes) * 8,
        rtt_us=rtt_us,
        remb_bps=remb_bps,
        probe_state=column(feedback.probe_state).astype(np.int64),
        probe_sent_bps=column(feedback.probe_sent_bps),
        probe_acked_bps=column(feedback.probe_acked_bps),
        still_bits=column(feedback.still_bytes) * 8,
        still_acked_bits=column(feedback.still_acked_bytes) * 8,
        still_left_bits=column(feedback.still_left_bytes) * 8,
    )
