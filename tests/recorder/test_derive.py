"""From logs to files: every picture and every tone stands where it was on the teacher's clock."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from recorder.derive import Order, derive
from recorder.library import Manifest, TrackEntry, read_manifest
from tests.recorder.lesson import Network, Sending, rough, write_epoch
from tests.recorder.media import beeps, heard, red, shown, video, voice

STARTS = (0, 1, 127, 32767, 65534, 65535)
SECONDS = 8


def camera(codec: str = "VP8", **more: object) -> Sending:
    return Sending("camera", codec, video(codec, SECONDS * 25), **more)  # type: ignore[arg-type]


def screen(codec: str = "VP8", **more: object) -> Sending:
    units = video(codec, SECONDS * 5, fps=5, size=(320, 192), gop=20)
    return Sending("screen", codec, units, **more)  # type: ignore[arg-type]


def microphone(**more: object) -> Sending:
    return Sending("microphone", "opus", voice(SECONDS), **more)  # type: ignore[arg-type]


def published(data: Path, epochs: tuple[str, ...] = ("1",), state: str = "final") -> Manifest:
    order = Order(
        data / "recordings" / "l", data / "library" / "l", "l", "分数", "李老师", state, epochs, secrets.token_hex(8)
    )
    manifest = derive(order)
    assert manifest is not None
    return manifest


def track(manifest: Manifest, source: str) -> TrackEntry:
    return next(t for t in manifest.tracks if t.source == source)


def file_of(data: Path, manifest: Manifest, source: str) -> Path:
    return data / "library" / "l" / track(manifest, source).file


def video_offset(path: Path, fps: int) -> tuple[float, float]:
    """Median and largest distance of the pictures from their own time."""
    off = np.array([at - number / fps for at, number in shown(path)])
    return float(np.median(off)), float(np.max(np.abs(off - np.median(off))))


def beep_offset(path: Path) -> float:
    """Median distance of the tones from the full second that they belong to, in the file's time."""
    at = np.array(beeps(path))
    return float(np.median(at - np.round(at - 0.05)))


def assert_together(data: Path, manifest: Manifest, has_screen: bool = True) -> None:
    """The picture, the voice and the slides show the same moment of the teacher's clock."""
    picture = file_of(data, manifest, "camera")
    median, spread = video_offset(picture, 25)
    assert spread <= 0.040
    assert abs(beep_offset(picture) - median) <= 0.040
    if has_screen:
        slides, spread = video_offset(file_of(data, manifest, "screen"), 5)
        assert abs(slides - median) <= 0.080
        assert spread <= 0.040


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_clean_lesson_is_complete_and_together(tmp_path: Path, codec: str) -> None:
    write_epoch(tmp_path / "recordings/l/1", [camera(codec), screen(codec), microphone()])
    manifest = published(tmp_path)
    assert [t.source for t in manifest.tracks] == ["camera", "screen"]
    assert manifest.voice_in == "camera"
    assert manifest.gaps == []
    assert abs(manifest.duration_s - SECONDS) < 0.1
    assert track(manifest, "screen").width == 320
    assert [n for _, n in shown(file_of(tmp_path, manifest, "camera"))] == list(range(SECONDS * 25))
    assert len(beeps(file_of(tmp_path, manifest, "camera"))) == SECONDS
    assert manifest.poster is not None
    assert_together(tmp_path, manifest)


@pytest.mark.parametrize("start", STARTS)
def test_repaired_packets_take_their_place_from_every_wrap_around(tmp_path: Path, start: int) -> None:
    near_wrap = (1 << 32) - 48_000
    feeds = [camera(seq=start, ts=near_wrap), screen(seq=start, ts=near_wrap), microphone(seq=start, ts=near_wrap)]
    write_epoch(tmp_path / "recordings/l/1", feeds, rough(start))
    manifest = published(tmp_path)
    assert [n for _, n in shown(file_of(tmp_path, manifest, "camera"))] == list(range(SECONDS * 25))
    assert manifest.gaps == []
    assert len(beeps(file_of(tmp_path, manifest, "camera"))) == SECONDS
    assert_together(tmp_path, manifest)


def test_packets_that_never_came_freeze_the_picture_and_are_listed(tmp_path: Path) -> None:
    lost = Network(lambda index, packet: [] if 60 <= index < 70 else [0.05])
    write_epoch(tmp_path / "recordings/l/1", [camera(), microphone()], lost)
    manifest = published(tmp_path)
    pictures = shown(file_of(tmp_path, manifest, "camera"))
    numbers = [n for _, n in pictures]
    # Every picture that is shown is the right one: nothing decoded across the hole.
    assert numbers == sorted(set(numbers))
    assert max(abs(at - n / 25) for at, n in pictures) < 0.060
    missing = sorted(set(range(SECONDS * 25)) - set(numbers))
    gaps = [g for g in manifest.gaps if g.source == "camera"]
    assert len(gaps) == 1 and gaps[0].reason == "loss"
    assert gaps[0].start_s <= missing[0] / 25 + 0.02 and gaps[0].end_s >= missing[-1] / 25
    assert [g.reason for g in manifest.gaps if g.source == "microphone"] == ["loss"]
    assert_together(tmp_path, manifest, has_screen=False)


def test_redundant_blocks_fill_what_was_lost(tmp_path: Path) -> None:
    units = [unit for unit, _ in red(voice(SECONDS))]
    every_fifth = Network(lambda index, packet: [] if index % 5 == 4 else [0.05])
    sending = Sending("microphone", "opus", units, pt=63)
    write_epoch(tmp_path / "recordings/l/1", [sending], every_fifth)
    manifest = published(tmp_path)
    assert manifest.voice_in == "microphone"
    assert manifest.gaps == []
    at = beeps(file_of(tmp_path, manifest, "microphone"))
    assert len(at) == SECONDS
    assert track(manifest, "microphone").mime.startswith("audio/webm")


def test_a_muted_voice_is_silence_of_the_same_length(tmp_path: Path) -> None:
    spoken = [u for u in voice(30.0) if not 5.0 <= u.at_s < 25.0]
    write_epoch(tmp_path / "recordings/l/1", [Sending("microphone", "opus", spoken)])
    manifest = published(tmp_path)
    path = file_of(tmp_path, manifest, "microphone")
    samples, first = heard(path)
    assert abs(first + len(samples) / 48_000 - 30.0) < 0.03
    assert np.abs(samples[8 * 48_000 : 24 * 48_000]).max() < 0.01
    assert [(g.reason, round(g.start_s), round(g.end_s)) for g in manifest.gaps] == [("paused", 5, 25)]
    assert all(abs(b - round(b - 0.05)) < 0.040 for b in beeps(path))


def test_drifting_media_clocks_stay_together(tmp_path: Path) -> None:
    # Nine times the drift of a poor crystal, so that forty seconds show what six minutes would.
    feeds = [
        Sending("camera", "VP8", video("VP8", 40 * 25), drift=-0.0009),
        Sending("microphone", "opus", voice(40.0), drift=0.0009),
    ]
    write_epoch(tmp_path / "recordings/l/1", feeds, rough(3, late=0.05))
    manifest = published(tmp_path)
    path = file_of(tmp_path, manifest, "camera")
    on_picture = {n / 25: at for at, n in shown(path)}
    for i, at in enumerate(beeps(path)[1:39], 1):
        # Tone i left at i / 1.0009 on the wall clock, picture i * 25 at i / 0.9991.
        assert abs(at - i / 1.0009 - (on_picture[float(i)] - i / 0.9991)) <= 0.040


def test_without_sender_reports_arrival_keeps_them_near(tmp_path: Path) -> None:
    write_epoch(tmp_path / "recordings/l/1", [camera(report_s=None), screen(report_s=None), microphone(report_s=None)])
    manifest = published(tmp_path)
    assert_together(tmp_path, manifest)


def test_a_second_run_goes_on_in_the_same_lesson_and_the_outage_is_listed(tmp_path: Path) -> None:
    first = [camera(), microphone()]
    second = [camera(begin_s=20.0, seq=9), microphone(begin_s=20.0, seq=9)]
    write_epoch(tmp_path / "recordings/l/1", first, ended=False)
    write_epoch(tmp_path / "recordings/l/2", second)
    manifest = published(tmp_path, ("1", "2"))
    assert abs(manifest.duration_s - 28.0) < 0.1
    assert {(g.source, g.reason, round(g.start_s), round(g.end_s)) for g in manifest.gaps} == {
        ("camera", "outage", 8, 20),
        ("microphone", "outage", 8, 20),
    }
    at = [round(b, 1) for b in beeps(file_of(tmp_path, manifest, "camera"))]
    assert at == [float(i) for i in (*range(8), *range(20, 28))]


def test_a_reload_by_the_teacher_joins_the_tracks(tmp_path: Path) -> None:
    again = [camera(begin_s=10.0, seq=9), microphone(begin_s=10.0, seq=9)]
    write_epoch(tmp_path / "recordings/l/1", [camera(), microphone(), *again])
    manifest = published(tmp_path)
    assert {(g.source, g.reason) for g in manifest.gaps} == {("camera", "rejoined"), ("microphone", "rejoined")}
    assert len(manifest.tracks) == 1
    numbers = [n for _, n in shown(file_of(tmp_path, manifest, "camera"))]
    assert numbers == [*range(200), *range(200)]


def test_a_night_between_two_runs_is_shortened(tmp_path: Path) -> None:
    write_epoch(tmp_path / "recordings/l/1", [microphone()])
    write_epoch(tmp_path / "recordings/l/2", [microphone(begin_s=36_000.0)])
    manifest = published(tmp_path, ("1", "2"))
    assert abs(manifest.duration_s - (SECONDS * 2 + 5)) < 0.1


def test_a_change_of_resolution_stays_in_one_file(tmp_path: Path) -> None:
    units = [
        *video("VP8", 100),
        *video("VP8", 50, size=(320, 256), first=100),
        *video("VP8", 50, size=(96, 80), first=150),
    ]
    write_epoch(tmp_path / "recordings/l/1", [Sending("camera", "VP8", units), microphone()])
    manifest = published(tmp_path)
    path = file_of(tmp_path, manifest, "camera")
    assert [n for _, n in shown(path)] == list(range(200))
    assert (track(manifest, "camera").width, track(manifest, "camera").height) == (320, 256)


def test_slides_that_come_late_start_late(tmp_path: Path) -> None:
    write_epoch(tmp_path / "recordings/l/1", [camera(), screen(begin_s=3.0), microphone()])
    manifest = published(tmp_path)
    assert abs(track(manifest, "screen").start_s - 3.0) < 0.08
    first, number = shown(file_of(tmp_path, manifest, "screen"))[0]
    assert number == 0 and abs(first - 3.0) < 0.08


def test_a_source_in_two_codecs_is_two_files_and_the_voice_is_with_the_screen(tmp_path: Path) -> None:
    feeds = [camera(), camera("H264", begin_s=10.0), screen(), microphone()]
    write_epoch(tmp_path / "recordings/l/1", feeds)
    manifest = published(tmp_path)
    assert [(t.source, t.codec) for t in manifest.tracks] == [("camera", "VP8"), ("camera", "H264"), ("screen", "VP8")]
    assert manifest.voice_in == "screen"


def test_a_log_without_media_is_no_lesson(tmp_path: Path) -> None:
    (tmp_path / "recordings/l/1").mkdir(parents=True)
    (tmp_path / "recordings/l/1/00001-000000.zwl").write_bytes(b"ZWL1")
    (tmp_path / "recordings/l/1/00002-000000.zwl").write_bytes(b"")
    order = Order(tmp_path / "recordings/l", tmp_path / "library/l", "l", "", "", "final", ("1",), "d")
    assert derive(order) is None
    assert not (tmp_path / "library/l").exists()


def test_the_same_log_gives_the_same_files(tmp_path: Path) -> None:
    for codec in ("VP8", "H264"):
        write_epoch(tmp_path / codec / "recordings/l/1", [camera(codec), microphone()])
        first = published(tmp_path / codec)
        again = published(tmp_path / codec)
        assert [t.sha256 for t in first.tracks] == [t.sha256 for t in again.tracks]
        assert first.poster == again.poster


def test_a_lesson_that_is_opened_again_in_one_run_uses_its_numbers_again(tmp_path: Path) -> None:
    epoch = tmp_path / "recordings/l/1"
    write_epoch(epoch, [camera(seq=60_000), microphone(seq=60_000)])
    write_epoch(tmp_path / "again", [camera(begin_s=10.0, seq=3), microphone(begin_s=10.0, seq=3)])
    for number in (1, 2):
        (tmp_path / f"again/0000{number}-000000.zwl").rename(epoch / f"0000{number}-000001.zwl")
    manifest = published(tmp_path)
    numbers = [n for _, n in shown(file_of(tmp_path, manifest, "camera"))]
    assert numbers == [*range(200), *range(200)]
    assert {(g.source, g.reason) for g in manifest.gaps} == {("camera", "rejoined"), ("microphone", "rejoined")}


def test_a_full_disk_leaves_the_published_version_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_epoch(tmp_path / "recordings/l/1", [camera(), microphone()])
    before = published(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 10, 10))
    with pytest.raises(OSError, match="no room"):
        published(tmp_path)
    assert read_manifest(tmp_path / "library/l") == asdict(before)
