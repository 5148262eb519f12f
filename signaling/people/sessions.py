"""Who stays signed in: a secret in a cookie, its hash here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from signaling.database.database import Database

SESSION_MS = 30 * 86_400_000


class Sessions:
    """Sessions of persons; a new password or a closed account ends them (`Register`)."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database.connection
        self._now_ms = now_ms

    async def begin(self, person: str) -> str:
        """The secret of a new session; those that ran out are swept."""
        secret, now_ms = secrets.token_urlsafe(32), self._now_ms()
        await self._database.execute("DELETE FROM person_sessions WHERE until_ms <= ?", (now_ms,))
        await self._database.execute(
            "INSERT INTO person_sessions VALUES (?, ?, ?)", (session_id(secret), person, now_ms + SESSION_MS)
        )
        return secret

    async def person(self, secret: str) -> str | None:
        """Whose session it is."""
        query = "SELECT person FROM person_sessions WHERE secret_hash = ? AND until_ms > ?"
        rows = list(await self._database.execute_fetchall(query, (session_id(secret), self._now_ms())))
        return str(rows[0][0]) if rows else None

    async def end(self, secret: str) -> None:
        """Sign out."""
        await self._database.execute("DELETE FROM person_sessions WHERE secret_hash = ?", (session_id(secret),))

    async def ended(self, sessions: set[str]) -> set[str]:
        """Which of these are over, however that came."""
        if not sessions:
            return set()
        query = f"SELECT secret_hash FROM person_sessions WHERE secret_hash IN ({','.join('?' * len(sessions))})"
        return sessions - {str(row[0]) for row in await self._database.execute_fetchall(query, list(sessions))}


def session_id(secret: str) -> str:
    """How tokens name a session; nobody makes a cookie of it."""
    return hashlib.sha256(secret.encode()).hexdigest()
