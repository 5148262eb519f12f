"""One timeline for a lesson: which track carries a source when, from 0 in microseconds, over restarts and reloads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from recorder.clock import MediaClock, media_clocks
from recorder.packets import Int64s, Track

SOURCES = ("microphone", "camera", "screen")
# Nobody watches ten minutes of nothing: a longer silence of every track is shortened to this.
LONGEST_EMPTY_US = 600_000_000
SHORTENED_US = 5_000_000
_FOR_EVER = 1 << 62


@dataclass(frozen=True)
class Gap:
    """A stretch of the timeline in which a source has nothing, in microseconds.

    `reason`: `loss` (packets that never came), `paused` (nothing was sent), `disk` (records that the log dropped),
    `rejoined` (the sender came back on a new track), `outage` (the server was away), `unreadable` (no file came of it).
    """

    source: str
    start_us: int
    end_us: int
    reason: str


@dataclass(frozen=True)
class Span:
    """A track that carries its source, until a later one takes over (`until_us`, timeline)."""

    track: Track
    clock: MediaClock
    first_us: int
    until_us: int


@dataclass(frozen=True)
class Timeline:
    """Server time -> timeline, and the spans of each source in order."""

    zero_us: int
    cuts: tuple[tuple[int, int], ...]  # (from when in server time, how much less from there on in total)
    spans: dict[str, list[Span]]

    def place(self, server_us: Int64s) -> Int64s:
        """Timeline microseconds of moments in server time."""
        out = server_us - self.zero_us
        for since, less in self.cuts:
            out = np.where(server_us >= since, server_us - self.zero_us - less, out)
        return out

    def times(self, span: Span, ts: Int64s) -> Int64s:
        """Timeline microseconds of RTP timestamps of a span."""
        return self.place(span.clock.at(ts))


def lesson_timeline(tracks: Iterable[Track]) -> Timeline | None:
    """The timeline of all tracks of known sources; `None` when there are none."""
    known = [t for t in tracks if t.header.source in SOURCES]
    if not known:
        return None
    clocks = media_clocks(known)
    moments = [clock.at(track.ts) for track, clock in zip(known, clocks, strict=True)]
    zero_us = min(int(m.min()) for m in moments)
    timeline = Timeline(zero_us, _cuts(np.unique(np.concatenate(moments))), defaultdict(list))
    rows = zip(known, clocks, moments, strict=True)
    ordered = sorted(rows, key=lambda row: (int(row[2].min()), row[0].epoch, row[0].number))
    for track, clock, moment in ordered:
        first_us = int(timeline.place(moment.min(keepdims=True))[0])
        spans = timeline.spans[track.header.source]
        if spans:
            spans[-1] = Span(spans[-1].track, spans[-1].clock, spans[-1].first_us, first_us)
        spans.append(Span(track, clock, first_us, _FOR_EVER))
    return timeline


def _cuts(moments: Int64s) -> tuple[tuple[int, int], ...]:
    steps = np.diff(moments)
    cuts, less = [], 0
    for i in np.nonzero(steps > LONGEST_EMPTY_US)[0]:
        less += int(steps[i]) - SHORTENED_US
        cuts.append((int(moments[i + 1]), less))
    return tuple(cuts)


def joined(gaps: Iterable[Gap], least_us: int = 200_000, apart_us: int = 1_000_000) -> list[Gap]:
    """Gaps of the same source and reason that nearly touch as one, short ones left out, in order."""
    out: list[Gap] = []
    for gap in sorted(gaps, key=lambda g: (g.source, g.start_us)):
        last = out[-1] if out else None
        if last and (last.source, last.reason) == (gap.source, gap.reason) and gap.start_us - last.end_us < apart_us:
            out[-1] = Gap(gap.source, last.start_us, max(last.end_us, gap.end_us), gap.reason)
        else:
            out.append(gap)
    return sorted(
        (g for g in out if g.end_us - g.start_us >= least_us),
        key=lambda g: (g.start_us, g.source),
    )
