"""Micro-lessons over HTTP: who may do what, what is refused, and a withdrawn file that nobody gets any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recorder.clips import store
from recorder.clips.store import Clip
from tests.signaling.conftest import World

FILE = "0123456789abcdef01234567.mp4"


def recorded(world: World) -> Path:
    """A published recording of lesson-1 with one proposed clip."""
    folder = world.data / "library" / "lesson-1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"id": "lesson-1", "tracks": []}')
    (folder / FILE).write_bytes(b"x" * 100)
    with store.edit(folder) as book:
        book.duration_s, book.private = 900.0, [[400.0, 420.0]]
        book.clips = [Clip(1, 0.0, 300.0, "微课 1")]
    return folder


async def asks(world: World, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
    status, answer, _ = await world.request(method, f"/api/library/lesson-1/clips{path}", token, json=body)
    return status, answer


async def test_a_teacher_edits_accepts_and_publishes_the_own_clips(world: World) -> None:
    async with world.page(world.teacher(), "teacher"):
        pass
    folder, teacher = recorded(world), world.teacher()
    status, book = await asks(world, "GET", "", teacher)
    assert status == 200 and [c["state"] for c in book["clips"]] == ["proposed"]
    assert (await asks(world, "POST", "/1/publish", teacher))[0] == 400  # nothing unreviewed goes out
    status, clip = await asks(world, "PUT", "/1", teacher, {"title": "分数", "end_s": 280.5})
    assert (status, clip["title"], clip["end_s"], clip["touched"]) == (200, "分数", 280.5, True)
    for bad in ({"end_s": 410.0}, {"end_s": 2000.0}, {"start_s": "now"}, {"state": "published"}, {"title": "x" * 200}):
        assert (await asks(world, "PUT", "/1", teacher, bad))[0] == 400
    assert (await asks(world, "POST", "/9/accept", teacher))[0] == 400
    assert (await asks(world, "POST", "/1/accept", teacher))[1]["state"] == "accepted"
    status, clip = await asks(world, "POST", "/1/publish", teacher)
    assert (status, clip["state"]) == (200, "publishing")
    assert [note["who"] for note in clip["history"]] == ["王老师"] * 3
    assert (await asks(world, "POST", "/propose", teacher))[0] == 200
    book_now = store.read(folder)
    assert book_now is not None and book_now.asked


async def test_a_withdrawn_file_is_refused_to_everybody_by_range_too(world: World) -> None:
    async with world.page(world.teacher(), "teacher"):
        pass
    folder, teacher = recorded(world), world.teacher()
    with store.edit(folder) as book:
        book.clips[0].state, book.clips[0].files = "published", [{"role": "camera", "file": FILE}]
    path, part = f"/media/lesson-1/{FILE}", {"Range": "bytes=0-9"}
    status, _, headers = await world.request("GET", path, teacher, headers=part)
    assert status == 206 and headers["Cache-Control"] == "private, no-cache"
    assert (await asks(world, "POST", "/1/withdraw", teacher))[1]["state"] == "withdrawn"
    known = {"If-None-Match": headers["ETag"]}
    for token in (teacher, world.operator()):
        for asked in ({}, part, known):
            assert (await world.request("GET", path, token, headers=asked))[0] == 403
    assert (await world.request("GET", "/media/lesson-1/clips.json", teacher))[0] == 404


async def test_others_see_and_change_nothing(world: World) -> None:
    async with world.page(world.teacher(), "teacher"):
        pass
    recorded(world)
    for token in (world.teacher("lesson-2", "t2"), world.classroom()):
        for method, path in (("GET", ""), ("PUT", "/1"), ("POST", "/1/accept"), ("POST", "/propose")):
            assert (await asks(world, method, path, token, {}))[0] == 403
    assert (await asks(world, "POST", "/1/accept", world.operator()))[0] == 200
    assert (await world.request("GET", "/api/library/nonsense/clips", world.operator()))[0] == 403
