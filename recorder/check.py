"""Looks at a finished file as a player would: its first and last frames must decode; a still for the poster."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

# A lesson may have gone on for long after its last key frame; this many frames of it are decoded.
_MOST_FRAMES = 50
_POSTER_WIDTH = 640
# Where a stream is sought that has nothing at the very end.
_BEFORE_END_US = (0, 5_000_000, 60_000_000, 1 << 50)


def unplayable(path: Path) -> str | None:
    """Why the file cannot be played, or `None`: the first and the last frames of every stream are decoded."""
    try:
        with av.open(str(path)) as media:
            if not media.duration or not media.streams:
                return "no length"
            for stream in (s for s in media.streams if s.type in ("video", "audio")):  # chapters are a stream, too
                if not _decodes(media, stream, media.start_time or 0):
                    return f"the {stream.type} does not start"
                if not _ends(media, stream):
                    return f"the {stream.type} does not end"
    except av.FFmpegError as error:
        return str(error)
    return None


def _ends(media: av.container.InputContainer, stream: av.stream.Stream) -> bool:
    """Whether the stream's last frames decode; it may end before the others do, a voice even long before."""
    start_us = media.start_time or 0
    end_us = start_us + (media.duration or 0)
    return any(_decodes(media, stream, max(start_us, end_us - before)) for before in _BEFORE_END_US)


def _decodes(media: av.container.InputContainer, stream: av.stream.Stream, at_us: int) -> bool:
    media.seek(at_us, backward=True, any_frame=False)
    count = 0
    for packet in media.demux(stream):
        count += len(packet.decode())
        if count >= _MOST_FRAMES:
            break
    return count > 0


def poster(path: Path, at_us: int, private: Sequence[tuple[float, float]] = ()) -> bytes | None:
    """A JPEG of the key frame before that moment of a file, at most 640 pixels wide; None where it is private."""
    try:
        with av.open(str(path)) as media:
            if not media.streams.video:
                return None
            stream = media.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            media.seek(at_us, backward=True)
            frame = next(iter(media.decode(stream)), None)
        hidden = frame is None or any(start <= (frame.time or 0.0) < end for start, end in private)
        return None if frame is None or hidden else _jpeg(frame)
    except av.FFmpegError:
        return None


def _jpeg(frame: av.VideoFrame) -> bytes:
    width = min(frame.width, _POSTER_WIDTH) & ~1
    height = max(2, round(frame.height * width / frame.width) & ~1)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    still = frame.reformat(width=width, height=height, format="yuvj420p")
    still.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(still), *encoder.encode(None)])
