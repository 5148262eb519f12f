"""What the policy remembers of every transport between two decisions, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandwidth.columns import I8, I64, U32, Bools, Feedback

Floats = NDArray[np.float64]

# Loss is looked at over about this span.
LOSS_SPAN_US = 1_000_000
# Fewer packets than this say nothing about a fraction.
ENOUGH_PACKETS = 10
# A rise of the round trip over its lowest by this much is a standing queue: the link is full.
QUEUE_US = 300_000
# The lowest round trip creeps up by this share a report: a route that got longer is no queue for ever.
RTT_CREEP = 0.002


@dataclass
class State:
    """One row a transport, sorted by handle."""

    transport: U32
    level: I64  # rungs taken; -1: new
    reason: I8  # of the last step down
    lost: Floats  # packets, fading
    expected: Floats
    heard: Bools  # any report ever
    remb_bps: I64  # last one, 0: none
    rtt_us: Floats  # smoothed, -1: unknown
    rtt_low_us: Floats
    quiet_since_us: I64  # since when nothing was wrong
    flowing_us: I64  # when no queue stood, last
    stepped_us: I64  # last step in either direction
    raised_us: I64  # last step up
    patience_us: I64  # quiet time that the next step up needs; 0: never in trouble
    choice_us: I64  # last fixed choice that was obeyed

    @classmethod
    def fresh(cls, transports: U32, now_us: int) -> State:
        """Rows of transports that are new."""
        n = transports.size

        def whole(value: int) -> I64:
            return np.full(n, value, dtype=np.int64)

        return cls(
            transport=transports,
            level=whole(-1),
            reason=np.zeros(n, dtype=np.int8),
            lost=np.zeros(n),
            expected=np.zeros(n),
            heard=np.zeros(n, dtype=np.bool_),
            remb_bps=whole(0),
            rtt_us=np.full(n, -1.0),
            rtt_low_us=np.full(n, -1.0),
            quiet_since_us=whole(now_us),
            flowing_us=whole(now_us),
            stepped_us=whole(now_us),
            raised_us=whole(-(1 << 60)),
            patience_us=whole(0),
            choice_us=whole(-1),
        )

    def aligned(self, transports: U32, now_us: int) -> State:
        """The rows of exactly these transports (sorted), new ones fresh."""
        if np.array_equal(transports, self.transport):
            return self
        new = State.fresh(transports, now_us)
        _, mine, theirs = np.intersect1d(transports, self.transport, assume_unique=True, return_indices=True)
        for name in vars(new):
            getattr(new, name)[mine] = getattr(self, name)[theirs]
        return new

    def take(self, feedback: Feedback, span_us: int) -> None:
        """Fold the reports of the last `span_us` in; those of transports without a row are left out."""
        fade = np.exp(-span_us / LOSS_SPAN_US)
        self.lost *= fade
        self.expected *= fade
        known = np.isin(feedback.transport, self.transport)
        row = np.searchsorted(self.transport, feedback.transport[known])
        self.lost[row] += feedback.lost[known]
        self.expected[row] += feedback.expected[known]
        remb = feedback.remb_bps[known].astype(np.int64)
        self.heard[row] |= (feedback.expected[known] > 0) | (remb > 0)
        self.remb_bps[row] = np.where(remb > 0, remb, self.remb_bps[row])
        rtt = feedback.rtt_us[known].astype(np.float64)
        self._take_rtt(row[rtt >= 0], rtt[rtt >= 0])

    def _take_rtt(self, row: NDArray[np.intp], rtt: Floats) -> None:
        before, low = self.rtt_us[row], self.rtt_low_us[row]
        smooth = np.where(before < 0, rtt, 0.8 * before + 0.2 * rtt)
        self.rtt_us[row] = smooth
        crept = low + RTT_CREEP * np.maximum(smooth - low, 0)
        self.rtt_low_us[row] = np.where(low < 0, rtt, np.minimum(crept, rtt))

    def loss(self) -> Floats:
        """Fraction lost over about the last second; 0 where too little is known."""
        return np.where(self.expected >= ENOUGH_PACKETS, self.lost / np.maximum(self.expected, 1), 0.0)

    def queued(self) -> Bools:
        """Where the round trip says that a queue stands."""
        rise = self.rtt_us - self.rtt_low_us
        return np.asarray((rise > QUEUE_US) & (rise > self.rtt_low_us), dtype=np.bool_)
