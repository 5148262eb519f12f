"""The look at a finished file: what a player could not play is found, what it could is let through."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from recorder.check import unplayable

FPS = 10


def write(file: Path, video_s: int, audio_s: float) -> Path:
    """A WebM of grey frames, a key frame each second, and a voice that may end earlier."""
    with av.open(str(file), "w") as out:
        video = out.add_stream("libvpx", rate=FPS)
        video.width, video.height, video.pix_fmt, video.gop_size = 64, 64, "yuv420p", FPS
        audio = out.add_stream("libopus", rate=48_000, layout="mono")
        audio_frames = int(audio_s * 50)
        for tick in range(video_s * 50):
            if tick % (50 // FPS) == 0:
                picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), tick % 255, np.uint8), format="rgb24")
                picture.pts, picture.time_base = tick * FPS // 50, Fraction(1, FPS)
                out.mux(video.encode(picture))
            if tick < audio_frames:
                sound = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), format="flt", layout="mono")
                sound.sample_rate, sound.pts = 48_000, tick * 960
                out.mux(audio.encode(sound))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))
    return file


@pytest.mark.parametrize("audio_s", [8.0, 6.9, 2.0])
def test_a_voice_that_ends_before_the_picture_is_playable(tmp_path: Path, audio_s: float) -> None:
    assert unplayable(write(tmp_path / "lesson.webm", 8, audio_s)) is None


def test_what_is_no_medium_is_not_playable(tmp_path: Path) -> None:
    file = tmp_path / "lesson.webm"
    file.write_bytes(bytes(1000))
    assert unplayable(file) is not None
