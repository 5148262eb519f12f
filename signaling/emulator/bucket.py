"""One classroom's link on the real clock: both directions of the emulator, and a timer each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streaming._core import Link

if TYPE_CHECKING:
    from streaming._core import LinkCounters, LinkDict, LinkProfileDict

Deliver = Callable[[], None]


def now_us() -> int:
    """The steady clock; the event loop's own has only milliseconds under uvloop."""
    return time.monotonic_ns() // 1000


class Direction:
    """Packets go in with what shall happen at the other end, and that happens when they arrive."""

    def __init__(self, profile: LinkDict, seed: int) -> None:
        self._profile = profile
        self._link = Link(profile, seed=seed, now_us=now_us())
        self._timer: asyncio.TimerHandle | None = None
        self._due_us = 0
        self.late_us = 0  # the worst delay that our own process added

    def send(self, size: int, deliver: Deliver) -> int | str:
        """`size` bytes at IP level enter; returns when they arrive, or why they never will."""
        verdict = self._link.push(now_us(), size, deliver)
        self._arm()
        return verdict

    def queue_s(self) -> float:
        """How long a packet that enters now would wait."""
        return self._link.queue_us(now_us()) / 1e6

    @property
    def delay_s(self) -> float:
        """One way, behind the queue."""
        return self._profile.get("delay_us", 0) / 1e6

    def set_profile(self, profile: LinkDict) -> None:
        """Become another link; what waits goes on at its rate."""
        self._profile = profile
        self._link.set_profile(now_us(), profile)
        self._arm()

    def counters(self) -> LinkCounters:
        """What has passed."""
        return self._link.counters()

    def close(self) -> None:
        """Deliver nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        next_us = self._link.next_us()
        if next_us is None or (self._timer is not None and self._due_us <= next_us):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due_us = next_us
        wait_s = max(0, next_us - now_us()) / 1e6
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        while (arrived := self._link.poll(now_us())) is not None:
            at_us, _, deliver = arrived
            self.late_us = max(self.late_us, now_us() - at_us)
            deliver()
        self._arm()


class Bucket:
    """Both directions of one classroom's link; everything between it and the server passes here."""

    def __init__(self, profile: LinkProfileDict, seed: int) -> None:
        self.down = Direction(profile["down"], seed)
        self.up = Direction(profile["up"], seed + 1)

    def set_profile(self, profile: LinkProfileDict) -> None:
        """Become another link."""
        self.down.set_profile(profile["down"])
        self.up.set_profile(profile["up"])

    def counters(self) -> dict[str, Any]:
        """Both directions, as JSON takes them; `late_us` is the worst delay that this process itself has added."""
        ways = {"down": self.down, "up": self.up}
        return {name: {**way.counters(), "late_us": way.late_us} for name, way in ways.items()}

    def close(self) -> None:
        """Deliver nothing any more."""
        self.down.close()
        self.up.close()
