"""The order of need in a lesson as steps, and what each step costs every transport.

Sound first, then slide pictures, the screen slowly, the teacher small, better sound, and so on. A step is one point
(spatial layer, temporal layer) of what one role shows; the steps of one role stand in the order of their cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
SOUNDING = np.isin(np.arange(ROLES), SOUND)
OF_ROLE = [np.flatnonzero(role == ROLE) for role in range(ROLES + 1)]
PAGES = (ROLE == STILLS)[:, None]
# The steps with which a better picture begins, and the next frame rate of each.
BETTER = [number for number, step in enumerate(STEPS) if step.spatial > 0 and step.temporal == SLOW]
SMOOTHER = [STEPS.index(STEPS[number]._replace(temporal=HALF)) for number in BETTER]
ENOUGH_BPS = 1e12  # nothing costs as much
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
    there[OF_ROLE[STILLS]], cost[OF_ROLE[STILLS]] = still_bps > 0, still_bps
    for role in range(ROLES):
        legs, mine = np.flatnonzero(demand.role == role), OF_ROLE[role]
        if legs.size == 0:
            continue
        at = rows[legs]
        has, bits = _costs(demand, legs, role, copies[at], loss[at], config)
        has &= SPATIAL[mine, None] <= caps[legs]
        # Two legs of one role on one transport share their steps.
        cells = mine[:, None] * count + at
        there.ravel()[cells[has]] = True
        cost += np.bincount(cells[has], bits[has], cost.size).reshape(cost.shape)
    more = _more(cost)
    return Ladder(rows, caps, there, more, _first_sounds(there) | (there & PAGES), _enter(more))


def _enter(more: Floats) -> Floats:
    """A better picture begins with a key frame, which is much: it needs room for more than the lowest frame rate."""
    enter = more.copy()
    enter[BETTER] += more[SMOOTHER]
    return enter


def _first_sounds(there: Bools) -> Bools:
    must = np.zeros_like(there)
    for role in SOUND:
        mine = OF_ROLE[role]
        must[mine] = there[mine] & (np.cumsum(there[mine], axis=0) == 1)
    return must


def first_sounds_bps(ladder: Ladder) -> Floats:
    """What goes whatever the link carries."""
    return np.asarray((ladder.more_bps * (ladder.must & ~PAGES)).sum(axis=0))


def _costs(demand: Demand, legs: Indices, role: int, copies: I64, loss: Floats, config: Config) -> tuple[Bools, Floats]:
    """(steps of the role, legs): whether the source has it, and its wire bit/s: payload, headers, redundancy of sound,
    repairs of picture."""
    steps, (_, layers, temporals) = OF_ROLE[role], demand.rates_bps.shape
    spatial = np.minimum(SPATIAL[steps], layers - 1)[:, None]
    temporal = np.where(TEMPORAL[steps] == FULL, -1, np.minimum(TEMPORAL[steps], temporals - 1))[:, None]
    full = demand.rates_bps[legs, spatial, -1].astype(np.float64)
    has = (full > 0) & (SPATIAL[steps] < layers)[:, None]
    packets_hz = demand.packets_hz[legs, spatial]
    if role in SOUND:
        return has, full * (1 + copies) + 8 * packets_hz * (config.header_bytes + copies * config.copy_bytes)
    part = demand.rates_bps[legs, spatial, temporal].astype(np.float64)
    share = np.where(has, part / np.maximum(full, 1.0), 1.0)
    return has, (part + 8 * packets_hz * share * config.header_bytes) / (1 - loss)


def _more(cost: Floats) -> Floats:
    """What each step costs beyond the dearest step of its role before it."""
    more = np.zeros_like(cost)
    for mine in OF_ROLE:
        more[mine] = dearest = np.maximum.accumulate(cost[mine], axis=0)
        more[mine[1:]] -= dearest[:-1]
    return more


def fill(
    ladder: Ladder, budget_bps: Floats, first: Bools | None = None, only: Bools | None = None, held: Bools | None = None
) -> Bools:
    """The steps that fit, in order: a role whose step does not fit waits, the others go on.

    Steps of `first` are taken before all others, `only` leaves all others out. What must be is always taken, what is
    `held` needs no room to begin.
    """
    taken = np.zeros_like(ladder.there)
    left = np.minimum(budget_bps, ENOUGH_BPS)
    present = np.flatnonzero(ladder.there.any(axis=1)).tolist()
    rounds = [ladder.there & first, ladder.there & ~first] if first is not None else [ladder.there]
    if only is not None:
        rounds = [ladder.there & only]
    needed = ladder.more_bps if only is not None else ladder.enter_bps
    if held is not None:
        needed = np.where(held, ladder.more_bps, needed)
    needed = np.where(ladder.must, -np.inf, needed)
    for chosen in rounds:
        asked = np.where(chosen, needed, np.inf)
        shut_roles = np.zeros((ROLES + 1, left.size), dtype=np.bool_)
        for number in present:
            shut, has = shut_roles[STEPS[number].role], taken[number]
            fits = (asked[number] <= left) > shut
            np.subtract(left, ladder.more_bps[number], out=left, where=fits)
            has |= fits
            # A step that is there and was not taken, now or in the round before, blocks those of its role after it.
            shut |= ladder.there[number] > has
    return taken


def part(ladder: Ladder, rows: Indices) -> Ladder:
    """The steps of some transports only; what is by leg stays."""
    columns = {name: getattr(ladder, name)[:, rows] for name in ("there", "more_bps", "must", "enter_bps")}
    return replace(ladder, **columns)


def fitting(ladder: Ladder, budget_bps: Floats, held: Bools) -> Bools:
    """The steps of `held` that fit, in order."""
    rows = np.flatnonzero((cost_bps(ladder, held) > budget_bps) | _gaps(ladder, held))
    fits = held.copy()
    fits[:, rows] = fill(part(ladder, rows), budget_bps[rows], only=held[:, rows])
    return fits


def _gaps(ladder: Ladder, held: Bools) -> Bools:
    """Rows that hold a step of a role without one before it."""
    missing, gaps = ladder.there & ~held, np.zeros(held.shape[1], dtype=np.bool_)
    for steps in OF_ROLE:
        lacks = np.zeros_like(gaps)
        for number in steps.tolist():
            gaps |= lacks & held[number]
            lacks |= missing[number]
    return gaps


def may_have_more(ladder: Ladder, taken: Bools, budget_bps: Floats) -> Bools:
    """Rows in which a missing step fits beside what is taken before it; in others `fill` finds nothing more."""
    left = budget_bps - np.cumsum(ladder.more_bps * taken, axis=0)
    fits = (ladder.enter_bps <= left) | ladder.must
    return np.asarray((ladder.there & ~taken & fits).any(axis=0))


def code(taken: Bools) -> I64:
    """A number for each row that is greater the earlier in the ladder it has a step that another lacks."""
    return np.asarray(WEIGHTS @ taken, dtype=np.int64)


def cost_bps(ladder: Ladder, taken: Bools) -> Floats:
    """What the taken steps cost together."""
    return np.asarray((ladder.more_bps * taken).sum(axis=0))


def layers(ladder: Ladder, taken: Bools, demand: Demand) -> tuple[I8, I8]:
    """Spatial and temporal layer of every leg; -1 is paused, or all temporal layers."""
    best = np.stack([np.where(taken[mine], mine[:, None], -1).max(axis=0) for mine in OF_ROLE])
    last = best[demand.role, ladder.row]
    spatial = np.where(last >= 0, SPATIAL[last], -1)
    temporal = np.where((last >= 0) & (TEMPORAL[last] != FULL), TEMPORAL[last], -1)
    # Legs of one role on one transport share steps, but not all of them need have the layer.
    numbers = np.arange(demand.rates_bps.shape[1])
    mine = (demand.rates_bps[:, :, -1] > 0) & (numbers <= ladder.caps[:, None])
    below = np.where(mine & (numbers <= spatial[:, None]), numbers, -1).max(axis=1, initial=-1)
    lowest = np.where(mine.any(axis=1) & SOUNDING[demand.role], np.argmax(mine, axis=1), -1)
    spatial = np.where(below >= 0, below, lowest)
    # Where the source names no temporal layers there is nothing to leave out.
    named = demand.rates_bps[np.arange(last.size), np.maximum(spatial, 0)]
    temporal = np.where((named[:, 0] == named[:, -1]) | (spatial < 0), -1, temporal)
    return spatial.astype(np.int8), temporal.astype(np.int8)
