"""What every classroom gets: the steps of the ladder that its link carries, up slowly and down at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth import ladder as ladders
from bandwidth.columns import I64, Bools, Floats, Indices
from bandwidth.config import Config
from bandwidth.heard import FOREVER_US
from bandwidth.ladder import STEPS, Ladder

# For each step the one that begins its spatial layer, and whether that is itself; whether it is the first of its role.
BEGINS = np.array([next(n for n, other in enumerate(STEPS) if other[:2] == step[:2]) for step in STEPS])
FIRST = np.arange(len(STEPS)) == BEGINS
BASE = np.array([next(n for n, other in enumerate(STEPS) if other.role == step.role) for step in STEPS])
IS_BASE = (np.arange(len(STEPS)) == BASE)[:, None]


@dataclass
class Allocation:
    """State of all receivers. Spatial layers cost a key frame and are changed seldom, temporal layers cost nothing."""

    taken: Bools  # (rows, steps): as all state, one row a transport
    up_us: Floats  # how long another spatial layer would fit, less twice how long it would not
    up_temporal_us: Floats  # the same of more temporal layers
    slow_us: Floats  # how long a spatial layer does not fit any more
    raised_us: I64  # last spatial climb
    patience_us: Floats  # what failed climbs add to the wait


def fresh(count: int) -> Allocation:
    """Rows that have nothing yet."""
    return Allocation(
        taken=np.zeros((count, len(STEPS)), dtype=np.bool_),
        up_us=np.zeros(count),
        up_temporal_us=np.zeros(count),
        slow_us=np.zeros(count),
        raised_us=np.full(count, -FOREVER_US, dtype=np.int64),
        patience_us=np.zeros(count),
    )


@dataclass(frozen=True)
class Room:
    """What there is for each receiver, and what its link allows."""

    budget_bps: Floats  # for what is new
    enough_bps: Floats  # for what is there
    calm: Bools  # may climb
    quick: Bools  # … at once: it just came, chose, or came back
    eased: Bools  # what was left out to drain a queue may come back at once
    jammed: Bools  # so much waits that no better picture may be held
    gone: Bools  # nothing arrives, or a page needs the room: nothing is held


def update(allocation: Allocation, ladder: Ladder, room: Room, now_us: int, span_us: int, config: Config) -> Bools:
    """The steps of now."""
    before = (allocation.taken.T | ladders.PAGES) & ladder.there
    fits = ladders.fitting(ladder, room.enough_bps, before)
    kept = _held(allocation, before, fits, room, span_us, config)
    able = room.calm & (fits == kept).all(axis=0)
    spare = room.budget_bps / config.up_margin
    rows = np.flatnonzero(able & ladders.may_have_more(ladder, kept, spare))
    some, now = ladders.part(ladder, rows), kept[:, rows]
    smoother, better = _more(some, now, spare[rows], (room.eased | room.quick)[rows])
    least = np.maximum(ladders.code(smoother), ladders.code(now))
    finer = _spread(rows, least > ladders.code(now), able.size)
    higher = _spread(rows, ladders.code(better) > least, able.size)
    allocation.up_temporal_us = _leaky(allocation.up_temporal_us, finer, span_us)
    allocation.up_us = _leaky(allocation.up_us, higher, span_us)
    better = _first_pictures(now, better, some, room.budget_bps[rows], config)
    sure = room.budget_bps[rows] > config.up_sure * ladders.cost_bps(some, better)
    # A first picture is worth more tries than a better one.
    first = (better & ~now & IS_BASE).any(axis=0)
    patience_us = allocation.patience_us[rows]
    patience_us = np.where(first, np.minimum(patience_us, config.base_patience_us), patience_us)
    hold = np.where(
        sure, config.up_sure_us + config.up_sure_patience * patience_us,
        config.up_spatial_us + patience_us,
    )  # fmt: skip
    climb = higher & (_spread(rows, allocation.up_us[rows] >= hold, able.size) | room.quick)
    ease = finer & ((allocation.up_temporal_us >= config.up_temporal_us) | room.quick | room.eased)
    taken = kept.copy()
    taken[:, rows] = np.where(climb[rows], better, np.where(ease[rows], smoother, now))
    _remember(allocation, before, taken, climb, now_us, config)
    return taken


def _more(ladder: Ladder, kept: Bools, spare: Floats, back: Bools) -> tuple[Bools, Bools]:
    """(what fits without another spatial layer, or with the first one where it may come `back`; what fits at all)."""
    wider, anew = ladders.fill(ladder, spare, first=kept, held=kept), ladders.fill(ladder, spare, held=kept)
    better = np.where(ladders.code(anew) > ladders.code(wider), anew, wider)
    return wider & (kept[BEGINS] | (back & (BASE == BEGINS)[:, None])), better


def _first_pictures(now: Bools, better: Bools, ladder: Ladder, budget_bps: Floats, config: Config) -> Bools:
    """`better`, or where there is ample room for a missing first picture but not for all of it, that picture alone."""
    begun = now | (better & IS_BASE)
    ample = config.up_sure * ladders.cost_bps(ladder, begun) < budget_bps
    tight = config.up_sure * ladders.cost_bps(ladder, better) >= budget_bps
    return np.where(ample & tight & (begun & ~now).any(axis=0), begun, better)


def _spread(rows: Indices, values: Bools, count: int) -> Bools:
    """`values` of some of `count` rows, false for the others."""
    spread = np.zeros(count, dtype=np.bool_)
    spread[rows] = values
    return spread


def _leaky(held_us: Floats, holds: Bools, span_us: int) -> Floats:
    """What a source sends goes up and down: a moment in which more does not fit is no news."""
    return np.maximum(held_us + np.where(holds, span_us, -2 * span_us), 0.0)


def _held(allocation: Allocation, before: Bools, fits: Bools, room: Room, span_us: int, config: Config) -> Bools:
    """What stays: a spatial layer that does not fit any more is held at its lowest frame rate for a moment."""
    lost = before & ~fits & FIRST[:, None]
    slow = lost.any(axis=0)
    allocation.slow_us = np.where(slow, allocation.slow_us + span_us, 0.0)
    base = (lost & IS_BASE).any(axis=0)
    patience = np.where(base, config.base_down_us, config.spatial_down_us)
    hold = slow & (allocation.slow_us <= patience) & (base | ~room.jammed) & ~room.gone
    # All steps that lead to the layers that are held.
    leads = np.zeros_like(before)
    for number in np.flatnonzero(lost.any(axis=1)).tolist():
        chain = (np.arange(len(STEPS)) <= number) & (BASE[number] == BASE)
        leads |= chain[:, None] & lost[number]
    return np.where(hold, fits | (leads & before), fits)


def _remember(allocation: Allocation, before: Bools, taken: Bools, climb: Bools, now_us: int, config: Config) -> None:
    """A climb that was followed by a fall makes the next one wait longer; one that lasted forgives."""
    fell = (before & ~taken & FIRST[:, None]).any(axis=0)
    failed = fell & (now_us - allocation.raised_us < config.fail_us)
    longer = np.clip(allocation.patience_us * config.up_patience, config.up_spatial_us, config.up_most_us)
    lasted = now_us - allocation.raised_us > 2 * config.fail_us + allocation.patience_us
    allocation.patience_us = np.where(failed, longer, np.where(lasted, 0.0, allocation.patience_us))
    # One climb fails once.
    raised_us = np.where(failed, now_us - config.fail_us, allocation.raised_us)
    allocation.raised_us = np.where(climb, now_us, raised_us)
    allocation.up_us = np.where(climb | fell, 0.0, allocation.up_us)
    allocation.taken = taken.T.copy()


def next_need_bps(ladder: Ladder, taken: Bools, budget_bps: Floats, config: Config) -> tuple[Floats, Floats]:
    """(cost of all that fits and the next step, cost of everything); inf where nothing is missing."""
    room_bps = budget_bps / config.up_margin
    fits = taken & ladder.there
    open_ = ladders.may_have_more(ladder, fits, room_bps) | (ladders.cost_bps(ladder, fits) > room_bps)
    rows = np.flatnonzero(open_)
    fits[:, rows] |= ladders.fill(ladders.part(ladder, rows), room_bps[rows], held=fits[:, rows])
    missing = ladder.there & ~fits & (ladder.more_bps > 0)
    step = np.take_along_axis(ladder.enter_bps, np.argmax(missing, axis=0)[None, :], axis=0)[0]
    need = ladders.cost_bps(ladder, fits) + step
    return np.where(missing.any(axis=0), need, np.inf), ladders.cost_bps(ladder, ladder.there)
