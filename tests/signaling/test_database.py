"""The schema grows step by step and never loses what was kept."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from signaling.database.database import Database
from signaling.database.migrate import SchemaError, Step, known_steps, migrate, schema_of
from signaling.store import Store

# What version 1 of the server made, word for word.
VERSION_1 = """
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE lessons (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    teacher TEXT NOT NULL,
    teacher_name TEXT NOT NULL,
    code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    recording TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    last_teacher_ms INTEGER NOT NULL,
    closed_ms INTEGER
);
CREATE UNIQUE INDEX code_of_open_lesson ON lessons (code) WHERE state = 'open';
CREATE TABLE recordings (id TEXT PRIMARY KEY, lesson TEXT NOT NULL, started_ms INTEGER NOT NULL);
CREATE TABLE revocations (lesson TEXT NOT NULL, sub TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (lesson, sub));
INSERT INTO schema_version VALUES (1);
INSERT INTO lessons VALUES ('l1', '分数', 't1', '王老师', '123456', 'open', 'l1', 1000, 2000, NULL);
INSERT INTO lessons VALUES ('l0', '小数', 't1', '王老师', '123456', 'closed', 'l0', 10, 20, 30);
INSERT INTO recordings VALUES ('l1', 'l1', 1000);
INSERT INTO revocations VALUES ('l1', 'c1', 5);
"""
A_STEP_MORE = Step(len(known_steps()) + 1, "CREATE TABLE more (x INTEGER); INSERT INTO more VALUES (7);")
A_WRONG_STEP = Step(len(known_steps()) + 1, "CREATE TABLE more (x INTEGER); INSERT INTO nowhere VALUES (7);")


def old_file(path: Path) -> Path:
    """A database of version 1 with lessons in it."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(VERSION_1)
    return path


def schema(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return schema_of(database)


async def test_a_database_of_version_1_is_upgraded_with_all_that_it_keeps(tmp_path: Path) -> None:
    path = old_file(tmp_path / "z.db")
    async with await Database.open(path) as database:
        store = Store(database)
        first = await store.by_code("123456")
        assert first is not None and (first.id, first.title, first.last_teacher_ms) == ("l1", "分数", 2000)
        closed = await store.lesson("l0")
        assert closed is not None and closed.closed_ms == 30
        assert await store.revoked("l1", "c1")
        assert await store.lesson_of_recording("l1") == first
    assert schema(path) == len(known_steps())


def test_a_copy_of_the_older_database_stays_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "z.db"
    migrate(path)
    assert [p.name for p in tmp_path.glob("*.before-*")] == []  # a new one has nothing to lose
    migrate(path, [*known_steps(), A_STEP_MORE])
    copy = tmp_path / f"z.db.before-{A_STEP_MORE.number}"
    assert schema(copy) == len(known_steps()) and schema(path) == A_STEP_MORE.number
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_step_that_fails_changes_nothing_and_the_next_start_tries_again(tmp_path: Path) -> None:
    path = tmp_path / "z.db"
    migrate(path)
    for _ in range(2):
        with pytest.raises(SchemaError, match="nowhere"):
            migrate(path, [*known_steps(), A_WRONG_STEP])
        assert schema(path) == len(known_steps())
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT 1 FROM sqlite_master WHERE name = 'more'").fetchone() is None
    migrate(path, [*known_steps(), A_STEP_MORE])


async def test_a_newer_database_is_not_touched(tmp_path: Path) -> None:
    migrate(tmp_path / "z.db", [*known_steps(), A_STEP_MORE])
    before = (tmp_path / "z.db").read_bytes()
    with pytest.raises(SchemaError, match="newer"):
        await Database.open(tmp_path / "z.db")
    assert (tmp_path / "z.db").read_bytes() == before


def test_steps_that_are_not_numbered_one_after_another_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_text("")
    (tmp_path / "003_c.sql").write_text("")
    with pytest.raises(SchemaError, match="numbered"):
        known_steps(tmp_path)


async def test_a_transaction_holds_whole_or_not_at_all_and_takes_nobody_elses_statement_with_it(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "z.db") as database:

        def fails(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO recordings VALUES ('r1', 'l1', 0)")
            raise ValueError

        with pytest.raises(ValueError):
            await database.transact(fails)
        await database.connection.execute("INSERT INTO recordings VALUES ('r2', 'l1', 0)")
        await database.transact(lambda c: c.execute("INSERT INTO recordings VALUES ('r3', 'l1', 0)"))
        rows = await database.connection.execute_fetchall("SELECT id FROM recordings ORDER BY id")
        assert [row[0] for row in rows] == ["r2", "r3"]
