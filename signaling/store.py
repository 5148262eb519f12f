"""Lessons, codes and revocations in SQLite. The store keeps and finds; it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import aiosqlite

from signaling.database.database import Database

COLUMNS = (
    "id, title, teacher, teacher_name, code, state, recording, created_ms, last_teacher_ms, closed_ms, record, open"
)


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
    record: bool = True
    open: bool = True  # to everybody who knows the code

    def __post_init__(self) -> None:
        for name in ("record", "open"):  # SQLite has no booleans
            object.__setattr__(self, name, bool(getattr(self, name)))


class Store:
    """The tables of lessons."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._database = database.connection

    async def add(self, row: LessonRow) -> None:
        """Keep a new lesson; raises `Taken`."""
        marks = ", ".join("?" * 12)
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

    async def reopen(self, row: LessonRow) -> None:
        """Open a closed lesson again as `row` has it; raises `Taken`."""
        names = COLUMNS.split(", ")[1:]
        sql = f"UPDATE lessons SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?"
        try:
            await self._database.execute(sql, (*_values(row)[1:], row.id))
        except aiosqlite.IntegrityError:
            raise Taken(row.code) from None
        await self._let_in(row)
        await self.start_recording(row.id, row.recording, row.created_ms)

    async def hand_over(self, row: LessonRow) -> None:
        """The lesson has the teacher and the title of `row`, who may come in (again)."""
        values = (row.title, row.teacher, row.teacher_name, row.id)
        await self._database.execute("UPDATE lessons SET title = ?, teacher = ?, teacher_name = ? WHERE id = ?", values)
        await self._let_in(row)

    async def _let_in(self, row: LessonRow) -> None:
        """Who teaches now may come in, also after having handed it over before."""
        await self._database.execute("DELETE FROM revocations WHERE lesson = ? AND sub = ?", (row.id, row.teacher))

    async def closed_since(self, since_ms: int) -> dict[str, int]:
        """When lessons were closed, by id, of those that were closed since."""
        query = "SELECT id, closed_ms FROM lessons WHERE state = 'closed' AND closed_ms >= ?"
        return dict(await self._database.execute_fetchall(query, (since_ms,)))  # type: ignore[arg-type]

    async def recordings_since(self, since_ms: int) -> list[tuple[str, str]]:
        """The recordings that began since, with their lessons, the newest first."""
        query = "SELECT id, lesson FROM recordings WHERE started_ms >= ? ORDER BY started_ms DESC"
        return [(row[0], row[1]) for row in await self._database.execute_fetchall(query, (since_ms,))]

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
        row.recording, row.created_ms, row.last_teacher_ms, row.closed_ms, row.record, row.open,
    )  # fmt: skip
