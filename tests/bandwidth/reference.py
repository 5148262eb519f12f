"""The estimators once more, for one receiver, in plain Python: what the arrays must agree with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bandwidth.config import Config

Group = tuple[float, float, float]  # send delta, receive delta, arrival in ms


@dataclass
class Trend:
    """GCC's trendline with its adaptive threshold."""

    config: Config
    points: list[tuple[float, float]] = field(default_factory=list)
    deltas: int = 0
    summed: float = 0.0
    smoothed: float = 0.0
    slope: float = 0.0
    threshold: float = 12.5
    stamped_ms: float | None = None
    over_time: float = 0.0
    over_count: int = 0
    signal: int = 0

    def take(self, group: Group) -> None:
        sent, received, arrival = group
        self.summed += received - sent
        keep = self.config.trend_smoothing
        self.smoothed = keep * self.smoothed + (1 - keep) * self.summed
        self.points = [*self.points, (arrival, self.smoothed)][-self.config.trend_window :]
        self.deltas += 1
        before = self.slope
        if len(self.points) == self.config.trend_window:
            self.slope = self.fitted(before)
        modified = min(self.deltas, self.config.trend_deltas) * self.slope * self.config.trend_gain
        self.detect(modified, sent, self.slope >= before)
        self.adapt(abs(modified), arrival)

    def fitted(self, before: float) -> float:
        count = len(self.points)
        middle_x = math.fsum(x for x, _ in self.points) / count
        middle_y = math.fsum(y for _, y in self.points) / count
        spread = math.fsum((x - middle_x) ** 2 for x, _ in self.points)
        if spread == 0:
            return before
        return math.fsum((x - middle_x) * (y - middle_y) for x, y in self.points) / spread

    def detect(self, modified: float, sent: float, rising: bool) -> None:
        if modified > self.threshold:
            self.over_time = sent / 2 if self.over_count == 0 else self.over_time + sent
            self.over_count += 1
            if self.over_time > self.config.over_time_ms and self.over_count > 1 and rising:
                self.over_time, self.over_count, self.signal = 0.0, 0, 1
            return
        self.over_time, self.over_count = 0.0, 0
        self.signal = -1 if modified < -self.threshold else 0

    def adapt(self, size: float, arrival: float) -> None:
        before, self.stamped_ms = self.stamped_ms, arrival
        if size > self.threshold + 15.0 or before is None:
            return
        gain = self.config.threshold_down if size < self.threshold else self.config.threshold_up
        span = min(max(arrival - before, 0.0), 100.0)
        moved = self.threshold + gain * (size - self.threshold) * span
        self.threshold = min(max(moved, self.config.threshold_low), self.config.threshold_high)


@dataclass
class Queue:
    """Delay over the least of half a minute."""

    config: Config
    lowest: dict[int, float] = field(default_factory=dict)
    queue_ms: float = 0.0
    before_ms: float = 0.0

    def take(self, delay_ms: float, now_us: int) -> None:
        if math.isnan(delay_ms):
            return
        bucket = now_us // self.config.base_bucket_us
        self.lowest[bucket] = min(delay_ms, self.lowest.get(bucket, math.inf))
        young = [low for at, low in self.lowest.items() if at > bucket - self.config.base_buckets]
        self.before_ms, self.queue_ms = self.queue_ms, delay_ms - min(young)


@dataclass
class Delay:
    """Trend and queue of one receiver."""

    config: Config

    def __post_init__(self) -> None:
        self.trend, self.queue = Trend(self.config), Queue(self.config)

    def take(self, groups: list[Group], delay_ms: float, now_us: int) -> None:
        gap = self.config.burst_after_gap_ms
        for sent, received, arrival in groups:
            stalled = received > gap and received - sent > gap / 2
            burst = received - sent < -20 and self.queue.queue_ms > gap
            if not stalled and not burst:
                self.trend.take((sent, received, arrival))
        self.queue.take(delay_ms, now_us)


@dataclass
class Loss:
    """The split of what was lost."""

    config: Config
    fast: tuple[float, float] = (0.0, 0.0)
    calm: tuple[float, float] = (0.0, 0.0)
    runs: tuple[float, float] = (0.0, 0.0)
    ratio: float = 0.0
    random: float = 0.0
    burst: float = 1.0
    excess: bool = False

    def take(self, lost: int, expected: int, runs: int, queued: bool, span_us: int) -> None:
        config = self.config
        fast, slow, long = (
            math.exp(-span_us / of) for of in (config.loss_fast_us, config.loss_slow_us, config.loss_burst_us)
        )
        self.fast = self.fast[0] * fast + lost, self.fast[1] * fast + expected
        self.runs = self.runs[0] * long + lost, self.runs[1] * long + runs
        self.ratio = self.share(*self.fast)
        if expected > 0 and (not queued or self.ratio < self.random):
            self.calm = self.calm[0] * slow + lost, self.calm[1] * slow + expected
        self.random = min(self.share(*self.calm), config.loss_random_most)
        self.burst = max(self.runs[0] / self.runs[1], 1.0) if self.runs[1] > 0.5 else 1.0
        usual = max(self.random, 0.01)
        sigma = math.sqrt(usual * (1 - usual) * self.burst / max(self.fast[1], 1.0))
        self.excess = self.ratio - self.random > max(config.loss_excess, config.loss_sigmas * sigma)

    def share(self, lost: float, expected: float) -> float:
        return min(lost / expected, 0.95) if expected >= self.config.loss_packets else 0.0


@dataclass
class Arrivals:
    """Rates of what arrives."""

    config: Config
    entries: list[tuple[float, float]] = field(default_factory=list)

    def take(self, arrival_ms: float, bits: float) -> None:
        newest = self.entries[-1][0] if self.entries else -math.inf
        if math.isnan(arrival_ms) or arrival_ms <= newest:
            if self.entries:
                self.entries[-1] = newest, self.entries[-1][1] + bits
            return
        self.entries = [*self.entries, (arrival_ms, bits)][-self.config.acked_ring :]

    def rate(self, window_ms: float) -> float:
        if not self.entries:
            return math.nan
        newest = self.entries[-1][0]
        old = [at for at, _ in self.entries if at <= newest - window_ms]
        start = max(old) if old else self.entries[0][0]
        if newest - start < window_ms / 2:
            return math.nan
        return math.fsum(bits for at, bits in self.entries if at > start) * 1000 / (newest - start)
