"""Pauses from levels and from sizes: found where they are, in rooms of any loudness, and never invented."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recorder.clips.pauses import pauses_of_levels, pauses_of_sizes

END_S = 180.0
TRUE = [(20.0, 21.5), (64.0, 67.0), (120.0, 121.0)]


def talk(floor: float, speech: float, seed: int = 3) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Packets of 20 ms: words of half a second with breaths of a tenth, silent in the true pauses."""
    chance = np.random.default_rng(seed)
    at = (np.arange(int(END_S * 50)) * 0.02).astype(np.float64)
    silent = (at % 0.6 > 0.5) | np.any([(at >= a) & (at < b) for a, b in TRUE], axis=0)
    return at, np.where(silent, floor, speech) + chance.normal(0, 2, len(at))


def assert_true(found: list[tuple[float, float]]) -> None:
    assert len(found) == len(TRUE)
    for (a, b), (c, d) in zip(found, TRUE, strict=True):
        assert abs(a - c) <= 0.35 and abs(b - d) <= 0.35


@pytest.mark.parametrize(("floor", "speech"), [(127.0, 30.0), (80.0, 40.0), (60.0, 30.0)])
def test_levels(floor: float, speech: float) -> None:
    assert_true(pauses_of_levels(*talk(floor, speech), END_S))


def test_sizes_of_a_variable_rate_and_of_silence_that_is_not_sent() -> None:
    assert_true(pauses_of_sizes(*talk(18.0, 80.0), END_S))
    at, size = talk(18.0, 80.0)
    sent = np.all([(at < a) | (at >= b) for a, b in TRUE], axis=0)
    assert_true(pauses_of_sizes(at[sent], size[sent], END_S))


def test_a_constant_rate_and_no_packets_tell_nothing() -> None:
    at, _ = talk(1, 1)
    assert pauses_of_sizes(at, np.full(len(at), 80.0), END_S) == []
    assert pauses_of_levels(at[:0], at[:0], END_S) == []


def test_a_click_does_not_end_a_pause() -> None:
    at, level = talk(100.0, 30.0)
    level[np.abs(at - 65.5) < 0.01] = 20.0
    assert_true(pauses_of_levels(at, level, END_S))
