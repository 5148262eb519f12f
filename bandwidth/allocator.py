"""What every classroom gets: the steps of the ladder that its link carries, up slowly and down at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth import ladder as ladders
from bandwidth.columns import I64, Bools, Floats
from bandwidth.config import Config
from bandwidth.heard import FOREVER_US
from bandwidth.ladder import STEPS, Ladder

# Steps that begin a spatial layer.
FIRST = np.array([(step.role, step.spatial) not in [other[:2] for other in STEPS[:n]] for n, step in enumerate(STEPS)])


@dataclass
class Allocation:
    """State of all receivers."""

    taken: Bools  # (rows, steps): as all state, one row a transport
    up_since_us: I64  # since when more would fit; FOREVER: it would not
    raised_us: I64  # last climb
    patience_us: Floats  # what a failed climb adds to the wait
    slow_since_us: I64  # since when a spatial layer does not fit; FOREVER: it does


def fresh(count: int) -> Allocation:
    """Rows that have nothing yet."""
    return Allocation(
        taken=np.zeros((count, len(STEPS)), dtype=np.bool_),
        up_since_us=np.full(count, FOREVER_US, dtype=np.int64),
        raised_us=np.full(count, -FOREVER_US, dtype=np.int64),
        patience_us=np.zeros(count),
        slow_since_us=np.full(count, FOREVER_US, dtype=np.int64),
    )


def update(
    allocation: Allocation,
    ladder: Ladder,
    budget_bps: Floats,
    calm: Bools,
    quick: Bools,
    blameless: Bools,
    now_us: int,
    config: Config,
) -> Bools:
    """The steps of now; `calm` rows may climb, `quick` ones at once, the falls of `blameless` ones are not held against
    the climb before."""
    before = allocation.taken.T & ladder.there
    kept = ladders.fill(ladder, budget_bps * config.stay_margin, only=before)
    fell = (kept != before).any(axis=0)
    spare = budget_bps / config.up_margin
    wider = ladders.fill(ladder, spare, first=kept)
    anew = ladders.fill(ladder, spare)
    better = np.where(ladders.code(anew) > ladders.code(wider), anew, wider)
    more = (ladders.code(better) > ladders.code(kept)) & calm & ~fell
    _count_failures(allocation, fell & ~blameless, now_us, config)
    allocation.up_since_us = np.where(more, np.minimum(allocation.up_since_us, now_us), FOREVER_US)
    hold = np.where(_spatial_change(kept, better), config.up_spatial_us, config.up_temporal_us)
    cost = ladders.cost_bps(ladder, better)
    hold = np.where(budget_bps > config.up_sure * cost, config.up_sure_us, hold) + allocation.patience_us
    rise = more & ((now_us - allocation.up_since_us >= hold) | quick)
    taken = np.where(rise, better, kept)
    allocation.taken = taken.T.copy()
    allocation.raised_us = np.where(rise, now_us, allocation.raised_us)
    allocation.up_since_us = np.where(rise, FOREVER_US, allocation.up_since_us)
    return taken


def _count_failures(allocation: Allocation, fell: Bools, now_us: int, config: Config) -> None:
    """A climb that was followed by a fall makes the next one wait longer; one that lasted forgives."""
    failed = fell & (now_us - allocation.raised_us < config.fail_us)
    longer = np.clip(allocation.patience_us * config.up_patience, config.up_spatial_us, config.up_most_us)
    lasted = now_us - allocation.raised_us > 2 * config.fail_us + allocation.patience_us
    allocation.patience_us = np.where(failed, longer, np.where(lasted, 0.0, allocation.patience_us))
    # One climb fails once.
    allocation.raised_us = np.where(failed, now_us - config.fail_us, allocation.raised_us)


def _spatial_change(kept: Bools, better: Bools) -> Bools:
    """Whether some role gets another spatial layer."""
    new = better & ~kept
    return np.asarray((new & FIRST[:, None]).any(axis=0), dtype=np.bool_)


def next_need_bps(ladder: Ladder, taken: Bools, budget_bps: Floats, config: Config) -> tuple[Floats, Floats]:
    """(cost of all that fits and the next step, cost of everything); inf where nothing is missing."""
    fits = ladders.fill(ladder, budget_bps / config.up_margin)
    fits |= taken & ladder.there
    missing = ladder.there & ~fits & (ladder.more_bps > 0)
    step = np.take_along_axis(ladder.more_bps, np.argmax(missing, axis=0)[None, :], axis=0)[0]
    need = ladders.cost_bps(ladder, fits) + step
    return np.where(missing.any(axis=0), need, np.inf), ladders.cost_bps(ladder, ladder.there)
