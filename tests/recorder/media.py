"""Media that tells its own time: a number in sixteen blocks of every picture, a tone at every full second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import cast

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from numpy.typing import NDArray

BEEP_S = 0.1
TONE_HZ = 1000.0
_OPTIONS = {
    "VP8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1"},
    "H264": {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"},
}
_ENCODERS = {"VP8": "libvpx", "H264": "libx264"}


@dataclass(frozen=True)
class Unit:
    """One frame or audio packet, at its own time, as RTP payloads."""

    at_s: float
    payloads: tuple[bytes, ...]


def _picture(number: int, width: int, height: int) -> av.VideoFrame:
    bits = np.array([number >> i & 1 for i in range(16)], np.uint8).reshape(4, 4)
    luma = np.kron(bits, np.ones((height // 4, width // 4), np.uint8)) * 219 + 16
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = luma
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def number_of(frame: av.VideoFrame) -> int:
    """The number that the picture carries."""
    height, width = frame.height, frame.width
    luma = frame.to_ndarray(format="gray")
    rows = [height // 8 + height // 4 * i for i in range(4)]
    columns = [width // 8 + width // 4 * i for i in range(4)]
    bits = (luma[np.ix_(rows, columns)] > 128).reshape(16)
    return int(sum(int(bit) << i for i, bit in enumerate(bits)))


@cache
def video(
    codec: str, count: int, fps: int = 25, size: tuple[int, int] = (160, 128), gop: int = 50, first: int = 0
) -> tuple[Unit, ...]:
    """Pictures `first` to `first + count`, number n at n / fps seconds."""
    encoder = cast(av.VideoCodecContext, av.CodecContext.create(_ENCODERS[codec], "w"))
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base, encoder.gop_size = "yuv420p", Fraction(1, fps), gop
    encoder.bit_rate, encoder.options = 200_000, dict(_OPTIONS[codec])
    encoder.max_b_frames = 0
    units = []
    for number in range(first, first + count):
        frame = _picture(number, *size)
        frame.pts = number
        units += [Unit(number / fps, tuple(_payloads(codec, bytes(p), number))) for p in encoder.encode(frame)]
    return tuple(units)


def _payloads(codec: str, data: bytes, number: int) -> list[bytes]:
    if codec == "VP8":
        return Vp8Encoder._packetize(data, number & 0x7FFF)
    return H264Encoder._packetize(H264Encoder._split_bitstream(data))


@cache
def voice(seconds: float, first_s: float = 0.0) -> tuple[Unit, ...]:
    """Opus packets of 20 ms with a tone for a tenth of a second at every full second."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.bit_rate, encoder.time_base = 32_000, Fraction(1, 48_000)
    encoder.options = {"application": "lowdelay"}
    units: list[Unit] = []
    for i in range(round(seconds * 50)):
        at = first_s + i * 0.02 + np.arange(960) / 48_000
        sound = np.where(at % 1.0 < BEEP_S, 12_000 * np.sin(2 * np.pi * TONE_HZ * at), 0).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, i * 960
        for packet in encoder.encode(frame):
            units.append(Unit(first_s + len(units) * 0.02, (bytes(packet),)))
    return tuple(units)


def shown(path: Path) -> list[tuple[float, int]]:
    """(time, number) of every picture in the file."""
    with av.open(str(path)) as media:
        return [(float(frame.time or 0), number_of(frame)) for frame in media.decode(video=0)]


def heard(path: Path) -> tuple[NDArray[np.float64], float]:
    """The sound of the file as mono samples at 48 kHz, and the time of the first."""
    with av.open(str(path)) as media:
        stream = media.streams.audio[0]
        # The decoder leaves out what the container calls the encoder's delay; its times know nothing of that.
        blocks = [(frame.time, frame.to_ndarray()) for frame in media.decode(stream)]
    first = blocks[0][0] or 0.0
    samples = np.concatenate([block.reshape(-1) for _, block in blocks])
    return samples.astype(np.float64), float(first)


def beeps(path: Path) -> list[float]:
    """When each tone starts."""
    samples, first = heard(path)
    window = 120
    count = len(samples) // window
    loud = np.sqrt(np.mean(samples[: count * window].reshape(count, window) ** 2, axis=1))
    on = loud > 0.2 * float(loud.max())
    starts = np.nonzero(on & ~np.concatenate(([False], on[:-1])))[0]
    out: list[float] = []
    for start in starts:
        at = first + start * window / 48_000
        if not out or at - out[-1] > 2 * BEEP_S:
            out.append(at)
    return out


def red(units: Sequence[Unit], distance: int = 1) -> Iterator[tuple[Unit, int]]:
    """RFC 2198 payloads: each packet with the one before it (payload type 111 inside)."""
    for i, unit in enumerate(units):
        data = unit.payloads[0]
        if i < distance:
            yield Unit(unit.at_s, (bytes([111]) + data,)), 0
            continue
        old = units[i - distance].payloads[0]
        header = (0x80 | 111) << 24 | (960 * distance) << 10 | len(old)
        yield Unit(unit.at_s, (header.to_bytes(4, "big") + bytes([111]) + old + data,)), distance
