"""The media of one source along the timeline: every span's frames in order, with what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from recorder.depayload import opus_packets, opus_ticks, video_frames
from recorder.timeline import Gap, Span, Timeline

_TICK_US = 1_000_000 / 48_000
# Audio is written back to back; further from its place than this it is moved by silence or by leaving a packet out.
_LATE_US = 10_000
_EARLY_US = 15_000
# A source that sends nothing for so long was switched off: a still screen is repeated each second, silence more often.
_PAUSED_US = 5_000_000
_SILENCE = ((20_000, b"\xf8\xff\xfe"), (10_000, b"\xf0\xff\xfe"))


class Picture(NamedTuple):
    """One video frame on the timeline."""

    pts_us: int
    data: bytes
    key: bool


class Sound(NamedTuple):
    """One Opus packet on the timeline."""

    pts_us: int
    duration_us: int
    data: bytes


def codecs_of(timeline: Timeline, source: str) -> list[str]:
    """Video codecs that the source was sent in, by first use."""
    found: list[str] = []
    for span in timeline.spans.get(source, []):
        codec_of = span.track.codec_of()
        for pt in dict.fromkeys(span.track.pt.tolist()):
            codec = codec_of.get(pt)
            if codec in ("VP8", "H264") and codec not in found:
                found.append(codec)
    return found


class _Gaps:
    """Collects what is missing in one source."""

    def __init__(self, source: str, gaps: list[Gap]) -> None:
        self.source = source
        self.gaps = gaps
        self.last_us: int | None = None
        self.span: Span | None = None

    def enter(self, span: Span, pts_us: int, hole: bool) -> None:
        """Media stands at `pts_us`; note the gap before it, if there is one."""
        before, self.span = self.span, span
        if self.last_us is None:
            return
        if before is not None and before is not span:
            reason = "rejoined" if before.track.epoch == span.track.epoch else "outage"
            self.gaps.append(Gap(self.source, self.last_us, pts_us, reason))
        elif hole:
            reason = "disk" if span.track.dropped_us else "loss"
            self.gaps.append(Gap(self.source, self.last_us, pts_us, reason))
        elif pts_us - self.last_us >= _PAUSED_US:
            self.gaps.append(Gap(self.source, self.last_us, pts_us, "paused"))

    def reach(self, end_us: int) -> None:
        """There is media until here."""
        self.last_us = end_us


def pictures(timeline: Timeline, source: str, codec: str, gaps: list[Gap]) -> Iterator[Picture]:
    """Frames of one source in one codec with strictly rising times; adds to `gaps`."""
    notes = _Gaps(source, gaps)
    last_us = -1
    for span in timeline.spans.get(source, []):
        if codec not in span.track.codec_of().values():
            continue
        stamps = np.unique(span.track.ts)
        place = dict(zip(stamps.tolist(), timeline.times(span, stamps).tolist(), strict=True))
        for frame in video_frames(span.track, codec):
            pts_us = place[frame.ts]
            if pts_us >= span.until_us:
                break
            pts_us = max(pts_us, last_us + 1_000, 0)
            notes.enter(span, pts_us, frame.after_hole)
            notes.reach(pts_us)
            last_us = pts_us
            yield Picture(pts_us, frame.data, frame.key)


def sounds(timeline: Timeline, gaps: list[Gap]) -> Iterator[Sound]:
    """The voice from 0 on without a hole: silence stands where nothing came; adds to `gaps`."""
    notes = _Gaps("microphone", gaps)
    cursor_us = 0
    for span in timeline.spans.get("microphone", []):
        packets = list(opus_packets(span.track))
        places = timeline.times(span, np.array([p.ts for p in packets], np.int64))
        for packet, place in zip(packets, places.tolist(), strict=True):
            if place >= span.until_us:
                break
            duration_us = round(opus_ticks(packet.data) * _TICK_US)
            if duration_us == 0 or place < cursor_us - max(_EARLY_US, duration_us // 2 + 5_000):
                continue
            if place >= cursor_us + _LATE_US:
                notes.enter(span, place, packet.after_hole)
                for silence in _silence(cursor_us, place):
                    yield silence
                    cursor_us += silence.duration_us
            notes.span = span
            yield Sound(cursor_us, duration_us, packet.data)
            cursor_us += duration_us
            notes.reach(cursor_us)


def _silence(start_us: int, end_us: int) -> Iterator[Sound]:
    """Silent packets (RFC 6716 with an empty CELT frame) that reach as near to the end as they can."""
    for length_us, data in _SILENCE:
        while end_us - start_us >= length_us - _LATE_US // 2 and end_us - start_us >= _LATE_US:
            yield Sound(start_us, length_us, data)
            start_us += length_us
