"""What a decision costs: the control loop and the policy over many classrooms, in one thread.

The core is stood in for by made-up columns: links of all kinds whose feedback follows what was decided, five groups of
packets a tick. `tick` is the whole control loop (statistics in, demand, policy, rungs out), `decide` the policy alone.
"""

from __future__ import annotations

import time
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bandwidth.columns import Decision, Demand, Feedback
from bandwidth.policy import AdaptivePolicy
from benchmarks.processes import go_first, on_cores
from benchmarks.report import parser, positive, progress, show
from streaming._core import Core
from streaming.control_loop import TICK_S, ControlLoop
from streaming.model import Lesson, Model, Publication, Subscription, Transport
from streaming.params import Source

TICK_US = round(TICK_S * 1_000_000)
GROUPS = 5
WARM_TICKS = 50
# Payload of each layer, lowest first; sound has a low-rate and a normal encoding.
LAYERS: dict[Source, tuple[int, ...]] = {
    "microphone": (13_000, 32_000),
    "camera": (90_000, 350_000, 1_200_000),
    "screen": (250_000,),
}
WORDS = {
    "tick_ms_p50": "one round of the control loop, policy included",
    "tick_ms_p95": "the same, 19 of 20 are quicker",
    "decide_ms_p50": "the policy alone",
    "decide_ms_p95": "the same, 19 of 20 are quicker",
    "kbytes_per_receiver": "columns that the policy keeps of a receiver",
}


class Links:
    """Stands in for the core: made-up links whose feedback follows the last decision."""

    def __init__(self, transports: NDArray[np.uint32], seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        count = transports.size
        self._transports = transports
        self._capacity_bps = self._random.uniform(60e3, 2e6, count)
        self._queue_ms = np.zeros(count)
        self._sent_bps = np.full(count, 60e3)
        self._arrival_ms = np.zeros(count)

    def apply(self, *decision: NDArray[Any]) -> None:
        """What is paced is sent."""
        pacing_bps = decision[4].astype(np.float64)
        if pacing_bps.size == self._sent_bps.size:
            self._sent_bps = pacing_bps * 0.8

    def take_feedback(self) -> dict[str, NDArray[Any]]:
        """A tick of every link."""
        count, random = self._transports.size, self._random
        excess = (self._sent_bps - self._capacity_bps) / self._capacity_bps
        before = self._queue_ms
        self._queue_ms = np.clip(before + excess * 1000 * TICK_S, 0, 1000)
        self._arrival_ms += 1000 * TICK_S
        step = (self._queue_ms - before)[:, None] / GROUPS + random.normal(0, 1, (count, GROUPS))
        groups = np.zeros((count, 16, 3))
        groups[:, :GROUPS, 0] = 1000 * TICK_S / GROUPS
        groups[:, :GROUPS, 1] = 1000 * TICK_S / GROUPS + step
        groups[:, :GROUPS, 2] = self._arrival_ms[:, None] + np.arange(GROUPS) * 20
        expected = np.maximum(self._sent_bps * TICK_S / 8000, 2).astype(np.uint32)
        delivered = np.minimum(self._sent_bps, self._capacity_bps) * TICK_S / 8
        columns = vars(Feedback.quiet(self._transports)) | {
            "heard": np.full(count, 2, dtype=np.uint8),
            "rtt_us": (100_000 + self._queue_ms * 1000).astype(np.int64),
            "sent_bytes": (self._sent_bps * TICK_S / 8).astype(np.uint64),
            "acked_bytes": delivered.astype(np.uint64),
            "acked_packets": expected,
            "expected": expected,
            "lost": random.binomial(expected, 0.05).astype(np.uint32),
            "groups": groups,
            "group_count": np.full(count, GROUPS, dtype=np.uint8),
            "delay_ms": 50 + self._queue_ms,
            "delay_mean_ms": 55 + self._queue_ms,
            "arrival_ms": self._arrival_ms.copy(),
            "feedback_age_us": np.full(count, 50_000, dtype=np.int64),
        }
        return cast(dict[str, NDArray[Any]], columns)


class Timed:
    """A policy with a stopwatch."""

    def __init__(self, policy: AdaptivePolicy) -> None:
        self.policy = policy
        self.spans_ms: list[float] = []

    def decide(self, now_us: int, feedback: Feedback, demand: Demand) -> Decision:
        """As the policy's."""
        began = time.perf_counter()
        decision = self.policy.decide(now_us, feedback, demand)
        self.spans_ms.append(1000 * (time.perf_counter() - began))
        return decision


def lesson_of(receivers: int) -> Model:
    """One teacher, many classrooms, all of whose slots are connected."""
    model = Model()
    lesson = Lesson("1", 1, None, None)
    model.add_lesson(lesson)
    teacher = Transport(1, lesson, None, connected=True)
    model.add_transport(teacher)
    publications = [Publication(2 + number, lesson, source, None) for number, source in enumerate(LAYERS)]
    for publication in publications:
        model.add_publication(teacher, publication)
    for number in range(receivers):
        transport = Transport(1000 + number, lesson, None, connected=True)
        model.add_transport(transport)
        for place, publication in enumerate(publications):
            kind = "audio" if publication.source == "microphone" else "video"
            handle = 100_000 + 8 * number + place
            model.add_subscription(transport, Subscription(handle, transport.handle, kind, None, publication))
    return model


def tables(model: Model, tick: int) -> dict[str, dict[str, NDArray[Any]]]:
    """What the core would tell of publications and legs."""
    encodings = [
        (publication.handle, number, rate)
        for publication in model.publications.values()
        for number, rate in enumerate(LAYERS[publication.source])
    ]
    rates = np.array([rate for _, _, rate in encodings], dtype=np.float64)
    legs = model.subscriptions.values()
    return {
        "encodings": {
            "publication": np.array([handle for handle, _, _ in encodings], dtype=np.uint32),
            "encoding": np.array([number for _, number, _ in encodings], dtype=np.uint8),
            "packets": (rates / 8800 * TICK_S * tick + 3 * tick).astype(np.uint64),
            "temporal_bps": (rates[:, None] * np.array([0.4, 0.6, 1.0, 1.0])).astype(np.uint64),
            "height": np.full(rates.size, 360, dtype=np.uint16),
        },
        "subscriptions": {
            "subscription": np.array([leg.handle for leg in legs], dtype=np.uint32),
            "publication": np.array([leg.publication.handle for leg in legs if leg.publication], dtype=np.uint32),
            "spatial": np.zeros(len(legs), dtype=np.int8),
        },
    }


def measure(receivers: int, ticks: int) -> dict[str, float]:
    """All figures."""
    model = lesson_of(receivers)
    links = Links(np.arange(1000, 1000 + receivers, dtype=np.uint32))
    timed = Timed(AdaptivePolicy())
    loop = ControlLoop(cast(Core, links), model, timed)
    spans_ms = []
    progress(f"{ticks} ticks of {receivers} receivers")
    for tick in range(1, WARM_TICKS + ticks + 1):
        stats = tables(model, tick)
        began = time.perf_counter()
        loop.tick(tick * TICK_US, stats)
        spans_ms.append(1000 * (time.perf_counter() - began))
    whole, alone = spans_ms[WARM_TICKS:], timed.spans_ms[WARM_TICKS:]
    return {
        "tick_ms_p50": round(float(np.quantile(whole, 0.5)), 2),
        "tick_ms_p95": round(float(np.quantile(whole, 0.95)), 2),
        "decide_ms_p50": round(float(np.quantile(alone, 0.5)), 2),
        "decide_ms_p95": round(float(np.quantile(alone, 0.95)), 2),
        "kbytes_per_receiver": round(timed.policy.size_bytes() / 1000 / receivers, 2),
    }


def main() -> None:
    """The command line."""
    commands = parser("policy", "What a decision costs.", ("--receivers 1000 --json", "--receivers 200 --ticks 100"))
    commands.add_argument("--receivers", type=positive, default=1000, help="how many (default 1000)")
    commands.add_argument("--ticks", type=positive, default=300, help="how many are measured (default 300)")
    given = commands.parse_args()
    go_first()
    with on_cores({0}):
        show(measure(given.receivers, given.ticks), as_json=given.json, words=WORDS)


if __name__ == "__main__":
    main()
