"""Delay of every receiver: the trend of arrival groups with an adaptive threshold, and the queue over the lowest delay.

The trend is GCC's (draft-ietf-rmcat-gcc-02 section 5, libwebrtc's trendline estimator). It cannot see a queue that is
full already and stays so; the second part can (Carlucci et al., ToN 2017, name the standing queue as its blind spot).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bandwidth.columns import I8, I64, Bools, Floats, Indices
from bandwidth.config import Config
from bandwidth.heard import Heard

UNDER, NORMAL, OVER = -1, 0, 1


@dataclass
class Delay:
    """State of all receivers; `signal` and `queue_ms` are what others read."""

    arrivals: Floats  # (rows, window): arrival of each delta in ms, newest last
    levels: Floats  # (rows, window): smoothed sum of the deltas
    deltas: I64  # how many there were
    summed: Floats
    smoothed: Floats
    slope: Floats
    threshold: Floats
    stamped_ms: Floats  # arrival at which the threshold moved last
    over_time: Floats
    over_count: I64
    signal: I8
    lowest: Floats  # (rows, buckets): least delay of each bucket of time
    bucket: int
    base_ms: Floats
    queue_ms: Floats  # least delay of the last tick with news over the base
    queue_before_ms: Floats  # of the tick with news before
    stretch: Floats  # time in which the newest groups were sent over the time in which they came; 1: as sent


@dataclass(frozen=True)
class Deltas:
    """Of one tick (steps, rows): time between two groups at both ends and arrival in ms; used ones first."""

    sent: Floats
    received: Floats
    arrival: Floats
    count: Indices  # used, of each row
    valid: Bools


def fresh(count: int, config: Config) -> Delay:
    """Rows that heard nothing yet."""
    window = config.trend_window
    return Delay(
        arrivals=np.zeros((count, window)),
        levels=np.zeros((count, window)),
        deltas=np.zeros(count, dtype=np.int64),
        summed=np.zeros(count),
        smoothed=np.zeros(count),
        slope=np.zeros(count),
        threshold=np.full(count, config.threshold_start),
        stamped_ms=np.full(count, np.nan),
        over_time=np.zeros(count),
        over_count=np.zeros(count, dtype=np.int64),
        signal=np.zeros(count, dtype=np.int8),
        lowest=np.full((count, config.base_buckets), np.inf),
        bucket=-1,
        base_ms=np.full(count, np.inf),
        queue_ms=np.zeros(count),
        queue_before_ms=np.zeros(count),
        stretch=np.ones(count),
    )


def update(delay: Delay, heard: Heard, now_us: int, config: Config) -> None:
    """Fold one tick of feedback in."""
    delay.stretch = _stretch(heard, config)
    if heard.group_count.any():
        _follow(delay, _usable(delay, heard, config), config)
    _measure_queue(delay, heard, now_us, config)


def _stretch(heard: Heard, config: Config) -> Floats:
    """How the link stretches what comes through it now: a fall shows here before any window of arrivals has it."""
    steps = np.arange(heard.groups.shape[1])
    newest = (steps < heard.group_count[:, None]) & (steps >= heard.group_count[:, None] - config.stretch_groups)
    sent, received = np.einsum("rs,rsc->cr", newest, heard.groups[:, :, :2])
    enough = (np.minimum(heard.group_count, config.stretch_groups) > 1) & (received >= config.stretch_ms)
    share = np.clip(sent / np.where(enough, received, 1.0), config.stretch_least, 1.0)
    return np.where(enough, share, 1.0)


def _usable(delay: Delay, heard: Heard, config: Config) -> Deltas:
    """The deltas that tell of a trend. What comes quicker than it was sent while a queue stood only empties it."""
    groups, steps = heard.groups, np.arange(heard.groups.shape[1])
    sent, received = groups[:, :, 0], groups[:, :, 1]
    after_gap = (received > config.burst_after_gap_ms) & (received - sent > config.burst_after_gap_ms / 2)
    burst = (received - sent < -20.0) & (delay.queue_ms > config.burst_after_gap_ms)[:, None]
    use = (steps < heard.group_count[:, None]) & ~(after_gap | burst)
    count = np.count_nonzero(use, axis=1)
    valid = steps < count[:, None]
    mixed = np.flatnonzero((use & ~valid).any(axis=1))
    order = np.argsort(~use[mixed], axis=1, kind="stable")
    groups = groups.copy()
    groups[mixed] = groups[mixed[:, None], order]
    sent, received, arrival = groups.transpose(2, 1, 0).copy()
    return Deltas(sent, received, arrival, count, valid.T)


def _follow(delay: Delay, deltas: Deltas, config: Config) -> None:
    """Trend, threshold and signal, delta by delta; what does not depend on the delta before is done for all at once."""
    slopes = _slopes(delay, deltas, config)
    before = np.concatenate([delay.slope[None, :], slopes[:-1]])
    steps = np.arange(1, slopes.shape[0] + 1)[:, None]
    modified = np.minimum(delay.deltas + steps, config.trend_deltas) * slopes * config.trend_gain
    stamped = np.concatenate([delay.stamped_ms[None, :], deltas.arrival[:-1]])
    spans = np.fmin(np.fmax(deltas.arrival - stamped, 0.0), 100.0)
    rising, sizes = slopes >= before, np.abs(modified)
    for step, valid in enumerate(deltas.valid):
        _detect(delay, valid, deltas.sent[step], modified[step], rising[step], config)
        _adapt(delay, valid, spans[step], sizes[step], config)
    delay.slope = slopes[-1]
    delay.deltas = delay.deltas + deltas.count
    delay.stamped_ms = np.where(deltas.count > 0, delay.arrivals[:, -1], delay.stamped_ms)


def _slopes(delay: Delay, deltas: Deltas, config: Config) -> Floats:
    """(steps, rows): the slope after each delta, that before it where there is none; the window moves on."""
    window, keep = config.trend_window, config.trend_smoothing
    summed = delay.summed + np.cumsum(np.where(deltas.valid, deltas.received - deltas.sent, 0.0), axis=0)
    smoothed = np.empty_like(summed)
    last = delay.smoothed
    for step, valid in enumerate(deltas.valid):
        last = np.where(valid, keep * last + (1 - keep) * summed[step], last)
        smoothed[step] = last
    delay.summed, delay.smoothed = summed[-1], last
    arrivals = sliding_window_view(np.concatenate([delay.arrivals, deltas.arrival.T], axis=1), window, axis=1)
    levels = sliding_window_view(np.concatenate([delay.levels, smoothed.T], axis=1), window, axis=1)
    rows = np.arange(deltas.count.size)
    delay.arrivals, delay.levels = arrivals[rows, deltas.count], levels[rows, deltas.count]
    slopes = _least_squares(arrivals[:, 1:], levels[:, 1:]).T
    enough = delay.deltas + np.arange(1, slopes.shape[0] + 1)[:, None] >= window
    before = delay.slope
    for step, known in enumerate(deltas.valid & enough & np.isfinite(slopes)):
        before = slopes[step] = np.where(known, slopes[step], before)
    return slopes


def _least_squares(x: Floats, y: Floats) -> Floats:
    """One line for each window, the last axis; NaN where all its arrivals are the same."""
    x = x - x.mean(axis=-1, keepdims=True)
    spread = np.einsum("...w,...w->...", x, x)
    level = np.einsum("...w,...w->...", x, y)
    slopes: Floats = np.divide(level, spread, out=np.full_like(level, np.nan), where=spread > 0)
    return slopes


def _detect(delay: Delay, valid: Bools, sent: Floats, modified: Floats, rising: Bools, config: Config) -> None:
    """Overuse needs a slope above the threshold for some time that does not fall."""
    above, below = modified > delay.threshold, modified < -delay.threshold
    first = delay.over_count == 0
    over_time = np.where(above, np.where(first, sent / 2, delay.over_time + sent), 0.0)
    over_count = np.where(above, delay.over_count + 1, 0)
    declared = above & (over_time > config.over_time_ms) & (over_count > 1) & rising
    signal = np.where(above, delay.signal, NORMAL)
    signal = np.where(declared, OVER, np.where(below, UNDER, signal)).astype(np.int8)
    delay.over_time = np.where(valid, np.where(declared, 0.0, over_time), delay.over_time)
    delay.over_count = np.where(valid, np.where(declared, 0, over_count), delay.over_count)
    delay.signal = np.where(valid, signal, delay.signal)


def _adapt(delay: Delay, valid: Bools, span: Floats, size: Floats, config: Config) -> None:
    """The threshold follows the trend, slowly upwards, so that other flows do not starve us."""
    threshold = delay.threshold
    gain = np.where(size < threshold, config.threshold_down, config.threshold_up)
    moved = np.clip(threshold + gain * (size - threshold) * span, config.threshold_low, config.threshold_high)
    delay.threshold = np.where(valid & (size <= threshold + 15.0), moved, threshold)


def _measure_queue(delay: Delay, heard: Heard, now_us: int, config: Config) -> None:
    """The base is the least delay of half a minute: clocks that drift apart by 50 ppm move it by 1.5 ms only."""
    bucket = now_us // config.base_bucket_us
    if bucket != delay.bucket:
        passed = min(bucket - delay.bucket, config.base_buckets) if delay.bucket >= 0 else config.base_buckets
        for back in range(passed):
            delay.lowest[:, (bucket - back) % config.base_buckets] = np.inf
        delay.bucket = bucket
    place = bucket % config.base_buckets
    told = np.isfinite(heard.delay_ms)
    sample = np.where(told, heard.delay_ms, np.inf)
    delay.lowest[:, place] = np.minimum(delay.lowest[:, place], sample)
    lowest = delay.lowest.min(axis=1)
    delay.base_ms = np.where(np.isfinite(lowest), lowest, delay.base_ms)
    queue = np.where(told, heard.delay_ms, 0.0) - np.where(told, delay.base_ms, 0.0)
    delay.queue_before_ms = np.where(told, delay.queue_ms, delay.queue_before_ms)
    delay.queue_ms = np.where(told, queue, delay.queue_ms)
