"""Arrays over all receivers and the plain reference over one agree, whatever the feedback is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bandwidth import arrivals, delay, loss
from bandwidth.columns import Feedback
from bandwidth.config import Config
from bandwidth.heard import Heard, lay_out
from tests.bandwidth import reference

CONFIG = Config()
ROWS = 5
TRANSPORTS = np.arange(1, ROWS + 1, dtype=np.uint32)
CLOSE = 1e-9


@dataclass
class Tick:
    """What five receivers tell in one tick."""

    groups: list[list[reference.Group]]
    delay_ms: list[float]
    arrival_ms: list[float]
    bits: list[int]
    lost: list[int]
    expected: list[int]
    runs: list[int]
    now_us: int
    span_us: int

    def heard(self) -> Heard:
        groups = np.zeros((ROWS, 16, 3))
        for row, listed in enumerate(self.groups):
            if listed:
                groups[row, : len(listed)] = listed
        feedback = replace(
            Feedback.quiet(TRANSPORTS),
            heard=np.full(ROWS, 2, dtype=np.uint8),
            groups=groups,
            group_count=np.array([len(listed) for listed in self.groups], dtype=np.uint8),
            delay_ms=np.array(self.delay_ms),
            arrival_ms=np.array(self.arrival_ms),
            acked_bytes=np.array(self.bits, dtype=np.uint64) // 8,
            lost=np.array(self.lost, dtype=np.uint32),
            expected=np.array(self.expected, dtype=np.uint32),
            loss_runs=np.array(self.runs, dtype=np.uint32),
        )
        return lay_out(feedback, TRANSPORTS, np.ones(ROWS, dtype=np.bool_), self.now_us)


def ticks(seed: int, count: int = 150) -> list[Tick]:
    """Random feedback: queues that grow and drain, jitter, silence, losses, reports out of order."""
    random = np.random.default_rng(seed)
    result, now_us = [], 0
    queue = random.uniform(0, 50, ROWS)
    arrival = np.zeros(ROWS)
    drift = random.uniform(-3, 6, ROWS)
    for _ in range(count):
        span_us = int(random.integers(50_000, 300_000))
        now_us += span_us
        if random.random() < 0.1:
            drift = random.uniform(-6, 8, ROWS)
        groups: list[list[reference.Group]] = []
        for row in range(ROWS):
            listed = []
            for _ in range(int(random.integers(0, 17))):
                sent = float(random.uniform(5, 40))
                received = max(0.0, sent + drift[row] + float(random.normal(0, 2)))
                if random.random() < 0.02:
                    received += 600.0
                arrival[row] += received
                listed.append((sent, received, float(arrival[row])))
            groups.append(listed)
        queue = np.maximum(queue + drift * 5, 0.0)
        silent = random.random(ROWS) < 0.2
        expected = random.integers(0, 60, ROWS)
        lost = np.minimum(random.integers(0, 30, ROWS), expected)
        result.append(
            Tick(
                groups=groups,
                delay_ms=[math.nan if quiet else 1e6 + float(q) for q, quiet in zip(queue, silent, strict=True)],
                arrival_ms=[math.nan if quiet else float(a) for a, quiet in zip(arrival, silent, strict=True)],
                bits=[int(random.integers(0, 20_000)) * 8 * (not quiet) for quiet in silent],
                lost=lost.tolist(),
                expected=expected.tolist(),
                runs=np.minimum(lost, random.integers(1, 12, ROWS)).tolist(),
                now_us=now_us,
                span_us=span_us,
            )
        )
    return result


def agree(array: np.ndarray[tuple[int, ...], np.dtype[np.float64]], plain: list[float]) -> None:
    np.testing.assert_allclose(array, plain, rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("seed", range(6))
def test_delay_trend_threshold_and_queue_agree(seed: int) -> None:
    state, plain = delay.fresh(ROWS, CONFIG), [reference.Delay(CONFIG) for _ in range(ROWS)]
    signals = set()
    for tick in ticks(seed):
        delay.update(state, tick.heard(), tick.now_us, CONFIG)
        for row, one in enumerate(plain):
            one.take(tick.groups[row], tick.delay_ms[row], tick.now_us)
        agree(state.slope, [one.trend.slope for one in plain])
        agree(state.threshold, [one.trend.threshold for one in plain])
        assert state.signal.tolist() == [one.trend.signal for one in plain]
        agree(state.queue_ms, [one.queue.queue_ms for one in plain])
        agree(state.queue_before_ms, [one.queue.before_ms for one in plain])
        signals.update(state.signal.tolist())
    assert signals == {-1, 0, 1}, "the feedback shows every verdict"


@pytest.mark.parametrize("seed", range(6))
def test_the_split_of_loss_agrees(seed: int) -> None:
    state, plain = loss.fresh(ROWS), [reference.Loss(CONFIG) for _ in range(ROWS)]
    random = np.random.default_rng(seed)
    for tick in ticks(seed):
        queued = random.random(ROWS) < 0.5
        loss.update(state, tick.heard(), queued, np.zeros(ROWS, dtype=np.bool_), tick.span_us, CONFIG)
        for row, one in enumerate(plain):
            one.take(tick.lost[row], tick.expected[row], tick.runs[row], bool(queued[row]), tick.span_us)
        agree(state.ratio, [one.ratio for one in plain])
        agree(state.random, [one.random for one in plain])
        agree(state.burst, [one.burst for one in plain])
        assert state.excess.tolist() == [one.excess for one in plain]


@pytest.mark.parametrize("seed", range(6))
def test_rates_of_arrival_agree(seed: int) -> None:
    state, plain = arrivals.fresh(ROWS, CONFIG), [reference.Arrivals(CONFIG) for _ in range(ROWS)]
    for tick in ticks(seed):
        heard = tick.heard()
        arrivals.update(state, heard.arrival_ms, heard.acked_bits, CONFIG)
        for row, one in enumerate(plain):
            one.take(tick.arrival_ms[row], tick.bits[row])
        agree(state.short_bps, [one.rate(CONFIG.acked_short_ms) for one in plain])
        agree(state.long_bps, [one.rate(CONFIG.acked_long_ms) for one in plain])
