"""Receivers that send receiver reports and REMB alone: when their words count, and when they do not."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from bandwidth.columns import CAMERA
from tests.bandwidth.link import TICK_MS, Receiver, World
from tests.bandwidth.test_loop import always, between

REPORT_MS = 1000


@dataclass
class Software(Receiver):
    """A busy player: one report a second, round trips with hiccups, an estimate that lags and takes fright."""

    reports: str = "remb"
    fright: float = 0.2  # of its reports
    heard_bits: float = 0.0
    due_ms: float = REPORT_MS
    counts: tuple[int, int] = (0, 0)
    chance: random.Random = field(default_factory=lambda: random.Random(4))
    static_bps: float = 0.0  # instead of its estimate

    def row(self, now: float) -> dict[str, object]:
        self.heard_bits += sum(packet.size * 8 for packet in self.acked)
        result = super().row(now)
        lost, expected = result["lost"], result["expected"]
        assert isinstance(lost, int) and isinstance(expected, int)
        self.counts = (self.counts[0] + lost, self.counts[1] + expected)
        if now < self.due_ms:
            return {**result, "lost": 0, "expected": 0}
        throughput = self.heard_bits * 1000 / REPORT_MS
        frightened = self.chance.random() < self.fright
        grown = min(max(1.08 * self.remb, throughput / 2), 1.5 * throughput + 10_000)
        self.remb = self.static_bps or (0.85 * throughput if frightened else grown)
        told = {**result, "lost": self.counts[0], "expected": self.counts[1], "remb_bps": int(self.remb)}
        if self.chance.random() < 0.3:
            told["rtt_us"] = 250_000
        self.heard_bits, self.counts, self.due_ms = 0.0, (0, 0), now + REPORT_MS
        return told


@pytest.mark.parametrize("seed", range(3))
def test_a_busy_player_on_a_good_link_sees_the_best_picture_although_it_takes_fright(seed: int) -> None:
    player = Software(capacity=always(10e6), chance=random.Random(seed))
    world = World([player])
    best = []
    for _ in range(40 * 1000 // TICK_MS):
        world.run(TICK_MS / 1000)
        best.append(player.spatial.get(CAMERA) == 2)
    assert np.mean(best[8 * 1000 // TICK_MS :]) > 0.95


def test_a_player_that_holds_on_to_a_low_limit_is_taken_at_its_word() -> None:
    player = Software(capacity=always(10e6), static_bps=300_000.0)
    world = World([player])
    world.run(60)
    assert np.mean(between(world, 15, 60, "sent")) < 1.05 * 300_000
    assert player.spatial[CAMERA] >= 0


def test_a_limit_that_rises_is_followed() -> None:
    player = Software(capacity=always(10e6), static_bps=150_000.0)
    world = World([player])
    world.run(20)
    assert player.spatial[CAMERA] == 0
    player.static_bps = 3_000_000.0
    world.run(15)
    assert player.spatial[CAMERA] == 2


def test_an_estimate_that_falls_with_a_queue_counts_at_once() -> None:
    player = Software(capacity=always(400_000), fright=1.0)
    world = World([player])
    world.run(40)
    assert np.mean(between(world, 15, 40, "sent")) < 400_000
    assert np.percentile(between(world, 10, 40, "queue"), 90) < 500
    assert player.spatial[CAMERA] >= 0
