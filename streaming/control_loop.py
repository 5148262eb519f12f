"""The control loop: ten times a second feedback goes through the policy and its decision into the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from bandwidth.columns import NO_SOURCE, OK, REASONS, Decision, Demand, Feedback
from streaming.demand import DemandBuilder
from streaming.link_memory import LinkMemory
from streaming.model import Model
from streaming.params import MediaEvent, Reason
from streaming.sources import SourceRates

if TYPE_CHECKING:
    from streaming._core import Core

TICK_S = 0.1
# What links carry is learnt about this often; it is needed only when somebody comes back.
LEARN_US = 2_000_000
# People are told another estimate when it differs by this factor.
TOLD_FACTOR = 1.25


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
        self._memory = LinkMemory()
        self._demand = DemandBuilder(model, self._memory)
        self._learnt_us = 0
        self._rungs: dict[int, tuple[int, int, int, float]] = {}
        self.sources = SourceRates()
        self.reasons: dict[int, Reason] = {}
        self.estimates: dict[int, int] = {}

    def tick(self, now_us: int, stats: Mapping[str, Mapping[str, NDArray[Any]]]) -> list[MediaEvent]:
        """One decision at monotonic time `now_us` from the latest `stats`."""
        of = {handle: publication.source for handle, publication in self._model.publications.items()}
        self.sources.take(stats["encodings"], now_us, of)
        feedback = Feedback.of(self._core.take_feedback())
        decision = self._policy.decide(now_us, feedback, self._demand.build(self.sources, now_us))
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
        self.estimates = dict(zip(decision.transport.tolist(), decision.estimate_bps.tolist(), strict=True))
        reasons = dict(zip(decision.subscription.tolist(), decision.reason.tolist(), strict=True))
        self.reasons = {handle: _word(reason) for handle, reason in reasons.items()}
        if now_us - self._learnt_us >= LEARN_US:
            self._learn(now_us)
        return self._changed_rungs(stats["subscriptions"], reasons)

    def _learn(self, now_us: int) -> None:
        self._learnt_us = now_us
        for handle, estimate in self.estimates.items():
            transport = self._model.transports.get(handle)
            if transport is not None:
                self._memory.learn(transport.link, estimate)

    def _changed_rungs(self, table: Mapping[str, NDArray[Any]], reasons: Mapping[int, int]) -> list[MediaEvent]:
        """A rung is what really goes out, not what was decided: a better layer waits for its key frame."""
        rungs: dict[int, tuple[int, int, int, float]] = {}
        changed: list[MediaEvent] = []
        rows = zip(
            table["subscription"].tolist(), table["publication"].tolist(), table["spatial"].tolist(), strict=True
        )
        for handle, publication, spatial in rows:
            leg = self._model.subscriptions.get(handle)
            if leg is None or leg.kind != "video":
                continue
            height = self.sources.height(publication, spatial) if spatial >= 0 else 0
            reason = reasons.get(handle, NO_SOURCE)
            if leg.publication is None or not self.sources.sends(leg.publication.handle):
                reason = NO_SOURCE
            estimate = self.estimates.get(leg.transport, 0)
            before = self._rungs.get(handle)
            rungs[handle] = (spatial, height, reason, estimate)
            if before is not None and before[:3] == (spatial, height, reason):
                told = before[3]
                if reason in (OK, NO_SOURCE) or told / TOLD_FACTOR <= estimate <= told * TOLD_FACTOR:
                    rungs[handle] = before
                    continue
            changed.append(
                {
                    "event": "rung",
                    "subscription": handle,
                    "spatial": spatial,
                    "height": height,
                    "reason": _word(reason),
                    "estimate_kbps": round(estimate / 1000),
                }
            )
        self._rungs = rungs
        return changed


def _word(reason: int) -> Reason:
    return REASONS[reason]  # type: ignore[return-value]
