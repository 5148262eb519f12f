"""What each classroom had of a lesson, measured while it lasts, and what it thought of it afterwards."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from signaling.database.database import Database
from signaling.lesson import Lesson, Participant
from signaling.messages import Report

Key = tuple[str, str]  # lesson, device


@dataclass
class Seat:
    """The sums of one classroom in one lesson since they were written last."""

    present_ms: int = 0
    heights: Counter[str] = field(default_factory=Counter)  # ms by the height of the picture; 0: sound and slides
    concealed: float = 0.0
    frozen: float = 0.0
    reports: int = 0
    last_report: Report | None = None

    def note(self, participant: Participant, elapsed_ms: int) -> None:
        """It was there for so long."""
        rung = Lesson.rung_of(participant)
        if participant.transport is None or not participant.transport.connected or rung is None:
            return
        self.present_ms += elapsed_ms
        pictures = [height for height in (rung.camera, rung.screen) if height is not None]
        if pictures:
            self.heights[str(max(pictures))] += elapsed_ms
        report = participant.report
        if report is not None and report is not self.last_report:
            self.last_report = report
            self.concealed += report.audio_concealed_ratio or 0.0
            self.frozen += report.freeze_ratio or 0.0
            self.reports += 1


class Attendance:
    """All classrooms of all lessons."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seats: dict[Key, Seat] = {}

    def note(self, lesson: str, device: str, participant: Participant, elapsed_ms: int) -> None:
        """A classroom sits in a lesson."""
        self._seats.setdefault((lesson, device), Seat()).note(participant, elapsed_ms)

    async def flush(self) -> None:
        """Write what is new."""
        seats = {key: seat for key, seat in self._seats.items() if seat.present_ms}
        if not seats:
            return
        self._seats = {key: Seat(last_report=seat.last_report) for key, seat in seats.items()}

        def work(connection: Any) -> None:
            for key, seat in seats.items():
                _add(connection, key, seat)

        await self._database.transact(work)

    async def rate(self, lesson: str, device: str, stars: int, now_ms: int) -> None:
        """What the classroom thought: 1 to 3, the last one counts."""
        sql = "INSERT OR REPLACE INTO ratings VALUES (?, ?, ?, ?)"
        await self._database.connection.execute(sql, (lesson, device, stars, now_ms))

    async def rows(self, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """Ratings beside what was measured, of the lessons rated in a time, the newest first."""
        sql = (
            "SELECT r.lesson, l.title, l.teacher_name, r.device, r.stars, r.at_ms, "
            "a.present_ms, a.heights, a.concealed, a.frozen, a.reports "
            "FROM ratings r LEFT JOIN attendance a USING (lesson, device) LEFT JOIN lessons l ON l.id = r.lesson "
            "WHERE r.at_ms >= ? AND r.at_ms < ? ORDER BY r.at_ms DESC LIMIT 1000"
        )
        found = await self._database.connection.execute_fetchall(sql, (since_ms, until_ms))
        return [_plain(*row) for row in found]


def _add(connection: Any, key: Key, seat: Seat) -> None:
    """The heights are sums as well, so the row is read first; all of it is one transaction."""
    sql = "SELECT heights FROM attendance WHERE lesson = ? AND device = ?"
    row = connection.execute(sql, key).fetchone()
    heights = Counter(json.loads(row[0]) if row is not None else {}) + seat.heights
    connection.execute(
        "INSERT INTO attendance VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (lesson, device) DO UPDATE SET "
        "present_ms = present_ms + excluded.present_ms, heights = excluded.heights, "
        "concealed = concealed + excluded.concealed, frozen = frozen + excluded.frozen, "
        "reports = reports + excluded.reports",
        (*key, seat.present_ms, json.dumps(heights), seat.concealed, seat.frozen, seat.reports),
    )


def _plain(
    lesson: str, title: str | None, teacher: str | None, device: str, stars: int, at_ms: int,
    present_ms: int | None, heights: str | None, concealed: float | None, frozen: float | None, reports: int | None,
) -> dict[str, Any]:  # fmt: skip
    measured = {height: round(ms / 60_000, 1) for height, ms in json.loads(heights or "{}").items()}
    return {
        "lesson": lesson,
        "subject": title or "",
        "teacher_name": teacher or "",
        "device": device,
        "stars": stars,
        "at_ms": at_ms,
        "present_min": round((present_ms or 0) / 60_000, 1),
        "minutes": measured,
        "concealed_ratio": round((concealed or 0.0) / reports, 4) if reports else None,
        "freeze_ratio": round((frozen or 0.0) / reports, 4) if reports else None,
    }
