"""What slide pictures need of every link: what is missing at the receiver, in the time that is left for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth.columns import I64, Floats
from bandwidth.config import Config
from bandwidth.heard import FOREVER_US, Heard


@dataclass
class Stills:
    """State of all receivers."""

    left_bits: Floats
    since_us: I64  # when there was something new to bring over
    waited_us: I64  # when something was missing, last
    need_bps: Floats  # on the wire; what the link loses by itself goes twice
    must_bps: Floats  # the same at the latest


def fresh(count: int) -> Stills:
    """Rows that have every page."""
    none = np.full(count, -FOREVER_US, dtype=np.int64)
    return Stills(np.zeros(count), none, none.copy(), np.zeros(count), np.zeros(count))


def update(stills: Stills, heard: Heard, random: Floats, now_us: int, config: Config) -> None:
    """One tick for all rows."""
    left = heard.still_left_bits
    stills.since_us = np.where(left > stills.left_bits, now_us, stills.since_us)
    stills.left_bits = left
    stills.waited_us = np.where(left > 0, now_us, stills.waited_us)
    bits, waits_us = left / (1 - random), now_us - stills.since_us
    stills.need_bps = bits * 1e6 / np.maximum(config.still_within_us - waits_us, config.still_least_us)
    stills.must_bps = bits * 1e6 / np.maximum(config.still_latest_us - waits_us, config.still_least_us)
