"""Stills between real cores over loopback: SCTP in DTLS, both roles."""

from __future__ import annotations

import hashlib
import random
from typing import Literal

import pytest

from tests.streaming.ends import End, connect, until

Way = Literal["from_peer", "to_peer"]
PICTURE = random.Random(7).randbytes(60_000)


def linked(server: End, client: End, way: Way) -> tuple[int, int]:
    """An association with a channel; `way` as the server sees it."""
    other: Way = "to_peer" if way == "from_peer" else "from_peer"
    return connect(server, client, stills=(way, other))


def put(end: End, picture: bytes = PICTURE, lesson: int | None = None) -> str:
    """A still by command."""
    return end.core.put_still(end.lesson if lesson is None else lesson, "screen", "webp", 1280, 720, picture)


def test_a_teachers_still_reaches_the_classrooms_of_its_lesson_alone() -> None:
    with End() as server, End() as teacher, End() as classroom, End() as stranger:
        linked(server, teacher, "from_peer")
        linked(server, classroom, "to_peer")
        other = End.__new__(End)
        other.core, other.events, other.lesson = server.core, server.events, server.core.open_lesson(None)
        linked(other, stranger, "to_peer")
        wanted = put(teacher)
        assert wanted == hashlib.sha256(PICTURE).hexdigest()
        event = classroom.wait("still", hash=wanted)
        assert (event["source"], event["bytes"], event["width"], event["height"]) == ("screen", 60_000, 1280, 720)
        theirs = put(server, b"another lesson's", other.lesson)
        stranger.wait("still", hash=theirs)
        assert [e["hash"] for e in stranger.events if e["event"] == "still"] == [theirs]


def test_who_comes_late_gets_the_newest_still_only() -> None:
    with End() as server, End() as classroom:
        old, new = put(server, b"first"), put(server, b"second")
        linked(server, classroom, "to_peer")
        classroom.wait("still", hash=new)
        assert old not in [event.get("hash") for event in classroom.events]


def test_a_still_that_is_known_to_the_lesson_is_spread_without_its_bytes() -> None:
    with End() as server, End() as teacher, End() as classroom:
        linked(server, classroom, "to_peer")
        put(server)
        put(server, b"the next slide")
        classroom.wait("still", hash=hashlib.sha256(b"the next slide").hexdigest())
        server.events.clear()
        linked(server, teacher, "from_peer")
        server.wait("still", hash=put(teacher))
        sent = until(lambda: teacher.column("transports", "tx_bytes"), "statistics of what was sent")
        assert sent < len(PICTURE) / 2


@pytest.mark.parametrize(
    ("source", "format", "size", "file", "word"),
    [
        ("microphone", "png", (1, 1), b"x", "source"),
        ("screen", "gif", (1, 1), b"x", "format"),
        ("screen", "png", (0, 1), b"x", "sides"),
        ("screen", "png", (5000, 1), b"x", "sides"),
        ("screen", "png", (1, 1), b"", "bytes"),
        ("screen", "png", (1, 1), bytes(256 * 1024 + 1), "bytes"),
    ],
)
def test_a_bad_still_is_refused_in_words(
    source: str, format: str, size: tuple[int, int], file: bytes, word: str
) -> None:
    with End() as end, pytest.raises(ValueError, match=word):
        end.core.put_still(end.lesson, source, format, *size, file)


def test_a_still_of_no_lesson_is_refused() -> None:
    with End() as end, pytest.raises(ValueError, match="lesson"):
        end.core.put_still(4711, "screen", "png", 1, 1, b"x")
