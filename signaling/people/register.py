"""The register of people in SQLite, with the whole of it in memory: it is small and asked at every request."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Mapping
from typing import cast

from signaling.database.database import Database
from signaling.people.model import Classroom, People, Person, School, SchoolClass
from signaling.people.passwords import first_password, hash_password, matches
from signaling.people.rights_table import Role
from signaling.people.roster import Entry, RosterChange


class Register:
    """`await load()` first; `people` is always what the database holds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.people = People()
        self.lock = asyncio.Lock()  # held from reading `people` to changing them

    async def load(self) -> None:
        """Read everybody."""
        self.people = await self._database.transact(_read)

    async def apply(self, change: RosterChange) -> list[tuple[Entry, str]]:
        """Carry a roster out; the first passwords of new persons. Hold `lock` since the change was planned."""
        new = [(entry, first_password()) for entry in change.added if entry.login]
        hashes = await asyncio.to_thread(lambda: {entry.login: hash_password(word) for entry, word in new})
        await self._database.transact(lambda connection: _apply(connection, change, hashes))
        await self.load()
        return new

    async def add(self, login: str, name: str, role: Role) -> str:
        """A person without a school; the first password. Raises `ValueError` when the login is taken."""
        async with self.lock:
            if login in self.people.by_login:
                raise ValueError(f"the login {login} is taken")
            entry = Entry(0, "", "", name, role, login)
            return (await self.apply(RosterChange(added=(entry,))))[0][1]

    async def renew_password(self, person: str) -> str:
        """A new first password; whoever is signed in with the old one is signed out."""
        word = first_password()
        await self.set_password(person, word, must_change=True)
        return word

    async def set_password(self, person: str, password: str, *, must_change: bool = False) -> None:
        """Another password; all sessions of the person end."""
        password_hash = await asyncio.to_thread(hash_password, password)

        def change(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE persons SET password_hash = ?, must_change = ? WHERE id = ?",
                (password_hash, must_change, person),
            )
            connection.execute("DELETE FROM person_sessions WHERE person = ?", (person,))

        async with self.lock:
            await self._database.transact(change)
            await self.load()

    async def set_active(self, person: str, active: bool) -> None:
        """Let a person in or keep out; sessions end."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE persons SET active = ? WHERE id = ?", (active, person))
            connection.execute("DELETE FROM person_sessions WHERE person = ?", (person,))

        async with self.lock:
            await self._database.transact(change)
            await self.load()

    async def person_with(self, login: str, password: str) -> Person | None:
        """Who has this login and password; takes as long for nobody."""
        person = self.people.by_login.get(login)
        query = "SELECT password_hash FROM persons WHERE login = ?"
        rows = list(await self._database.connection.execute_fetchall(query, (login,)))
        right = await asyncio.to_thread(matches, rows[0][0] if rows else None, password)
        return person if right and person is not None and person.active else None


def _read(connection: sqlite3.Connection) -> People:
    def table(query: str) -> list[tuple[object, ...]]:
        return connection.execute(query).fetchall()

    schools = [School(*cast("tuple[str, str]", row)) for row in table("SELECT id, name FROM schools ORDER BY name")]
    classes = [
        SchoolClass(*cast("tuple[str, str, str]", row))
        for row in table("SELECT id, school, name FROM classes ORDER BY name")
    ]
    columns = "id, login, name, role, school, class, active, must_change"
    persons = [
        Person(*cast("tuple[str, str, str, Role, str | None, str | None]", row[:6]), bool(row[6]), bool(row[7]))
        for row in table(f"SELECT {columns} FROM persons ORDER BY name, login")
    ]
    classrooms = [
        Classroom(*cast("tuple[str, str, str, str]", row[:4]), bool(row[4]))
        for row in table("SELECT id, school, class, name, active FROM classrooms ORDER BY name")
    ]
    return People(
        {s.id: s for s in schools},
        {c.id: c for c in classes},
        {p.id: p for p in persons},
        {c.id: c for c in classrooms},
    )


def _apply(connection: sqlite3.Connection, change: RosterChange, hashes: Mapping[str, str]) -> None:
    for entry in (*change.added, *change.changed):
        school = _school(connection, entry.school)
        klass = _class(connection, school, entry.klass)
        if entry.role == "classroom":
            connection.execute(
                "INSERT INTO classrooms VALUES (?, ?, ?, ?, 1) ON CONFLICT (class, name) DO UPDATE SET active = 1",
                (f"c-{secrets.token_hex(8)}", school, klass, entry.name),
            )
        elif entry.login in hashes:
            connection.execute(
                "INSERT INTO persons VALUES (?, ?, ?, ?, ?, ?, 1, 1, ?)",
                (f"p-{secrets.token_hex(8)}", entry.login, entry.name, entry.role, school, klass, hashes[entry.login]),
            )
        else:
            connection.execute(
                "UPDATE persons SET name = ?, role = ?, school = ?, class = ?, active = 1 WHERE login = ?",
                (entry.name, entry.role, school, klass, entry.login),
            )
    for person in change.left_out_persons:
        connection.execute("UPDATE persons SET active = 0 WHERE id = ?", (person.id,))
        connection.execute("DELETE FROM person_sessions WHERE person = ?", (person.id,))
    for room in change.left_out_classrooms:
        connection.execute("UPDATE classrooms SET active = 0 WHERE id = ?", (room.id,))
        for table in ("devices", "pairing_codes"):
            connection.execute(f"DELETE FROM {table} WHERE classroom = ?", (room.id,))


def _school(connection: sqlite3.Connection, name: str) -> str | None:
    if not name:
        return None
    connection.execute("INSERT OR IGNORE INTO schools VALUES (?, ?)", (f"s-{secrets.token_hex(6)}", name))
    return str(connection.execute("SELECT id FROM schools WHERE name = ?", (name,)).fetchone()[0])


def _class(connection: sqlite3.Connection, school: str | None, name: str) -> str | None:
    if school is None or not name:
        return None
    identity = f"k-{secrets.token_hex(6)}"
    connection.execute("INSERT OR IGNORE INTO classes VALUES (?, ?, ?)", (identity, school, name))
    return str(connection.execute("SELECT id FROM classes WHERE school = ? AND name = ?", (school, name)).fetchone()[0])
