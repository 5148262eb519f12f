"""The timetable in SQLite: reads it whole, writes what changes. It keeps and finds; it decides nothing."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from signaling.database.database import Database
from signaling.timetable.model import Change, Period, Plan
from signaling.timetable.policy import Owner, Policies

PERIOD = (
    "id, weekday, begin_min, end_min, subject, teacher, classes, mode, record, first_day, last_day, clip, changed_ms"
)
CHANGE = "period, day, cancelled, teacher, moved_to, begin_min, end_min, at_ms"


class PlanStore:
    """The tables of the timetable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> Plan:
        """The whole plan."""
        fetch = self._database.connection.execute_fetchall
        periods = [_period(row) for row in await fetch(f"SELECT {PERIOD} FROM periods")]
        changes = [_change(row) for row in await fetch(f"SELECT {CHANGE} FROM plan_changes")]
        own: dict[Owner, dict[str, Any]] = {}
        for level, owner, name, value in await fetch("SELECT level, owner, name, value FROM policies"):
            own.setdefault((level, owner), {})[name] = json.loads(value)
        return Plan({p.id: p for p in periods}, {(c.period, c.day): c for c in changes}, Policies(own))

    async def put(self, period: Period) -> int:
        """Keep a period; with id 0 a new one, whose id is returned."""
        return await self._database.transact(lambda connection: _put(connection, period))

    async def replace(self, ended: Iterable[int], last_day: datetime.date, added: Iterable[Period]) -> list[int]:
        """At once: these periods have `last_day` as their last, and those are new. The ids of the new ones."""
        ended, added = list(ended), list(added)

        def work(connection: sqlite3.Connection) -> list[int]:
            for period in ended:
                _end(connection, period, last_day)
            return [_put(connection, period) for period in added]

        return await self._database.transact(work)

    async def put_change(self, change: Change) -> None:
        """Keep what is otherwise on one day."""
        values = (
            change.period, change.day.isoformat(), change.cancelled, change.teacher, _text(change.moved_to),
            change.begin_min, change.end_min, change.at_ms,
        )  # fmt: skip
        marks = ", ".join("?" * len(values))
        sql = f"INSERT OR REPLACE INTO plan_changes ({CHANGE}) VALUES ({marks})"
        await self._database.connection.execute(sql, values)

    async def set_policy(self, owner: Owner, settings: dict[str, Any]) -> None:
        """Keep settings of one owner; None: inherited from now on."""

        def work(connection: sqlite3.Connection) -> None:
            for name, value in settings.items():
                key = (*owner, name)
                if value is None:
                    connection.execute("DELETE FROM policies WHERE level = ? AND owner = ? AND name = ?", key)
                else:
                    connection.execute("INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?)", (*key, json.dumps(value)))

        await self._database.transact(work)


def _put(connection: sqlite3.Connection, period: Period) -> int:
    values = (
        period.id or None, period.weekday, period.begin_min, period.end_min, period.subject, period.teacher,
        json.dumps(period.classes), period.mode, period.record, _text(period.first_day), _text(period.last_day),
        period.clip, period.changed_ms,
    )  # fmt: skip
    marks = ", ".join("?" * len(values))
    sql = (
        f"INSERT INTO periods ({PERIOD}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in PERIOD.split(", ")[1:])
        + " RETURNING id"
    )
    return int(connection.execute(sql, values).fetchone()[0])


def _end(connection: sqlite3.Connection, period: int, last_day: datetime.date) -> None:
    """What never was held goes; what was held stays in its weeks."""
    day = last_day.isoformat()
    begun = connection.execute(
        "UPDATE periods SET last_day = min(coalesce(last_day, ?1), ?1) WHERE id = ?2 AND coalesce(first_day, '') <= ?1",
        (day, period),
    ).rowcount
    if not begun:
        connection.execute("DELETE FROM plan_changes WHERE period = ?", (period,))
        connection.execute("DELETE FROM periods WHERE id = ?", (period,))


def _text(day: datetime.date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _day(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None


def _period(row: Any) -> Period:
    number, weekday, begin, end, subject, teacher, classes, mode, record, first, last, clip, changed_ms = row
    return Period(
        number, weekday, begin, end, subject, teacher, tuple(json.loads(classes)), mode, bool(record),
        _day(first), _day(last), clip, changed_ms,
    )  # fmt: skip


def _change(row: Any) -> Change:
    period, day, cancelled, teacher, moved_to, begin, end, at_ms = row
    return Change(period, datetime.date.fromisoformat(day), bool(cancelled), teacher, _day(moved_to), begin, end, at_ms)
