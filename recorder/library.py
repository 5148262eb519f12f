"""The published lesson on disk: immutable files named by their content, and a manifest that is written last.

A reader sees the old version or the new one, whole, whenever the writer stops. Files that no manifest names are left to
players that still hold them for a while and then removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recorder.clips.store import CLIPS, LOCK, file_states

MANIFEST = "manifest.json"
# A player may go on with the version that it began with for this long.
KEPT_FOR_PLAYERS_S = 600
_WORK = ".work"
_LOCK = ".lock"


@dataclass(frozen=True)
class TrackEntry:
    """One media file of a lesson; times in seconds on the lesson's timeline."""

    source: str
    file: str
    mime: str
    bytes: int
    sha256: str
    start_s: float
    end_s: float
    width: int | None
    height: int | None
    codec: str


@dataclass(frozen=True)
class GapEntry:
    """A stretch in which a source has nothing."""

    source: str
    start_s: float
    end_s: float
    reason: str


@dataclass(frozen=True)
class Chapter:
    """A named place."""

    title: str
    start_s: float


@dataclass(frozen=True)
class Manifest:
    """`manifest.json` of PROTOCOL section 7."""

    id: str
    title: str
    teacher: str
    state: str
    started_ms: int
    duration_s: float
    version: int
    tracks: list[TrackEntry]
    voice_in: str | None
    gaps: list[GapEntry]
    chapters: list[Chapter]
    poster: str | None
    input: dict[str, str] = field(default_factory=dict)

    def files(self) -> set[str]:
        """Names of all files that it needs."""
        return {track.file for track in self.tracks} | ({self.poster} if self.poster else set())


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The published manifest as JSON, or `None` when nothing (readable) is published."""
    try:
        value = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return value if isinstance(value, dict) else None


@contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """An empty place for unfinished files beside the published ones, for one process at a time.

    Raises `BlockingIOError` when another process works on this lesson.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        work = folder / _WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def keep(folder: Path, path: Path, suffix: str) -> tuple[str, int, str]:
    """Move a finished, synced file to its name by content: (name, bytes, sha256)."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{digest[:24]}.{suffix}"
    size = path.stat().st_size
    path.rename(folder / name)
    return name, size, digest


def publish(folder: Path, work: Path, manifest: Manifest) -> None:
    """Make this version the published one; everything it names stands in the folder already."""
    missing = [name for name in manifest.files() if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"not in the library: {missing}")
    _sync_folder(folder)
    path = work / MANIFEST
    with path.open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    path.rename(folder / MANIFEST)
    _sync_folder(folder)


def sweep(folder: Path, now_s: float) -> list[str]:
    """Remove what a killed writer left, and files of older versions that no player can still need; returns their names.

    Raises `BlockingIOError` when another process works on this lesson.
    """
    with _alone(folder):
        shutil.rmtree(folder / _WORK, ignore_errors=True)
        manifest = read_manifest(folder)
        if manifest is None or now_s - (folder / MANIFEST).stat().st_mtime <= KEPT_FOR_PLAYERS_S:
            return []
        named = {track["file"] for track in manifest["tracks"]} | {manifest["poster"], MANIFEST, _LOCK}
        clips = file_states(folder)
        named |= {CLIPS, f"{CLIPS}.new", LOCK, *(name for name, state in clips.items() if state != "withdrawn")}
        removed = [path for path in folder.iterdir() if path.name not in named]
        for path in removed:
            path.unlink()
        return [path.name for path in removed]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
