"""Own stills between real cores over loopback: to the ends that look at them, and to nobody else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.streaming.ends import End, connect, until

PICTURE = random.Random(7).randbytes(9_000)


@dataclass
class Page:
    """A client's end, and its transport at the server and at itself."""

    end: End
    here: int
    there: int

    def give(self, picture: bytes) -> str:
        """Its own still; the hash."""
        return self.end.core.give_still(self.there, "jpeg", 320, 180, picture)

    def tiles(self) -> list[tuple[int, str]]:
        """What it was shown of others."""
        self.end.events += self.end.core.take_events()
        return [(event["tile"], event["hash"]) for event in self.end.events if event["event"] == "own_still"]


class Lesson:
    """A server with two output ends and two classrooms."""

    def __init__(self, stack: ExitStack) -> None:
        self.server = stack.enter_context(End())
        self.teacher, self.other = (self._page(stack, "from_peer", "to_peer") for _ in range(2))
        self.near, self.far = (self._page(stack, "to_peer", "from_peer") for _ in range(2))

    def _page(self, stack: ExitStack, here: str, there: str) -> Page:
        end = stack.enter_context(End())
        return Page(end, *connect(self.server, end, stills=(here, there)))

    def show(self, who: Page, *of: tuple[Page, int]) -> None:
        """The end looks at these pages."""
        self.server.core.show_stills(who.here, [(page.here, tile) for page, tile in of])


@pytest.fixture
def lesson() -> Iterator[Lesson]:
    with ExitStack() as stack:
        yield Lesson(stack)


def test_an_own_still_goes_to_the_end_that_looks_at_it_and_to_nobody_else(lesson: Lesson) -> None:
    lesson.show(lesson.teacher, (lesson.near, 5))
    mine = lesson.near.give(PICTURE)
    event = lesson.teacher.end.wait("own_still", tile=5, hash=mine)
    assert (event["bytes"], event["width"], event["height"]) == (9_000, 320, 180)
    whole = lesson.server.wait("own_still", transport=lesson.near.here)
    assert (whole["tile"], whole["hash"]) == (0, mine)
    lesson.show(lesson.other, (lesson.far, 9))
    theirs = lesson.far.give(b"the other room")
    lesson.other.end.wait("own_still", hash=theirs)
    slide = lesson.server.core.put_still(lesson.server.lesson, "screen", "webp", 1280, 720, PICTURE)
    for page in (lesson.near, lesson.far):
        page.end.wait("still", hash=slide)
    tiles = [page.tiles() for page in (lesson.teacher, lesson.other, lesson.near, lesson.far)]
    assert tiles == [[(5, mine)], [(9, theirs)], [], []]


def test_who_looks_later_gets_the_last_still_and_who_looks_away_gets_no_more(lesson: Lesson) -> None:
    lesson.near.give(b"the first")
    lesson.server.wait("own_still", bytes=len(b"the first"))
    last = lesson.near.give(PICTURE)
    lesson.server.wait("own_still", hash=last)
    lesson.show(lesson.teacher, (lesson.near, 1), (lesson.far, 2))
    lesson.teacher.end.wait("own_still", tile=1, hash=last)
    lesson.show(lesson.teacher, (lesson.far, 2))
    unseen = lesson.near.give(b"after the teacher looked away")
    lesson.server.wait("own_still", hash=unseen)
    barrier = lesson.far.give(b"the far room")
    lesson.teacher.end.wait("own_still", tile=2, hash=barrier)
    assert lesson.teacher.tiles() == [(1, last), (2, barrier)]


def test_a_wall_of_the_same_picture_shows_it_in_every_tile(lesson: Lesson) -> None:
    lesson.show(lesson.teacher, (lesson.near, 1), (lesson.far, 2))
    same = {page.give(PICTURE) for page in (lesson.near, lesson.far)}
    for tile in (1, 2):
        assert {lesson.teacher.end.wait("own_still", tile=tile)["hash"]} == same


def test_the_last_still_goes_with_its_connection(lesson: Lesson) -> None:
    lesson.server.wait("own_still", hash=lesson.near.give(PICTURE))
    lesson.server.core.remove(lesson.near.here)
    lesson.server.wait("closed", transport=lesson.near.here)
    lesson.show(lesson.teacher, (lesson.near, 1), (lesson.far, 2))
    theirs = lesson.far.give(b"still there")
    lesson.teacher.end.wait("own_still", tile=2, hash=theirs)
    assert lesson.teacher.tiles() == [(2, theirs)]


@pytest.mark.parametrize(("picture", "word"), [(bytes(24 * 1024 + 1), "at most 24576"), (b"", "bytes")])
def test_an_own_still_has_its_bounds(lesson: Lesson, picture: bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        lesson.near.give(picture)


def test_what_an_output_end_gives_as_its_own_is_a_still_of_the_lesson(lesson: Lesson) -> None:
    """There is one room of the teacher, and everybody sees it."""
    room = lesson.teacher.give(PICTURE)
    for page in (lesson.near, lesson.far):
        page.end.wait("still", hash=room, source="camera")


def test_a_server_gives_no_own_stills(lesson: Lesson) -> None:
    with pytest.raises(ValueError, match="no transport to a server"):
        lesson.server.core.give_still(lesson.near.here, "jpeg", 1, 1, b"x")


def test_drops_stay_rare_while_all_is_as_it_should_be(lesson: Lesson) -> None:
    lesson.show(lesson.teacher, (lesson.near, 1))
    lesson.teacher.end.wait("own_still", hash=lesson.near.give(PICTURE))

    def refused() -> dict[str, Any]:
        drops = lesson.server.core.take_stats()["drops"]
        names = [lesson.server.core.drop_reasons[index] for index in drops["reason"].tolist()]
        counts = dict(zip(names, drops["count"].tolist(), strict=True))
        return {name: count for name, count in counts.items() if name.startswith("still") and count}

    assert until(lambda: lesson.server.core.take_stats()["transports"]["transport"].size >= 4, "rows of all")
    assert refused() == {}
