"""A classroom's device: paired once by a code, then known by a secret that is changed from time to time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from signaling.database.database import Database

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: nothing that is read as something else
CODE_CHARACTERS = 8
CODE_MS = 7 * 86_400_000
ROTATE_MS = 86_400_000
OVERLAP_MS = 600_000  # the secret before the present one is good so long, and until the present one was seen
SEEN_EVERY_MS = 60_000
READ_AS = str.maketrans("OIL", "011", "- ")


class Pairing:
    """Codes and secrets of devices; only hashes are kept."""

    def __init__(self, database: Database, secret: str, now_ms: Callable[[], int]) -> None:
        self._database = database
        # Forty bits are few: without the server's key the hashes in a stolen database can be tried for ever.
        self._key = hmac.digest(secret.encode(), b"pairing", "sha256")
        self._now_ms = now_ms

    async def new_code(self, classroom: str) -> tuple[str, int]:
        """A code for a classroom, in place of an older one, and until when it is good (Unix ms)."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))
        until_ms = self._now_ms() + CODE_MS
        await self._database.connection.execute(
            "INSERT OR REPLACE INTO pairing_codes VALUES (?, ?, ?)", (classroom, self._hash(code), until_ms)
        )
        return code, until_ms

    async def pair(self, code: str) -> tuple[str, str] | None:
        """The classroom of a code and the secret of its new device; the code is used up, an older device is out."""
        wanted, secret, now_ms = self._hash(code.upper().translate(READ_AS)), secrets.token_urlsafe(32), self._now_ms()

        def change(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "DELETE FROM pairing_codes WHERE code_hash = ? AND until_ms > ? RETURNING classroom", (wanted, now_ms)
            ).fetchone()
            if row is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO devices VALUES (?, ?, NULL, ?, ?, ?)",
                    (row[0], _digest(secret), now_ms, now_ms, now_ms),
                )
            return row and str(row[0])

        classroom = await self._database.transact(change)
        return (classroom, secret) if classroom is not None else None

    async def unpair(self, classroom: str) -> None:
        """Forget the device and any code."""

        def change(connection: sqlite3.Connection) -> None:
            for table in ("devices", "pairing_codes"):
                connection.execute(f"DELETE FROM {table} WHERE classroom = ?", (classroom,))

        await self._database.transact(change)

    async def classroom_of(self, secret: str) -> tuple[str, str | None] | None:
        """Whose device this is, and its next secret where the present one has served long enough."""
        digest, now_ms = _digest(secret), self._now_ms()
        query = (
            "SELECT classroom, secret_hash, rotated_ms, seen_ms FROM devices WHERE ? IN (secret_hash, previous_hash)"
        )
        rows = list(await self._database.connection.execute_fetchall(query, (digest,)))
        if not rows:
            return None
        classroom, present, rotated_ms, seen_ms = rows[0]
        following = self._following(secret)
        if digest != present:  # the answer with the present one was lost, or is still on its way
            return (classroom, following) if _digest(following) == present else None
        if now_ms - rotated_ms >= ROTATE_MS:
            await self._database.connection.execute(
                "UPDATE devices SET previous_hash = secret_hash, secret_hash = ?, rotated_ms = ?, seen_ms = ? "
                "WHERE secret_hash = ?",
                (_digest(following), now_ms, now_ms, digest),
            )
            return classroom, following
        if now_ms - seen_ms >= SEEN_EVERY_MS:
            forget = now_ms - rotated_ms >= OVERLAP_MS
            await self._database.connection.execute(
                "UPDATE devices SET seen_ms = ?, previous_hash = iif(?, NULL, previous_hash) WHERE secret_hash = ?",
                (now_ms, forget, digest),
            )
        return classroom, None

    async def paired(self, classroom: str) -> bool:
        """Whether a device stands in the classroom."""
        query = "SELECT 1 FROM devices WHERE classroom = ?"
        return bool(list(await self._database.connection.execute_fetchall(query, (classroom,))))

    async def states(self) -> dict[str, dict[str, Any]]:
        """For the operator: by classroom, whether it is paired, when it was seen, and until when a code is good."""
        query = """
            SELECT c.id, d.classroom IS NOT NULL, d.seen_ms, p.until_ms FROM classrooms c
            LEFT JOIN devices d ON d.classroom = c.id
            LEFT JOIN pairing_codes p ON p.classroom = c.id AND p.until_ms > ?
        """
        rows = await self._database.connection.execute_fetchall(query, (self._now_ms(),))
        return {row[0]: {"paired": bool(row[1]), "seen_ms": row[2], "code_until_ms": row[3]} for row in rows}

    def _following(self, secret: str) -> str:
        """The secret after this one: requests that cross each other are all given the same."""
        return base64.urlsafe_b64encode(hmac.digest(self._key, f"after {secret}".encode(), "sha256")).decode()

    def _hash(self, code: str) -> str:
        return hmac.new(self._key, code.encode(), hashlib.sha256).hexdigest()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
