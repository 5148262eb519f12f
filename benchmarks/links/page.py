"""What the classroom's page does about its play-out buffer (`web_client/src/pages/classroom/playout.ts`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHALLOW_US = 200_000
DEEP_US = 800_000
DEEP_SPEAKING_US = 400_000
CALM_US = 60_000_000
LOSS = 0.02
CONCEALED = 0.005
LEAST_PACKETS = 10
REPORT_US = 5_000_000
COUNTERS = ("packets", "lost", "nacks", "concealed_us", "played_us")


def deep_us(speaks: bool) -> int:
    """The deepest that a room's play-out buffer becomes."""
    return DEEP_SPEAKING_US if speaks else DEEP_US


@dataclass
class Page:
    """Shallow on a good line, deep for a minute after it lost."""

    speaks: bool = False
    target_us: int = SHALLOW_US
    _troubled_us: int = -CALM_US
    _reported_us: int = 0
    _before: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))

    def look(self, now_us: int, sounds: dict[str, NDArray[Any]], microphone: int) -> int | None:
        """A look at the counters; the new target when it changed."""
        row = int(np.flatnonzero(sounds["subscription"] == microphone)[0])
        after = {name: int(sounds[name][row]) for name in COUNTERS}
        before, self._before = self._before, after
        grown = {name: max(0, after[name] - before[name]) for name in COUNTERS}
        if grown["packets"] >= LEAST_PACKETS:
            lossy = grown["lost"] + grown["nacks"] > LOSS * grown["packets"]
            gaps = before["packets"] >= LEAST_PACKETS and grown["concealed_us"] > CONCEALED * grown["played_us"]
            if lossy or gaps:
                self._troubled_us = now_us
        troubled = now_us - self._troubled_us < CALM_US
        before_us, self.target_us = self.target_us, deep_us(self.speaks) if troubled else SHALLOW_US
        return self.target_us if self.target_us != before_us else None

    def reports(self, now_us: int) -> bool:
        """Whether the page tells the server how deep its buffer is."""
        if now_us - self._reported_us < REPORT_US:
            return False
        self._reported_us = now_us
        return True
