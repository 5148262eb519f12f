"""What the teacher's fake camera and microphone give: the demo's teacher, with the grain that real pictures have."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from signaling.ends import drawing, lesson_text, voice

SIZE = drawing.SIZE
FPS = 25  # what the page asks of its better layers
CAMERA_S = 12  # whole turns of how the teacher sways
SEED = 20_261_122
# Grey levels: walls, clothes and faces are nowhere even, and a sensor in a classroom's light is noisy.
TEXTURE = 14.0
NOISE = 2.0
NOISES = 7

Floats = NDArray[np.float64]


def make_camera(file: Path) -> None:
    """A Y4M file at 1280x720, which costs Chromium nothing to read."""
    chance = np.random.default_rng(SEED)
    texture = TEXTURE * _texture(chance)
    noises = [NOISE * chance.standard_normal((SIZE[1], SIZE[0], 1)) for _ in range(NOISES)]
    with file.open("wb") as out:
        out.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{FPS}:1 Ip A1:1 C420\n".encode())
        for number in range(CAMERA_S * FPS):
            noise = np.roll(noises[number % NOISES], int(chance.integers(SIZE[0])), axis=1)
            pixels = np.asarray(drawing.camera_frame(number, FPS), dtype=np.float64) + texture + noise
            picture = av.VideoFrame.from_ndarray(pixels.clip(0, 255).astype(np.uint8), format="rgb24")
            out.write(b"FRAME\n" + picture.reformat(format="yuv420p").to_ndarray().tobytes())


def _texture(chance: np.random.Generator) -> Floats:
    """A field of deviation 1 whose spectrum falls as that of natural pictures does: amplitude with the frequency."""
    across, down = np.fft.rfftfreq(SIZE[0]), np.fft.fftfreq(SIZE[1])[:, None]
    frequency = np.hypot(across, down)
    frequency[0, 0] = np.inf
    waves = np.fft.rfft2(chance.standard_normal((SIZE[1], SIZE[0]))) / frequency
    field = np.fft.irfft2(waves, (SIZE[1], SIZE[0]))
    return np.asarray(field / field.std())[:, :, None]


def make_microphone(file: Path, seconds: int) -> None:
    """The demo's voice, mono, 48 kHz."""
    pages = lesson_text.PAGES[: -(-seconds // lesson_text.PAGE_S)]
    sound = voice.lesson_voice(pages, lesson_text.PAGE_S)[: seconds * voice.RATE]
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(voice.RATE)
        out.writeframes((sound.clip(-1, 1) * 32_767).astype("<i2").tobytes())
