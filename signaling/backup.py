"""A server in one file: the database as it was at one moment, the secrets, and what the library holds.

A tar archive: `backup.json` {version, schema, created_ms}, `zhuandi.db`, `secrets/…`, `library/<id>/manifest.json`, and
with media every file of the library. Recordings that are not yet in the library are not part of it.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signaling.data_lock import data_locked
from signaling.database.migrate import copy_database, known_steps, schema_of

VERSION = 1
DATABASE = "zhuandi.db"
ABOUT = "backup.json"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}"
SECRET = re.compile(rf"secrets/{NAME}")
CLIP = re.compile(rf"library/({NAME})/({NAME})")


class BackupError(Exception):
    """The archive cannot be made or used; nothing was changed. The text is one line for people."""


@dataclass(frozen=True)
class Restored:
    """What came back; `without_media` are lessons of the library whose files are not here."""

    created_ms: int
    schema: int
    lessons: int
    without_media: int


def back_up(data: Path, target: Path, *, with_media: bool) -> None:
    """Write the archive, readable by us alone; a running server is not disturbed. Raises `BackupError`."""
    if not (data / DATABASE).is_file():
        raise BackupError(f"there is no server in {data}")
    beside = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
            _add_database(archive, data / DATABASE)
            for path in sorted((data / "secrets").glob("*")):
                _add(archive, path, f"secrets/{path.name}")
            for path in sorted((data / "library").glob("*/*")):
                kept = path.name in ("manifest.json", "clips.json") or with_media
                if kept and not path.name.startswith("."):  # locks
                    _add(archive, path, f"library/{path.parent.name}/{path.name}")
        beside.rename(target)
    except (OSError, sqlite3.Error) as error:
        beside.unlink(missing_ok=True)
        raise BackupError(f"the backup could not be written: {error}") from None


def restore(data: Path, source: Path) -> Restored:
    """Put an archive in the place of what is there; the database of before stays as `zhuandi.db.before-restore`.

    Raises `BackupError`, or `DataInUse` over a running server.
    """
    data.mkdir(parents=True, exist_ok=True)
    with data_locked(data), tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as folder:
        unpacked = Path(folder)
        try:
            _unpack(source, unpacked)
            about, schema = _check(unpacked)
            _put_database(unpacked / DATABASE, data / DATABASE)
            _put_secrets(unpacked / "secrets", data / "secrets")
            lessons, without = _put_library(unpacked / "library", data / "library")
        except (OSError, tarfile.TarError, sqlite3.Error, ValueError, KeyError) as error:
            raise BackupError(f"{source} could not be restored: {error}") from None
    return Restored(int(about["created_ms"]), schema, lessons, without)


def _add_database(archive: tarfile.TarFile, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(path)) as database:
        copy = Path(folder) / DATABASE
        copy_database(database, copy)
        about = {"version": VERSION, "schema": schema_of(database), "created_ms": time.time_ns() // 1_000_000}
        text = json.dumps(about).encode()
        entry = tarfile.TarInfo(ABOUT)
        entry.size, entry.mode, entry.mtime = len(text), 0o600, int(time.time())
        archive.addfile(entry, io.BytesIO(text))
        _add(archive, copy, DATABASE)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    if path.is_file() and not path.is_symlink():
        archive.add(path, name, recursive=False)


def _unpack(source: Path, folder: Path) -> None:
    """Only plain files under names of ours leave the archive."""
    with tarfile.open(source, "r:") as archive:
        for entry in archive:
            known = entry.name in (ABOUT, DATABASE) or SECRET.fullmatch(entry.name) or CLIP.fullmatch(entry.name)
            content = archive.extractfile(entry) if known and entry.isreg() else None
            if content is None:
                raise ValueError(f"{entry.name[:80]!r} is no part of a backup")
            path = folder / entry.name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)


def _check(folder: Path) -> tuple[dict[str, Any], int]:
    about: dict[str, Any] = json.loads((folder / ABOUT).read_text())
    if about["version"] > VERSION:
        raise ValueError("it was made by a newer Zhuandi")
    with closing(sqlite3.connect(f"file:{folder / DATABASE}?mode=ro", uri=True)) as database:
        schema, known = schema_of(database), len(known_steps())
        if schema > known:
            raise ValueError(f"it was made by a newer Zhuandi (schema {schema}, known here: {known})")
        if schema == 0 or database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise ValueError("its database is damaged")
    return about, schema


def _put_database(source: Path, target: Path) -> None:
    if target.is_file():
        with closing(sqlite3.connect(target)) as database:
            copy_database(database, target.with_name(f"{DATABASE}.before-restore"))
    for suffix in ("-wal", "-shm"):
        target.with_name(DATABASE + suffix).unlink(missing_ok=True)
    source.chmod(0o600)
    source.replace(target)


def _put_secrets(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700, exist_ok=True)
    for path in sorted(source.glob("*")):
        path.chmod(0o600)
        path.replace(target / path.name)


def _put_library(source: Path, target: Path) -> tuple[int, int]:
    """Lessons whose files are all there are published again; how many, and how many were not."""
    published = without = 0
    for folder in sorted(source.glob("*")):
        manifest = folder / "manifest.json"
        if not manifest.is_file():
            continue
        content = json.loads(manifest.read_text())
        named = [track["file"] for track in content.get("tracks", [])] + [content.get("poster")]
        home = target / folder.name
        files = [name for name in named if name is not None]
        if all((folder / name).is_file() or (home / name).is_file() for name in files):
            home.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.iterdir(), key=lambda path: path == manifest):  # the manifest comes last
                path.replace(home / path.name)
            published += 1
        else:
            without += 1
    return published, without
