"""The order of need in a lesson as steps, and what each step costs every transport.

Sound first, then slide pictures, the screen slowly, the teacher small, better sound, and so on. A step is one point
(spatial layer, temporal layer) of what one role shows; the steps of one role stand in the order of their cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bandwidth.columns import (
    CAMERA,
    I8,
    I64,
    LOW_RATE,
    MICROPHONE,
    NORMAL_RATE,
    ROLES,
    SCREEN,
    STAGE_PICTURE,
    STAGE_SOUND,
    Bools,
    Demand,
    Floats,
    Indices,
)
from bandwidth.config import Config

STILLS = ROLES  # a role without legs: what is kept free for slide pictures
# The temporal layers of a step: a quarter of the frames, half of them, all (RFC 7741 4.2).
SLOW, HALF, FULL = range(3)


class Step(NamedTuple):
    """One point of the ladder."""

    role: int
    spatial: int
    temporal: int


STEPS = (
    Step(MICROPHONE, LOW_RATE, FULL),
    Step(STAGE_SOUND, LOW_RATE, FULL),
    Step(STILLS, 0, FULL),
    Step(SCREEN, 0, SLOW),
    Step(CAMERA, 0, SLOW),
    Step(MICROPHONE, NORMAL_RATE, FULL),
    Step(STAGE_SOUND, NORMAL_RATE, FULL),
    Step(CAMERA, 0, HALF),
    Step(STAGE_PICTURE, 0, SLOW),
    Step(SCREEN, 0, HALF),
    Step(CAMERA, 0, FULL),
    Step(SCREEN, 0, FULL),
    Step(STAGE_PICTURE, 0, FULL),
    Step(SCREEN, 1, FULL),
    Step(CAMERA, 1, SLOW),
    Step(CAMERA, 1, HALF),
    Step(CAMERA, 1, FULL),
    Step(STAGE_PICTURE, 1, FULL),
    Step(SCREEN, 2, FULL),
    Step(CAMERA, 2, SLOW),
    Step(CAMERA, 2, HALF),
    Step(CAMERA, 2, FULL),
    Step(STAGE_PICTURE, 2, FULL),
)
ROLE = np.array([step.role for step in STEPS])
SPATIAL = np.array([step.spatial for step in STEPS])
TEMPORAL = np.array([step.temporal for step in STEPS])
SOUND = (MICROPHONE, STAGE_SOUND)
PAGES = (ROLE == STILLS)[:, None]
# The steps with which a better picture begins, and the next frame rate of each.
BETTER = [number for number, step in enumerate(STEPS) if step.spatial > 0 and step.temporal == SLOW]
SMOOTHER = [STEPS.index(STEPS[number]._replace(temporal=HALF)) for number in BETTER]
# The earlier a step, the more it weighs; together they are exact in 53 bits.
WEIGHTS = 2.0 ** np.arange(len(STEPS) - 1, -1, -1)


@dataclass(frozen=True)
class Ladder:
    """What there is for every transport now; steps first, so that the work goes along rows of memory."""

    row: Indices  # row of each leg's transport
    caps: I8  # highest layer of each leg
    there: Bools  # (steps, rows): the step exists and is wanted
    more_bps: Floats  # (steps, rows): what it costs more than the steps of its role before it
    must: Bools  # (steps, rows): what is always taken: a first sound, and a page that is missing
    enter_bps: Floats  # (steps, rows): `more_bps`; where a better picture begins, with its next frame rate


def build(
    demand: Demand, rows: Indices, count: int, caps: I8, copies: I64, loss: Floats, still_bps: Floats, config: Config
) -> Ladder:
    """The ladder of all `count` transports; `rows` and `caps` are by leg, the others by transport."""
    there = np.zeros((len(STEPS), count), dtype=np.bool_)
    cost = np.zeros((len(STEPS), count))
    legs_of = [np.flatnonzero(demand.role == role) for role in range(ROLES)]
    full = demand.rates_bps[:, :, -1]
    for number, step in enumerate(STEPS):
        if step.role == STILLS:
            there[number], cost[number] = still_bps > 0, still_bps
            continue
        if step.spatial >= full.shape[1]:
            continue
        legs = legs_of[step.role]
        legs = legs[(full[legs, step.spatial] > 0) & (step.spatial <= caps[legs])]
        if legs.size == 0:
            continue
        at = rows[legs]
        there[number, at] = True
        # Two legs of one role on one transport share their steps.
        cost[number] = np.bincount(at, _cost(demand, legs, step, copies[at], loss[at], config), count)
    more = _more(there, cost)
    return Ladder(rows, caps, there, more, _first_sounds(there) | (there & PAGES), _enter(more))


def _enter(more: Floats) -> Floats:
    """A better picture begins with a key frame, which is much: it needs room for more than the lowest frame rate."""
    enter = more.copy()
    enter[BETTER] += more[SMOOTHER]
    return enter


def _first_sounds(there: Bools) -> Bools:
    must = np.zeros_like(there)
    for role in SOUND:
        mine = np.flatnonzero(role == ROLE)
        must[mine] = there[mine] & (np.cumsum(there[mine], axis=0) == 1)
    return must


def first_sounds_bps(ladder: Ladder) -> Floats:
    """What goes whatever the link carries."""
    return np.asarray((ladder.more_bps * (ladder.must & ~PAGES)).sum(axis=0))


def _cost(demand: Demand, legs: Indices, step: Step, copies: I64, loss: Floats, config: Config) -> Floats:
    """Wire bit/s of one step: payload, headers, redundancy of sound, repairs of picture."""
    full = demand.rates_bps[legs, step.spatial, -1].astype(np.float64)
    packets_hz = demand.packets_hz[legs, step.spatial]
    if step.role in SOUND:
        bits: Floats = full * (1 + copies) + 8 * packets_hz * (config.header_bytes + copies * config.copy_bytes)
        return bits
    temporal = min(step.temporal, demand.rates_bps.shape[2] - 1) if step.temporal != FULL else -1
    part = demand.rates_bps[legs, step.spatial, temporal].astype(np.float64)
    share = np.where(full > 0, part / np.maximum(full, 1.0), 1.0)
    whole: Floats = (part + 8 * packets_hz * share * config.header_bytes) / (1 - loss)
    return whole


def _more(there: Bools, cost: Floats) -> Floats:
    """What each step costs beyond the dearest step of its role before it."""
    more = np.zeros_like(cost)
    for role in range(ROLES + 1):
        mine = np.flatnonzero(role == ROLE)
        dearest = np.maximum.accumulate(np.where(there[mine], cost[mine], 0.0), axis=0)
        more[mine] = np.diff(dearest, axis=0, prepend=0.0)
    return more


def fill(
    ladder: Ladder, budget_bps: Floats, first: Bools | None = None, only: Bools | None = None, held: Bools | None = None
) -> Bools:
    """The steps that fit, in order: a role whose step does not fit waits, the others go on.

    Steps of `first` are taken before all others, `only` leaves all others out. What must be is always taken, what is
    `held` needs no room to begin.
    """
    taken = np.zeros_like(ladder.there)
    left = budget_bps.copy()
    present = np.flatnonzero(ladder.there.any(axis=1)).tolist()
    rounds = [ladder.there & first, ladder.there & ~first] if first is not None else [ladder.there]
    if only is not None:
        rounds = [ladder.there & only]
    needed = ladder.more_bps if only is not None else ladder.enter_bps
    if held is not None:
        needed = np.where(held, ladder.more_bps, needed)
    for chosen in rounds:
        open_roles = np.ones((ROLES + 1, budget_bps.size), dtype=np.bool_)
        for number in present:
            role, more = STEPS[number].role, ladder.more_bps[number]
            fits = chosen[number] & open_roles[role] & ((needed[number] <= left) | ladder.must[number])
            taken[number] |= fits
            left -= more * fits
            # A step that is there and was not taken, now or in the round before, blocks those of its role after it.
            open_roles[role] &= taken[number] | ~ladder.there[number]
    return taken


def code(taken: Bools) -> I64:
    """A number for each row that is greater the earlier in the ladder it has a step that another lacks."""
    return np.asarray(WEIGHTS @ taken, dtype=np.int64)


def cost_bps(ladder: Ladder, taken: Bools) -> Floats:
    """What the taken steps cost together."""
    return np.asarray((ladder.more_bps * taken).sum(axis=0))


def layers(ladder: Ladder, taken: Bools, demand: Demand) -> tuple[I8, I8]:
    """Spatial and temporal layer of every leg; -1 is paused, or all temporal layers."""
    best = np.full((ROLES + 1, taken.shape[1]), -1)
    for number, step in enumerate(STEPS):
        best[step.role] = np.where(taken[number], number, best[step.role])
    last = best[demand.role, ladder.row]
    spatial = np.where(last >= 0, SPATIAL[last], -1)
    temporal = np.where((last >= 0) & (TEMPORAL[last] != FULL), TEMPORAL[last], -1)
    # Legs of one role on one transport share steps, but not all of them need have the layer.
    numbers = np.arange(demand.rates_bps.shape[1])
    mine = (demand.rates_bps[:, :, -1] > 0) & (numbers <= ladder.caps[:, None])
    below = np.where(mine & (numbers <= spatial[:, None]), numbers, -1).max(axis=1, initial=-1)
    lowest = np.where(mine.any(axis=1) & np.isin(demand.role, SOUND), np.argmax(mine, axis=1), -1)
    spatial = np.where(below >= 0, below, lowest)
    # Where the source names no temporal layers there is nothing to leave out.
    named = demand.rates_bps[np.arange(last.size), np.maximum(spatial, 0)]
    temporal = np.where((named[:, 0] == named[:, -1]) | (spatial < 0), -1, temporal)
    return spatial.astype(np.int8), temporal.astype(np.int8)
