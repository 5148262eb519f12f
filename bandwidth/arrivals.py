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
    arrivals.short_bps = _rate(arrivals, config.acked_short_ms)
    arrivals.long_bps = _rate(arrivals, config.acked_long_ms)


def _rate(arrivals: Arrivals, window_ms: float) -> Floats:
    """Bits of the entries since the newest one that is at least `window_ms` older than the last, over that time."""
    newest = arrivals.at_ms[:, -1:]
    with np.errstate(invalid="ignore"):
        before = arrivals.at_ms <= newest - window_ms
    known = np.isfinite(arrivals.at_ms)
    start = np.where(before, arrivals.at_ms, -np.inf).max(axis=1)
    # A ring that is younger than the window starts at its oldest entry.
    oldest = np.where(known, arrivals.at_ms, np.inf).min(axis=1)
    start = np.where(np.isfinite(start), start, oldest)
    with np.errstate(invalid="ignore"):
        inside = known & (arrivals.at_ms > start[:, None])
        span_ms = newest[:, 0] - start
    bits = np.where(inside, arrivals.bits, 0.0).sum(axis=1)
    enough = np.isfinite(span_ms) & (span_ms >= window_ms / 2)
    return np.where(enough, bits * 1000 / np.where(enough, span_ms, 1.0), np.nan)
