"""How the simulator is held against a real browser."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from benchmarks.links.catalogue import link, steps
from benchmarks.links.chromium import BUSY_MS, Comparable, Watched, figures, looked_late_ms, paused
from benchmarks.links.noted import NotedDirection
from benchmarks.links.short_list import short_list
from benchmarks.links.truth import agreement, lines, mean_of, row_of

SAME = Comparable(0.01, 0.04, 5.0, 60.0, 500.0, None, {0: 0.2, 180: 0.8})


def row(second: float, **change: Any) -> dict[str, Any]:
    """What the page wrote down at this second: 25 frames a second, and one of a hundred samples made up."""
    return {
        "at_ms": 1000 * second,
        "samples": round(48_000 * second),
        "concealed": round(480 * second),
        "sound_packets": round(50 * second),
        "sound_waited_s": 9600 * second,
        "sound_emitted": 48_000 * second,
        "frames": round(25 * second),
        "frozen_s": 0.0,
        "height": 180,
        "shown": {"frames": 0, "sum_ms": 0.0, "least_ms": None},
        "camera": 180,
    } | change


def test_a_span_is_summed_up() -> None:
    seen = figures([row(n / 4) for n in range(41)], np.array([0.0, 10.0, 20.0]), 50.0)
    assert seen.audio_concealed == pytest.approx(0.01)
    assert seen.freeze_ratio == 0
    assert seen.rungs == {180: pytest.approx(1)}
    assert (seen.own_delay_p50_ms, seen.picture_delay_ms) == (10, None)
    assert seen.sound_delay_ms == pytest.approx(50 + 10 + 20 + 200)


def test_a_picture_is_as_late_as_its_way_and_its_wait_behind_the_fastest_frame() -> None:
    shown = [{"frames": 25 * n, "sum_ms": 25 * n * 7_250.0, "least_ms": 7_000.0} for n in range(3)]
    seen = figures([row(n, shown=shown[n]) for n in range(3)], np.zeros(1), 50.0)
    assert seen.picture_delay_ms == pytest.approx(300)


def test_a_browser_that_stood_still_is_found_out() -> None:
    rows = [row(n / 4) for n in range(9)]
    assert looked_late_ms(rows) == 0
    assert looked_late_ms([*rows[:4], *rows[5:]]) == 250


def test_what_was_switched_off_is_no_freeze() -> None:
    rows = [row(n) for n in range(11)]
    for n in range(3, 8):
        rows[n] |= {"camera": 0, "frames": 75}
    for n in range(8, 11):
        rows[n] |= {"frozen_s": 5.5}
    assert paused(rows).tolist() == [False] * 3 + [True] * 5 + [False] * 3
    seen = figures(rows, np.zeros(1), 50.0)
    assert seen.freeze_ratio == pytest.approx(0.05, abs=0.06)
    assert seen.rungs == {0: pytest.approx(0.5), 180: pytest.approx(0.5)}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, set()),
        ({"audio_concealed": 0.019, "freeze_ratio": 0.049, "own_delay_p95_ms": 100.0, "sound_delay_ms": 460.0}, set()),
        ({"audio_concealed": 0.03}, {"audio_concealed"}),
        ({"freeze_ratio": 0.06, "own_delay_p50_ms": 60.0}, {"freeze_ratio", "own_delay_p50_ms"}),
        ({"rungs": {180: 0.95, 360: 0.05}}, {"rungs"}),
    ],
)
def test_what_is_too_far_apart_is_flagged(change: dict[str, Any], wrong: set[str]) -> None:
    assert {name for name, good in agreement(SAME, [replace(SAME, **change)]).items() if not good} == wrong


def test_what_chance_decides_in_the_model_too_is_no_difference() -> None:
    models = [replace(SAME, rungs={180: 1.0}, sound_delay_ms=None), replace(SAME, rungs={0: 1.0}, sound_delay_ms=400.0)]
    assert agreement(replace(SAME, rungs={0: 0.5, 180: 0.5}), models)["rungs"]
    assert not agreement(SAME, models)["sound_delay_ms"]
    mean = mean_of(models)
    assert (mean.rungs, mean.sound_delay_ms, mean.picture_delay_ms) == ({0: 0.5, 180: 0.5}, 400.0, None)


@pytest.mark.parametrize(
    ("late_ms", "ends"), [(BUSY_MS, "0: 20 / 20, 180: 80 / 80 "), (BUSY_MS + 1, "machine too busy: not compared")]
)
def test_what_a_busy_machine_saw_is_not_compared(late_ms: float, ends: str) -> None:
    model = replace(SAME, audio_concealed=0.2)
    compared = row_of(Watched(SAME, 1.0, 0.5, late_ms), [model])
    assert compared["valid"] == (late_ms <= BUSY_MS)
    assert compared["chromium"] == asdict(SAME)
    text = list(lines({"a line": compared}))[1]
    assert text.endswith(ends)
    assert ("1.0 / 20.0*" in text) == compared["valid"]


async def test_a_packet_waits_for_others_and_not_for_itself() -> None:
    way = NotedDirection({"trace": steps(80_000, []), "delay_us": 1000}, seed=1)
    for _ in range(3):  # 10 kB/s
        way.send(1000, lambda: None)
    way.close()
    assert way.own_delay_ms(0) == pytest.approx([0, 100, 200], abs=20)
    assert way.own_delay_ms(10_000_000).size == 0


def test_there_are_enough_links_and_three_of_them_change() -> None:
    links = short_list(None, 60)
    assert len(links) >= 8 and sum(one.group == "trace" for one in links) == 3
    assert len({one.name for one in links}) == len(links)
    assert link(64_000)["capacity_bps"] == links[0].down["capacity_bps"]
