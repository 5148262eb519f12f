"""`benchmarks.crash` reads back what was burnt in."""

from __future__ import annotations

import pytest

from benchmarks.burnt import Part, runs
from benchmarks.crash import WORDS, measure, missing_s


@pytest.mark.e2e
@pytest.mark.timeout(240)
async def test_a_killed_lesson_is_published_with_little_lost() -> None:
    figures = await measure(1, seed=1)
    assert set(figures) == set(WORDS)
    assert figures["published"] == 1
    assert figures["lost_s"] < 1.0


def test_what_is_missing_is_counted_on_both_sides_and_inside() -> None:
    whole = [Part(0.0, 4.0, 0.0), Part(0.0, 2.0, 0.0)]
    assert missing_s(whole, 4.0) == 0.0
    assert missing_s([Part(0.1, 3.5, 0.2), Part(0.3, 2.0, 0.0)], 4.0) == pytest.approx(0.1 + 0.2 + 0.3 + 0.5)
    assert missing_s(whole[:1], 4.0) == 4.0, "nothing came back: all is lost"


def test_numbers_that_begin_again_are_a_new_part() -> None:
    assert list(runs([0, 1, 2, 0, 1], back=1)) == [[0, 1, 2], [0, 1]]
    assert list(runs([4, 5, 4, 5, 0], back=3)) == [[4, 5, 4, 5], [0]], "two tones at a boundary are no beginning"
