"""The screen as small grey pictures, one a second, from key frame to key frame as the log grows, never twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

import av
import numpy as np
from av.video.reformatter import Interpolation

from recorder.clips.changes import LOOK, Look, SlideChanges
from recorder.depayload import Frame, video_frames
from recorder.packets import Int64s, Track
from recorder.sources import codecs_of
from recorder.timeline import Span, Timeline

_DECODER = {"VP8": "vp8", "H264": "h264"}
_SECOND_US = 1_000_000
# A screen that shows nothing new for longer is not looked at any more: nothing can change.
_HELD_S = 10
_COLUMNS = ("seq", "ts", "arrival_us", "pt", "marker", "part", "head", "start", "end")


@dataclass
class Looking:
    """What was seen of one screen so far; times in microseconds of the server's clock."""

    changes: SlideChanges = field(default_factory=SlideChanges)
    slides_us: list[int] = field(default_factory=list)
    resume: dict[tuple[str, int, int], int] = field(default_factory=dict)  # key frame to go on with, by track
    at_us: int = 0  # the next picture that is wanted
    held: Look | None = None
    over: bool = False

    def follow(self, timeline: Timeline, *, over: bool) -> list[float]:
        """Look at what is new; slide changes so far in seconds of the timeline. `over`: nothing will be added."""
        for codec in codecs_of(timeline, "screen"):
            for span in timeline.spans.get("screen", []):
                self._follow(span, codec, over=over)
        late = self.changes.finish() if over else []
        self.over = over
        self.slides_us += [round(at * _SECOND_US) for at in late]
        placed = timeline.place(np.array(sorted(self.slides_us), np.int64)) if self.slides_us else np.zeros(0)
        return [round(float(at) / _SECOND_US, 3) for at in placed if at >= 0]

    def _follow(self, span: Span, codec: str, *, over: bool) -> None:
        track = span.track
        if codec not in track.codec_of().values():
            return
        name = (track.epoch, track.number, int(track.ts[0]))
        since = self.resume.get(name)
        rest = track if since is None else _from(track, since)
        for group in _groups(video_frames(rest, codec)):
            whole = group.following is not None
            if not whole and not over:
                self.resume[name] = group.frames[0].ts
                return
            stamps = np.array([frame.ts for frame in group.frames], np.int64)
            self._see(codec, group.frames, span.clock.at(stamps))
        self.resume[name] = int(track.ts[-1]) + 1

    def _see(self, codec: str, frames: list[Frame], at_us: Int64s) -> None:
        decoder = av.CodecContext.create(_DECODER[codec], "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1
        newest: av.VideoFrame | None = None
        for frame, when_us in zip(frames, at_us.tolist(), strict=True):
            newest = self._take(newest, when_us)
            try:
                decoded = decoder.decode(av.Packet(frame.data))
            except av.FFmpegError:
                continue
            newest = decoded[-1] if decoded else newest
        self._take(newest, int(at_us[-1]) + 1)

    def _take(self, newest: av.VideoFrame | None, until_us: int) -> av.VideoFrame | None:
        """Look once for each full second before `until_us`; a picture that was looked at is not converted again."""
        if until_us - self.at_us > _HELD_S * _SECOND_US:
            self.at_us = until_us // _SECOND_US * _SECOND_US if self.held is None else self.at_us
        looks = 0
        while self.at_us < until_us:
            if newest is not None:
                self.held, newest = _small(newest), None
            if self.held is None or looks > _HELD_S:
                self.at_us = -(-until_us // _SECOND_US) * _SECOND_US
                break
            found = self.changes.see(self.at_us / _SECOND_US, self.held)
            self.slides_us += [round(at * _SECOND_US) for at in found]
            self.at_us += _SECOND_US
            looks += 1
        return newest


@dataclass(frozen=True)
class _Group:
    """A key frame and what follows it; `following` is the next key frame, if it is there."""

    frames: list[Frame]
    following: Frame | None


def _groups(frames: Iterator[Frame]) -> Iterator[_Group]:
    group: list[Frame] = []
    for frame in frames:
        if frame.key and group:
            yield _Group(group, frame)
            group = []
        if frame.key or group:
            group.append(frame)
    if group:
        yield _Group(group, None)


def _from(track: Track, ts: int) -> Track:
    first = int(np.argmax(track.ts >= ts)) if track.ts[-1] >= ts else len(track)
    return replace(track, **{f.name: getattr(track, f.name)[first:] for f in fields(track) if f.name in _COLUMNS})


def _small(picture: av.VideoFrame) -> Look:
    small = picture.reformat(LOOK[0], LOOK[1], "gray", interpolation=Interpolation.AREA)
    return small.to_ndarray().astype(np.uint8)
