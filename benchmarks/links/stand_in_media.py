"""Decodable media of given sizes: a drawn teacher who stands still, and the demo's voice.

A picture is coded once, and its frames are filled up to the sizes that a film asks for (`ends/still_frames.py`).
Nothing is encoded while somebody measures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import av
import numpy as np

from benchmarks.links import films
from signaling.ends import drawing, lesson_text, voice
from signaling.ends.still_frames import still_frames

LEAST_QP = 56  # there must be room up to the smallest frame of the film
VOICES_BPS = (12_000, 32_000)


@dataclass(frozen=True)
class Media:
    """What a film is made of."""

    source: films.Recording  # with the sizes of these voices
    pictures: list[tuple[bytes, bytes]]  # of each layer a key frame and another one
    voices: list[list[bytes]]  # frames of each encoding, lowest rate first

    def frame(self, layer: int, size: int, *, key: bool) -> bytes:
        """A frame of this layer that is at least as large."""
        return self.pictures[layer][0 if key else 1].ljust(size, b"\0")


def make_media(source: films.Recording) -> Media:
    """The frames of this camera, beside voices of the same length; raises `ValueError` where a frame has no room."""
    pictures = [_picture(width, height) for height, width, _ in source.layers]
    for number, (_, _, keys) in enumerate(source.layers):
        least = min(row.bytes for row in source.camera if row.encoding == number)
        if min(keys) < len(pictures[number][0]) or least < len(pictures[number][1]):
            raise ValueError(f"layer {number}: a frame of {least} bytes is too small to be decoded")
    seconds = source.loop_us // 1_000_000
    pages = lesson_text.PAGES[: -(-seconds // lesson_text.PAGE_S)]
    sound = voice.lesson_voice(pages, lesson_text.PAGE_S)[: seconds * voice.RATE]
    voices = [_voice(sound, length_us, bps) for length_us, bps in zip(films.VOICES_US, VOICES_BPS, strict=True)]
    return Media(replace(source, voices=[[len(frame) for frame in frames] for frames in voices]), pictures, voices)


def _picture(width: int, height: int) -> tuple[bytes, bytes]:
    drawn = av.VideoFrame.from_ndarray(np.asarray(drawing.camera_frame(0, 25)), format="rgb24")
    return still_frames(drawn.reformat(width, height, "yuv420p"), 25, LEAST_QP)


def _voice(sound: voice.Samples, length_us: int, bps: int) -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = voice.RATE, "mono", "flt", bps
    encoder.options = {"application": "voip", "frame_duration": str(length_us // 1000)}
    samples = voice.RATE * length_us // 1_000_000
    frames: list[bytes] = []
    for number in range(len(sound) // samples):
        part = av.AudioFrame.from_ndarray(
            sound[np.newaxis, number * samples : (number + 1) * samples], format="flt", layout="mono"
        )
        part.sample_rate, part.pts = voice.RATE, number * samples
        frames += _bytes(encoder.encode(part))
    # What the encoder looks ahead would make the loop longer than the sound.
    return (frames + _bytes(encoder.encode(None)))[: len(sound) // samples]


def _bytes(packets: Iterable[av.Packet[Any]]) -> list[bytes]:
    return [bytes(packet) for packet in packets]
