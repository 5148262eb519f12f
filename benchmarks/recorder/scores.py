"""How well found moments match true ones."""

from __future__ import annotations

from collections.abc import Sequence


def matched(truth: Sequence[float], found: Sequence[float], within_s: float) -> int:
    """How many true moments have a found one of their own so near: the most that any pairing reaches."""
    left, count = sorted(found), 0
    for at_s in sorted(truth):
        while left and left[0] < at_s - within_s:
            left.pop(0)
        if left and left[0] <= at_s + within_s:
            left.pop(0)
            count += 1
    return count


def f1(truth: Sequence[float], found: Sequence[float], within_s: float) -> float:
    """The harmonic mean of recall and precision; 1 where there is nothing to be found and nothing was."""
    if not truth and not found:
        return 1.0
    return 2 * matched(truth, found, within_s) / (len(truth) + len(found))
