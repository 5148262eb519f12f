"""A direction of the real-time emulator that writes down how long packets waited because of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from signaling.emulator.bucket import Deliver, Direction, now_us

if TYPE_CHECKING:
    from streaming._core import LinkDict


class NotedDirection(Direction):
    """See the module."""

    def __init__(self, profile: LinkDict, seed: int) -> None:
        super().__init__(profile, seed)
        self.profile = profile
        self.began_us = now_us()
        self._sent: list[tuple[int, int, int]] = []  # time since the beginning, bytes, time on the way

    def send(self, size: int, deliver: Deliver) -> int | str:
        """As the direction's own."""
        at_us = now_us()
        arrival = super().send(size, deliver)
        if isinstance(arrival, int):
            self._sent.append((at_us - self.began_us, size, arrival - at_us))
        return arrival

    def own_delay_ms(self, from_us: int) -> NDArray[np.float64]:
        """Of every packet since then: its time on the way beyond what it would have taken on an empty link."""
        table = np.array([row for row in self._sent if row[0] >= from_us], dtype=np.float64).reshape(-1, 3)
        at_us, size, way_us = table.T
        alone_us = self._served(at_us, 8 * size) - at_us
        waited: NDArray[np.float64] = (way_us - self.profile.get("delay_us", 0) - alone_us).clip(0) / 1000
        return waited

    def _served(self, at_us: NDArray[np.float64], bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """When so many bits are through that begin at these times."""
        rows = self.profile.get("trace") or [(0, self.profile.get("capacity_bps") or 0), (86_400_000_000, 0)]
        starts, bps = np.array(rows, dtype=np.float64).T
        turns = int(at_us.max(initial=0.0) // starts[-1]) + 2
        lengths = np.tile(np.diff(starts), turns)
        # An outage passes next to nothing, so that the sum can be turned around.
        passed = np.cumsum(lengths * np.tile(np.maximum(bps[:-1], 1e-3), turns) / 1e6)
        times, sums = np.append(0.0, np.cumsum(lengths)), np.append(0.0, passed)
        return np.asarray(np.interp(np.interp(at_us, times, sums) + bits, sums, times))
