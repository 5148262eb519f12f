"""What checks found, kept for 30 days under the code that is read out over the phone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from signaling.checks.code import DAY_MS, new_report_code
from signaling.checks.rules import Facts, judge
from signaling.database.database import Database

KEEP_MS = 30 * DAY_MS
MAX_ROWS = 2000  # in one list
COLUMNS = "code, at_ms, device, name, lesson, rule, level, facts"


@dataclass(frozen=True)
class Report:
    """One finding; `device` is the classroom's account, `lesson` the lesson before whose bell it was made."""

    code: str
    at_ms: int
    device: str | None
    name: str
    lesson: str | None
    rule: str
    level: str
    facts: Facts

    def row(self) -> dict[str, Any]:
        """As the operator gets it."""
        facts = self.facts.model_dump(exclude_none=True)
        names = ("code", "at_ms", "device", "name", "lesson", "rule", "level")
        return {**{name: getattr(self, name) for name in names}, "facts": facts}


class Reports:
    """The table of findings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, facts: Facts, *, name: str, device: str | None, lesson: str | None, now_ms: int) -> Report:
        """Keep a finding, and forget those that are older than 30 days."""
        rule = judge(facts)
        values = (now_ms, device, name, lesson, rule["id"], rule["level"], facts.model_dump_json(exclude_none=True))

        def work(connection: sqlite3.Connection) -> str:
            connection.execute("DELETE FROM checks WHERE at_ms < ?", (now_ms - KEEP_MS,))
            while True:
                code = new_report_code()
                if connection.execute("SELECT 1 FROM checks WHERE code = ?", (code,)).fetchone() is None:
                    break
            connection.execute(f"INSERT INTO checks ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (code, *values))
            return code

        code = await self._database.transact(work)
        return Report(code, now_ms, device, name, lesson, rule["id"], rule["level"], facts)

    async def one(self, code: str, now_ms: int) -> Report | None:
        """The finding of a code."""
        return next(iter(await self._read("code = ? AND at_ms >= ?", (code, now_ms - KEEP_MS))), None)

    async def between(self, from_ms: int, to_ms: int, now_ms: int) -> list[Report]:
        """The findings of a time, newest first."""
        return await self._read("at_ms >= ? AND at_ms < ?", (max(from_ms, now_ms - KEEP_MS), to_ms))

    async def _read(self, where: str, values: tuple[object, ...]) -> list[Report]:
        query = f"SELECT {COLUMNS} FROM checks WHERE {where} ORDER BY at_ms DESC LIMIT {MAX_ROWS}"
        rows = await self._database.connection.execute_fetchall(query, values)
        return [
            Report(code, at_ms, device, name, lesson, rule, level, Facts.model_validate_json(facts))
            for code, at_ms, device, name, lesson, rule, level, facts in rows
        ]
