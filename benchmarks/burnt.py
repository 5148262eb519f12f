"""Media that tells its own time, and its readers: a number in every picture, a tone for each fifth of a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from signaling.ends.counter import draw_counter, read_counter
from signaling.ends.demo_media import LessonMedia, PlayedSource
from signaling.ends.encode import OPUS_PT, VP8_PT, Encoding, encode_video, encode_voice
from signaling.ends.voice import RATE

FPS = 25
SIZE = (640, 360)
TONE_S = 0.2
LOWEST_HZ, STEP_HZ = 400, 40
SURE_HZ = 15  # further from any tone is none
LOUD = 0.02
BLOCK = 960  # samples of 20 ms


@dataclass(frozen=True)
class Part:
    """A run without a new beginning: where it begins and ends on the media's own clock, what is missing inside."""

    first_s: float
    end_s: float
    missing_s: float


def burnt_lesson(folder: Path, seconds: int) -> LessonMedia:
    """Camera and microphone of this length; a key frame every two seconds."""
    encoding = Encoding("one", *SIZE, FPS, 400_000)
    camera = encode_video(folder, "camera", _pictures(seconds), FPS, (encoding,))
    voice = encode_voice(folder, _tones(seconds))
    loop_us = seconds * 1_000_000
    return LessonMedia(
        "burnt",
        float(seconds),
        {
            "microphone": PlayedSource(voice, ["v"], "opus", OPUS_PT, loop_us),
            "camera": PlayedSource(camera, ["one"], "VP8", VP8_PT, loop_us),
        },
    )


def picture_parts(files: list[Path]) -> list[Part]:
    """What the pictures of these files say, one file after the other."""
    numbers: list[int] = []
    for file in files:
        with av.open(str(file)) as container:
            pictures = (read_counter(frame.to_ndarray(format="gray")) for frame in container.decode(video=0))
            numbers += [number for number in pictures if number is not None]
    return [
        Part(run[0] / FPS, (run[-1] + 1) / FPS, (run[-1] + 1 - run[0] - len(set(run))) / FPS)
        for run in runs(numbers, back=1)
    ]


def tone_parts(files: list[Path]) -> list[Part]:
    """What the sound of these files says."""
    tones: list[int] = []
    for file in files:
        with av.open(str(file)) as container:
            tones += [tone for tone in map(_tone_of, _blocks(container)) if tone is not None]
    block_s = BLOCK / RATE
    parts = []
    for run in runs(tones, back=3):
        full = round(TONE_S / block_s)
        first_s = run[0] * TONE_S + max(0, full - run.count(run[0])) * block_s
        end_s = run[-1] * TONE_S + min(full, run.count(run[-1])) * block_s
        parts.append(Part(first_s, end_s, max(0.0, end_s - first_s - len(run) * block_s)))
    return parts


def runs(numbers: list[int], back: int) -> Iterator[list[int]]:
    """Cut where the numbers go back by `back` or more."""
    run: list[int] = []
    for number in numbers:
        if run and number <= run[-1] - back:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _pictures(seconds: int) -> Iterator[Image.Image]:
    for number in range(seconds * FPS):
        picture = Image.new("RGB", SIZE, (90, 120, 110))
        draw = ImageDraw.Draw(picture)
        x = number * 7 % SIZE[0]
        draw.ellipse((x - 50, 80, x + 50, 180), fill=(220, 190, 160))
        draw_counter(draw, SIZE, number)
        yield picture


def _tones(seconds: int) -> NDArray[np.float32]:
    time = np.arange(seconds * RATE) / RATE
    hertz = LOWEST_HZ + STEP_HZ * np.floor(time / TONE_S)
    return (0.4 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def _blocks(container: Any) -> Iterator[NDArray[np.float64]]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE, frame_size=BLOCK)
    for frame in container.decode(audio=0):
        frame.pts = None  # blocks one after the other, whatever gap lies between them
        for block in resampler.resample(frame):
            yield block.to_ndarray().reshape(-1).astype(np.float64)


def _tone_of(block: NDArray[np.float64]) -> int | None:
    """Which tone sounds, or None."""
    if float(np.sqrt(np.mean(block**2))) < LOUD:
        return None
    spectrum = np.abs(np.fft.rfft(block * np.hanning(len(block)), 8 * len(block)))
    hertz = float(np.argmax(spectrum)) * RATE / (8 * len(block))
    tone = round((hertz - LOWEST_HZ) / STEP_HZ)
    return tone if tone >= 0 and abs(LOWEST_HZ + STEP_HZ * tone - hertz) <= SURE_HZ else None
