"""A county with two schools, three classrooms and two teachers in a running server; time is turned by hand."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from signaling.auth import rights_for
from signaling.config import Config, load_config
from tests.signaling.conftest import World, running
from tests.signaling.fake_media import FakeMedia
from tests.timetable.test_values import MONDAY, at

SCHOOLS = [("s1", "枫林教学点"), ("s2", "石桥小学")]
CLASSES = [("k1", "s1", "三年级"), ("k2", "s2", "三年级"), ("k3", "s2", "四年级")]
CLASSROOMS = [("d1", "s1", "k1", "三年级教室"), ("d2", "s2", "k2", "三年级教室"), ("d3", "s2", "k3", "四年级教室")]
TEACHERS = [("t1", "wangfang", "王芳"), ("t2", "lihua", "李华")]
STEP_MS = 30_000


def enrol(connection: sqlite3.Connection) -> None:
    """The rows of the register."""
    connection.executemany("INSERT OR IGNORE INTO schools VALUES (?, ?)", SCHOOLS)
    connection.executemany("INSERT OR IGNORE INTO classes VALUES (?, ?, ?)", CLASSES)
    connection.executemany("INSERT OR IGNORE INTO classrooms VALUES (?, ?, ?, ?, 1)", CLASSROOMS)
    rows = [(i, login, name, "teacher", "s2", None, 1, 0, "-") for i, login, name in TEACHERS]
    connection.executemany("INSERT OR IGNORE INTO persons VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


@dataclass
class School:
    """The county at work; secrets of devices are kept over restarts of the server."""

    world: World
    secrets: dict[str, str]

    async def until(self, hour: int, minute: int = 0, second: int = 0) -> None:
        """Let the day go on to this time of the school's clock."""
        target = at(MONDAY, hour, minute) + second * 1000
        now_ms = self.world.now_ms
        while now_ms[0] < target:
            now_ms[0] = min(target, now_ms[0] + STEP_MS)
            await self.world.hub.tick()

    async def operator(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Ask as an operator."""
        more = {"json": body} if body is not None else {}
        status, answer, _ = await self.world.request(method, path, self.world.operator(), **more)
        return status, answer

    async def add(self, begin: str, end: str, subject: str, teacher: str = "wangfang", **more: Any) -> int:
        """A period on Mondays for class k1; its number."""
        body = {"weekday": "1", "begin": begin, "end": end, "subject": subject, "teacher": teacher, "classes": ["k1"]}
        status, answer = await self.operator("PUT", "/api/plan/periods/0", {**body, **more})
        assert status == 201, answer
        return int(answer["id"])

    async def device(self, device: str, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
        """Ask as a paired classroom."""
        headers = {"Cookie": f"zd_device={self.secrets[device]}", **more.pop("headers", {})}
        return await self.world.request(method, path, headers=headers, **more)

    async def day(self, device: str = "d1") -> dict[str, Any]:
        """What its page shows."""
        status, answer, _ = await self.device(device, "GET", "/api/kiosk/day")
        assert status == 200, answer
        return dict(answer)

    async def states(self, device: str = "d1") -> list[tuple[str, str]]:
        """Subject and state of its lessons."""
        return [(lesson["subject"], lesson["state"]) for lesson in (await self.day(device))["lessons"]]

    async def ticket(self, device: str, lesson: str) -> tuple[int, Any]:
        """Its token for a lesson."""
        status, answer, _ = await self.device(device, "POST", "/api/device/token", json={"lesson": lesson})
        return status, answer

    def signed_in(self, person: str = "t1", name: str = "王芳") -> str:
        """A teacher's token, as signing in gives it."""
        return self.world.token(rights_for("teacher", person, name, None, int(time.time()) + 600))

    async def start(self, lesson: str, person: str = "t1", name: str = "王芳") -> tuple[int, Any]:
        """The teacher begins a lesson with one click."""
        token = self.signed_in(person, name)
        status, answer, _ = await self.world.request("POST", "/api/teacher/start", token, json={"lesson": lesson})
        return status, answer


@asynccontextmanager
async def open_school(
    config: Config, media: FakeMedia, now_ms: list[int], secrets: dict[str, str] | None = None
) -> AsyncIterator[School]:
    """The county's server; start it again with the same `secrets` after a crash."""
    async with running(config, media, now_ms) as world:
        await world.hub.store.database.transact(enrol)
        await world.hub.register.load()
        if secrets is None:
            secrets = {}
            for device, *_ in CLASSROOMS:
                paired = await world.hub.pairing.pair((await world.hub.pairing.new_code(device))[0])
                assert paired is not None
                secrets[device] = paired[1]
        yield School(world, secrets)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.delenv("ZHUANDI_CONFIG", raising=False)
    return load_config(None, {"data": str(tmp_path / "data"), "recording.min_free_bytes": 0})


@pytest.fixture
async def media(tmp_path: Path) -> AsyncIterator[FakeMedia]:
    async with FakeMedia(tmp_path / "media.sock") as media:
        yield media


@pytest.fixture
async def school(config: Config, media: FakeMedia) -> AsyncIterator[School]:
    async with open_school(config, media, [at(MONDAY, 7)]) as school:
        yield school
