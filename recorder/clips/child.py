"""The child process that proposes micro-lessons while a lesson runs and after it, and cuts those that are published.

It keeps nothing that is not on disk but what it has looked at: killed at any point, the next start looks again.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import structlog

from recorder.clips import propose, store
from recorder.clips.gather import gather
from recorder.clips.looks import Looking
from recorder.clips.publish import Uncuttable, make_files
from recorder.clips.store import CLIPS, Book
from recorder.library import MANIFEST, read_manifest
from recorder.recording import Epoch, read_epochs, read_lesson

log = structlog.get_logger("recorder.clips")

# While a lesson runs it is looked at this often; a failure is tried again after so long.
LIVE_S = 30.0
AGAIN_S = 60.0


@dataclass
class _Lesson:
    """What is known of one lesson beside its files."""

    looking: Looking = field(default_factory=Looking)
    epochs: tuple[str, ...] = ()
    looked_s: float = -LIVE_S
    not_before_s: float = 0.0
    settled: tuple[int, ...] = ()


class Clips:
    """All lessons of a data folder; `step` is one look around, one lesson's work at most."""

    def __init__(self, data: Path) -> None:
        self._recordings, self._library = data / "recordings", data / "library"
        self._lessons: dict[str, _Lesson] = {}

    def step(self, now_s: float) -> bool:
        """Whether something was done. `now_s` is Unix time."""
        for folder in sorted(self._recordings.iterdir()) if self._recordings.is_dir() else []:
            if not folder.is_dir():
                continue
            lesson = self._lessons.setdefault(folder.name, _Lesson())
            if now_s < lesson.not_before_s or lesson.settled == _stamp(folder, self._library / folder.name):
                continue
            try:
                if self._publish(folder.name, now_s) or self._propose(folder, lesson, now_s):
                    return True
            except BlockingIOError:
                continue  # the lesson's own files are being made
            except (OSError, ValueError, av.FFmpegError) as error:
                log.warning("clips_failed", lesson=folder.name, error=str(error))
                lesson.not_before_s = now_s + AGAIN_S
        return False

    def _propose(self, folder: Path, lesson: _Lesson, now_s: float) -> bool:
        book = store.read(self._library / folder.name)
        asked = book is not None and book.asked
        stamp = _stamp(folder, self._library / folder.name)
        epochs = read_epochs(folder)
        live = read_lesson(folder).state != "closed" and any(e.writing for e in epochs)
        if live and not asked and now_s - lesson.looked_s < LIVE_S:
            return False
        digest = "" if live else _digest(epochs)
        if not live and not asked and book is not None and book.digest == digest:
            lesson.settled = stamp
            return False
        manifest = read_manifest(self._library / folder.name)
        if not epochs or (not live and manifest is None):
            return False  # the recorder makes the lesson first: its timeline is the one that players see
        lesson.looked_s = now_s
        self._look(folder, lesson, tuple(e.name for e in epochs), manifest, None if live else digest)
        return True

    def _look(
        self,
        folder: Path,
        lesson: _Lesson,
        epochs: tuple[str, ...],
        manifest: dict[str, Any] | None,
        digest: str | None,
    ) -> None:
        if lesson.epochs[: len(epochs)] != epochs[: len(lesson.epochs)] or lesson.looking.over:
            lesson.looking = Looking()
        lesson.epochs = epochs
        zero_us = int(manifest["started_ms"]) * 1000 if manifest is not None and digest is not None else None
        began_s = time.process_time()
        found = gather(folder, epochs, lesson.looking, over=digest is not None, zero_us=zero_us)
        if found is None:
            return
        book = propose.renew(self._library / folder.name, found, digest)
        cpu_s = round(time.process_time() - began_s, 2)
        log.info("proposed", lesson=folder.name, state=book.state, clips=len(book.clips), cpu_s=cpu_s)
        if digest is not None:
            lesson.looking = Looking()

    def _publish(self, name: str, now_s: float) -> bool:
        folder = self._library / name
        book = store.read(folder)
        if book is None:
            return False
        _remove_withdrawn(folder, book)
        clip = next((clip for clip in book.clips if clip.state == "publishing"), None)
        manifest = read_manifest(folder)
        if clip is None or manifest is None:
            return False
        by = next((note["who"] for note in reversed(clip.history) if note["what"] == "publishing"), "")
        at_ms = next((note["at_ms"] for note in reversed(clip.history) if note["what"] == "publishing"), 0)
        try:
            files = make_files(folder, manifest, clip, book.spans_private(), by, at_ms)
        except Uncuttable as error:
            with store.edit(folder) as now:
                now.failed(clip.number, str(error), round(now_s * 1000))
            log.warning("not_cut", lesson=name, clip=clip.number, error=str(error))
            return True
        with store.edit(folder) as now:
            if now.clip(clip.number).state == "publishing":
                now.published(clip.number, files, round(now_s * 1000))
        log.info("published", lesson=name, clip=clip.number, bytes=sum(f["bytes"] for f in files))
        return True


def _remove_withdrawn(folder: Path, book: Book) -> None:
    """The names stay in the book: they are known as withdrawn."""
    needed = {f["file"] for clip in book.clips if clip.state != "withdrawn" for f in clip.files}
    for clip in book.clips:
        if clip.state == "withdrawn":
            for name in {f["file"] for f in clip.files} - needed:
                (folder / name).unlink(missing_ok=True)


def _stamp(folder: Path, published: Path) -> tuple[int, ...]:
    """Changes with lesson.json, the set of runs, the manifest and the clips."""
    paths = folder, folder / "lesson.json", published / MANIFEST, published / CLIPS
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _digest(epochs: list[Epoch]) -> str:
    value = sorted((e.name, name, size) for e in epochs for name, size in e.files)
    return hashlib.sha256(repr(value).encode()).hexdigest()[:32]
