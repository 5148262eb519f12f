"""Fixtures of tests with a classroom that runs itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.school import TurnedClock
from tests.support.server import Server


@pytest.fixture
def clock(tmp_path: Path) -> TurnedClock:
    """The server's clock, in the morning."""
    made = TurnedClock(tmp_path / "clock")
    made.turn_to("09:40")
    return made


@pytest.fixture
def school_server(tmp_path: Path, clock: TurnedClock) -> Iterator[Server]:
    """A server by that clock."""
    with Server(tmp_path, settings=clock.settings()) as server:
        yield server
