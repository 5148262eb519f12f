"""The table of questions: it keeps, finds and forgets; who may ask or answer is decided elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from signaling.database.database import Database

COLUMNS = "id, lesson, recording, sub, name, text, asked_ms, answer, answered_ms"
SHOWN = ("id", "asked_ms", "name", "text", "answered_ms", "answer")
MAX_OF_LESSON = 2000
MAX_UNANSWERED = 20  # of one asker in one lesson
MAX_LESSONS = 200


class TooMany(Exception):
    """The lesson's list, or the asker's part of it, is full."""


@dataclass(frozen=True)
class Question:
    """One question; times are Unix milliseconds."""

    id: int
    lesson: str
    recording: str
    sub: str
    name: str
    text: str
    asked_ms: int
    answer: str | None
    answered_ms: int | None

    def row(self) -> dict[str, Any]:
        """As people get it."""
        values = asdict(self)
        return {name: values[name] for name in SHOWN}


class QuestionStore:
    """Questions in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, lesson: str, recording: str, sub: str, name: str, text: str, now_ms: int) -> None:
        """Keep a question; raises `TooMany`."""

        def work(connection: sqlite3.Connection) -> None:
            (total,) = connection.execute("SELECT count(*) FROM questions WHERE lesson = ?", (lesson,)).fetchone()
            open_ones = "SELECT count(*) FROM questions WHERE lesson = ? AND sub = ? AND answered_ms IS NULL"
            (own,) = connection.execute(open_ones, (lesson, sub)).fetchone()
            if total >= MAX_OF_LESSON or own >= MAX_UNANSWERED:
                raise TooMany
            connection.execute(
                "INSERT INTO questions (lesson, recording, sub, name, text, asked_ms) VALUES (?, ?, ?, ?, ?, ?)",
                (lesson, recording, sub, name, text, now_ms),
            )

        await self._database.transact(work)

    async def of_lesson(self, lesson: str, sub: str | None = None) -> list[Question]:
        """All of a lesson, or those of one asker, oldest first."""
        if sub is None:
            return await self._read("lesson = ?", (lesson,))
        return await self._read("lesson = ? AND sub = ?", (lesson, sub))

    async def one(self, lesson: str, question: int) -> Question | None:
        """One question of a lesson."""
        return next(iter(await self._read("lesson = ? AND id = ?", (lesson, question))), None)

    async def answer(self, question: int, text: str, now_ms: int) -> None:
        """Note the answer; an empty one was given aloud."""
        await self._database.connection.execute(
            "UPDATE questions SET answer = ?, answered_ms = ? WHERE id = ?", (text, now_ms, question)
        )

    async def remove(self, question: int) -> None:
        """Forget one."""
        await self._database.connection.execute("DELETE FROM questions WHERE id = ?", (question,))

    async def news(self, lesson: str, sub: str | None = None) -> tuple[int, int]:
        """How many wait for an answer, and when something was asked or answered last (0: never)."""
        where, values = ("lesson = ?", (lesson,)) if sub is None else ("lesson = ? AND sub = ?", (lesson, sub))
        query = (
            "SELECT count(*) - count(answered_ms), coalesce(max(max(asked_ms, coalesce(answered_ms, 0))), 0) "
            f"FROM questions WHERE {where}"
        )
        ((unanswered, newest_ms),) = await self._database.connection.execute_fetchall(query, values)
        return int(unanswered), int(newest_ms)

    async def lessons(self, teacher: str | None) -> list[dict[str, Any]]:
        """The lessons with questions, newest first: all, or those of one teacher."""
        query = (
            "SELECT l.id, l.title, l.teacher_name, l.created_ms, l.state, count(*) - count(q.answered_ms), count(*) "
            "FROM questions q JOIN lessons l ON l.id = q.lesson WHERE ? IS NULL OR l.teacher = ? "
            f"GROUP BY l.id ORDER BY max(q.asked_ms) DESC LIMIT {MAX_LESSONS}"
        )
        names = ("id", "title", "teacher", "created_ms", "state", "unanswered", "total")
        rows = await self._database.connection.execute_fetchall(query, (teacher, teacher))
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def forget(self, before_ms: int, kept: Callable[[str], bool]) -> None:
        """Erase what was asked before, unless the recording that it belongs to is `kept`."""
        query = "SELECT DISTINCT recording FROM questions WHERE asked_ms < ?"
        rows = await self._database.connection.execute_fetchall(query, (before_ms,))
        for recording in [str(row[0]) for row in rows]:
            if not kept(recording):
                await self._database.connection.execute(
                    "DELETE FROM questions WHERE recording = ? AND asked_ms < ?", (recording, before_ms)
                )

    async def _read(self, where: str, values: tuple[object, ...]) -> list[Question]:
        query = f"SELECT {COLUMNS} FROM questions WHERE {where} ORDER BY asked_ms, id"
        return [Question(*row) for row in await self._database.connection.execute_fetchall(query, values)]
