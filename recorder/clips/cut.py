"""A clip out of a lesson's masters, exact to the picture and without encoding: an edit list, or pictures not shown.

What is not to be recorded is in no file: no hidden picture and no sound may come from within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Any, NamedTuple

import av

from recorder.clips.spans import Span
from recorder.mux import sync_file

_BASE = Fraction(1, 1_000_000)
# Opus needs so much sound before the first that is heard (RFC 7845 4.6).
_OPUS_BEFORE_S = 0.08
# WebM has no time before 0: its first sound is the packet that begins nearest to the cut.
_OPUS_HALF_S = 0.010
# Where libav seeks; it stands at or before the key frame that is looked for.
_SEEK_BEFORE_S = 0.5
_SHOWN = 0x10  # show_frame of a VP8 frame (RFC 6386 9.1)
_AFTER_S = 0.001


class Piece(NamedTuple):
    """One packet of a clip: its time from the clip's beginning in seconds."""

    at_s: float
    data: bytes
    key: bool
    is_video: bool


@dataclass(frozen=True)
class Cut:
    """What is to be cut, in seconds of the lesson; `floor_s`: nothing may come from before."""

    start_s: float
    end_s: float
    floor_s: float


def cut_of(span: Span, private: Sequence[Span]) -> Cut:
    """Raises `ValueError` where something within is not to be recorded."""
    if any(start < span[1] and end > span[0] for start, end in private):
        raise ValueError("within this time something is not to be recorded")
    return Cut(*span, max((end for _, end in private if end <= span[0]), default=0.0))


def write_clip(
    path: Path, cut: Cut, picture: Path | None, voice: Path | None, chapters: Sequence[dict[str, Any]]
) -> bool:
    """Write the clip and sync it; False where its time has neither picture nor sound. Raises `av.FFmpegError`."""
    suffix = path.suffix.removeprefix(".")
    video = _pictures(picture, cut, hide=suffix == "webm") if picture is not None else iter(())
    sound = _sounds(voice, cut, before=suffix == "mp4") if voice is not None else iter(())
    options = {"fflags": "+bitexact"}
    options |= (
        {"movflags": "+faststart", "avoid_negative_ts": "disabled"} if suffix == "mp4" else {"cues_to_front": "1"}
    )
    count = 0
    with av.open(str(path), "w", format=suffix, container_options=options) as out:
        streams = {True: _like(out, picture, "video"), False: _like(out, voice, "audio")}
        out.set_chapters([_chapter(n, row, chapters, cut) for n, row in enumerate(chapters)])
        for piece in merge(video, sound, key=lambda p: p.at_s):
            stream = streams[piece.is_video]
            if stream is None:
                continue
            packet = av.Packet(piece.data)
            packet.time_base = _BASE
            packet.pts = packet.dts = round(piece.at_s * 1_000_000)
            packet.is_keyframe = piece.key
            packet.stream = stream
            out.mux_one(packet)
            count += 1
    if count:
        sync_file(path)
    return count > 0


def _like(out: av.container.OutputContainer, source: Path | None, kind: str) -> Any:
    """A stream with the parameters of the master's."""
    if source is None:
        return None
    with av.open(str(source)) as media:
        found = next((s for s in media.streams if s.type == kind), None)
        return out.add_stream_from_template(found) if found is not None else None


def _chapter(number: int, row: dict[str, Any], rows: Sequence[dict[str, Any]], cut: Cut) -> Any:
    end_s = rows[number + 1]["start_s"] if number + 1 < len(rows) else cut.end_s - cut.start_s
    return {
        "id": number + 1,
        "start": round(row["start_s"] * 1000),
        "end": round(end_s * 1000),
        "time_base": Fraction(1, 1000),
        "metadata": {"title": row["title"]},
    }


def _pictures(path: Path, cut: Cut, *, hide: bool) -> Iterator[Piece]:
    """From the key frame that the first picture needs; the picture that stands at the cut is there from 0 on.

    `hide`: what comes before is told not to be shown, and stands at 0; else it keeps its time before 0.
    """
    waiting: list[Piece] = []  # from the last key frame up to the cut
    begun = False
    for at_s, data, key in _packets(path, "video", max(cut.floor_s, cut.start_s), cut.end_s):
        if at_s < cut.floor_s - _AFTER_S:
            continue
        if at_s <= cut.start_s + _AFTER_S:
            waiting = [] if key else waiting
            if key or waiting:
                waiting.append(Piece(at_s - cut.start_s, data, key, True))
            continue
        if waiting:
            yield from _before(waiting, hide=hide)
            waiting, begun = [], True
        if begun:
            yield Piece(at_s - cut.start_s, data, key, True)
        elif key:
            # Nothing before may be used, or is there: the first one that may stands from the beginning.
            begun = True
            yield Piece(0.0, data, key, True)
    yield from _before(waiting, hide=hide)


def _before(waiting: Sequence[Piece], *, hide: bool) -> Iterator[Piece]:
    for piece in waiting[:-1]:
        if hide:
            yield Piece(0.0, bytes([piece.data[0] & ~_SHOWN]) + piece.data[1:], piece.key, True)
        else:
            yield piece
    if waiting:
        yield waiting[-1]._replace(at_s=0.0)


def _sounds(path: Path, cut: Cut, *, before: bool) -> Iterator[Piece]:
    since_s = max(cut.floor_s, cut.start_s - (_OPUS_BEFORE_S if before else _OPUS_HALF_S))
    for at_s, data, _ in _packets(path, "audio", since_s, cut.end_s):
        if at_s >= since_s:
            yield Piece(at_s - cut.start_s if before else max(0.0, at_s - cut.start_s), data, True, False)


def _packets(path: Path, kind: str, since_s: float, until_s: float) -> Iterator[tuple[float, bytes, bool]]:
    """Packets of a stream from the key frame before `since_s` on, with their seconds of the lesson."""
    with av.open(str(path)) as media:
        stream = next((s for s in media.streams if s.type == kind), None)
        if stream is None or stream.time_base is None:
            return
        media.seek(max(0, round((since_s - _SEEK_BEFORE_S) / stream.time_base)), stream=stream, backward=True)
        for packet in media.demux(stream):
            if packet.pts is None or not packet.size:
                continue
            at_s = float(packet.pts * stream.time_base)
            if at_s >= until_s - _AFTER_S:
                return
            yield at_s, bytes(packet), packet.is_keyframe
