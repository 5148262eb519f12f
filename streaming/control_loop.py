"""The control loop: ten times a second feedback goes through the policy and its decision into the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from bandwidth.columns import Decision, Demand, Feedback
from streaming.demand import DemandBuilder
from streaming.link_memory import LinkMemory
from streaming.model import Model
from streaming.params import MediaEvent, Reason
from streaming.rungs import Rungs, word
from streaming.sources import SourceRates
from streaming.wanted_layers import Recorded, WantedLayers

if TYPE_CHECKING:
    from streaming._core import Core

TICK_S = 0.1
# What links carry is learnt about this often; it is needed only when somebody comes back.
LEARN_US = 2_000_000


class Policy(Protocol):
    """What decides; it is handed in by the process's main."""

    def decide(self, now_us: int, feedback: Feedback, demand: Demand) -> Decision:
        """One decision for all receivers."""


class ControlLoop:
    """Call `tick` every `TICK_S`; it returns `rung` events of legs and `wanted` events of publications that changed."""

    def __init__(self, core: Core, model: Model, policy: Policy, recorded: Recorded = "best") -> None:
        self._core = core
        self._model = model
        self._policy = policy
        self._memory = LinkMemory()
        self._demand = DemandBuilder(model, self._memory)
        self._learnt_us = 0
        self._rungs = Rungs()
        self._wanted = WantedLayers(recorded)
        self._decision: Decision | None = None
        self.sources = SourceRates()

    def tick(self, now_us: int, stats: Mapping[str, Mapping[str, NDArray[Any]]]) -> list[MediaEvent]:
        """One decision at monotonic time `now_us` from the latest `stats`."""
        of = {handle: publication.source for handle, publication in self._model.publications.items()}
        self.sources.take(stats["encodings"], now_us, of)
        feedback = Feedback.of(self._core.take_feedback())
        demand = self._demand.build(self.sources, now_us)
        decision = self._policy.decide(now_us, feedback, demand)
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
        self._decision = decision
        if now_us - self._learnt_us >= LEARN_US:
            self._learn(now_us)
        wanted = self._wanted.tick(now_us, self._model, self._demand.takers(demand, decision), self.sources)
        return wanted + self._rungs.changed(stats["subscriptions"], decision, demand, self.sources, self._model)

    def tell_again(self) -> None:
        """Somebody came who was told nothing: the next `tick` returns the rungs of all legs."""
        self._rungs.forget()

    def reasons(self) -> dict[int, Reason]:
        """Why each leg gets what it gets, by handle."""
        if self._decision is None:
            return {}
        codes = zip(self._decision.subscription.tolist(), self._decision.reason.tolist(), strict=True)
        return {handle: word(reason) for handle, reason in codes}

    def estimates(self) -> dict[int, int]:
        """What each link is believed to carry in bit/s, by transport; 0: unknown."""
        if self._decision is None:
            return {}
        return dict(zip(self._decision.transport.tolist(), self._decision.estimate_bps.tolist(), strict=True))

    def _learn(self, now_us: int) -> None:
        self._learnt_us = now_us
        for handle, estimate in self.estimates().items():
            transport = self._model.transports.get(handle)
            if transport is not None:
                self._memory.learn(transport.link, estimate)
