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
