"""A policy that gives everybody everything at once: what the packet path costs when it is told to leave nothing out."""

from __future__ import annotations

import numpy as np

from bandwidth.columns import NO_TRANSPORT, OK, Decision, Demand, Feedback


class Unpaced:
    """Every leg gets the best layer that arrives, no transport is paced."""

    def decide(self, now_us: int, feedback: Feedback, demand: Demand) -> Decision:
        """The same whatever the receivers tell."""
        n = demand.subscription.size
        best = np.full(n, demand.rates_bps.shape[1] - 1, dtype=np.int8)
        transport, pacing_bps, probe_bps, probe_us, redundancy, repair_bps = NO_TRANSPORT
        return Decision(
            subscription=demand.subscription,
            spatial=np.minimum(best, demand.cap),
            temporal=np.full(n, -1, dtype=np.int8),
            reason=np.full(n, OK, dtype=np.int8),
            transport=transport,
            pacing_bps=pacing_bps,
            probe_bps=probe_bps,
            probe_us=probe_us,
            redundancy=redundancy,
            repair_bps=repair_bps,
            estimate_bps=np.zeros(0, dtype=np.uint64),
        )
