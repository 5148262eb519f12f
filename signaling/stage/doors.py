"""What must hold over a restart of ours though no association shows it: hush and lock of open lessons."""

from __future__ import annotations

import json

from signaling.database.database import Database
from signaling.stage.lock import Lock


class Doors:
    """The table of hushed and locked lessons."""

    def __init__(self, database: Database) -> None:
        self._database = database.connection

    async def keep(self, lesson: str, *, hush: bool, lock: Lock | None) -> None:
        """As it is now."""
        if not hush and lock is None:
            await self._database.execute("DELETE FROM doors WHERE lesson = ?", (lesson,))
            return
        inside = json.dumps({"subs": sorted(lock.subs), "tabs": sorted(lock.tabs)}) if lock is not None else None
        await self._database.execute("INSERT OR REPLACE INTO doors VALUES (?, ?, ?)", (lesson, hush, inside))

    async def of(self, lesson: str) -> tuple[bool, Lock | None]:
        """Hush and lock of a lesson."""
        rows = list(await self._database.execute_fetchall("SELECT hush, inside FROM doors WHERE lesson = ?", (lesson,)))
        if not rows:
            return False, None
        hush, inside = rows[0]
        known = json.loads(inside) if inside is not None else None
        return bool(hush), Lock(frozenset(known["subs"]), frozenset(known["tabs"])) if known is not None else None
