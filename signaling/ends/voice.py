"""The voice of the demo lesson: a speech synthesiser under Node says each page, or a melody stands in.

The synthesiser (npm `espeak-ng`, see voice/package.json) is run as a program and never bundled.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from signaling.ends.lesson_text import Page

RATE = 48_000  # Hz
SCRIPT = Path(__file__).parent / "voice" / "speak.mjs"
SPEECH_TIMEOUT_S = 120
LEAD_S = 0.4  # silence before a page is read
Samples = NDArray[np.float32]

_log = logging.getLogger(__name__)


def speech_available() -> bool:
    """Whether the synthesiser can be run here."""
    return shutil.which("node") is not None and (SCRIPT.parent / "node_modules" / "espeak-ng").is_dir()


def lesson_voice(pages: Sequence[Page], page_s: int) -> Samples:
    """The whole sound track, mono, 48 kHz, -1 to 1, `page_s` seconds a page."""
    spoken = _speak(pages) if speech_available() else None
    track = np.zeros(len(pages) * page_s * RATE, np.float32)
    for index, page in enumerate(pages):
        sound = _melody(page.number) if spoken is None else spoken[index]
        start = int((index * page_s + LEAD_S) * RATE)
        sound = sound[: int((page_s - LEAD_S) * RATE)]
        track[start : start + len(sound)] = sound
    return track


def _speak(pages: Sequence[Page]) -> list[Samples] | None:
    """Each page's words, or None when the synthesiser fails (a melody is better than no lesson)."""
    lines = [f"{page.number}.wav\tcmn\t第{page.number}页。{page.title}。{page.words}。" for page in pages]
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                ["node", str(SCRIPT), folder],
                input="\n".join(lines),
                text=True,
                check=True,
                capture_output=True,
                timeout=SPEECH_TIMEOUT_S,
            )
            return [_load(Path(folder) / f"{page.number}.wav") for page in pages]
        except (OSError, subprocess.SubprocessError, av.FFmpegError) as error:
            _log.warning("no speech for the demo lesson, a melody instead: %s", error)
            return None


def _load(file: Path) -> Samples:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    parts: list[Samples] = []
    with av.open(str(file)) as container:
        for frame in container.decode(audio=0):
            parts += [out.to_ndarray()[0] for out in resampler.resample(frame)]
        parts += [out.to_ndarray()[0] for out in resampler.resample(None)]
    return np.concatenate(parts)


def _melody(number: int) -> Samples:
    """Two tones for the tens and one for each of the units, so that a page can be told by ear."""
    notes = [392.0] * (number // 10) + [523.25] * (number % 10)
    length = int(0.35 * RATE)
    time = np.arange(length) / RATE
    envelope = np.minimum(1, np.minimum(time, time[::-1]) * 40)
    return np.concatenate([(0.3 * envelope * np.sin(2 * np.pi * note * time)) for note in notes]).astype(np.float32)
