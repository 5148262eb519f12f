"""Steps of the schema, one file each: `migrations/NNN_what.sql`. A step happens whole or not at all."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("migrations")
STEP = re.compile(r"(\d{3})_[a-z_]+\.sql")
BUSY_S = 10.0


class SchemaError(RuntimeError):
    """The database cannot be brought to the schema of this version; it was left as it was."""


@dataclass(frozen=True)
class Step:
    """What leads from schema `number` - 1 to `number`."""

    number: int
    sql: str


def known_steps(folder: Path = FOLDER) -> list[Step]:
    """All steps in their order; raises `SchemaError` when a number is missing or given twice."""
    found = {path: match for path in sorted(folder.iterdir()) if (match := STEP.fullmatch(path.name))}
    steps = [Step(int(match[1]), path.read_text("utf-8")) for path, match in found.items()]
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise SchemaError(f"the steps in {folder} are not numbered one after another")
    return steps


def schema_of(connection: sqlite3.Connection) -> int:
    """The schema that a database has; 0: none yet."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone()
    row = connection.execute("SELECT version FROM schema_version").fetchone() if known else None
    return int(row[0]) if row is not None else 0


def migrate(path: Path, steps: Sequence[Step] | None = None) -> int:
    """Bring the file to the newest schema, which is returned; a copy of an older one stays beside it.

    Raises `SchemaError` when a newer version made it, or when a step fails: the steps before that one hold.
    """
    steps = known_steps() if steps is None else steps
    with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        version = schema_of(connection)
        if version > len(steps):
            raise SchemaError(f"{path} was made by a newer Zhuandi (schema {version}, known here: {len(steps)})")
        if 0 < version < len(steps):
            copy_database(connection, path.with_name(f"{path.name}.before-{version + 1}"))
        for step in steps[version:]:
            _carry_out(connection, step, path)
    return len(steps)


def copy_database(connection: sqlite3.Connection, to: Path) -> None:
    """A copy in one piece, readable by us alone, also while others write."""
    beside = to.with_name(f"{to.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(beside)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
    beside.rename(to)


def _carry_out(connection: sqlite3.Connection, step: Step, path: Path) -> None:
    noted = (
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL); DELETE FROM schema_version; "
        f"INSERT INTO schema_version VALUES ({step.number});"
    )
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {step.sql}\n{noted} COMMIT;")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.rollback()
        raise SchemaError(f"step {step.number} of the schema failed for {path}: {error}") from error
