"""What a climb may cost, and that rows of which nothing is to be decided are told from the others."""

from __future__ import annotations

import numpy as np
import pytest

from bandwidth import allocator, ladder
from bandwidth.allocator import Room
from bandwidth.columns import CAMERA, MICROPHONE, SCREEN, Bools, Demand, Floats
from bandwidth.config import Config
from bandwidth.ladder import Ladder

CONFIG = Config()
ROWS = 64
TICK_US = 100_000
ROLES = (MICROPHONE, SCREEN, CAMERA)


def random_ladder(random: np.random.Generator) -> Ladder:
    """Receivers of sources that send any of their layers; some miss a page."""
    legs = ROWS * len(ROLES)
    rates = (
        random.uniform(5e3, 400e3, (legs, 3, 1)) * np.array([0.4, 0.6, 1.0, 1.0]) * (random.random((legs, 3, 1)) < 0.8)
    )
    demand = Demand(
        subscription=np.arange(legs, dtype=np.uint32),
        transport=np.repeat(np.arange(ROWS, dtype=np.uint32), len(ROLES)),
        role=np.tile(np.array(ROLES, dtype=np.int8), ROWS),
        cap=random.integers(-1, 3, legs).astype(np.int8),
        chosen_us=np.full(legs, -1, dtype=np.int64),
        rates_bps=rates.astype(np.uint64),
        packets_hz=np.full((legs, 3), 30.0),
        listening=np.ones(legs, dtype=np.bool_),
        start_bps=np.zeros(legs, dtype=np.uint64),
    )
    rows = np.repeat(np.arange(ROWS), len(ROLES))
    copies, loss = random.integers(0, 3, ROWS), random.uniform(0, 0.3, ROWS)
    pages = np.where(random.random(ROWS) < 0.2, 20e3, 0.0)
    return ladder.build(demand, rows, ROWS, demand.cap, copies, loss, pages, CONFIG)


def budgets(random: np.random.Generator) -> Floats:
    """From less than sound to more than everything."""
    return np.exp(random.uniform(np.log(20e3), np.log(3e6), ROWS))


def some_steps(random: np.random.Generator, of: Ladder) -> Bools:
    """What some budget once bought, with a few steps missing."""
    return np.asarray(ladder.fill(of, budgets(random)) & (random.random(of.there.shape) < 0.9))


@pytest.mark.parametrize("seed", range(10))
def test_no_climb_gives_away_what_is_needed_more(seed: int) -> None:
    random = np.random.default_rng(seed)
    allocation = allocator.fresh(ROWS)
    for tick in range(30):
        of = random_ladder(random)
        budget = budgets(random)
        enough = budget * random.uniform(1.0, 1.5, ROWS)
        before = (allocation.taken.T | ladder.PAGES) & of.there
        fits = ladder.fill(of, enough, only=before)
        flags = random.random((5, ROWS)) < 0.5
        room = Room(budget, enough, *flags)
        taken = allocator.update(allocation, of, room, tick * TICK_US, TICK_US, CONFIG)
        assert (ladder.code(taken) >= ladder.code(fits)).all()


@pytest.mark.parametrize("seed", range(10))
def test_what_fits_of_what_is_there_is_the_same_with_and_without_the_short_way(seed: int) -> None:
    random = np.random.default_rng(seed)
    of = random_ladder(random)
    held, budget = some_steps(random, of), budgets(random)
    assert np.array_equal(ladder.fitting(of, budget, held), ladder.fill(of, budget, only=held))


@pytest.mark.parametrize("seed", range(10))
def test_a_row_that_is_not_asked_could_not_have_more(seed: int) -> None:
    random = np.random.default_rng(seed)
    of = random_ladder(random)
    held, budget = some_steps(random, of), budgets(random)
    asked = ladder.may_have_more(of, held, budget)
    for found in (ladder.fill(of, budget, first=held, held=held), ladder.fill(of, budget, held=held)):
        assert (ladder.code(found) <= ladder.code(held))[~asked].all()
    assert asked.any() and not asked.all()


def test_a_missing_first_picture_does_not_wait_for_room_for_a_better_voice() -> None:
    rates = np.zeros((2, 3, 4))
    rates[0, :2] = np.array([13e3, 32e3])[:, None]
    rates[1, 0] = np.array([30e3, 45e3, 75e3, 75e3])
    demand = Demand(
        subscription=np.arange(2, dtype=np.uint32),
        transport=np.zeros(2, dtype=np.uint32),
        role=np.array([MICROPHONE, CAMERA], dtype=np.int8),
        cap=np.array([2, 2], dtype=np.int8),
        chosen_us=np.full(2, -1, dtype=np.int64),
        rates_bps=rates.astype(np.uint64),
        packets_hz=np.array([[16.7, 50, 0], [15, 0, 0]], dtype=np.float64),
        listening=np.ones(2, dtype=np.bool_),
        start_bps=np.zeros(2, dtype=np.uint64),
    )
    none = np.zeros(1, dtype=np.int64)
    of = ladder.build(demand, np.zeros(2, dtype=np.int64), 1, demand.cap, none, np.zeros(1), np.zeros(1), CONFIG)
    allocation, budget, no = allocator.fresh(1), np.array([130e3]), np.zeros(1, dtype=np.bool_)
    allocation.patience_us[:] = 40e6  # other climbs failed before
    room = Room(budget, budget, ~no, no, no, no, no)
    seen = []
    for tick in range(40):
        taken = allocator.update(allocation, of, room, tick * TICK_US, TICK_US, CONFIG)
        seen.append(bool(taken[ladder.STEPS.index(ladder.Step(CAMERA, 0, ladder.SLOW)), 0]))
    first_us = seen.index(True) * TICK_US
    assert first_us <= CONFIG.up_sure_us + CONFIG.up_sure_patience * CONFIG.base_patience_us + TICK_US
