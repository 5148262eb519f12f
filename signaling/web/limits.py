"""A bounded table of token buckets: how often one address may try."""

from __future__ import annotations

from collections import OrderedDict


class RateLimit:
    """`burst` tries at once, then one in `every_s`, for each of at most `remembered` askers."""

    def __init__(self, *, burst: int, every_s: float, remembered: int = 10_000) -> None:
        self._burst, self._every_s, self._remembered = burst, every_s, remembered
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.refused = 0

    def allows(self, asker: str, now_s: float) -> bool:
        """Take one try."""
        tokens, since_s = self._buckets.pop(asker, (float(self._burst), now_s))
        tokens = min(float(self._burst), tokens + (now_s - since_s) / self._every_s)
        allowed = tokens >= 1
        self._buckets[asker] = (tokens - 1 if allowed else tokens, now_s)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        self.refused += not allowed
        return allowed
