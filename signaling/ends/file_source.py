"""A file or a live address opened by PyAV as tracks for aiortc.

H.264 and Opus go through as they are; everything else is decoded, and aiortc encodes it again.
"""

from __future__ import annotations

import asyncio
import fractions
import threading
import time
from typing import Any

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

QUEUE = 100  # packets or frames that wait in each track
OPEN_TIMEOUT_S = (10.0, 15.0)  # to open, to read
OPUS_RATE, OPUS_FRAME = 48_000, 960
OPUS_NAMES = {"opus", "libopus"}
LARGEST = (1280, 720)
LIVE_SCHEMES = ("rtsp://", "rtsps://", "rtmp://", "rtmps://", "srt://", "udp://")
Item = Any  # av.Packet, av.VideoFrame or av.AudioFrame


class Unreadable(Exception):
    """The file or address cannot be opened, or has neither picture nor sound."""


class FileTrack(MediaStreamTrack):
    """One stream in its own time; `passed_through` tells that packets, not frames, come out."""

    def __init__(self, kind: str, *, passed_through: bool, live: bool) -> None:
        super().__init__()
        self.kind = kind
        self.passed_through = passed_through
        self._live = live
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue(QUEUE)
        self._origin_s: float | None = None
        self.ended = asyncio.Event()

    async def put(self, item: Item | None) -> None:
        """Hand over the next item; None ends the track."""
        await self._queue.put(item)

    async def recv(self) -> Item:
        """The next packet or frame at its time."""
        item = await self._queue.get()
        if item is None:
            self.ended.set()
            self.stop()
            raise MediaStreamError
        if not self._live:
            at_s = float(item.pts * item.time_base)
            if self._origin_s is None:
                self._origin_s = time.monotonic() - at_s
            await asyncio.sleep(self._origin_s + at_s - time.monotonic())
        return item


class FileSource:
    """Opens `address` (raises `Unreadable`) and feeds its tracks from a thread of its own after `start`."""

    def __init__(self, address: str) -> None:
        self._live = address.startswith(LIVE_SCHEMES)
        options = {"rtsp_transport": "tcp"} if address.startswith("rtsp") else {}
        try:
            self._container = av.open(address, options=options, timeout=OPEN_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise Unreadable(f"{address} cannot be opened: {error}") from error
        video = next(iter(self._container.streams.video), None)
        audio = next(iter(self._container.streams.audio), None)
        if video is None and audio is None:
            self._container.close()
            raise Unreadable(f"{address} has neither picture nor sound")
        self._streams: list[Any] = [stream for stream in (video, audio) if stream is not None]
        self.video = None if video is None else self._track("video", passed_through=_passes(video))
        self.audio = (
            None
            if audio is None
            else self._track("audio", passed_through=audio.codec_context.name in {"opus", "libopus"})
        )
        self._quit = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def tracks(self) -> list[FileTrack]:
        """Video first, then audio, as far as there are."""
        return [track for track in (self.video, self.audio) if track is not None]

    def start(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._read, args=(loop,), name="file-source", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; returns at once."""
        self._quit.set()

    def _track(self, kind: str, *, passed_through: bool) -> FileTrack:
        return FileTrack(kind, passed_through=passed_through, live=self._live)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        def put(track: FileTrack, item: Item | None) -> None:
            waiting = asyncio.run_coroutine_threadsafe(track.put(item), loop)
            while not self._quit.is_set():
                try:
                    waiting.result(0.2)
                    return
                except TimeoutError:
                    continue
            waiting.cancel()

        feeds = {stream.index: self._feed(stream) for stream in self._streams}
        try:
            for packet in self._container.demux(*self._streams):
                track, feed = feeds[packet.stream_index]
                for item in feed.take(packet):
                    put(track, item)
                if self._quit.is_set():
                    break
        except av.FFmpegError:
            pass  # a live address that went away ends like a file
        finally:
            for track in self.tracks:
                if not self._quit.is_set():
                    put(track, None)
            self._container.close()

    def _feed(self, stream: Any) -> tuple[FileTrack, Any]:
        if stream.type == "video":
            assert self.video is not None
            return self.video, _PassedVideo(stream) if self.video.passed_through else _DecodedVideo()
        assert self.audio is not None
        return self.audio, _PassedAudio() if self.audio.passed_through else _DecodedAudio()


def _passes(stream: Any) -> bool:
    """H.264 without reordered frames: receivers show frames in the order of arrival."""
    return stream.codec_context.name == "h264" and not stream.codec_context.has_b_frames


class _PassedVideo:
    """H.264 in Annex B with parameter sets before each key frame, times from zero."""

    def __init__(self, stream: Any) -> None:
        boxed = bytes(stream.codec_context.extradata or b"")[:1] == b"\x01"
        name = "h264_mp4toannexb" if boxed else "dump_extra=freq=keyframe"
        self._filter = av.BitStreamFilterContext(name, stream)
        self._first: int | None = None

    def take(self, packet: Any) -> list[Item]:
        if not packet.size or packet.pts is None:
            return []
        items: list[Item] = list(self._filter.filter(packet))
        for item in items:
            self._first = item.pts if self._first is None else self._first
            item.pts -= self._first
        return items


class _PassedAudio:
    """Opus packets, times from zero; containers round to milliseconds, Opus counts in steps of 2.5 ms (RFC 6716)."""

    STEPS_A_SECOND = 400

    def __init__(self) -> None:
        self._first: int | None = None

    def take(self, packet: Any) -> list[Item]:
        if not packet.size or packet.pts is None:
            return []
        self._first = packet.pts if self._first is None else self._first
        steps = round((packet.pts - self._first) * packet.time_base * self.STEPS_A_SECOND)
        packet.pts = steps * OPUS_RATE // self.STEPS_A_SECOND
        packet.time_base = fractions.Fraction(1, OPUS_RATE)
        return [packet]


class _DecodedVideo:
    """Frames of at most 1280x720, times from zero."""

    def __init__(self) -> None:
        self._first: int | None = None

    def take(self, packet: Any) -> list[Item]:
        frames = []
        for frame in packet.decode():
            if frame.pts is None:
                continue
            self._first = frame.pts if self._first is None else self._first
            pts, time_base = frame.pts - self._first, frame.time_base
            shrink = max(1.0, frame.width / LARGEST[0], frame.height / LARGEST[1])
            width, height = (int(side / shrink) // 2 * 2 for side in (frame.width, frame.height))
            small = frame.reformat(width, height, "yuv420p")
            small.pts, small.time_base = pts, time_base
            frames.append(small)
        return frames


class _DecodedAudio:
    """20 ms of stereo at 48 kHz, numbered without gaps."""

    def __init__(self) -> None:
        self._resampler = av.AudioResampler(format="s16", layout="stereo", rate=OPUS_RATE, frame_size=OPUS_FRAME)
        self._samples = 0

    def take(self, packet: Any) -> list[Item]:
        frames = []
        for frame in packet.decode():
            for out in self._resampler.resample(frame):
                out.pts, out.time_base = self._samples, fractions.Fraction(1, OPUS_RATE)
                self._samples += out.samples
                frames.append(out)
        return frames
