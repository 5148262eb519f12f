"""Short media for headless publishers: a numbered camera in three sizes and a tone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from signaling.ends.demo_media import LessonMedia, PlayedSource
from signaling.ends.drawing import camera_frame
from signaling.ends.encode import OPUS_PT, VP8_PT, Encoding, encode_video, encode_voice

FPS = 15
TONE_HZ = 500
ENCODINGS = (
    Encoding("l", 320, 180, FPS, 90_000),
    Encoding("m", 640, 360, FPS, 350_000),
    Encoding("h", 1280, 720, FPS, 800_000),
)


def small_lesson(folder: Path, seconds: int = 4) -> LessonMedia:
    """`seconds` of camera and tone that repeat; a key frame each two seconds."""
    pictures = (camera_frame(number, FPS) for number in range(seconds * FPS))
    camera = encode_video(folder, "camera", pictures, FPS, ENCODINGS)
    time = np.arange(seconds * 48_000) / 48_000
    voice = encode_voice(folder, (0.4 * np.sin(2 * np.pi * TONE_HZ * time)).astype(np.float32))
    loop_us = seconds * 1_000_000
    return LessonMedia(
        "small",
        float(seconds),
        {
            "microphone": PlayedSource(voice, ["v"], "opus", OPUS_PT, loop_us),
            "camera": PlayedSource(camera, ["l", "m", "h"], "VP8", VP8_PT, loop_us),
        },
    )
