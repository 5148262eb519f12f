"""Slide pictures in the ladder: after the voice, before every moving picture, by what is missing and until when."""

from __future__ import annotations

import numpy as np
import pytest

from bandwidth import stills
from bandwidth.columns import CAMERA, MICROPHONE
from bandwidth.config import Config
from bandwidth.heard import lay_out
from tests.bandwidth.link import Receiver, World, demand_of, feedback_of

THIN_BPS, WIDE_BPS = 150e3, 3e6
PAGE_BYTES = 15_000
CONFIG = Config()


def settled(capacity_bps: float) -> World:
    """A world whose only receiver sees the teacher."""
    world = World([Receiver(capacity=lambda now_s: capacity_bps, delay_ms=20)])
    world.demand = demand_of(world.receivers)
    world.run(12)
    assert camera(world) >= 0
    return world


def camera(world: World) -> int:
    return world.receivers[0].spatial[CAMERA]


def test_a_page_that_is_missing_pauses_the_picture_of_a_thin_link_and_the_picture_comes_back() -> None:
    world = settled(THIN_BPS)
    world.receivers[0].missing_bytes = 5 * PAGE_BYTES
    world.run(0.2)
    assert camera(world) < 0
    assert world.receivers[0].spatial[MICROPHONE] >= 0
    world.receivers[0].missing_bytes = 0
    world.run(1.5)
    assert camera(world) >= 0


def test_a_page_costs_a_good_link_no_picture() -> None:
    world = settled(WIDE_BPS)
    before = camera(world)
    world.receivers[0].missing_bytes = PAGE_BYTES
    world.run(1)
    assert camera(world) == before


def test_a_page_that_never_leaves_does_not_lower_the_pace_of_sound() -> None:
    world = settled(THIN_BPS)
    world.receivers[0].missing_bytes = 200 * PAGE_BYTES
    world.run(5)
    assert world.receivers[0].pacing_bps > 20_000
    assert world.receivers[0].spatial[MICROPHONE] >= 0


def need(left: list[int], at_us: list[int], random: float = 0.0) -> float:
    """What is needed after these looks at what is missing."""
    state = stills.fresh(1)
    for bytes_left, now_us in zip(left, at_us, strict=True):
        rows = feedback_of([{"transport": 9, "still_left_bytes": bytes_left}])
        heard = lay_out(rows, rows.transport, np.zeros(1, dtype=np.bool_), now_us)
        stills.update(state, heard, np.array([random]), now_us, CONFIG)
    return float(state.need_bps[0])


def test_a_page_needs_its_bytes_in_the_time_that_is_left() -> None:
    within_s = CONFIG.still_within_us / 1e6
    assert need([0], [0]) == 0
    assert need([10_000], [0]) == pytest.approx(80_000 / within_s)
    assert need([10_000, 5_000], [0, 1_000_000]) == pytest.approx(40_000 / (within_s - 1))
    assert need([10_000, 5_000], [0, 60_000_000]) == pytest.approx(40_000e6 / CONFIG.still_least_us)


def test_another_page_starts_the_clock_anew() -> None:
    assert need([10_000, 2_000, 10_000], [0, 3_000_000, 3_100_000]) == need([10_000], [0])


def test_what_the_link_loses_goes_twice() -> None:
    assert need([10_000], [0], random=0.2) == pytest.approx(need([10_000], [0]) / 0.8)
