"""The few links on which the simulator is held against a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.links import catalogue
from benchmarks.links.catalogue import DELAY_US, WEAK_BPS, Scenario, constant, link, steps
from streaming._core import read_trace

if TYPE_CHECKING:
    from streaming._core import LinkDict

KBPS = (64, 180, 500, 2000)
LOSSY_KBPS = 500
PERCENTS = (10, 20)
TRACES = 3
LEAST_BPS = 100_000  # mean of a trace: below, there is little to compare
# Without a folder: a line that falls and rises, one that breathes, and one that walks at random.
FALLS = steps(900_000, [(25, 200_000), (50, 700_000)])
BREATH_S, BREATH_BPS = 5, (900_000, 350_000, 600_000, 180_000)
WALK_S, WALK_BPS, WALK_SPREAD = 2, 500_000, 0.25
WHOLE_S = 400


def short_list(folder: Path | None, seconds: int) -> list[Scenario]:
    """Constant rates, random loss, and traces of the folder, or ones made here."""
    made = [constant(f"{kbps}k", "constant", seconds, link(kbps * 1000)) for kbps in KBPS]
    for percent in PERCENTS:
        down = link(LOSSY_KBPS * 1000, loss=percent / 100)
        made.append(constant(f"{LOSSY_KBPS}k loss {percent}%", "loss", seconds, down))
    return [*made, *(_chosen(folder, seconds) if folder else _synthetic(seconds))]


def _chosen(folder: Path, seconds: int) -> list[Scenario]:
    """Of the weak traces those in the middle of each third by their mean."""
    found = []
    for scenario in catalogue.traces(folder, seconds):
        mean_bps = mean_rate(read_trace(scenario.name, (folder / f"{scenario.name}.csv").read_text()))
        if LEAST_BPS <= mean_bps <= WEAK_BPS:
            found.append((mean_bps, scenario.name, scenario))
    found.sort(key=lambda one: one[:2])
    return [found[len(found) * (2 * part + 1) // (2 * TRACES)][2] for part in range(TRACES)] if found else []


def mean_rate(rows: list[tuple[int, int]]) -> float:
    """Mean of a trace in bit/s."""
    at_us, bps = np.array(rows, dtype=np.float64).T
    return float((bps[:-1] * np.diff(at_us)).sum() / (at_us[-1] - at_us[0]))


def _synthetic(seconds: int) -> Iterator[Scenario]:
    times = range(0, WHOLE_S, BREATH_S)
    breath = [(at * 1_000_000, BREATH_BPS[number % len(BREATH_BPS)]) for number, at in enumerate(times)]
    chance = np.random.default_rng(1)
    walk = WALK_BPS * np.exp(np.cumsum(WALK_SPREAD * chance.standard_normal(WHOLE_S // WALK_S)))
    walked = [(number * WALK_S * 1_000_000, round(bps)) for number, bps in enumerate(walk.clip(150_000, 1_500_000))]
    for name, rows in (("falls and rises", FALLS), ("breathes", breath), ("walks", walked)):
        down: LinkDict = {"trace": rows, "delay_us": DELAY_US, "queue_ms": 1000, "loss": 0.0, "burst": 1.0}
        yield Scenario(name, "trace", down, seconds)
