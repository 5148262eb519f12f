"""The recorder process: nothing is needed but the disk, and nothing that happens to it loses or doubles a lesson."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recorder import library, retention
from recorder.derive import derive
from recorder.job import order_to_json
from recorder.recording import INTERRUPTED_AFTER_S, look, read_epochs
from recorder.service import Recorder, RecorderConfig
from tests.recorder.lesson import Sending, write_epoch, write_facts
from tests.recorder.media import shown, video, voice
from tests.support.waiting import until


def feeds(begin_s: float = 0.0) -> list[Sending]:
    return [
        Sending("camera", "VP8", video("VP8", 100), begin_s=begin_s),
        Sending("microphone", "opus", voice(4.0), begin_s=begin_s),
    ]


def add_run(recording: Path, name: str, begin_s: float = 0.0, age_s: float = 60.0) -> Path:
    """A run that ended `age_s` ago."""
    epoch = recording / name
    write_epoch(epoch, feeds(begin_s))
    (epoch / "writer.lock").touch()
    then = time.time() - age_s
    for path in epoch.iterdir():
        os.utime(path, (then, then))
    return epoch


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "recordings").mkdir()
    return tmp_path


@pytest.fixture
def recorder(data: Path) -> Iterator[Recorder]:
    made = Recorder(RecorderConfig(data))
    yield made
    made.close()


def settle(recorder: Recorder) -> None:
    """Until nothing is left to do."""

    def idle() -> bool:
        recorder.step(time.time())
        return not recorder.busy

    until(idle)


def manifest(data: Path, lesson: str = "a") -> dict[str, Any]:
    value = library.read_manifest(data / "library" / lesson)
    assert value is not None
    return value


def media_names(data: Path, lesson: str = "a") -> set[str]:
    return {p.name for p in (data / "library" / lesson).iterdir() if not p.name.startswith(".")}


def test_a_closed_lesson_is_published_once(data: Path, recorder: Recorder) -> None:
    add_run(data / "recordings/a", "1")
    write_facts(data / "recordings/a", "closed")
    settle(recorder)
    first = manifest(data)
    assert (first["state"], first["version"], first["title"], first["teacher"]) == ("final", 1, "分数的意义", "李老师")
    settle(recorder)
    again = Recorder(RecorderConfig(data))
    settle(again)
    assert manifest(data) == first


def test_a_running_lesson_is_left_alone(data: Path, recorder: Recorder) -> None:
    epoch = add_run(data / "recordings/a", "1", age_s=0.0)
    write_facts(data / "recordings/a", "live")
    with (epoch / "writer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        settle(recorder)
        assert library.read_manifest(data / "library/a") is None
        assert look(data / "recordings/a", data / "library/a", time.time() + 3600).order is None


def test_an_interrupted_lesson_is_published_and_again_when_it_is_over(data: Path, recorder: Recorder) -> None:
    add_run(data / "recordings/a", "1")
    write_facts(data / "recordings/a", "live")
    settle(recorder)
    first = manifest(data)
    assert (first["state"], first["version"], first["gaps"]) == ("interrupted", 1, [])

    epoch = add_run(data / "recordings/a", "2", begin_s=12.0)
    with (epoch / "writer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        settle(recorder)
        assert manifest(data) == first
    write_facts(data / "recordings/a", "closed")
    settle(recorder)
    last = manifest(data)
    assert (last["state"], last["version"], last["id"]) == ("final", 2, first["id"])
    assert {(g["source"], g["reason"]) for g in last["gaps"]} == {("camera", "outage"), ("microphone", "outage")}
    assert round(last["duration_s"]) == 16


def test_a_run_that_was_just_sealed_is_not_called_interrupted(data: Path) -> None:
    add_run(data / "recordings/a", "1", age_s=0.0)
    write_facts(data / "recordings/a", "live")
    seen = look(data / "recordings/a", data / "library/a", time.time())
    assert seen.order is None and not seen.settled
    assert look(data / "recordings/a", data / "library/a", time.time() + INTERRUPTED_AFTER_S + 1).order is not None


def test_a_closed_lesson_waits_for_its_writer_but_not_for_ever(data: Path) -> None:
    epoch = add_run(data / "recordings/a", "1", age_s=1.0)
    write_facts(data / "recordings/a", "closed")
    with (epoch / "writer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert look(data / "recordings/a", data / "library/a", time.time()).order is None
        assert look(data / "recordings/a", data / "library/a", time.time() + 20).order is not None
    assert look(data / "recordings/a", data / "library/a", time.time()).order is not None


def test_a_broken_log_does_not_hold_up_the_others(data: Path, recorder: Recorder) -> None:
    bad = add_run(data / "recordings/a", "1")
    for path in bad.glob("*.zwl"):
        content = bytearray(path.read_bytes())
        for i in range(0, len(content), 97):
            content[i] ^= 0xFF
        path.write_bytes(bytes(content))
    write_facts(data / "recordings/a", "closed")
    (data / "recordings/a/lesson.json").write_text("{")
    add_run(data / "recordings/b", "1")
    write_facts(data / "recordings/b", "closed")
    settle(recorder)
    assert manifest(data, "b")["state"] == "final"
    assert library.read_manifest(data / "library/a") is None


def test_every_cut_of_the_tail_keeps_all_that_stands_before_it(data: Path) -> None:
    whole = add_run(data / "recordings/a", "1")
    camera = whole / "00001-000000.zwl"
    content = camera.read_bytes()
    write_facts(data / "recordings/a", "closed")
    # Through the whole of the last records: wherever a killed writer may have stopped.
    for i, cut in enumerate([*range(1, 120, 5), len(content) // 2, len(content) - 10, len(content) - 2, len(content)]):
        camera.write_bytes(content[: len(content) - cut])
        os.utime(camera, (1, 1))
        order = look(data / "recordings/a", data / "library/a", time.time()).order
        assert order is not None
        derive(order)
        now = manifest(data)
        assert now["version"] == i + 1
        if cut < 120:
            path = data / "library/a" / next(t["file"] for t in now["tracks"] if t["source"] == "camera")
            assert len(shown(path)) >= 98
        else:
            assert now["voice_in"] in ("camera", "microphone")


def child(data: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "recorder", "--data", str(data), "--poll", "0.05"], stderr=subprocess.DEVNULL
    )


@pytest.mark.parametrize("step", range(8))
def test_a_kill_at_any_step_loses_and_doubles_nothing(data: Path, recorder: Recorder, step: int) -> None:
    add_run(data / "recordings/a", "1")
    write_facts(data / "recordings/a", "live")
    settle(recorder)
    before = manifest(data)
    add_run(data / "recordings/a", "2", begin_s=10.0)
    write_facts(data / "recordings/a", "closed")
    _killed_after_change(data, step)
    # Whatever was reached: what the manifest names is there and whole.
    reached = manifest(data)
    assert reached["version"] in (1, 2)
    if reached["version"] == 1:
        assert reached == before
    for entry in reached["tracks"]:
        assert (data / "library/a" / entry["file"]).stat().st_size == entry["bytes"]
    settle(recorder)
    last = manifest(data)
    assert (last["state"], last["version"]) == ("final", 2)
    library.sweep(data / "library/a", time.time() + library.KEPT_FOR_PLAYERS_S + 5)
    assert media_names(data) == {t["file"] for t in last["tracks"]} | {last["poster"], "manifest.json"}
    assert not (data / "library/a/.work").exists()


def _killed_after_change(data: Path, step: int) -> None:
    """Run the job and kill it once the library's folder has changed `step` times."""
    order = look(data / "recordings/a", data / "library/a", time.time()).order
    assert order is not None
    process = subprocess.Popen(
        [sys.executable, "-m", "recorder.job"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    process.stdin.write(order_to_json(order))
    process.stdin.close()
    seen, changes = _state(data), 0
    while process.poll() is None and changes < step:
        now = _state(data)
        changes += now != seen
        seen = now
    process.kill()
    process.wait()


def _state(data: Path) -> frozenset[tuple[str, int]]:
    found = set()
    for folder, _, names in os.walk(data / "library/a"):
        for name in names:
            try:
                found.add((name, os.stat(os.path.join(folder, name)).st_ino))
            except FileNotFoundError:
                continue
    return frozenset(found)


def test_the_process_publishes_after_it_was_killed(data: Path) -> None:
    add_run(data / "recordings/a", "1")
    write_facts(data / "recordings/a", "closed")
    first = child(data)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = child(data)
    try:
        until(lambda: library.read_manifest(data / "library/a") is not None)
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
    finally:
        second.kill()
        second.wait()
    assert manifest(data)["version"] == 1


def test_two_recorders_do_not_publish_one_lesson_twice(data: Path) -> None:
    add_run(data / "recordings/a", "1")
    write_facts(data / "recordings/a", "closed")
    two = [Recorder(RecorderConfig(data)) for _ in range(2)]
    for one in two:
        one.step(time.time())
    for one in two:
        settle(one)
        one.close()
    assert manifest(data)["version"] == 1


def test_files_of_old_versions_stay_for_players_and_go_later(data: Path, recorder: Recorder) -> None:
    add_run(data / "recordings/a", "1")
    write_facts(data / "recordings/a", "live")
    settle(recorder)
    old = media_names(data)
    add_run(data / "recordings/a", "2", begin_s=10.0)
    write_facts(data / "recordings/a", "closed")
    settle(recorder)
    assert old < media_names(data)
    assert library.sweep(data / "library/a", time.time() + 1) == []
    assert library.sweep(data / "library/a", time.time() + library.KEPT_FOR_PLAYERS_S + 5)
    now = manifest(data)
    assert media_names(data) == {t["file"] for t in now["tracks"]} | {now["poster"], "manifest.json"}


def test_a_series_keeps_its_newest_and_nothing_else_is_touched(data: Path) -> None:
    recordings = data / "recordings"
    for i in range(5):
        write_facts(recordings / f"demo{i}", "closed", series="demo", keep=3, created_ms=i)
    write_facts(recordings / "running", "live", series="demo", keep=3, created_ms=-1)
    write_facts(recordings / "other", "closed", series="weekly", keep=1)
    write_facts(recordings / "plain", "closed")
    (data / "library/demo0").mkdir(parents=True)
    assert sorted(retention.superseded(recordings)) == ["demo0", "demo1"]
    for lesson in retention.superseded(recordings):
        assert retention.remove(lesson, recordings, data / "library")
    assert retention.superseded(recordings) == []
    assert sorted(p.name for p in recordings.iterdir()) == ["demo2", "demo3", "demo4", "other", "plain", "running"]
    assert not (data / "library/demo0").exists()


def test_a_series_does_not_lose_what_is_still_written(data: Path) -> None:
    epoch = add_run(data / "recordings/a", "1")
    with (epoch / "writer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not retention.remove("a", data / "recordings", data / "library")
    assert read_epochs(data / "recordings/a")


def test_a_job_that_crashes_in_one_source_saves_the_rest(data: Path, recorder: Recorder) -> None:
    add_run(data / "recordings/a", "1")
    write_facts(data / "recordings/a", "closed")
    recorder.step(time.time())
    job = recorder._jobs["a"]
    until(lambda: bool(job.lines), every_s=0.002)  # before it comes to the next source
    job.process.send_signal(signal.SIGSEGV)
    job.process.wait()
    settle(recorder)
    now = manifest(data)
    assert now["voice_in"] == "microphone"
    assert [(g["source"], g["reason"]) for g in now["gaps"]] == [("camera", "unreadable")]


def test_the_manifest_is_the_one_of_the_protocol(data: Path, recorder: Recorder) -> None:
    add_run(data / "recordings/a", "1")
    write_facts(data / "recordings/a", "closed")
    settle(recorder)
    now = json.loads((data / "library/a/manifest.json").read_text(encoding="utf-8"))
    words = "id title teacher state started_ms duration_s version tracks voice_in gaps chapters poster input"
    assert set(now) == set(words.split())
    entry = "source file mime bytes sha256 start_s end_s width height codec"
    assert set(now["tracks"][0]) == set(entry.split())
    assert now["tracks"][0]["mime"] == 'video/webm; codecs="vp8,opus"'
