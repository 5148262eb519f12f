"""RTP timestamps -> the server's Unix time, through the sender's reports where there are any.

A robust line over all reports of a track removes offset and drift of its media clock; all tracks of one sender share
its wall clock, so they stay together whatever the network did; that wall clock is moved onto the server's by the
smallest delay seen. Without reports the smallest delay of the packets themselves must do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recorder.packets import Int64s, Track

Floats = NDArray[np.float64]

NTP_TO_UNIX_S = 2_208_988_800
# A media clock that jumps against the wall clock by more than this starts a new line.
STEP_US = 100_000
# Reports whose clocks differ by less belong to one sender's clock.
SAME_CLOCK_US = 500_000
# Below these spans a slope would be noise: crystals differ by at most some 100 ppm.
_MEDIA_SPAN_US = 30_000_000
_WALL_SPAN_US = 120_000_000
_MAX_DRIFT = 1e-3
_WINDOW_US = 30_000_000
_MOST_POINTS = 200
# A mapping by reports that says media came this much before it was sent, or after, is not believed.
_EARLIEST_US = -100_000
_LATEST_US = 2_000_000


@dataclass(frozen=True)
class Line:
    """y = y0 + slope (x - x0)."""

    x0: int
    y0: float
    slope: float

    def at(self, x: Int64s) -> Floats:
        """The line's values."""
        return np.asarray(self.y0 + (x - self.x0) * self.slope, np.float64)


@dataclass(frozen=True)
class MediaClock:
    """RTP timestamp -> server time in Unix microseconds: `lines[i]` holds from timestamp `starts[i]` on."""

    starts: Int64s
    lines: tuple[Line, ...]

    def at(self, ts: Int64s) -> Int64s:
        """Server time of each unwrapped timestamp."""
        which = np.maximum(np.searchsorted(self.starts, ts, side="right") - 1, 0)
        out = np.zeros(len(ts), np.int64)
        for i, line in enumerate(self.lines):
            mine = which == i
            out[mine] = np.rint(line.at(ts[mine])).astype(np.int64)
        return out


@dataclass(frozen=True)
class _Piece:
    """A stretch in which a track's media clock and its sender's wall clock ran evenly."""

    start: int
    line: Line
    arrival_us: Int64s
    wall_us: Int64s


def media_clocks(tracks: Iterable[Track]) -> list[MediaClock]:
    """One clock a track, in the given order; tracks of one participant in one epoch share the sender's clock."""
    listed = list(tracks)
    pieces = [_pieces(track) for track in listed]
    senders: dict[tuple[str, str], list[_Piece]] = defaultdict(list)
    for track, mine in zip(listed, pieces, strict=True):
        senders[track.epoch, track.header.participant].extend(mine)
    walls = {id(piece): wall for group in senders.values() for piece, wall in _wall_clocks(group)}
    clocks = []
    for track, mine in zip(listed, pieces, strict=True):
        clock = _composed(mine, [walls[id(piece)] for piece in mine]) if mine else None
        clocks.append(clock if clock is not None and _believable(track, clock) else _by_arrival(track))
    return clocks


def robust_slope(x: Floats, y: Floats) -> float:
    """Theil-Sen: the median of the slopes of all pairs, over at most some hundred evenly picked points."""
    if len(x) > _MOST_POINTS:
        pick = np.linspace(0, len(x) - 1, _MOST_POINTS).astype(np.int64)
        x, y = x[pick], y[pick]
    i, j = np.triu_indices(len(x), 1)
    dx = x[j] - x[i]
    far = np.abs(dx) > 0
    if not far.any():
        return 0.0
    return float(np.median((y[j] - y[i])[far] / dx[far]))


def _pieces(track: Track) -> list[_Piece]:
    if not track.reports:
        return []
    ts, wall, arrival = _report_columns(track)
    ticks = 1e6 / track.clock_rate
    apart = (wall - wall[0]) - (ts - ts[0]) * ticks
    pieces: list[_Piece] = []
    for group in _even_groups(apart):
        line = _fit(ts[group], wall[group], ticks)
        start = _boundary(track, int(ts[group[0]]), pieces, ticks)
        pieces.append(_Piece(start, line, arrival[group], wall[group]))
    return pieces


def _report_columns(track: Track) -> tuple[Int64s, Int64s, Int64s]:
    """(unwrapped timestamp, sender's wall clock in Unix microseconds, arrival) of all reports, by timestamp."""
    arrival = np.array([r.arrival_us for r in track.reports], np.int64)
    raw = np.array([r.report.rtp_ts for r in track.reports], np.int64)
    wall = np.array([_unix_us(r.report.ntp) for r in track.reports], np.int64)
    by_arrival = np.argsort(track.arrival_us, kind="stable")
    place = np.searchsorted(track.arrival_us[by_arrival], arrival, side="right") - 1
    near = track.ts[by_arrival[np.clip(place, 0, len(by_arrival) - 1)]]
    ts = near + (raw - near + (1 << 31)) % (1 << 32) - (1 << 31)
    order = np.argsort(ts, kind="stable")
    return ts[order], wall[order], arrival[order]


def _unix_us(ntp: int) -> int:
    return (ntp >> 32) * 1_000_000 + ((ntp & 0xFFFF_FFFF) * 1_000_000 >> 32) - NTP_TO_UNIX_S * 1_000_000


def _even_groups(apart: Floats) -> list[list[int]]:
    """Runs of reports without a step; a single report off the line is left out, two that agree start a new run."""
    groups: list[list[int]] = [[0]]
    for i in range(1, len(apart)):
        recent = float(np.median(apart[groups[-1][-5:]]))
        if abs(apart[i] - recent) <= STEP_US:
            groups[-1].append(i)
        elif i + 1 < len(apart) and abs(apart[i + 1] - apart[i]) <= STEP_US / 2:
            groups.append([i])
        elif len(groups) == 1 and len(groups[0]) == 1 and i + 1 == len(apart):
            groups[0] = [i]
    return groups


def _fit(ts: Int64s, wall: Int64s, ticks: float) -> Line:
    x = (ts - ts[0]) * ticks
    rest = (wall - wall[0]) - x
    drift = robust_slope(x, rest) if len(x) >= 5 and x[-1] >= _MEDIA_SPAN_US else 0.0
    drift = min(max(drift, -_MAX_DRIFT), _MAX_DRIFT)
    return Line(
        int(ts[0]),
        float(wall[0]) + float(np.median(rest - drift * x)),
        ticks * (1 + drift),
    )


def _boundary(track: Track, first: int, before: list[_Piece], ticks: float) -> int:
    """Where a new piece starts: at the packet between two reports whose delay jumped most."""
    if not before:
        return int(min(track.ts[0], first))
    lag = track.arrival_us - track.ts * ticks
    inside = np.nonzero((track.ts > before[-1].start) & (track.ts <= first))[0]
    if len(inside) < 2:
        return first
    return int(track.ts[inside[int(np.argmax(np.abs(np.diff(lag[inside])))) + 1]])


def _wall_clocks(pieces: list[_Piece]) -> Iterable[tuple[_Piece, Line]]:
    """For each piece its sender's wall clock -> server time."""
    listed = sorted(pieces, key=lambda p: int(np.min(p.arrival_us - p.wall_us)))
    while listed:
        least = int(np.min(listed[0].arrival_us - listed[0].wall_us))
        same = [p for p in listed if int(np.min(p.arrival_us - p.wall_us)) - least < SAME_CLOCK_US]
        listed = listed[len(same) :]
        line = _floor(
            np.concatenate([p.wall_us for p in same]),
            np.concatenate([p.arrival_us for p in same]),
        )
        for piece in same:
            yield piece, line


def _floor(x_us: Int64s, arrival_us: Int64s) -> Line:
    """The line under all delays arrival - x: x plus the smallest delay, with drift when the span allows it."""
    order = np.argsort(x_us, kind="stable")
    x, delay = x_us[order], (arrival_us - x_us)[order]
    least = int(np.min(delay))
    if x[-1] - x[0] < _WALL_SPAN_US:
        return Line(int(x[0]), float(x[0] + least), 1.0)
    window = (x - x[0]) // _WINDOW_US
    edges = np.nonzero(np.diff(window, prepend=-1))[0]
    lowest = np.minimum.reduceat(delay, edges)
    middle = (window[edges] * _WINDOW_US + _WINDOW_US // 2).astype(np.float64)
    drift = min(max(robust_slope(middle, lowest.astype(np.float64)), -_MAX_DRIFT), _MAX_DRIFT)
    rest = float(np.median(lowest - drift * middle))
    return Line(int(x[0]), float(x[0]) + rest, 1.0 + drift)


def _composed(pieces: list[_Piece], walls: list[Line]) -> MediaClock:
    lines = []
    for piece, wall in zip(pieces, walls, strict=True):
        y0 = wall.y0 + (piece.line.y0 - wall.x0) * wall.slope
        lines.append(Line(piece.line.x0, y0, piece.line.slope * wall.slope))
    return MediaClock(np.array([p.start for p in pieces], np.int64), tuple(lines))


def _believable(track: Track, clock: MediaClock) -> bool:
    lag = track.arrival_us - clock.at(track.ts)
    return bool(_EARLIEST_US <= np.percentile(lag, 5) <= _LATEST_US)


def _by_arrival(track: Track) -> MediaClock:
    ticks = 1e6 / track.clock_rate
    media_us = np.rint((track.ts - track.ts[0]) * ticks).astype(np.int64)
    floor = _floor(media_us, track.arrival_us)
    y0 = floor.y0 - floor.x0 * floor.slope
    return MediaClock(track.ts[:1], (Line(int(track.ts[0]), y0, ticks * floor.slope),))
