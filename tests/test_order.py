"""The suite tells of small faults before it starts browsers."""

from __future__ import annotations

import itertools

import pytest

from tests.conftest import LAST, TESTS, place


def test_whole_house_tests_come_after_all_others(request: pytest.FixtureRequest) -> None:
    items = request.session.items
    assert all(place(one.path) <= place(other.path) for one, other in itertools.pairwise(items))
    assert [item.nodeid for item in items if item.get_closest_marker("e2e") and not place(item.path)] == []


def test_every_folder_of_slow_tests_exists() -> None:
    assert [folder for folder in LAST if not (TESTS / folder).is_dir()] == []
