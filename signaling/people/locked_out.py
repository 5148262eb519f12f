"""Logins that wait after too many wrong passwords, kept in the database so that a restart lets nobody try again."""

from __future__ import annotations

from signaling.database.database import Database
from signaling.people.lockout import FORGOTTEN_S, REMEMBERED


class LockedOut:
    """Written from the tenth wrong password on only, so that strangers cannot make the server write much."""

    def __init__(self, database: Database) -> None:
        self._database = database.connection

    async def load(self, now_s: float) -> list[tuple[str, int, float]]:
        """Login, wrong tries and time of the last, the oldest first; what a day has forgotten is swept."""
        await self._database.execute("DELETE FROM locked_out WHERE last_s < ?", (now_s - FORGOTTEN_S,))
        query = "SELECT login, wrong, last_s FROM locked_out ORDER BY last_s DESC LIMIT ?"
        rows = list(await self._database.execute_fetchall(query, (REMEMBERED,)))
        return [(str(login), int(wrong), float(last_s)) for login, wrong, last_s in reversed(rows)]

    async def keep(self, login: str, wrong: int, now_s: float) -> None:
        """This login waits."""
        await self._database.execute("DELETE FROM locked_out WHERE last_s < ?", (now_s - FORGOTTEN_S,))
        await self._database.execute("INSERT OR REPLACE INTO locked_out VALUES (?, ?, ?)", (login, wrong, now_s))

    async def forget(self, login: str) -> None:
        """It was the right password."""
        await self._database.execute("DELETE FROM locked_out WHERE login = ?", (login,))
