"""When the eyes rest: the look-away breaks between the lessons of a class."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from signaling.timetable.model import Occurrence
from signaling.timetable.policy import Policy


def breaks(lessons: Sequence[Occurrence], policy: Policy) -> list[tuple[int, int]]:
    """Begin and end (Unix ms): after each lesson but the last, until the next one is entered at the latest."""
    held = sorted((o for o in lessons if not o.cancelled), key=lambda o: o.begin_ms)
    found = []
    for before, after in pairwise(held):
        begin_ms = before.end_ms
        end_ms = min(begin_ms + policy.break_min * 60_000, enter_ms(after, policy))
        if end_ms > begin_ms:
            found.append((begin_ms, end_ms))
    return found


def enter_ms(held: Occurrence, policy: Policy) -> int:
    """When a classroom goes in by itself."""
    return held.begin_ms - policy.enter_before_s * 1000
