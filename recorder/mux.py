"""Encoded media into one finished file that browsers play and seek: WebM for VP8, MP4 for H.264, Opus for the voice.

Nothing is encoded again. Files are made in one go at the end, so their length and index are known.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import merge
from itertools import chain, islice
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.stream import Stream

from recorder.sources import Picture, Sound

_MICROSECOND = Fraction(1, 1_000_000)
_VIDEO_BASE = Fraction(1, 90_000)
_VP8_START = b"\x9d\x01\x2a"
_STEREO_BIT = 0x04
# Whether a voice is stereo, and how large the picture becomes, shows in so many packets and frames.
_PEEKED = 250


@dataclass(frozen=True)
class Written:
    """What stands in a file: times on the lesson's timeline in microseconds, the largest picture."""

    suffix: str
    mime: str
    codec: str
    start_us: int
    end_us: int
    width: int | None = None
    height: int | None = None


def write_media(
    folder: Path,
    codec: str | None,
    video: Iterator[Picture],
    voice: Iterator[Sound] | None,
) -> Written | None:
    """Write `media.webm` or `media.mp4` into the folder and sync it; `None` when there is nothing to write.

    `codec` is "VP8", "H264" or None for the voice alone. Raises `av.FFmpegError` when libav refuses the media.
    """
    seen = list(islice(video, _PEEKED))
    heard = list(islice(voice, _PEEKED)) if voice is not None else []
    if not seen and not heard:
        return None
    codec = codec if seen else None
    sizes = _Sizes(codec)
    for picture in seen:
        sizes.see(picture)
    suffix = "mp4" if codec == "H264" else "webm"
    path = folder / f"media.{suffix}"
    # Bit-exact: the same log gives the same file, so a second try after a kill leaves nothing behind.
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if suffix == "mp4" else {"cues_to_front": "1"})
    template = _opus_template(any(s.data[0] & _STEREO_BIT for s in heard))
    with (
        av.open(str(path), "w", format=suffix, container_options=options) as out,
        template,
    ):
        video_stream = _add_video(out, codec, sizes) if seen else None
        voice_stream = out.add_stream_from_template(template.streams.audio[0]) if heard else None
        start_us, end_us = _mux_all(
            out, video_stream, chain(seen, video), voice_stream, chain(heard, voice or ()), sizes
        )
    sync_file(path)
    return replace(
        _described(suffix, codec, bool(heard), sizes),
        start_us=start_us,
        end_us=end_us,
    )


def _described(suffix: str, codec: str | None, voice: bool, sizes: _Sizes) -> Written:
    names = {"VP8": "vp8", "H264": sizes.avc_name, None: ""}[codec]
    codecs = ",".join(filter(None, (names, "opus" if voice else "")))
    kind = "video" if codec else "audio"
    return Written(
        suffix,
        f'{kind}/{suffix}; codecs="{codecs}"',
        codec or "opus",
        0,
        0,
        sizes.width,
        sizes.height,
    )


class _Sizes:
    """The picture's size as the key frames say it; simulcast climbs, so the largest is what the lesson looks like."""

    def __init__(self, codec: str | None) -> None:
        self._codec = codec
        self._parameters = b""
        self.width: int | None = None
        self.height: int | None = None
        self.avc_name = "avc1.42e01f"

    def see(self, picture: Picture) -> None:
        """Take note of a key frame."""
        if not picture.key:
            return
        size = _vp8_size(picture.data) if self._codec == "VP8" else self._h264_size(picture.data)
        if size is None:
            return
        if self.width is None or size > (self.width, self.height or 0):
            self.width, self.height = size

    def _h264_size(self, data: bytes) -> tuple[int, int] | None:
        at = data.find(b"\0\0\1\x67")
        parameters = data[at : data.find(b"\0\0\1", at + 4)] if at >= 0 else b""
        if not parameters or parameters == self._parameters:
            return None
        if not self._parameters:
            self.avc_name = "avc1." + parameters[4:7].hex()
        self._parameters = parameters
        decoder = av.CodecContext.create("h264", "r")
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
        return (frames[0].width, frames[0].height) if frames else None


def _vp8_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a VP8 key frame (RFC 6386 9.1)."""
    if len(data) < 10 or data[3:6] != _VP8_START:
        return None
    return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF


def _add_video(out: av.container.OutputContainer, codec: str | None, sizes: _Sizes) -> Stream:
    if sizes.width is None or sizes.height is None:
        raise ValueError("no key frame says how large it is")
    name = "vp8" if codec == "VP8" else "h264"
    return out.add_mux_stream(name, rate=25, width=sizes.width, height=sizes.height, time_base=_VIDEO_BASE)


def _mux_all(
    out: av.container.OutputContainer,
    video_stream: Stream | None,
    pictures: Iterator[Picture],
    voice_stream: AudioStream | None,
    sounds: Iterator[Sound],
    sizes: _Sizes,
) -> tuple[int, int]:
    start_us: int | None = None
    end_us = 0
    pictured = False
    media: list[Iterator[Picture | Sound]] = [pictures, sounds]
    for item in merge(*media, key=_when):
        packet = av.Packet(item.data)
        packet.time_base = _MICROSECOND
        packet.pts = packet.dts = item.pts_us
        if isinstance(item, Sound):
            packet.duration = item.duration_us
            packet.is_keyframe = True
            stream: Stream | None = voice_stream
            end_us = max(end_us, item.pts_us + item.duration_us)
        else:
            packet.is_keyframe = item.key
            stream = video_stream
            if out.format.name == "mp4" and not pictured:
                # Its first picture stands from 0 on: Chromium loses its way in an MP4 that begins with an empty edit.
                packet.pts = packet.dts = 0
            pictured = True
            end_us = max(end_us, item.pts_us)
            sizes.see(item)
        assert stream is not None
        packet.stream = stream
        start_us = item.pts_us if start_us is None else start_us
        out.mux_one(packet)
    return start_us or 0, end_us


def _when(item: Picture | Sound) -> int:
    return item.pts_us


def _opus_template(stereo: bool) -> av.container.InputContainer:
    """An Opus stream to copy the headers from: libav writes no OpusHead by itself."""
    layout = "stereo" if stereo else "mono"
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=48_000, layout=layout)
        silence = np.zeros((1, 960 * (2 if stereo else 1)), np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout=layout)
        frame.sample_rate, frame.pts = 48_000, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    buffer.seek(0)
    return av.open(buffer, "r")


def sync_file(path: Path) -> None:
    """Bring a written file to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
