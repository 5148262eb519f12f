"""The open database: one connection for single statements, and transactions beside it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Self, TypeVar

import aiosqlite

from signaling.database.migrate import BUSY_S, migrate

Result = TypeVar("Result")


class Database:
    """Use `async with await Database.open(path) as database`."""

    def __init__(self, path: Path, connection: aiosqlite.Connection) -> None:
        self.path = path
        self.connection = connection  # every statement on it is a transaction of its own
        self._one_writer = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open, make or upgrade it; raises `SchemaError`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(migrate, path)
        connection = await aiosqlite.connect(path, timeout=BUSY_S, isolation_level=None)
        for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
            await connection.execute(f"PRAGMA {pragma}")
        return cls(path, connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    async def transact(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Several statements as one: `work` runs in a thread, and all of it holds or, when it raises, nothing.

        It has a connection of its own, so that single statements of others never become part of it.
        """
        async with self._one_writer:
            return await asyncio.to_thread(self._transact, work)

    def _transact(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        with closing(sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
            return result
