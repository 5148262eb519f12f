"""The order of sacrifice as rungs: a transport at level n gets the first n rungs of its ladder.

A rung is one layer of one leg. The base layers come first, in the order of priority (screen before camera), then the
better layers, again screen before camera. Audio is no rung: it is never given up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandwidth.columns import I8, I64, U32, Demand

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Ladder:
    """All rungs of all transports, one row each, grouped by transport, lowest first."""

    leg: Indices  # row of Demand
    spatial: I8
    rank: Indices  # place on its transport's ladder, from 0
    row: Indices  # row of the transport in the policy's table
    height: I64  # rungs of each transport
    base: I64  # those of them that are a leg's first
    chosen: I64  # per transport: rungs up to its fixed choices


def build(demand: Demand, transports: U32) -> Ladder:
    """The rungs that exist now; `transports` is sorted and holds every transport of `demand`."""
    layers = np.arange(demand.rates_bps.shape[1])
    allowed = (demand.rates_bps > 0) & (layers[None, :] <= demand.cap[:, None])
    leg, spatial = np.nonzero(allowed)
    better = spatial != np.argmax(allowed, axis=1)[leg]
    row = np.searchsorted(transports, demand.transport[leg])
    order = np.lexsort((spatial, demand.priority[leg], better, row))
    leg, spatial, row = leg[order], spatial[order], row[order]
    height = np.bincount(row, minlength=transports.size)
    base = np.bincount(row, weights=~better[order], minlength=transports.size).astype(np.int64)
    rank = np.arange(row.size) - (np.cumsum(height) - height)[row]
    chosen = np.zeros(transports.size, dtype=np.int64)
    fixed = demand.chosen_us[leg] >= 0
    np.maximum.at(chosen, row[fixed], rank[fixed] + 1)
    return Ladder(leg, spatial.astype(np.int8), rank, row, height, base, chosen)


def choose(ladder: Ladder, level: I64, legs: int) -> I8:
    """The layer of every leg when each transport stands at its level; -1 where not even the base is reached."""
    spatial = np.full(legs, -1, dtype=np.int8)
    taken = ladder.rank < level[ladder.row]
    np.maximum.at(spatial, ladder.leg[taken], ladder.spatial[taken])
    return spatial


def cost_bps(ladder: Ladder, demand: Demand, level: I64) -> I64:
    """Video bit/s of every transport at its level."""
    spatial = choose(ladder, level, demand.subscription.size)
    rates = np.take_along_axis(demand.rates_bps, np.maximum(spatial, 0).astype(np.intp)[:, None], axis=1)[:, 0]
    row = np.zeros(demand.subscription.size, dtype=np.intp)  # a leg without rungs costs nothing, wherever it counts
    row[ladder.leg] = ladder.row
    total = np.zeros(ladder.height.size, dtype=np.int64)
    np.add.at(total, row, np.where(spatial >= 0, rates, 0).astype(np.int64))
    return total
