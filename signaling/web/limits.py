"""A bounded table of token buckets: how often one address may try."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

from aiohttp import web


class RateLimit:
    """`burst` tries at once, then one in `every_s`, for each of at most `remembered` askers."""

    def __init__(self, *, burst: int, every_s: float, remembered: int = 10_000) -> None:
        self._burst, self._every_s, self._remembered = burst, every_s, remembered
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.refused = 0

    def allows(self, asker: str, now_s: float) -> bool:
        """Take one try, if there is one."""
        allowed = self.may(asker, now_s)
        if allowed:
            self.take(asker, now_s)
        return allowed

    def may(self, asker: str, now_s: float) -> bool:
        """Whether a try is left; takes none."""
        allowed = self._left(asker, now_s) >= 1
        self.refused += not allowed
        return allowed

    def take(self, asker: str, now_s: float) -> None:
        """Count a try; those that were under way together are all counted, below zero too."""
        left = self._left(asker, now_s)
        self._buckets.pop(asker, None)
        self._buckets[asker] = (left - 1, now_s)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)

    def _left(self, asker: str, now_s: float) -> float:
        tokens, since_s = self._buckets.get(asker, (float(self._burst), now_s))
        return min(float(self._burst), tokens + (now_s - since_s) / self._every_s)


def asker_of(request: web.Request) -> str:
    """By what an address is counted: IPv6 by its /64, of which every household has all addresses."""
    return counted_as(request.remote or "")


def counted_as(address: str) -> str:
    """The same of a plain address; what is none stays as it is."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False))


# Six digits are a million codes: at one wrong code in 6 s a stranger needs weeks for one of ten open lessons.
WRONG_CODES: web.AppKey[RateLimit] = web.AppKey("wrong_codes", RateLimit)
