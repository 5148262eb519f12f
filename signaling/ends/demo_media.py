"""Makes the demo lesson once and keeps it: three minutes of slides, a voice that reads them, and a moving camera.

Run as a program (`python -m signaling.ends.demo_media FOLDER`) it encodes what is missing; the name of the
cache folder is a digest of everything that goes in, so that a change makes it anew and a second start is instant.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from signaling.ends import counter, drawing, encode, lesson_text, rtp_packets, voice
from signaling.ends.apart import run_apart

if TYPE_CHECKING:
    from signaling.sdp import Sent
    from streaming._core import RtpParameters

CAMERA_LOOP_S, CAMERA_FPS = 30, 25
CAMERA = (
    encode.Encoding("l", 320, 180, 15, 90_000),
    encode.Encoding("m", 640, 360, 25, 350_000),
    encode.Encoding("h", 1280, 720, 25, 1_000_000),
)
SCREEN_FPS = 5
SCREEN = (encode.Encoding("s", 1280, 720, SCREEN_FPS, 300_000),)
_INDEX = "lesson.json"


@dataclass(frozen=True)
class PlayedSource:
    """Track files of one source, lowest encoding first, that repeat every `loop_us`."""

    paths: list[str]
    rids: list[str]
    codec: str
    payload_type: int
    loop_us: int

    def rtp(self) -> RtpParameters:
        """The parameters under which the packet core plays it."""
        audio = self.codec == "opus"
        clock = voice.RATE if audio else encode.VIDEO_CLOCK
        return {
            "mid": "",
            "kind": "audio" if audio else "video",
            "codecs": [{"pt": self.payload_type, "codec": self.codec, "clock_rate": clock}],
            "extensions": {},
            "encodings": [{"rid": rid} for rid in self.rids] if len(self.rids) > 1 else [{}],
            "nack": False,
            "twcc": False,
        }


@dataclass(frozen=True)
class LessonMedia:
    """What a publishing end plays, by source."""

    title: str
    length_s: float
    sources: dict[Sent, PlayedSource]

    def rids(self) -> dict[str, tuple[str, ...]]:
        """The simulcast streams of each source that has several."""
        return {name: tuple(s.rids) for name, s in self.sources.items() if len(s.rids) > 1}


def cache_folder() -> Path:
    """Where the encoded demo lesson is kept between starts."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(f"{voice.speech_available()} {drawing.cjk_font_file()}".encode())
    for module in (counter, drawing, encode, lesson_text, rtp_packets, voice, sys.modules[__name__]):
        digest.update(Path(str(module.__file__)).read_bytes())
    return home / "zhuandi" / f"demo-{digest.hexdigest()[:16]}"


def load_media(folder: Path) -> LessonMedia | None:
    """The lesson in `folder`, or None when it is not (wholly) there."""
    try:
        value = json.loads((folder / _INDEX).read_text())
        sources = {name: PlayedSource(**source) for name, source in value["sources"].items()}
        present = all((folder / path).exists() for source in sources.values() for path in source.paths)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not present:
        return None
    placed: Any = {
        n: PlayedSource(**{**asdict(s), "paths": [str(folder / p) for p in s.paths]}) for n, s in sources.items()
    }
    return LessonMedia(value["title"], value["length_s"], placed)


async def prepare_media(folder: Path | None = None) -> LessonMedia:
    """The demo lesson; encoded in another process where the cache has none. Raises `RuntimeError` on failure."""
    folder = folder or cache_folder()
    if (media := load_media(folder)) is not None:
        return media
    status = await run_apart(__name__, str(folder))
    media = load_media(folder)
    if media is None:
        raise RuntimeError(f"the demo lesson could not be encoded (status {status})")
    return media


def make_media(folder: Path) -> None:
    """Encode the lesson into `folder`, which appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    half_done = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    try:
        with ProcessPoolExecutor(2) as pool:
            camera = pool.submit(_make_camera, half_done)
            rest = pool.submit(_make_screen_and_voice, half_done)
            sources = {"camera": camera.result(), **rest.result()}
        length_s = len(lesson_text.PAGES) * lesson_text.PAGE_S
        index = {
            "title": f"{lesson_text.TITLE} · {lesson_text.TITLE_EN}",
            "length_s": length_s,
            "sources": {name: asdict(source) for name, source in sources.items()},
        }
        (half_done / _INDEX).write_text(json.dumps(index, ensure_ascii=False))
        if folder.exists():
            shutil.rmtree(folder)
        half_done.rename(folder)
    finally:
        shutil.rmtree(half_done, ignore_errors=True)


def _make_camera(folder: Path) -> PlayedSource:
    def pictures() -> Iterator[Image.Image]:
        return (drawing.camera_frame(number, CAMERA_FPS) for number in range(CAMERA_LOOP_S * CAMERA_FPS))

    paths = encode.encode_video(folder, "camera", pictures(), CAMERA_FPS, CAMERA)
    return _played(paths, [encoding.rid for encoding in CAMERA], "VP8", CAMERA_LOOP_S)


def _make_screen_and_voice(folder: Path) -> dict[str, PlayedSource]:
    length_s = len(lesson_text.PAGES) * lesson_text.PAGE_S
    sound = voice.lesson_voice(lesson_text.PAGES, lesson_text.PAGE_S)
    spoken = encode.encode_voice(folder, sound)
    whispered = encode.encode_voice(folder, sound, encode.LOW_VOICE)
    slides = (drawing.slide_frame(n, SCREEN_FPS, lesson_text.PAGE_S) for n in range(length_s * SCREEN_FPS))
    screen = encode.encode_video(folder, "screen", slides, SCREEN_FPS, SCREEN)
    return {
        "microphone": _played(spoken, ["v"], "opus", length_s),
        "low_voice": _played(whispered, ["v"], "opus", length_s),
        "screen": _played(screen, ["s"], "VP8", length_s),
    }


def _played(paths: list[str], rids: list[str], codec: str, loop_s: int) -> PlayedSource:
    payload_type = encode.OPUS_PT if codec == "opus" else encode.VP8_PT
    return PlayedSource([Path(path).name for path in paths], rids, codec, payload_type, loop_s * 1_000_000)


if __name__ == "__main__":
    _folder = Path(sys.argv[1]) if len(sys.argv) > 1 else cache_folder()
    if load_media(_folder) is None:
        make_media(_folder)
