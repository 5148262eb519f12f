"""A backup brings a server back whole, and a bad one changes nothing."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from signaling.backup import BackupError, back_up, restore
from signaling.cli import app
from signaling.data_lock import DataInUse, data_locked
from signaling.database.database import Database
from signaling.database.migrate import known_steps
from signaling.people.register import Register
from signaling.store import LessonRow, Store

ROW = LessonRow("l1", "分数", "t1", "王老师", "123456", "closed", "l1", 1000, 1000, 2000)
MANIFEST = {"id": "l1", "title": "分数", "tracks": [{"file": "a.webm"}], "poster": "p.jpg"}


async def a_server(data: Path) -> None:
    """A lesson, a person, secrets, a clip with its files."""
    async with await Database.open(data / "zhuandi.db") as database:
        await Store(database).add(ROW)
        register = Register(database)
        await register.load()
        await register.add("lina", "李娜", "operator")
    (data / "secrets").mkdir(mode=0o700)
    (data / "secrets" / "key.json").write_text('{"zhuandi": "old"}')
    (data / "secrets" / "key.json").chmod(0o600)
    clip = data / "library" / "l1"
    clip.mkdir(parents=True)
    (clip / "manifest.json").write_text(json.dumps(MANIFEST))
    (clip / "a.webm").write_bytes(b"picture")
    (clip / "p.jpg").write_bytes(b"poster")
    (clip / "clips.json").write_text("{}")
    (clip / ".lock").write_text("")


async def holds_all(data: Path) -> None:
    async with await Database.open(data / "zhuandi.db") as database:
        assert await Store(database).lesson("l1") == ROW
        register = Register(database)
        await register.load()
        assert register.people.by_login["lina"].name == "李娜"
    assert json.loads((data / "secrets" / "key.json").read_text()) == {"zhuandi": "old"}
    assert stat.S_IMODE((data / "secrets" / "key.json").stat().st_mode) == 0o600


async def test_a_backup_brings_everything_back_on_another_machine(tmp_path: Path) -> None:
    await a_server(tmp_path / "old")
    back_up(tmp_path / "old", tmp_path / "b.tar", with_media=True)
    assert stat.S_IMODE((tmp_path / "b.tar").stat().st_mode) == 0o600
    done = restore(tmp_path / "new", tmp_path / "b.tar")
    assert (done.lessons, done.without_media, done.schema) == (1, 0, len(known_steps()))
    await holds_all(tmp_path / "new")
    assert (tmp_path / "new" / "library" / "l1" / "a.webm").read_bytes() == b"picture"
    assert (tmp_path / "new" / "library" / "l1" / "clips.json").is_file()
    assert json.loads((tmp_path / "new" / "library" / "l1" / "manifest.json").read_text()) == MANIFEST


async def test_a_backup_is_taken_while_the_server_writes(tmp_path: Path) -> None:
    await a_server(tmp_path / "old")
    async with await Database.open(tmp_path / "old" / "zhuandi.db") as database:
        await database.connection.execute("UPDATE lessons SET title = '小数'")  # still in the write-ahead log
        with data_locked(tmp_path / "old"):
            back_up(tmp_path / "old", tmp_path / "b.tar", with_media=False)
    restore(tmp_path / "new", tmp_path / "b.tar")
    async with await Database.open(tmp_path / "new" / "zhuandi.db") as database:
        lesson = await Store(database).lesson("l1")
        assert lesson is not None and lesson.title == "小数"


async def test_without_media_a_lesson_is_shown_only_where_its_files_are(tmp_path: Path) -> None:
    await a_server(tmp_path / "old")
    back_up(tmp_path / "old", tmp_path / "b.tar", with_media=False)
    assert restore(tmp_path / "new", tmp_path / "b.tar").without_media == 1
    assert not (tmp_path / "new" / "library" / "l1").exists()
    assert restore(tmp_path / "old", tmp_path / "b.tar").lessons == 1


async def test_what_was_there_stays_beside_what_is_restored(tmp_path: Path) -> None:
    await a_server(tmp_path / "old")
    back_up(tmp_path / "old", tmp_path / "b.tar", with_media=False)
    async with await Database.open(tmp_path / "old" / "zhuandi.db") as database:
        await database.connection.execute("UPDATE lessons SET title = 'later'")
    restore(tmp_path / "old", tmp_path / "b.tar")
    await holds_all(tmp_path / "old")
    with closing(sqlite3.connect(tmp_path / "old" / "zhuandi.db.before-restore")) as before:
        assert before.execute("SELECT title FROM lessons").fetchone() == ("later",)


def rebuilt(archive: Path, change: Callable[[str, bytes], bytes | None], also: tarfile.TarInfo | None = None) -> Path:
    """The same archive with changed members."""
    target = archive.with_name("changed.tar")
    with tarfile.open(archive) as old, tarfile.open(target, "w") as new:
        for entry in old:
            content = old.extractfile(entry)
            assert content is not None
            changed = change(entry.name, content.read())
            if changed is not None:
                entry.size = len(changed)
                new.addfile(entry, io.BytesIO(changed))
        if also is not None:
            new.addfile(also, io.BytesIO(b"x" * also.size))
    return target


def newer(name: str, content: bytes) -> bytes:
    if name != "zhuandi.db":
        return content
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(content)
        database.execute("UPDATE schema_version SET version = 99")
        database.commit()
        return database.serialize()


def foreign(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, link, 0 if link else 1
    return entry


@pytest.mark.parametrize(
    ("change", "also", "words"),
    [
        (newer, None, "newer"),
        (lambda name, content: content[:5000] if name == "zhuandi.db" else content, None, "restored"),
        (lambda name, content: None if name == "backup.json" else content, None, "backup.json"),
        (lambda _, content: content, foreign("../evil"), "no part"),
        (lambda _, content: content, foreign("/etc/evil"), "no part"),
        (lambda _, content: content, foreign("secrets/../../evil"), "no part"),
        (lambda _, content: content, foreign("secrets/link", tarfile.SYMTYPE, "/etc/passwd"), "no part"),
    ],
    ids=["newer", "damaged", "headless", "above", "absolute", "around", "link"],
)
async def test_a_bad_archive_changes_nothing(
    tmp_path: Path,
    change: Callable[[str, bytes], bytes | None],
    also: tarfile.TarInfo | None,
    words: str,
) -> None:
    await a_server(tmp_path / "old")
    back_up(tmp_path / "old", tmp_path / "b.tar", with_media=True)
    with pytest.raises(BackupError, match=words):
        restore(tmp_path / "old", rebuilt(tmp_path / "b.tar", change, also))
    await holds_all(tmp_path / "old")
    assert not (tmp_path / "evil").exists()
    (tmp_path / "no.tar").write_bytes(b"no archive")
    with pytest.raises(BackupError):
        restore(tmp_path / "old", tmp_path / "no.tar")


async def test_nothing_is_restored_over_a_running_server(tmp_path: Path) -> None:
    await a_server(tmp_path / "old")
    back_up(tmp_path / "old", tmp_path / "b.tar", with_media=False)
    with data_locked(tmp_path / "old"), pytest.raises(DataInUse):
        restore(tmp_path / "old", tmp_path / "b.tar")


def test_where_there_is_no_server_there_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no server"):
        back_up(tmp_path, tmp_path / "b.tar", with_media=False)
    assert list(tmp_path.iterdir()) == []


def test_the_first_operator_is_made_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZHUANDI_CONFIG", raising=False)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "d")])
        return done.exit_code, done.output.strip()

    status, first = run("person", "add", "LiNa", "--name", "李娜")
    assert status == 0 and len(first) == 10
    status, second = run("person", "password", "lina")
    assert status == 0 and len(second) == 10 and second != first
    for words in (("person", "add", "lina"), ("person", "add", "x y"), ("person", "password", "nobody")):
        status, said = run(*words)
        assert status == 1 and said
    assert run("person", "add", "x1", "--role", "classroom")[0] == 1
    assert run("backup", str(tmp_path / "b.tar"))[0] == 0
    assert run("restore", str(tmp_path / "b.tar"))[0] == 0
    with data_locked(tmp_path / "d"):
        assert run("restore", str(tmp_path / "b.tar"))[0] == 1
