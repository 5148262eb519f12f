"""What the fake camera and microphone of a browser show and say: frames with a burnt-in number, and a tone."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from signaling.ends.drawing import camera_frame

TONE_HZ = 600
FRAMES, FPS = 120, 30  # Chromium plays Motion JPEG at 30 fps and repeats it


def make_camera(file: Path) -> Path:
    """A Motion JPEG file of numbered frames at 1280x720."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 1280, 720, "yuvj420p"
    encoder.time_base = Fraction(1, FPS)
    encoder.options = {"qmin": "3", "qmax": "3"}
    with file.open("wb") as out:
        for number in range(FRAMES):
            picture = av.VideoFrame.from_ndarray(np.asarray(camera_frame(number, FPS)), format="rgb24")
            frame = picture.reformat(format="yuvj420p")
            frame.pts = number
            for packet in encoder.encode(frame):
                out.write(bytes(packet))
    return file


def make_microphone(file: Path) -> Path:
    """Two seconds of a tone, mono, 48 kHz; a whole number of periods, so that it repeats without a click."""
    time = np.arange(2 * 48_000) / 48_000
    samples = (0.4 * 32_767 * np.sin(2 * np.pi * TONE_HZ * time)).astype("<i2")
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(samples.tobytes())
    return file
