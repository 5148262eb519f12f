"""Waiting for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(good: Callable[[], bool], within_s: float = 60.0, every_s: float = 0.02) -> None:
    """Ask until it holds; nothing announces it, so there is nothing to wait on."""
    give_up = time.monotonic() + within_s
    while not good():
        assert time.monotonic() < give_up, f"still not so after {within_s:g} s"
        time.sleep(every_s)
