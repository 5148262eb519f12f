"""Lessons, codes and revocations in SQLite. The store keeps and finds; it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import aiosqlite

VERSION = 1
SCHEMA = """
CREATE TABLE lessons (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    teacher TEXT NOT NULL,
    teacher_name TEXT NOT NULL,
    code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    recording TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    last_teacher_ms INTEGER NOT NULL,
    closed_ms INTEGER
);
CREATE UNIQUE INDEX code_of_open_lesson ON lessons (code) WHERE state = 'open';
CREATE TABLE recordings (id TEXT PRIMARY KEY, lesson TEXT NOT NULL, started_ms INTEGER NOT NULL);
CREATE TABLE revocations (lesson TEXT NOT NULL, sub TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (lesson, sub));
"""
COLUMNS = "id, title, teacher, teacher_name, code, state, recording, created_ms, last_teacher_ms, closed_ms"


class Taken(Exception):
    """The id or the code is in use."""


@dataclass(frozen=True)
class LessonRow:
    """One lesson as it is kept; times are Unix milliseconds."""

    id: str
    title: str
    teacher: str  # sub of the teacher's token
    teacher_name: str
    code: str
    state: Literal["open", "closed"]
    recording: str  # id of the present recording
    created_ms: int
    last_teacher_ms: int
    closed_ms: int | None = None


class Store:
    """The database; use `async with await Store.open(path) as store`."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or make it; raises `RuntimeError` when a newer version made it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        database = await aiosqlite.connect(path, isolation_level=None)
        await database.execute("PRAGMA journal_mode = WAL")
        await database.execute("PRAGMA synchronous = NORMAL")
        await database.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        rows = list(await database.execute_fetchall("SELECT version FROM schema_version"))
        if not rows:
            await database.executescript(f"BEGIN; {SCHEMA} INSERT INTO schema_version VALUES ({VERSION}); COMMIT;")
        elif rows[0][0] > VERSION:
            await database.close()
            raise RuntimeError(f"{path} was made by a newer Zhuandi (schema {rows[0][0]}, known here: {VERSION})")
        return cls(database)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._database.close()

    async def add(self, row: LessonRow) -> None:
        """Keep a new lesson; raises `Taken`."""
        marks = ", ".join("?" * 10)
        try:
            await self._database.execute(f"INSERT INTO lessons ({COLUMNS}) VALUES ({marks})", _values(row))
        except aiosqlite.IntegrityError:
            raise Taken(row.id) from None
        await self.start_recording(row.id, row.recording, row.created_ms)

    async def lesson(self, lesson: str) -> LessonRow | None:
        """One lesson, open or closed."""
        return await self._one("id = ?", lesson)

    async def by_code(self, code: str) -> LessonRow | None:
        """The open lesson of a code."""
        return await self._one("code = ? AND state = 'open'", code)

    async def open_lessons(self) -> list[LessonRow]:
        """All open lessons, oldest first."""
        query = f"SELECT {COLUMNS} FROM lessons WHERE state = 'open' ORDER BY created_ms"
        return [LessonRow(*row) for row in await self._database.execute_fetchall(query)]

    async def recent(self, limit: int = 200) -> list[LessonRow]:
        """The newest lessons, newest first."""
        query = f"SELECT {COLUMNS} FROM lessons ORDER BY created_ms DESC LIMIT ?"
        return [LessonRow(*row) for row in await self._database.execute_fetchall(query, (limit,))]

    async def close_lesson(self, row: LessonRow, now_ms: int) -> LessonRow:
        """Mark it closed; its code is free again."""
        await self._database.execute(
            "UPDATE lessons SET state = 'closed', closed_ms = ? WHERE id = ?", (now_ms, row.id)
        )
        return replace(row, state="closed", closed_ms=now_ms)

    async def set_code(self, lesson: str, code: str) -> None:
        """Another code for a lesson; raises `Taken`."""
        try:
            await self._database.execute("UPDATE lessons SET code = ? WHERE id = ?", (code, lesson))
        except aiosqlite.IntegrityError:
            raise Taken(code) from None

    async def saw_teacher(self, lesson: str, now_ms: int) -> None:
        """Note that an output end was there."""
        await self._database.execute("UPDATE lessons SET last_teacher_ms = ? WHERE id = ?", (now_ms, lesson))

    async def start_recording(self, lesson: str, recording: str, now_ms: int) -> None:
        """The lesson goes on in this recording."""
        await self._database.execute("INSERT OR IGNORE INTO recordings VALUES (?, ?, ?)", (recording, lesson, now_ms))
        await self._database.execute("UPDATE lessons SET recording = ? WHERE id = ?", (recording, lesson))

    async def lesson_of_recording(self, recording: str) -> LessonRow | None:
        """Whose recording this is."""
        return await self._one("id = (SELECT lesson FROM recordings WHERE id = ?)", recording)

    async def revoke(self, lesson: str, sub: str, now_ms: int) -> None:
        """From now on `sub` has no rights in this lesson."""
        await self._database.execute("INSERT OR REPLACE INTO revocations VALUES (?, ?, ?)", (lesson, sub, now_ms))

    async def revoked(self, lesson: str, sub: str) -> bool:
        """Whether `sub` was sent away from this lesson."""
        query = "SELECT 1 FROM revocations WHERE lesson = ? AND sub = ?"
        return bool(list(await self._database.execute_fetchall(query, (lesson, sub))))

    async def _one(self, where: str, value: str) -> LessonRow | None:
        query = f"SELECT {COLUMNS} FROM lessons WHERE {where}"
        rows = list(await self._database.execute_fetchall(query, (value,)))
        return LessonRow(*rows[0]) if rows else None


def _values(row: LessonRow) -> tuple[object, ...]:
    return (
        row.id, row.title, row.teacher, row.teacher_name, row.code, row.state,
        row.recording, row.created_ms, row.last_teacher_ms, row.closed_ms,
    )  # fmt: skip
