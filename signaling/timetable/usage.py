"""Bytes of each school and month, and how much less its classrooms get when the month's data runs out."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from signaling.database.database import Database
from signaling.lesson import Allowance
from signaling.timetable.policy import MB, Policies

Kind = Literal["media", "pages"]
LESS_FROM, SOUND_FROM = 0.8, 1.0  # of the cap
Key = tuple[str, str, Kind]  # school, month, kind


def month_of(now_ms: int, zone: ZoneInfo) -> str:
    """The month on the school's wall, YYYY-MM."""
    return f"{datetime.datetime.fromtimestamp(now_ms / 1000, zone):%Y-%m}"


def allowance(used_bytes: int, cap_mb: int) -> Allowance:
    """What a classroom may get after so much; it is never cut off: sound and slides always go on."""
    if cap_mb == 0 or used_bytes < LESS_FROM * cap_mb * MB:
        return "all"
    return "less" if used_bytes < SOUND_FROM * cap_mb * MB else "sound"


class Usage:
    """The sums: what is in the database, and what will be there within a minute."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: Counter[Key] = Counter()
        self._fresh: Counter[Key] = Counter()
        self._seen: dict[int, int] = {}  # bytes of each transport at the last look

    async def load(self) -> None:
        """Read the sums."""
        rows = await self._database.connection.execute_fetchall("SELECT school, month, kind, bytes FROM usage")
        self._kept = Counter({(school, month, kind): count for school, month, kind, count in rows})

    def add(self, school: str, month: str, kind: Kind, count: int) -> None:
        """Some bytes more."""
        self._fresh[school, month, kind] += count

    def look(self, month: str, transports: Iterable[tuple[int, str, int]]) -> None:
        """Transports with their school and their bytes so far; those of one that is new count from now on.

        A restarted server finds transports that have carried for long, and counted them then.
        """
        seen: dict[int, int] = {}
        for handle, school, total in transports:
            before = self._seen.get(handle, total)
            self.add(school, month, "media", total - before if total >= before else total)
            seen[handle] = total
        self._seen = seen

    def of(self, school: str, month: str) -> dict[Kind, int]:
        """The bytes of a school in a month."""
        kinds: tuple[Kind, ...] = ("media", "pages")
        return {kind: self._kept[school, month, kind] + self._fresh[school, month, kind] for kind in kinds}

    def allowances(self, schools: Iterable[str], month: str, policies: Policies) -> Mapping[str, Allowance]:
        """What the classrooms of each school may get now."""
        return {
            school: allowance(sum(self.of(school, month).values()), policies.of_school(school).data_cap_mb)
            for school in schools
        }

    async def flush(self) -> None:
        """Write what is new."""
        fresh = +self._fresh
        sql = (
            "INSERT INTO usage VALUES (?, ?, ?, ?) ON CONFLICT (school, month, kind) "
            "DO UPDATE SET bytes = bytes + excluded.bytes"
        )
        if fresh:
            rows = [(*key, count) for key, count in fresh.items()]
            await self._database.transact(lambda connection: connection.executemany(sql, rows))
            # Not before it is written: what comes meanwhile, or stays after a fault, is written next time.
            self._fresh.subtract(fresh)
            self._kept += fresh
