"""`benchmarks.joins` brings everybody in."""

from __future__ import annotations

import pytest

from benchmarks.joins import PATIENCE_S, WORDS, measure


@pytest.mark.e2e
async def test_all_classrooms_have_media() -> None:
    figures = await measure(3)
    assert set(figures) == set(WORDS)
    assert figures["joined"] == 3
    assert 0 < figures["p50_s"] <= figures["p99_s"] < PATIENCE_S
