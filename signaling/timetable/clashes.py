"""What cannot be at the same time: two lessons of one teacher, or of one class."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from signaling.timetable.model import Occurrence, Period

ClashKind = Literal["duplicate", "teacher", "class"]


@dataclass(frozen=True)
class Clash:
    """Two entries by their places in what was given, the later one first; `who` is a person's or a class's id."""

    later: int
    earlier: int
    kind: ClashKind
    who: str


@dataclass(frozen=True)
class _Span:
    place: int
    begin: int
    end: int
    first: datetime.date
    last: datetime.date

    def meets(self, other: _Span) -> bool:
        same_time = self.begin < other.end and other.begin < self.end
        return same_time and self.first <= other.last and other.first <= self.last


def clashes(periods: Sequence[Period]) -> list[Clash]:
    """All clashes of a week, each pair once for each person and class that it concerns."""
    rows: dict[tuple[int, ClashKind, str], list[_Span]] = defaultdict(list)
    seen: dict[object, int] = {}
    found: list[Clash] = []
    for place, period in enumerate(periods):
        earlier = seen.setdefault(_same(period), place)
        if earlier != place:
            found.append(Clash(place, earlier, "duplicate", period.teacher))
            continue
        first, last = period.first_day or datetime.date.min, period.last_day or datetime.date.max
        span = _Span(place, period.begin_min, period.end_min, first, last)
        for kind, who in _concerned(period.mode, period.teacher, period.classes):
            rows[period.weekday, kind, who].append(span)
    for (_, kind, who), spans in rows.items():
        found += [Clash(*pair, kind, who) for pair in _meetings(spans)]
    return sorted(found, key=lambda clash: (clash.later, clash.earlier, clash.kind, clash.who))


def clashes_of_day(lessons: Sequence[Occurrence]) -> list[Clash]:
    """The clashes of the lessons of one day, cancelled ones left out."""
    rows: dict[tuple[ClashKind, str], list[_Span]] = defaultdict(list)
    for place, held in enumerate(lessons):
        span = _Span(place, held.begin_ms, held.end_ms, held.day, held.day)
        for kind, who in _concerned(held.mode, held.teacher, held.classes) if not held.cancelled else ():
            rows[kind, who].append(span)
    return [Clash(*pair, kind, who) for (kind, who), spans in rows.items() for pair in _meetings(spans)]


def _concerned(mode: str, teacher: str, classes: Iterable[str]) -> Iterator[tuple[ClashKind, str]]:
    """Nobody teaches while a clip is played."""
    if mode != "recorded":
        yield "teacher", teacher
    for class_id in classes:
        yield "class", class_id


def _meetings(spans: list[_Span]) -> Iterator[tuple[int, int]]:
    """Pairs that meet, the later place first; `spans` are sorted by their begin to look at neighbours only."""
    spans.sort(key=lambda span: span.begin)
    for number, span in enumerate(spans):
        for other in spans[number + 1 :]:
            if other.begin >= span.end:
                break
            if span.meets(other):
                yield max(span.place, other.place), min(span.place, other.place)


def _same(period: Period) -> object:
    return (
        period.weekday, period.begin_min, period.end_min, period.teacher, frozenset(period.classes), period.subject,
        period.first_day, period.last_day,
    )  # fmt: skip
