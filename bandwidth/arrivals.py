"""How fast things arrive: sums over windows of arrival time, so that a late report changes no rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth.columns import Bools, Floats
from bandwidth.config import Config


@dataclass
class Arrivals:
    """The last ticks that brought news: when the newest packet of each arrived, and what came since the one before."""

    at_ms: Floats  # (rows, ring), newest last; NaN where unused
    bits: Floats  # (rows, ring)
    short_bps: Floats  # over the short window, NaN while unknown
    long_bps: Floats


def fresh(count: int, config: Config) -> Arrivals:
    """Rows that heard nothing yet."""
    ring = (count, config.acked_ring)
    nothing = np.full(count, np.nan)
    return Arrivals(np.full(ring, np.nan), np.zeros(ring), nothing, nothing.copy())


def forget(arrivals: Arrivals, rows: Bools) -> None:
    """What came before a silence says nothing about now."""
    arrivals.at_ms[rows] = np.nan
    arrivals.short_bps[rows] = np.nan
    arrivals.long_bps[rows] = np.nan


def update(arrivals: Arrivals, arrival_ms: Floats, bits: Floats, config: Config) -> None:
    """Fold one tick in."""
    newest = arrivals.at_ms[:, -1]
    news = np.isfinite(arrival_ms) & ~(arrival_ms <= newest)
    # Bits whose newest arrival was known already (reordered reports) belong to the entry before.
    arrivals.bits[:, -1] += np.where(news, 0.0, bits)
    at = np.concatenate([arrivals.at_ms[:, 1:], arrival_ms[:, None]], axis=1)
    of = np.concatenate([arrivals.bits[:, 1:], bits[:, None]], axis=1)
    arrivals.at_ms = np.where(news[:, None], at, arrivals.at_ms)
    arrivals.bits = np.where(news[:, None], of, arrivals.bits)
    came = np.cumsum(arrivals.bits, axis=1)
    arrivals.short_bps = _rate(arrivals.at_ms, came, config.acked_short_ms)
    arrivals.long_bps = _rate(arrivals.at_ms, came, config.acked_long_ms)


def _rate(at_ms: Floats, came: Floats, window_ms: float) -> Floats:
    """Bits of the entries since the newest one that is at least `window_ms` older than the last, over that time."""
    rows, last = np.arange(at_ms.shape[0]), at_ms.shape[1] - 1
    inside = np.count_nonzero(at_ms > at_ms[:, -1:] - window_ms, axis=1)
    # A ring that is younger than the window starts at its oldest entry.
    start = np.maximum(last - inside, last + 1 - np.count_nonzero(np.isfinite(at_ms), axis=1))
    start = np.minimum(start, last)
    span_ms = at_ms[:, -1] - at_ms[rows, start]
    bits = came[:, -1] - came[rows, start]
    enough = span_ms >= window_ms / 2
    return np.where(enough, bits * 1000 / np.where(enough, span_ms, 1.0), np.nan)
