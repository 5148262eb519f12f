"""Key frames for the recording's sake: who seeks in a lesson must not wait until minutes of it are decoded.

A key frame costs every classroom that has no room to spare half a second of picture; so they are rare, and where the
source gives them anyway, or sends nothing new, none is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from streaming.model import Publication

LONGEST_US = 60_000_000
ASK_AGAIN_US = 5_000_000


class SeekPoints:
    """Which recorded publications have gone without a key frame for too long."""

    def __init__(self) -> None:
        self._asked_us: dict[int, int] = {}

    def due(
        self, encodings: Mapping[str, NDArray[Any]], publications: Mapping[int, Publication], now_us: int
    ) -> list[int]:
        """Handles to ask now, from the encodings table of `Core.take_stats`; each again in 5 s at the earliest."""
        names = ("publication", "encoding", "bitrate_bps", "last_keyframe_us")
        rows = sorted(zip(*(encodings[name].tolist() for name in names), strict=True))
        # The best encoding that arrives is the one in the log: the later row of a publication wins.
        age_us = {handle: age for handle, _, bitrate_bps, age in rows if bitrate_bps > 0}
        due = []
        for handle, age in age_us.items():
            publication = publications.get(handle)
            if publication is None or not publication.in_log:
                continue
            picture = publication.source != "microphone"
            waited = now_us - self._asked_us.get(handle, -ASK_AGAIN_US) >= ASK_AGAIN_US
            if picture and age >= LONGEST_US and waited:
                due.append(handle)
        self._asked_us = {handle: at for handle, at in self._asked_us.items() if handle in publications}
        self._asked_us.update(dict.fromkeys(due, now_us))
        return due
