"""From the log to proposals and published files: while the lesson runs, after it, and killed at every step."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recorder import library
from recorder.clips import store
from recorder.clips.child import LIVE_S, Clips
from recorder.clips.publish import webvtt
from recorder.clips.store import Book, Clip, ClipError
from recorder.zwl import ZwlWriter, part_name
from tests.recorder.lesson import BELL_US, Sending, write_epoch, write_facts
from tests.recorder.media import shown, video, voice
from tests.recorder.test_derive import published

SECONDS = 150
PRESSES: tuple[tuple[float, dict[str, Any]], ...] = (
    (20.0, {"mark": "private"}),
    (25.0, {"mark": "private", "on": False}),
    (30.0, {"mark": "begin", "title": "分数"}),
    (60.0, {"mark": "point"}),
    (140.0, {"mark": "end"}),
)


def recorded(data: Path, codec: str = "VP8", marks: bool = True) -> Path:
    """A lesson of two and a half minutes; the teacher begins at 30 s, ends at 140 s, and did not want 20 to 25 s."""
    recording = data / "recordings/l"
    camera = Sending("camera", codec, video(codec, SECONDS * 5, fps=5, gop=25))
    write_epoch(recording / "1", [camera, Sending("microphone", "opus", voice(SECONDS))])
    with ZwlWriter(recording / "1" / part_name(0, 0), 0) as events:
        for at_s, mark in PRESSES if marks else ():
            events.event(BELL_US + round(at_s * 1e6), {"event": "marker", **mark})
    write_facts(recording, "closed")
    return recording


def complete(data: Path, codec: str = "VP8") -> Clips:
    """A recorded and published lesson that was looked at."""
    recorded(data, codec)
    published(data)
    clips = Clips(data)
    assert clips.step(1000.0)
    return clips


def book_of(data: Path) -> Book:
    book = store.read(data / "library/l")
    assert book is not None
    return book


def do(data: Path, *steps: str) -> None:
    with store.edit(data / "library/l") as book:
        for step in steps:
            book.step(1, step, "李老师", 5)


def test_marks_become_a_proposal_with_chapters_once_the_lesson_is_published(tmp_path: Path) -> None:
    recorded(tmp_path)
    clips = Clips(tmp_path)
    assert not clips.step(1000.0)  # the recorder makes the lesson first
    manifest = published(tmp_path)
    assert [c.start_s for c in manifest.chapters] == [pytest.approx(30, abs=0.1), pytest.approx(60, abs=0.1)]
    assert clips.step(1001.0) and not clips.step(1002.0)
    book = book_of(tmp_path)
    assert book.state == "complete" and len(book.clips) == 1
    clip = book.clips[0]
    # Moved into the silence between two of the voice's tones, at most.
    assert abs(clip.start_s - 30) <= 5 and abs(clip.end_s - 140) <= 5
    assert (clip.title, clip.state, clip.touched, clip.why) == ("分数", "proposed", False, ["mark"])
    assert [c["title"] for c in clip.chapters] == ["分数", "知识点 1"]
    assert book.private == [[pytest.approx(18, abs=0.1), pytest.approx(25, abs=0.1)]]


@contextmanager
def being_written(epoch: Path) -> Iterator[None]:
    with (epoch / "writer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_proposals_are_there_while_the_lesson_runs_and_a_persons_choice_outlives_the_bell(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    write_facts(recording, "live")
    clips = Clips(tmp_path)
    with being_written(recording / "1"):
        assert clips.step(1000.0)
        book = book_of(tmp_path)
        assert book.state == "live" and [c.state for c in book.clips] == ["proposed"]
        assert not clips.step(1000.0 + LIVE_S - 1) and clips.step(1000.0 + LIVE_S)
        with store.edit(tmp_path / "library/l") as book:
            book.change(1, {"title": "我的微课", "start_s": 40.0}, "李老师", 5)
            book.step(1, "accept", "李老师", 6)
        assert clips.step(1000.0 + 2 * LIVE_S)
    write_facts(recording, "closed")
    published(tmp_path)
    assert clips.step(1100.0)
    book = book_of(tmp_path)
    assert book.state == "complete"
    mine = book.clip(1)
    assert (mine.title, mine.state) == ("我的微课", "accepted") and abs(mine.start_s - 40.0) < 0.2
    assert [n["what"] for n in mine.history] == ["changed", "accepted"]
    # What the machine proposes beside it leaves its time alone.
    assert all(c.end_s <= mine.start_s or c.start_s >= mine.end_s for c in book.clips if c.number != 1)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_published_clip_has_its_files_and_a_withdrawn_one_loses_them(tmp_path: Path, codec: str) -> None:
    clips = complete(tmp_path, codec)
    folder = tmp_path / "library/l"
    do(tmp_path, "accept", "publish")
    assert clips.step(1001.0)
    clip = book_of(tmp_path).clip(1)
    assert clip.state == "published"
    assert [f["role"] for f in clip.files] == ["camera", "chapters", "sidecar"]
    names = {f["role"]: f["file"] for f in clip.files}
    first = next(n for at, n in shown(folder / names["camera"]) if at >= -0.001)
    assert abs(first - clip.start_s * 5) <= 1
    sidecar = json.loads((folder / names["sidecar"]).read_text())
    assert sidecar["resource_type"] == "微课" and sidecar["published_by"] == "李老师" and sidecar["teacher"] == "李老师"
    assert "subject" not in sidecar and sidecar["duration_s"] == pytest.approx(clip.end_s - clip.start_s)
    assert (folder / names["chapters"]).read_text().startswith("WEBVTT\n\n00:00:00.000 --> ")
    library.sweep(folder, 1e12)  # long after: the lesson's files and the clip's are all that stays
    files = set(names.values()) | {"manifest.json", ".lock", "clips.json", ".clips.lock"}
    assert files < {p.name for p in folder.iterdir()}
    do(tmp_path, "withdraw")
    clips.step(1002.0)
    assert not any((folder / name).exists() for name in names.values())
    assert set(store.file_states(folder).values()) == {"withdrawn"}
    do(tmp_path, "publish")
    assert clips.step(1003.0)
    assert {f["file"] for f in book_of(tmp_path).clip(1).files if f["role"] == "camera"} == {names["camera"]}


def test_what_cannot_be_cut_says_why_and_harms_nothing(tmp_path: Path) -> None:
    clips = complete(tmp_path)
    folder = tmp_path / "library/l"
    before = (folder / "manifest.json").read_bytes()
    camera = next(p for p in folder.glob("*.webm"))
    camera.write_bytes(camera.read_bytes()[:2000])
    do(tmp_path, "accept", "publish")
    assert clips.step(1001.0)
    clip = book_of(tmp_path).clip(1)
    assert clip.state == "accepted" and clip.problem
    assert (folder / "manifest.json").read_bytes() == before


class Killed(BaseException):
    """The process ends here."""


def test_killed_at_any_step_the_next_start_ends_it_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(tmp_path)
    folder = tmp_path / "library/l"
    do(tmp_path, "accept", "publish")
    manifest = (folder / "manifest.json").read_bytes()
    calls = 0
    fatal = 0

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == fatal:
                raise Killed
            return function(*arguments, **named)

        return call

    monkeypatch.setattr(os, "fsync", dying(os.fsync))
    monkeypatch.setattr(Path, "rename", dying(Path.rename))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))
    while book_of(tmp_path).clip(1).state != "published":
        fatal, calls = fatal + 1, 0
        try:
            Clips(tmp_path).step(1001.0)
        except Killed:
            assert fatal < 40
        assert (folder / "manifest.json").read_bytes() == manifest
        assert book_of(tmp_path).clip(1).state in ("publishing", "published")
    assert fatal > 5
    fatal = 0
    library.sweep(folder, 1e12)
    named = {f["file"] for f in book_of(tmp_path).clip(1).files}
    told = json.loads(manifest)
    named |= {t["file"] for t in told["tracks"]} | {told["poster"]}
    assert {p.name for p in folder.iterdir()} - {"manifest.json", ".lock", "clips.json", ".clips.lock"} == named


@pytest.mark.parametrize(("private", "has_one"), [((5.0, None), False), ((40.0, 60.0), True)])
def test_a_poster_is_never_of_what_is_not_to_be_recorded(
    tmp_path: Path, private: tuple[float, float | None], has_one: bool
) -> None:
    recording = recorded(tmp_path, marks=False)
    with ZwlWriter(recording / "1" / part_name(0, 1), 0) as events:
        for at_s, on in zip(private, (True, False), strict=True):
            if at_s is not None:
                events.event(BELL_US + round(at_s * 1e6), {"event": "marker", "mark": "private", "on": on})
    assert (published(tmp_path).poster is not None) is has_one


def test_steps_that_a_state_does_not_allow_are_refused() -> None:
    book = Book(duration_s=600, private=[[100.0, 110.0]], clips=[Clip(1, 0.0, 90.0)])
    for step in ("publish",):
        with pytest.raises(ClipError):
            book.step(1, step, "x", 1)
    for values in (
        {"end_s": 105.0},
        {"end_s": 700.0},
        {"start_s": 85.0},
        {"state": "published"},
        {"title": 3},
        {"title": "a\nb"},
    ):
        with pytest.raises(ClipError):
            book.change(1, values, "x", 1)
    with pytest.raises(ClipError):
        book.step(2, "accept", "x", 1)
    assert book.clips == [Clip(1, 0.0, 90.0)]
    book.step(1, "accept", "x", 1)
    book.step(1, "publish", "x", 2)
    with pytest.raises(ClipError):
        book.change(1, {"title": "y"}, "x", 3)


def test_chapters_in_webvtt_are_escaped() -> None:
    clip = Clip(1, 0.0, 3661.5, chapters=[{"title": "a<b & c", "start_s": 0.0}, {"title": "二", "start_s": 3600.25}])
    assert webvtt(clip).splitlines() == [
        "WEBVTT", "", "00:00:00.000 --> 01:00:00.250", "a&lt;b &amp; c", "", "01:00:00.250 --> 01:01:01.500", "二",
    ]  # fmt: skip
