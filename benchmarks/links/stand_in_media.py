"""Decodable media of given sizes: a drawn teacher who stands still, and the demo's voice.

How a line is used depends on when frames come and how large they are, not on what they show. So a picture is coded
once, as a key frame and a frame that changes next to nothing, and both are filled up to the sizes that a film asks for:
what follows the last partition of a VP8 frame is read by nobody (RFC 6386 9.5). Nothing is encoded while somebody
measures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np

from benchmarks.links import films
from signaling.ends import drawing, lesson_text, voice

VIDEO_HZ = 90_000
LEAST_QP, LEAST_BPS = 56, 50_000  # there must be room up to the smallest frame of the film
TRIED = 12
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
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, VIDEO_HZ), Fraction(25)
    encoder.gop_size, encoder.thread_count, encoder.qmin, encoder.qmax = 1000, 1, LEAST_QP, 63
    encoder.bit_rate = LEAST_BPS
    # Error resilience: no frame leans on the statistics of the one before, so any may be repeated or left out.
    encoder.options = {
        "deadline": "realtime",
        "cpu-used": "8",
        "error-resilient": "1",
        "lag-in-frames": "0",
        "static-thresh": "100000",
    }
    drawn = av.VideoFrame.from_ndarray(np.asarray(drawing.camera_frame(0, 25)), format="rgb24")
    picture = drawn.reformat(width, height, "yuv420p")
    frames: list[bytes] = []
    for number in range(TRIED):
        picture.pts, picture.time_base = number * VIDEO_HZ // 25, Fraction(1, VIDEO_HZ)
        frames += [bytes(packet) for packet in encoder.encode(picture)]
    return frames[0], min(frames[1:], key=len)


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
