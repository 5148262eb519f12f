"""How loud and how large the packets of a voice are, by their headers alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recorder.clips.pauses import Floats, pauses_of_levels, pauses_of_sizes
from recorder.clips.spans import Span
from recorder.packets import Int64s, Track
from recorder.timeline import Timeline

_ONE_BYTE_FORM = 0xBEDE
_FIXED, _EXTENSION = 12, 4


def lesson_pauses(timeline: Timeline, end_s: float) -> list[Span]:
    """Where the teacher's microphone heard nothing, over the whole timeline."""
    at, loud, large = [], [], []
    for span in timeline.spans.get("microphone", []):
        place_us = timeline.times(span, span.track.ts)
        mine = (place_us >= 0) & (place_us < span.until_us)
        at.append(place_us[mine] / 1e6)
        loud.append(levels(span.track)[mine])
        large.append((span.track.end - span.track.start)[mine].astype(np.float64))
    if not at:
        return []
    at_s, level, size = (np.concatenate(rows) for rows in (at, loud, large))
    told = ~np.isnan(level)
    by_level = pauses_of_levels(at_s[told], level[told], end_s) if told.mean() > 0.5 else []
    return by_level or pauses_of_sizes(at_s, size, end_s)


def levels(track: Track) -> Floats:
    """The audio level of each packet in -dBov (RFC 6464 3), NaN where it tells none."""
    out = np.full(len(track), np.nan)
    wanted = track.header.audio_level
    if wanted is None:
        return out
    for number, data in enumerate(track.parts):
        rows = np.flatnonzero(track.part == number)
        if len(rows):
            octets = np.frombuffer(data, np.uint8)
            out[rows] = _levels(octets, track.head[rows], track.start[rows], wanted)
    return out


def _levels(octets: NDArray[np.uint8], head: Int64s, start: Int64s, wanted: int) -> Floats:
    """One stream has its elements always at the same place: it is looked up once, and believed where its id stands."""
    out = np.full(len(head), np.nan)
    place = next((p for p in (_place(octets[a:b].tobytes(), wanted) for a, b in zip(head, start, strict=True)) if p), 0)
    if not place:
        return out
    good = head + place < start
    at = (head + place)[good]
    # One-byte form: id in the upper half, length less one in the lower (RFC 8285 4.2).
    named = octets[at - 1] == wanted << 4
    out[np.flatnonzero(good)[named]] = octets[at[named]] & 0x7F
    return out


def _place(header: bytes, wanted: int) -> int | None:
    """Where in a packet the level stands; only the one-byte form is written by those who send it."""
    if len(header) < _FIXED + _EXTENSION or not header[0] & 0x10:
        return None
    at = _FIXED + 4 * (header[0] & 0x0F)
    if int.from_bytes(header[at : at + 2], "big") != _ONE_BYTE_FORM:
        return None
    at += _EXTENSION
    while at < len(header):
        number, length = header[at] >> 4, (header[at] & 0x0F) + 1
        if number == wanted:
            return at + 1 if length == 1 else None
        at += 1 if header[at] == 0 else 1 + length
    return None
