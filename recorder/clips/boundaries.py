"""Where micro-lessons begin and end: one dynamic programme over weighed moments. Values in, values out.

Marks are forced, what is taken out is taken out first; each place is then moved into the longest pause near it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from recorder.clips.marks import Mark, begun_spans
from recorder.clips.spans import Span, without

# What a moment is worth: a slide change alone is the zero, and what speaks against every cut is the teacher speaking.
SPEAKING = -3.0
SLIDE = 3.0
PAUSE = 4.0
EVENT = 1.5
DWELL = 1.0
LONG_DWELL_S = 60.0
PAUSE_LEAST_S, PAUSE_MOST_S = 0.8, 3.0
# Signals so near each other are of one moment.
TOGETHER_S = 5.0
GRID_S = 10.0
SNAP_S = 5.0
# 新知识点 inside of a begun micro-lesson: where it is cut if it must be.
POINT = 10.0
# Two marks nearer than this are a slip of the finger, not a clip.
LEAST_MARKED_S = 30.0
# A length at the hard limit costs so much; inside the soft ones nothing.
COST_AT_LIMIT = 4.0
_CLOSE_S = 1e-6


@dataclass(frozen=True)
class Profile:
    """How long a clip is to be, in seconds."""

    name: str = "weike"
    hard_min_s: float = 120.0
    soft_min_s: float = 300.0
    soft_max_s: float = 480.0
    hard_max_s: float = 600.0

    def fits(self, length_s: float) -> bool:
        """Whether a clip may be so long."""
        return self.hard_min_s - _CLOSE_S <= length_s <= self.hard_max_s + _CLOSE_S

    def cost(self, length_s: float) -> float:
        """What a length costs, in the units of a moment's worth; only for one that fits."""
        if length_s < self.soft_min_s:
            return COST_AT_LIMIT * (self.soft_min_s - length_s) / (self.soft_min_s - self.hard_min_s)
        return COST_AT_LIMIT * max(0.0, length_s - self.soft_max_s) / (self.hard_max_s - self.soft_max_s)


WEIKE = Profile()


@dataclass(frozen=True)
class Signals:
    """What was found out about a lesson, in seconds of its timeline."""

    slides: Sequence[float] = ()
    pauses: Sequence[Span] = ()
    events: Sequence[float] = ()


@dataclass(frozen=True)
class Moment:
    """A place where a clip may end, what it is worth, and why."""

    at_s: float
    worth: float
    why: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """One micro-lesson; `confidence` from 0 to 1."""

    start_s: float
    end_s: float
    confidence: float
    why: tuple[str, ...]


@dataclass
class _Piece:
    """A clip in the making, and what stands at its edges."""

    start_s: float
    end_s: float
    start: Moment
    end: Moment


def moments(signals: Signals) -> list[Moment]:
    """All signals as places, those of one moment together, in order."""
    slides, events = sorted(signals.slides), sorted(signals.events)
    out = []
    for i, at_s in enumerate(slides):
        worth, why = SPEAKING + SLIDE, ["slide"]
        if at_s - (slides[i - 1] if i else 0.0) >= LONG_DWELL_S:
            worth += DWELL
        pause = longest_pause(signals.pauses, at_s, TOGETHER_S)
        if pause is not None:
            worth, why = worth + pause_worth(pause), [*why, "pause"]
        if _near(events, at_s):
            worth, why = worth + EVENT, [*why, "event"]
        out.append(Moment(at_s, worth, tuple(why)))
    for start_s, end_s in signals.pauses:
        middle_s = (start_s + end_s) / 2
        if not _near(slides, middle_s):
            worth, why = SPEAKING + pause_worth((start_s, end_s)), ["pause"]
            if _near(events, middle_s):
                worth, why = worth + EVENT, [*why, "event"]
            out.append(Moment(middle_s, worth, tuple(why)))
    out += [Moment(at_s, SPEAKING + EVENT, ("event",)) for at_s in events]
    return sorted(out, key=lambda m: (m.at_s, -m.worth, m.why))


def pause_worth(pause: Span) -> float:
    """What a pause adds; a breath adds nothing."""
    length_s = min(pause[1] - pause[0], PAUSE_MOST_S)
    return PAUSE * max(0.0, length_s - PAUSE_LEAST_S) / (PAUSE_MOST_S - PAUSE_LEAST_S)


def longest_pause(pauses: Sequence[Span], at_s: float, within_s: float) -> Span | None:
    """The longest one whose middle is so near; of equal ones the nearest."""
    near = [p for p in pauses if abs((p[0] + p[1]) / 2 - at_s) <= within_s]
    return min(near, key=lambda p: (-round(p[1] - p[0], 6), abs((p[0] + p[1]) / 2 - at_s), p), default=None)


def divide(start_s: float, end_s: float, places: Sequence[Moment], profile: Profile = WEIKE) -> list[Moment]:
    """The places that cut this stretch best: the sum of their worth less the cost of all lengths is the greatest.

    Where the given places cannot keep the hard limits, evenly placed ones stand beside them. A stretch that is
    shorter than a clip stays whole.
    """
    inside = [m for m in places if start_s + _CLOSE_S < m.at_s < end_s - _CLOSE_S]
    cuts = _best(start_s, end_s, inside, profile)
    if cuts is not None:
        return cuts
    count = max(1, math.ceil((end_s - start_s) / profile.hard_max_s - _CLOSE_S))
    even = [Moment(start_s + i * (end_s - start_s) / count, SPEAKING, ("length",)) for i in range(1, count)]
    return _best(start_s, end_s, sorted([*inside, *even], key=lambda m: m.at_s), profile) or []


def _best(start_s: float, end_s: float, inside: Sequence[Moment], profile: Profile) -> list[Moment] | None:
    ends = Moment(start_s, 0.0, ()), Moment(end_s, 0.0, ())
    line = [ends[0], *inside, ends[1]]
    at = [m.at_s for m in line]
    total = [-math.inf] * len(line)
    before = [-1] * len(line)
    total[0] = 0.0
    for j in range(1, len(line)):
        low = bisect_left(at, at[j] - profile.hard_max_s - _CLOSE_S)
        high = bisect_right(at, at[j] - profile.hard_min_s + _CLOSE_S)
        for i in range(low, high):
            if total[i] == -math.inf:
                continue
            value = total[i] + line[j].worth - profile.cost(at[j] - at[i])
            if value > total[j] + _CLOSE_S:
                total[j], before[j] = value, i
    if before[-1] < 0:
        return None
    cuts, j = [], before[-1]
    while j > 0:
        cuts.append(line[j])
        j = before[j]
    return cuts[::-1]


def propose(
    duration_s: float,
    marks: Sequence[Mark],
    removed: Sequence[Span],
    signals: Signals,
    profile: Profile = WEIKE,
) -> list[Proposal]:
    """All clips of a lesson, in order. `removed` is 不要录 and whatever else is in no new clip."""
    free = without([(0.0, duration_s)], removed)
    begun = begun_spans(marks, duration_s)
    forced = sorted({m.at_s for m in marks if m.name in ("begin", "end")} if begun is not None else _points(marks))
    chapters = [Moment(m.at_s, POINT, ("mark",)) for m in marks if m.name == "point"] if begun is not None else []
    places = _with_grid(sorted([*moments(signals), *chapters], key=lambda m: m.at_s), duration_s)
    pieces: list[_Piece] = []
    for wall_start, wall_end in free:
        for start, end in [(wall_start, wall_end)] if begun is None else _inside(begun, (wall_start, wall_end)):
            edges = [start, *(at for at in forced if start < at < end), end]
            for a, b in pairwise(edges):
                pieces += _pieces(a, b, forced, places, profile)
    _move(pieces, free, signals.pauses, profile)
    return [_proposal(piece, profile) for piece in pieces]


def _points(marks: Sequence[Mark]) -> set[float]:
    return {m.at_s for m in marks if m.name in ("point", "end")}


def _inside(spans: Sequence[Span], wall: Span) -> list[Span]:
    pieces = [(max(a, wall[0]), min(b, wall[1])) for a, b in spans]
    return [(a, b) for a, b in pieces if b > a]


def _pieces(a: float, b: float, forced: Sequence[float], places: Sequence[Moment], profile: Profile) -> list[_Piece]:
    marked = [at in forced for at in (a, b)]
    first, last = (Moment(at, 0.0, ("mark",) if m else ()) for at, m in zip((a, b), marked, strict=True))
    if b - a < profile.hard_min_s - _CLOSE_S:
        return [_Piece(a, b, first, last)] if all(marked) and b - a >= LEAST_MARKED_S else []
    # What a mark stands beside is one clip as it was marked, as long as that is not too long.
    whole = any(marked) and b - a <= profile.hard_max_s
    line = [first, *([] if whole else divide(a, b, places, profile)), last]
    return [_Piece(s.at_s, e.at_s, s, e) for s, e in pairwise(line)]


def _with_grid(found: Sequence[Moment], duration_s: float) -> list[Moment]:
    """Evenly placed moments where there is nothing else: a teacher who never pauses is cut all the same."""
    at = [m.at_s for m in found]
    grid = (i * GRID_S for i in range(1, int(duration_s / GRID_S) + 1))
    even = [Moment(g, SPEAKING, ("length",)) for g in grid if not _near(at, g)]
    return sorted([*found, *even], key=lambda m: m.at_s)


def _near(sorted_at: Sequence[float], at_s: float) -> bool:
    i = bisect_left(sorted_at, at_s - TOGETHER_S)
    return i < len(sorted_at) and sorted_at[i] <= at_s + TOGETHER_S


def _move(pieces: list[_Piece], free: Sequence[Span], pauses: Sequence[Span], profile: Profile) -> None:
    """Each edge that is no wall to the middle of the longest pause near it, where the lengths stay good."""
    for at_s in sorted({at for p in pieces for at in (p.start_s, p.end_s)}):
        wall = next(((a, b) for a, b in free if a <= at_s <= b), None)
        pause = longest_pause(pauses, at_s, SNAP_S)
        if wall is None or at_s in wall or pause is None:
            continue
        to_s = (pause[0] + pause[1]) / 2
        ending = [p for p in pieces if p.end_s == at_s]
        starting = [p for p in pieces if p.start_s == at_s]
        others = [p for p in pieces if p.start_s < at_s < p.end_s or (p not in ending and p not in starting)]
        lengths = [(at_s - p.start_s, to_s - p.start_s) for p in ending] + [
            (p.end_s - at_s, p.end_s - to_s) for p in starting
        ]
        clear = all(not p.start_s < to_s < p.end_s for p in others)
        good = all(profile.fits(new) or (new > 0 and not profile.fits(old)) for old, new in lengths)
        if clear and good and wall[0] <= to_s <= wall[1]:
            for p in ending:
                p.end_s = to_s
            for p in starting:
                p.start_s = to_s


def _proposal(piece: _Piece, profile: Profile) -> Proposal:
    sure = (_sure(piece.start) + _sure(piece.end)) / 2
    length_s = piece.end_s - piece.start_s
    if not profile.soft_min_s <= length_s <= profile.soft_max_s:
        sure *= 0.8
    why = dict.fromkeys((*piece.start.why, *piece.end.why))
    return Proposal(round(piece.start_s, 3), round(piece.end_s, 3), round(sure, 2), tuple(why))


def _sure(edge: Moment) -> float:
    if edge.why == ("mark",):
        return 1.0
    return 0.7 if not edge.why else 1 / (1 + math.exp(-edge.worth))
