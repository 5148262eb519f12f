"""The control loop: ten times a second feedback goes through the policy and its decision into the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bandwidth.columns import NO_SOURCE, REASONS, Decision, Demand, Feedback
from streaming.model import Model, Subscription
from streaming.params import MediaEvent, Reason, Source
from streaming.sources import SourceRates

if TYPE_CHECKING:
    from streaming._core import Core

TICK_S = 0.1
PRIORITY: Mapping[Source, int] = {"screen": 0, "camera": 1, "microphone": 0}


class Policy(Protocol):
    """What decides; it is handed in by the process's main."""

    def decide(self, now_us: int, feedback: Feedback, demand: Demand) -> Decision:
        """One decision for all receivers."""


class ControlLoop:
    """Call `tick` every `TICK_S`; it returns the `rung` events of legs whose rung changed."""

    def __init__(self, core: Core, model: Model, policy: Policy) -> None:
        self._core = core
        self._model = model
        self._policy = policy
        self._rungs: dict[int, tuple[int, int, Reason]] = {}
        self.sources = SourceRates()
        self.reasons: dict[int, Reason] = {}

    def tick(self, now_us: int, stats: Mapping[str, Mapping[str, NDArray[Any]]]) -> list[MediaEvent]:
        """One decision at monotonic time `now_us` from the latest `stats`."""
        self.sources.take(stats["encodings"], now_us)
        feedback = Feedback.of(self._core.take_feedback())
        legs = [
            leg for leg in self._model.subscriptions.values() if leg.kind == "video" and leg.publication is not None
        ]
        decision = self._policy.decide(now_us, feedback, self._demand(legs, now_us))
        self._core.apply(
            decision.subscription,
            decision.spatial,
            decision.temporal,
            decision.transport,
            decision.pacing_bps,
            decision.probe_bps,
            decision.probe_us,
            decision.redundancy,
            decision.repair_bps,
        )
        self.reasons = {}
        for leg, reason in zip(legs, decision.reason.tolist(), strict=True):
            sends = leg.publication is not None and self.sources.sends(leg.publication.handle)
            self.reasons[leg.handle] = _word(reason if sends else NO_SOURCE)
        return self._changed_rungs(stats["subscriptions"])

    def _demand(self, legs: list[Subscription], now_us: int) -> Demand:
        publications = [leg.publication for leg in legs if leg.publication is not None]
        return Demand(
            subscription=np.array([leg.handle for leg in legs], dtype=np.uint32),
            transport=np.array([leg.transport for leg in legs], dtype=np.uint32),
            priority=np.array([PRIORITY[one.source] for one in publications], dtype=np.int8),
            cap=np.array([leg.cap for leg in legs], dtype=np.int8),
            chosen_us=np.array([leg.chosen_us for leg in legs], dtype=np.int64),
            rates_bps=self.sources.matrix_bps([one.handle for one in publications], now_us),
        )

    def _changed_rungs(self, table: Mapping[str, NDArray[Any]]) -> list[MediaEvent]:
        """A rung is what really goes out, not what was decided: a better layer waits for its key frame."""
        rungs: dict[int, tuple[int, int, Reason]] = {}
        rows = zip(
            table["subscription"].tolist(), table["publication"].tolist(), table["spatial"].tolist(), strict=True
        )
        for handle, publication, spatial in rows:
            leg = self._model.subscriptions.get(handle)
            if leg is None or leg.kind != "video":
                continue
            height = self.sources.height(publication, spatial) if spatial >= 0 else 0
            rungs[handle] = (spatial, height, self.reasons.get(handle, "no_source"))
        changed = [
            {"event": "rung", "subscription": handle, "spatial": rung[0], "height": rung[1], "reason": rung[2]}
            for handle, rung in rungs.items()
            if self._rungs.get(handle) != rung
        ]
        self._rungs = rungs
        return changed


def _word(reason: int) -> Reason:
    return REASONS[reason]  # type: ignore[return-value]
