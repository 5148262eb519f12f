"""What a check sends: a still picture in three sizes and a hum, of a lesson's rates, made once and kept.

Of each size one key frame and one frame that changes nothing are coded and filled up to the wanted rate
(`ends/still_frames.py`). `python -m signaling.checks.stream FOLDER` makes what is missing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from recorder.zwl import LogCodec, TrackHeader, ZwlWriter
from signaling.ends import encode, rtp_packets, still_frames, voice
from signaling.ends.apart import run_apart

if TYPE_CHECKING:
    from streaming._core import EncodingDict, RtpParameters

LOOP_S = 4  # a key frame at each beginning
FPS = 25
CAMERA = (
    encode.Encoding("l", 320, 180, FPS, 100_000),
    encode.Encoding("m", 640, 360, FPS, 350_000),
    encode.Encoding("h", 1280, 720, FPS, 1_000_000),
)
KEY_FRAME_SHARE = 4  # a key frame is as large as so many others
VOICES = (encode.LOW_VOICE, encode.VOICE)
HUM_HZ = (220.0, 447.0, 905.0)


@dataclass(frozen=True)
class CheckStream:
    """Track files of both sources, lowest encoding first, which repeat every `LOOP_S`."""

    camera: list[str]
    microphone: list[str]
    loop_us: int = LOOP_S * 1_000_000

    def rtp(self, source: str) -> RtpParameters:
        """The parameters under which the packet core plays one of them."""
        audio = source == "microphone"
        codec = (encode.OPUS_PT, "opus", voice.RATE) if audio else (encode.VP8_PT, "VP8", encode.VIDEO_CLOCK)
        rids: list[EncodingDict] = [{"rid": name} for name in ("low", "voice")]
        return {
            "mid": "",
            "kind": "audio" if audio else "video",
            "codecs": [{"pt": codec[0], "codec": codec[1], "clock_rate": codec[2]}],
            "extensions": {},
            "encodings": rids if audio else [{"rid": one.rid} for one in CAMERA],
            "nack": False,
            "twcc": False,
        }


async def prepare_stream(parent: Path) -> CheckStream:
    """The stream in a folder below `parent`; coded by another process where it is missing. Raises `RuntimeError`."""
    folder = parent / f"check-{_digest()}"
    stream = _stream(folder)
    if not _is_there(stream):
        status = await run_apart(__name__, str(folder))
        if not _is_there(stream):
            raise RuntimeError(f"the stream of the check could not be coded (status {status})")
    return stream


def user_cache() -> Path:
    """Where a command of a person keeps it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zhuandi"


def make_stream(folder: Path) -> None:
    """Code it into `folder`, which appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    half_done = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    try:
        for encoding in CAMERA:
            _write_picture(half_done / f"camera-{encoding.rid}.zwl", encoding)
        for speech in VOICES:
            encode.encode_voice(half_done, _hum(), speech)
        shutil.rmtree(folder, ignore_errors=True)
        half_done.rename(folder)
    finally:
        shutil.rmtree(half_done, ignore_errors=True)


def _stream(folder: Path) -> CheckStream:
    camera = [str(folder / f"camera-{encoding.rid}.zwl") for encoding in CAMERA]
    return CheckStream(camera, [str(folder / speech.file) for speech in VOICES])


def _is_there(stream: CheckStream) -> bool:
    return all(Path(path).is_file() for path in (*stream.camera, *stream.microphone))


def _digest() -> str:
    modules = (encode, rtp_packets, still_frames, sys.modules[__name__])
    return hashlib.sha256(b"".join(Path(str(one.__file__)).read_bytes() for one in modules)).hexdigest()[:16]


def _write_picture(file: Path, encoding: encode.Encoding) -> None:
    """Frames of one size whose bytes are those of its rate."""
    ssrc = 0x5A430000 + encoding.height
    header = TrackHeader("camera", "check", "video", (LogCodec(encode.VP8_PT, "VP8", encode.VIDEO_CLOCK),), ssrc)
    writer, rtp = ZwlWriter(file, 1, header), rtp_packets.RtpStream(ssrc, encode.VP8_PT)
    grey = np.full((encoding.height * 3 // 2, encoding.width), 128, np.uint8)
    key, still = still_frames.still_frames(av.VideoFrame.from_ndarray(grey, format="yuv420p"), FPS)
    frames = LOOP_S * FPS
    size = encoding.bps * LOOP_S // 8 // (frames - 1 + KEY_FRAME_SHARE)
    for number in range(frames):
        frame = key.ljust(size * KEY_FRAME_SHARE, b"\0") if number == 0 else still.ljust(size, b"\0")
        timestamp = number * encode.VIDEO_CLOCK // FPS
        payloads = list(rtp_packets.vp8_payloads(frame, number))
        for place, (payload, last) in enumerate(payloads):
            at_us = number * 1_000_000 // FPS + place * encode.SPREAD_US
            writer.rtp(at_us, rtp.packet(timestamp, payload, marker=last))
    writer.close()


def _hum() -> voice.Samples:
    """A sound that keeps a voice's encoder busy; nobody hears it."""
    times = np.arange(LOOP_S * voice.RATE) / voice.RATE
    sound = sum(np.sin(2 * np.pi * hz * times) for hz in HUM_HZ) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * times))
    noise = np.random.default_rng(1).normal(0, 0.05, times.size)
    return np.asarray(0.1 * sound + noise, np.float32)


if __name__ == "__main__":
    make_stream(Path(sys.argv[1]))
