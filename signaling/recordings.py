"""What signalling writes about recordings, and what it reads of the library (PROTOCOL section 7)."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from recorder.clips.store import CLIPS
from signaling.store import LessonRow

# Names of lessons and recordings; they are folder names, so nothing else ever reaches the file system.
SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
MAX_LESSON_ID = 48  # a recording id adds a date
SAFE_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}\.(webm|mp4|json|jpg|vtt)")
ENTRY_FIELDS = ("id", "title", "teacher", "state", "started_ms", "duration_s", "poster")


class Recordings:
    """The folders `recordings/` and `library/` of the data folder."""

    def __init__(self, data: Path, *, min_free_bytes: int) -> None:
        self._logs = data / "recordings"
        self._library = data / "library"
        self._min_free_bytes = min_free_bytes

    def disk_is_full(self) -> bool:
        """Whether a new lesson would not find the room that it needs."""
        self._logs.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._logs).free < self._min_free_bytes

    def log_dir(self, recording: str) -> Path:
        """Where the media process puts its epochs."""
        return self._logs / _safe(recording)

    def begun(self, recording: str) -> bool:
        """Whether this recording was ever opened."""
        return (self.log_dir(recording) / "lesson.json").exists()

    def write_state(
        self, row: LessonRow, state: str, closed_ms: int | None, series: tuple[str, int] | None = None
    ) -> None:
        """lesson.json of the present recording; raises `OSError`."""
        folder = self.log_dir(row.recording)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "lesson.json"
        started_ms = _read_json(path).get("created_ms", row.created_ms if row.recording == row.id else _started(row))
        content: dict[str, Any] = {
            "id": row.recording,
            "lesson": row.id,
            "title": row.title,
            "teacher": row.teacher_name,
            "state": state,
            "created_ms": started_ms,
            "closed_ms": closed_ms,
        }
        if series is not None:
            content["series"], content["keep"] = series
        beside = path.with_name(f"lesson.json.{os.getpid()}")
        beside.write_text(json.dumps(content, ensure_ascii=False))
        beside.rename(path)

    def published(self) -> set[str]:
        """The ids of all that the library has, or may have in a moment."""
        return {path.name for path in self._library.iterdir()} if self._library.is_dir() else set()

    def entries(self) -> list[dict[str, Any]]:
        """The published lessons, newest first."""
        if not self._library.is_dir():
            return []
        found = [self.manifest(p.name) for p in self._library.iterdir() if SAFE_ID.fullmatch(p.name)]
        entries = [{field: m.get(field) for field in ENTRY_FIELDS} for m in found if m is not None]
        return sorted(entries, key=lambda e: e["started_ms"] or 0, reverse=True)

    def clips_folder(self, recording: str) -> Path | None:
        """Where the micro-lessons of a recording are kept; None where there is no such recording."""
        known = SAFE_ID.fullmatch(recording) is not None
        folder = self._library / recording
        return folder if known and (folder.is_dir() or self.begun(recording)) else None

    def manifest(self, recording: str) -> dict[str, Any] | None:
        """One published lesson, or None."""
        if not SAFE_ID.fullmatch(recording):
            return None
        return _read_json(self._library / recording / "manifest.json") or None

    def media_file(self, recording: str, file: str) -> Path | None:
        """A file of the library, or None: both names are tokens, and the file is no link."""
        if not SAFE_ID.fullmatch(recording) or not SAFE_FILE.fullmatch(file) or file in ("manifest.json", CLIPS):
            return None
        path = self._library / recording / file
        return path if path.is_file() and not path.is_symlink() else None


def next_recording_id(lesson: str, now: datetime.datetime) -> str:
    """The recording after this one."""
    return f"{lesson}-{now.astimezone(datetime.UTC):%Y%m%d%H%M%S}"


def _started(row: LessonRow) -> int:
    stamp = datetime.datetime.strptime(row.recording[-14:], "%Y%m%d%H%M%S").replace(tzinfo=datetime.UTC)
    return int(stamp.timestamp() * 1000)


def _safe(recording: str) -> str:
    if not SAFE_ID.fullmatch(recording):
        raise ValueError(f"not a recording id: {recording!r}")
    return recording


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
