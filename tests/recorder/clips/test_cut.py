"""Cuts are exact to the picture, and carry nothing of what is not to be recorded, not even hidden."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from recorder.check import unplayable
from recorder.clips.cut import cut_of, write_clip
from tests.recorder.lesson import Sending, write_epoch
from tests.recorder.media import beeps, number_of, shown, video, voice
from tests.recorder.test_derive import file_of, published

SECONDS, FPS = 12, 25
CHAPTERS = [{"title": "分数", "start_s": 0.0}, {"title": "通分", "start_s": 2.5}]


def master(tmp_path: Path, codec: str) -> Path:
    """A lesson with a number in each picture, a tone each second and a key frame every two."""
    camera = Sending("camera", codec, video(codec, SECONDS * FPS))
    write_epoch(tmp_path / "recordings/l/1", [camera, Sending("microphone", "opus", voice(SECONDS))])
    return file_of(tmp_path, published(tmp_path), "camera")


def cut(
    tmp_path: Path, codec: str, span: tuple[float, float], private: list[tuple[float, float]] | None = None
) -> Path:
    source = master(tmp_path, codec)
    path = tmp_path / f"clip.{source.suffix[1:]}"
    assert write_clip(path, cut_of(span, private or []), source, source, CHAPTERS)
    assert unplayable(path) is None
    return path


def every_number(path: Path) -> set[int]:
    """Numbers of all pictures that a decoder finds in the file, shown or not: what anybody could dig out."""
    found = set()
    with av.open(str(path)) as media:
        stream = media.streams.video[0]
        decoder = av.CodecContext.create(stream.codec_context.name, "r")
        decoder.extradata = stream.codec_context.extradata
        for packet in media.demux(stream):
            data = bytes(packet)
            if data:
                raw = bytes([data[0] | 0x10]) + data[1:] if stream.codec_context.name == "vp8" else data
                found |= {number_of(f) for f in decoder.decode(av.Packet(raw))}  # type: ignore[attr-defined]
        found |= {number_of(f) for f in decoder.decode(None)}  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.parametrize("start", [4.0, 4.52, 5.96, 7.3])
def test_the_first_picture_is_the_one_at_the_cut_and_the_voice_is_with_it(
    tmp_path: Path, codec: str, start: float
) -> None:
    path = cut(tmp_path, codec, (start, start + 4.0))
    pictures = [(at, number) for at, number in shown(path) if at >= -0.001]
    wanted = [n for n in range(SECONDS * FPS) if start - 1 / FPS < n / FPS < start + 4.0 - 0.002]
    assert abs(pictures[0][1] - start * FPS) <= 1 and abs(pictures[0][0]) <= 0.001
    assert [n for _, n in pictures][1:] == [n for n in wanted if n > pictures[0][1]]
    assert max(abs(at - (n / FPS - start)) for at, n in pictures[1:]) <= 0.021
    tones = [at for at in beeps(path) if at > 0.2]
    assert tones and max(abs((at + start) - round(at + start)) for at in tones) <= 0.022
    with av.open(str(path)) as media:
        assert abs((media.duration or 0) / 1e6 - 4.0) <= 0.05
        titles = [chapter["metadata"]["title"] for chapter in media.chapters()]
    assert titles == ["分数", "通分"]


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_nothing_that_is_not_to_be_recorded_is_in_the_file(tmp_path: Path, codec: str) -> None:
    # Key frames stand at 4 and 6 s: the cut at 5 would need pictures from 4 on.
    path = cut(tmp_path, codec, (5.0, 9.0), [(3.0, 5.0)])
    numbers = every_number(path)
    assert numbers == set(range(6 * FPS, 9 * FPS))
    pictures = [(at, number) for at, number in shown(path) if at >= -0.001]
    assert pictures[0] == (0.0, 6 * FPS)
    assert abs(pictures[1][0] - (pictures[1][1] / FPS - 5.0)) <= 0.021
    path.unlink()
    whole = cut(tmp_path / "other", codec, (5.0, 9.0))
    assert 4 * FPS in every_number(whole)


def test_a_cut_across_what_is_not_to_be_recorded_is_refused() -> None:
    with pytest.raises(ValueError, match="not to be recorded"):
        cut_of((5.0, 9.0), [(8.0, 10.0)])
    assert cut_of((5.0, 9.0), [(9.0, 12.0), (1.0, 2.0), (3.0, 5.0)]).floor_s == 5.0


def test_the_same_cut_gives_the_same_file(tmp_path: Path) -> None:
    source = master(tmp_path, "H264")
    for name in ("one.mp4", "two.mp4"):
        write_clip(tmp_path / name, cut_of((3.3, 7.7), []), source, source, CHAPTERS)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_where_there_is_nothing_there_is_no_file(tmp_path: Path) -> None:
    source = master(tmp_path, "VP8")
    assert not write_clip(tmp_path / "none.webm", cut_of((40.0, 60.0), []), None, source, [])
