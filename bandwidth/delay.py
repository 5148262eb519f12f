"""Delay of every receiver: the trend of arrival groups with an adaptive threshold, and the queue over the lowest delay.

The trend is GCC's (draft-ietf-rmcat-gcc-02 section 5, libwebrtc's trendline estimator). It cannot see a queue that is
full already and stays so; the second part can (Carlucci et al., ToN 2017, name the standing queue as its blind spot).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth.columns import I8, I64, Bools, Floats, Indices
from bandwidth.config import Config
from bandwidth.heard import Heard

UNDER, NORMAL, OVER = -1, 0, 1


@dataclass
class Delay:
    """State of all receivers; `signal` and `queue_ms` are what others read."""

    arrivals: Floats  # (rows, window): arrival of each delta in ms, oldest overwritten first
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
    for step in range(int(heard.group_count.max(initial=0))):
        rows = np.flatnonzero(heard.group_count > step)
        sent, received, arrival = heard.groups[rows, step].T
        after_gap = (received > config.burst_after_gap_ms) & (received - sent > config.burst_after_gap_ms / 2)
        burst = (received - sent < -20.0) & _stood_still(delay, rows, config)
        use = ~(after_gap | burst)
        _take(delay, rows[use], sent[use], received[use], arrival[use], config)
    _measure_queue(delay, heard, now_us, config)


def _stretch(heard: Heard, config: Config) -> Floats:
    """How the link stretches what comes through it now: a fall shows here before any window of arrivals has it."""
    numbers = np.arange(heard.groups.shape[1])
    newest = (numbers < heard.group_count[:, None]) & (numbers >= heard.group_count[:, None] - config.stretch_groups)
    sent, received = (np.where(newest, heard.groups[:, :, column], 0.0).sum(axis=1) for column in (0, 1))
    enough = (newest.sum(axis=1) > 1) & (received >= config.stretch_ms)
    share = np.clip(sent / np.where(enough, received, 1.0), config.stretch_least, 1.0)
    return np.where(enough, share, 1.0)


def _stood_still(delay: Delay, rows: Indices, config: Config) -> Bools:
    """Whether a queue that stood is being delivered: what comes quicker than it was sent tells nothing of a trend."""
    return np.asarray(delay.queue_ms[rows] > config.burst_after_gap_ms, dtype=np.bool_)


def _take(delay: Delay, rows: Indices, sent: Floats, received: Floats, arrival: Floats, config: Config) -> None:
    """One delta for each of `rows`."""
    window = config.trend_window
    delay.summed[rows] += received - sent
    keep = config.trend_smoothing
    delay.smoothed[rows] = keep * delay.smoothed[rows] + (1 - keep) * delay.summed[rows]
    place = delay.deltas[rows] % window
    delay.arrivals[rows, place] = arrival
    delay.levels[rows, place] = delay.smoothed[rows]
    delay.deltas[rows] += 1
    before = delay.slope[rows]
    slope = np.where(delay.deltas[rows] >= window, _slopes(delay.arrivals[rows], delay.levels[rows], before), before)
    delay.slope[rows] = slope
    modified = np.minimum(delay.deltas[rows], config.trend_deltas) * slope * config.trend_gain
    _detect(delay, rows, sent, modified, slope >= before, config)
    _adapt(delay, rows, arrival, np.abs(modified), config)


def _slopes(x: Floats, y: Floats, before: Floats) -> Floats:
    """Least squares, one line a row; `before` where all arrivals are the same."""
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean(axis=1, keepdims=True)
    spread = (x * x).sum(axis=1)
    return np.where(spread > 0, (x * y).sum(axis=1) / np.where(spread > 0, spread, 1.0), before)


def _detect(delay: Delay, rows: Indices, sent: Floats, modified: Floats, rising: Bools, config: Config) -> None:
    """Overuse needs a slope above the threshold for some time that does not fall."""
    threshold = delay.threshold[rows]
    above, below = modified > threshold, modified < -threshold
    first = delay.over_count[rows] == 0
    over_time = np.where(above, np.where(first, sent / 2, delay.over_time[rows] + sent), 0.0)
    over_count = np.where(above, delay.over_count[rows] + 1, 0)
    declared = above & (over_time > config.over_time_ms) & (over_count > 1) & rising
    signal = np.where(above, delay.signal[rows], NORMAL)
    signal = np.where(declared, OVER, np.where(below, UNDER, signal))
    delay.over_time[rows] = np.where(declared, 0.0, over_time)
    delay.over_count[rows] = np.where(declared, 0, over_count)
    delay.signal[rows] = signal


def _adapt(delay: Delay, rows: Indices, arrival: Floats, size: Floats, config: Config) -> None:
    """The threshold follows the trend, slowly upwards, so that other flows do not starve us."""
    threshold, stamped = delay.threshold[rows], delay.stamped_ms[rows]
    span = np.where(np.isnan(stamped), 0.0, np.clip(arrival - stamped, 0.0, 100.0))
    gain = np.where(size < threshold, config.threshold_down, config.threshold_up)
    moved = np.clip(threshold + gain * (size - threshold) * span, config.threshold_low, config.threshold_high)
    delay.threshold[rows] = np.where(size > threshold + 15.0, threshold, moved)
    delay.stamped_ms[rows] = arrival


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
