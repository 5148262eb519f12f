"""Proposals out of what was gathered into `clips.json`: what a person touched stays, and its time is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recorder.clips import store
from recorder.clips.boundaries import WEIKE, Proposal, propose
from recorder.clips.gather import Found
from recorder.clips.store import Book, Clip

MOST_CHAPTERS = 40
_LEAST_CHAPTER_S = 5.0


def renew(folder: Path, found: Found, digest: str | None) -> Book:
    """Propose anew; `digest` names what a complete look was made from, None while the lesson runs."""
    with store.edit(folder) as book:
        _move(book, found)
        book.duration_s, book.profile = found.duration_s, WEIKE.name
        book.private = [[round(a, 3), round(b, 3)] for a, b in found.private]
        book.marks = [{"at_s": m.at_s, "mark": m.name, "on": m.on, "title": m.title} for m in found.marks]
        book.slides = [float(at) for at in found.signals.slides]
        book.state, book.digest, book.asked = ("live", "", False) if digest is None else ("complete", digest, False)
        taken = [clip.span for clip in book.clips if clip.touched]
        proposals = propose(found.duration_s, found.marks, [*found.private, *taken], found.signals)
        book.renew(proposals, [_title(found, proposal) for proposal in proposals])
        _name(book)
        for clip in book.clips:
            if clip.state in ("proposed", "accepted"):
                clip.chapters = chapters(book, clip)
    return book


def _move(book: Book, found: Found) -> None:
    """The timeline's 0 is known better after the lesson: what people set while it ran moves with it."""
    zero_ms = found.zero_us // 1000
    if book.zero_ms:
        later_s = (book.zero_ms - zero_ms) / 1000
        for clip in book.clips:
            if clip.state not in ("published", "withdrawn"):
                clip.start_s = round(max(0.0, clip.start_s + later_s), 3)
                clip.end_s = round(min(found.duration_s, clip.end_s + later_s), 3)
    book.zero_ms = zero_ms


def _title(found: Found, proposal: Proposal) -> str:
    """What the teacher called it at the press, if so."""
    near = [m for m in found.marks if m.title and abs(m.at_s - proposal.start_s) <= 5.0 and m.name != "private"]
    return near[0].title if near else ""


def _name(book: Book) -> None:
    for place, clip in enumerate(book.clips, 1):
        if not clip.title and not clip.touched:
            clip.title = f"微课 {place}"


def chapters(book: Book, clip: Clip) -> list[dict[str, Any]]:
    """Named places of a clip: the teacher's points, else turned pages; seconds from the clip's beginning."""
    points = [(m["at_s"], m["title"] or f"知识点 {n}") for n, m in enumerate(_points(book, clip), 1)]
    pages = [(at, f"第 {n} 页") for n, at in enumerate(book.slides, 2) if clip.start_s < at < clip.end_s]
    out: list[dict[str, Any]] = [{"title": clip.title, "start_s": 0.0}]
    for at_s, title in points or pages:
        start_s = round(at_s - clip.start_s, 3)
        room = clip.end_s - clip.start_s - start_s
        if start_s - out[-1]["start_s"] >= _LEAST_CHAPTER_S <= room and len(out) < MOST_CHAPTERS:
            out.append({"title": title, "start_s": start_s})
    return out


def _points(book: Book, clip: Clip) -> list[dict[str, Any]]:
    return [m for m in book.marks if m["mark"] == "point" and clip.start_s < m["at_s"] < clip.end_s]
