"""Everything that is known about where a lesson could be divided, from its logs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from recorder.clips.boundaries import Signals
from recorder.clips.hearing import lesson_pauses
from recorder.clips.looks import Looking
from recorder.clips.marks import Mark, private_spans, read_event
from recorder.clips.spans import Span
from recorder.packets import load_epoch
from recorder.timeline import Timeline, lesson_timeline
from recorder.zwl import Kind, ZwlReader

# The camera tells nothing here, and is most of the log.
SOURCES = ("microphone", "screen")


@dataclass(frozen=True)
class Found:
    """One look at a lesson; times in seconds of its timeline, which began at `zero_us` of the server's clock."""

    zero_us: int
    duration_s: float
    marks: tuple[Mark, ...] = ()
    private: tuple[Span, ...] = ()
    signals: Signals = field(default_factory=Signals)


def gather(
    recording: Path, epochs: tuple[str, ...], looking: Looking, *, over: bool, zero_us: int | None = None
) -> Found | None:
    """What the logs hold by now; None where nothing can be heard or seen yet. `zero_us`: where the manifest has it."""
    tracks = [track for epoch in epochs for track in load_epoch(recording / epoch, SOURCES)]
    if not tracks:  # a lesson of a camera alone
        tracks = [track for epoch in epochs for track in load_epoch(recording / epoch)]
    timeline = lesson_timeline(tracks)
    if timeline is None:
        return None
    if zero_us is not None:
        timeline = _beginning_at(timeline, zero_us)
    ends = [timeline.times(span, span.track.ts[-1:])[0] for spans in timeline.spans.values() for span in spans]
    duration_s = round(float(max(ends)) / 1e6, 3)
    marks, events = _events(recording, epochs, timeline)
    slides = looking.follow(timeline, over=over)
    signals = Signals(slides, lesson_pauses(timeline, duration_s), events)
    return Found(timeline.zero_us, duration_s, tuple(marks), tuple(private_spans(marks, duration_s)), signals)


def _beginning_at(timeline: Timeline, zero_us: int) -> Timeline:
    """The same, counted from another 0: a camera that was first is not looked at here."""
    later_us = timeline.zero_us - zero_us
    spans = {
        source: [replace(s, first_us=s.first_us + later_us, until_us=s.until_us + later_us) for s in found]
        for source, found in timeline.spans.items()
    }
    return Timeline(zero_us, timeline.cuts, spans)


def _events(recording: Path, epochs: tuple[str, ...], timeline: Timeline) -> tuple[list[Mark], list[float]]:
    marks: list[Mark] = []
    events: list[float] = []
    for epoch in epochs:
        for path in sorted((recording / epoch).glob("00000-*.zwl")):
            for record in ZwlReader(path).read():
                said = read_event(record.body) if record.kind == Kind.EVENT else None
                if said is None:
                    continue
                at_s = max(0.0, float(timeline.place(np.array([record.arrival_us], np.int64))[0]) / 1e6)
                if said.mark is None:
                    events.append(round(at_s, 3))
                else:
                    marks.append(Mark(round(at_s, 3), said.mark, said.on, said.title))
    return sorted(marks, key=lambda m: m.at_s), sorted(events)
