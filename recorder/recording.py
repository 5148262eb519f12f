"""What is to be done for a lesson, read from disk alone: which runs are over, and whether they are published."""

from __future__ import annotations

import fcntl
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.derive import Order
from recorder.library import read_manifest

# A run that was just sealed is followed by `closed` in lesson.json in a moment; a longer silence is an interruption.
INTERRUPTED_AFTER_S = 2.0
# A closed lesson whose writer holds on, though nothing is written, is not waited for any longer than this.
GIVE_UP_ON_WRITER_S = 10.0
_LOCK = "writer.lock"


@dataclass(frozen=True)
class LessonInfo:
    """`lesson.json` of PROTOCOL section 7."""

    id: str
    title: str
    teacher: str
    state: str
    created_ms: int
    series: str | None = None
    keep: int | None = None


def read_lesson(folder: Path) -> LessonInfo:
    """What signalling wrote about the lesson; without a readable file it is a live lesson without a title."""
    try:
        value: Any = json.loads((folder / "lesson.json").read_bytes())
    except (FileNotFoundError, ValueError):
        value = {}
    if not isinstance(value, dict):
        value = {}
    kept = value.get("keep")
    return LessonInfo(
        id=folder.name,
        title=str(value.get("title", "")),
        teacher=str(value.get("teacher") or ""),
        state="closed" if value.get("state") == "closed" else "live",
        created_ms=int(value.get("created_ms") or 0),
        series=str(value["series"]) if value.get("series") else None,
        keep=kept if isinstance(kept, int) and kept > 0 else None,
    )


@dataclass(frozen=True)
class Epoch:
    """One run of the media process: its log files and whether anybody still writes them."""

    name: str
    files: tuple[tuple[str, int], ...]
    changed_s: float
    writing: bool


def read_epochs(folder: Path) -> list[Epoch]:
    """All runs of a lesson that have log files, oldest first."""
    epochs = []
    for path in folder.iterdir():
        logs = sorted(path.glob("*.zwl")) if path.is_dir() else []
        if logs:
            stats = [log.stat() for log in logs]
            files = tuple((log.name, stat.st_size) for log, stat in zip(logs, stats, strict=True))
            epochs.append(
                Epoch(
                    path.name,
                    files,
                    max(s.st_mtime for s in stats),
                    is_being_written(path),
                )
            )
    return sorted(epochs, key=lambda e: (e.changed_s, e.name))


def is_being_written(epoch: Path) -> bool:
    """Whether the writer is alive; to be asked only when files stand there, so the writer has its lock by then."""
    try:
        with (epoch / _LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@dataclass(frozen=True)
class Look:
    """What there is to do; `settled` when nothing can change until lesson.json or the set of runs does."""

    order: Order | None
    settled: bool


def look(recording: Path, library: Path, now_s: float) -> Look:
    """The order that brings the library up to date with the logs, if there is one to give."""
    info = read_lesson(recording)
    epochs = read_epochs(recording)
    if info.state == "closed":
        state, quiet = "final", True
        if any(e.writing and now_s - e.changed_s < GIVE_UP_ON_WRITER_S for e in epochs):
            return Look(None, False)
    else:
        state = "interrupted"
        over = [e for e in epochs if not e.writing and now_s - e.changed_s >= INTERRUPTED_AFTER_S]
        quiet, epochs = len(over) == len(epochs), over
    if not epochs:
        return Look(None, quiet)
    digest = _digest(state, epochs)
    published = read_manifest(library) or {}
    if (published.get("input") or {}).get("digest") == digest:
        return Look(None, quiet)
    names = tuple(e.name for e in epochs)
    return Look(Order(recording, library, info.id, info.title, info.teacher, state, names, digest), quiet)


def _digest(state: str, epochs: list[Epoch]) -> str:
    value = [
        state,
        sorted((e.name, name, size) for e in epochs for name, size in e.files),
    ]
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
