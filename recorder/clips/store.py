"""`clips.json`: the micro-lessons of one lesson, what people did with them, and what they may do next (PROTOCOL 7).

Written whole, by rename, under a lock of its own: a reader sees the state before or after, whoever is killed when.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from recorder.clips.boundaries import Proposal
from recorder.clips.spans import Span, overlap_s

CLIPS, LOCK = "clips.json", ".clips.lock"
LEAST_S = 10.0
TEXTS = ("title", "subject", "grade", "textbook", "chapter", "licence")
MAX_TEXT = 120
# A proposal that begins so near the former one is the same, and keeps its number.
SAME_S = 15.0
# From which states each step leads on, and where to.
STEPS = {
    "accept": (("proposed",), "accepted"),
    "publish": (("accepted", "withdrawn"), "publishing"),
    "withdraw": (("proposed", "accepted", "published"), "withdrawn"),
}


class ClipError(Exception):
    """What was asked cannot be done; the text says why."""


@dataclass
class Clip:
    """One micro-lesson; seconds of the lesson's timeline."""

    number: int
    start_s: float
    end_s: float
    title: str = ""
    state: str = "proposed"
    touched: bool = False
    confidence: float = 0.0
    why: list[str] = field(default_factory=list)
    chapters: list[dict[str, Any]] = field(default_factory=list)
    subject: str = ""
    grade: str = ""
    textbook: str = ""
    chapter: str = ""
    licence: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)
    problem: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def span(self) -> Span:
        """From when to when."""
        return self.start_s, self.end_s


@dataclass
class Book:
    """All that stands in one file."""

    version: int = 0
    zero_ms: int = 0
    duration_s: float = 0.0
    state: str = "live"
    profile: str = "weike"
    asked: bool = False
    digest: str = ""
    private: list[list[float]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    slides: list[float] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)
    highest: int = 0

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        """What a later version may have added is left out."""
        known = {f.name for f in fields(cls)}
        names = {f.name for f in fields(Clip)}
        clips = [Clip(**{k: v for k, v in row.items() if k in names}) for row in value.get("clips", [])]
        return cls(**{**{k: v for k, v in value.items() if k in known}, "clips": clips})

    def clip(self, number: int) -> Clip:
        """Raises `ClipError`."""
        found = next((clip for clip in self.clips if clip.number == number), None)
        if found is None:
            raise ClipError(f"there is no clip {number}")
        return found

    def spans_private(self) -> list[Span]:
        """不要录."""
        return [(start, end) for start, end in self.private]

    def renew(self, proposals: Sequence[Proposal], titles: Sequence[str]) -> None:
        """Take new proposals in the place of those that nobody touched."""
        kept = [clip for clip in self.clips if clip.touched]
        former = {clip.number: clip for clip in self.clips if not clip.touched}
        for proposal, title in zip(proposals, titles, strict=True):
            same = min(former.values(), key=lambda c: abs(c.start_s - proposal.start_s), default=None)
            if same is not None and abs(same.start_s - proposal.start_s) <= SAME_S:
                number = former.pop(same.number).number
            else:
                self.highest += 1
                number = self.highest
            why, sure = list(proposal.why), proposal.confidence
            kept.append(Clip(number, proposal.start_s, proposal.end_s, title, confidence=sure, why=why))
        self.clips = sorted(kept, key=lambda clip: (clip.start_s, clip.number))

    def change(self, number: int, values: dict[str, Any], who: str, at_ms: int) -> Clip:
        """Another time or text, by a person; raises `ClipError`."""
        clip = self.clip(number)
        if clip.state not in ("proposed", "accepted"):
            raise ClipError(f"clip {number} is {clip.state}: withdraw it first")
        unknown = set(values) - {"start_s", "end_s", *TEXTS}
        if unknown:
            raise ClipError(f"a clip has no {', '.join(sorted(unknown))}")
        start_s, end_s = (_seconds(values.get(name, getattr(clip, name)), name) for name in ("start_s", "end_s"))
        if not (start_s >= 0 and end_s - start_s >= LEAST_S and end_s <= self.duration_s + 0.001):
            raise ClipError(f"a clip lies within the lesson (0 to {self.duration_s} s) and has at least {LEAST_S:g} s")
        if overlap_s((start_s, end_s), self.spans_private()) > 0:
            raise ClipError("within this time something is not to be recorded")
        texts = {name: _text(values[name], name) for name in TEXTS if name in values}
        clip.start_s, clip.end_s = start_s, end_s
        for name, text in texts.items():
            setattr(clip, name, text)
        self._note(clip, "changed", who, at_ms)
        return clip

    def step(self, number: int, step: str, who: str, at_ms: int) -> Clip:
        """Accept, publish or withdraw, by a person; raises `ClipError`."""
        clip = self.clip(number)
        before, after = STEPS[step]
        if clip.state not in before:
            raise ClipError(f"clip {number} is {clip.state}; {step} is for {' or '.join(before)}")
        if step == "publish" and overlap_s(clip.span, self.spans_private()) > 0:
            raise ClipError("within this time something is not to be recorded")
        clip.state, clip.problem = after, None
        self._note(clip, after, who, at_ms)
        return clip

    def published(self, number: int, files: list[dict[str, Any]], at_ms: int) -> None:
        """Its files are there."""
        clip = self.clip(number)
        clip.state, clip.files = "published", files
        self._note(clip, "published", "recorder", at_ms)

    def failed(self, number: int, problem: str, at_ms: int) -> None:
        """Its files could not be made."""
        clip = self.clip(number)
        clip.state, clip.problem = "accepted", problem
        self._note(clip, "failed", "recorder", at_ms)

    @staticmethod
    def _note(clip: Clip, what: str, who: str, at_ms: int) -> None:
        clip.touched = True
        clip.history.append({"what": what, "who": who, "at_ms": at_ms})


def read(folder: Path) -> Book | None:
    """The lesson's clips, or None where there are none (that can be read)."""
    try:
        value = json.loads((folder / CLIPS).read_bytes())
        return Book.parse(value) if isinstance(value, dict) else None
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, AttributeError):
        return None


@contextmanager
def edit(folder: Path) -> Iterator[Book]:
    """The clips to be changed, alone; written when the block ends well and something is different."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        book = read(folder) or Book()
        before = asdict(book)
        yield book
        if asdict(book) != before:
            book.version += 1
            _write(folder, book)


def file_states(folder: Path) -> dict[str, str]:
    """Name of each clip's file -> the clip's state."""
    book = read(folder)
    return {f["file"]: clip.state for clip in book.clips for f in clip.files} if book is not None else {}


def _write(folder: Path, book: Book) -> None:
    beside = folder / f"{CLIPS}.new"
    with beside.open("w", encoding="utf-8") as file:
        json.dump(asdict(book), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(folder / CLIPS)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _seconds(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise ClipError(f"{name} is a number of seconds")
    return round(float(value), 3)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or any(ord(sign) < 32 for sign in value):
        raise ClipError(f"{name} is one line of at most {MAX_TEXT} characters")
    return value.strip()
