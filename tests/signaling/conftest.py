"""A whole signalling process in the test's loop: real sockets, real database, a media process that only remembers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from signaling.auth import Rights, classroom_rights, mint, operator_rights, teacher_rights
from signaling.config import Config, load_config
from signaling.database.database import Database
from signaling.hub import Hub
from signaling.media_events import follow_media
from signaling.store import Store
from signaling.web.server import build_app
from streaming.client import MediaClient
from tests.signaling.fake_media import FakeMedia

KEYS = {"test": "k" * 48}
PATIENCE_S = 60.0  # nothing waits so long on a free machine
PUBLISHED_EVERY_S = 0.02  # the process does so twice a second; a rhythm, no test counts on its length
VECTORS = Path(__file__).parent / "vectors"


def vector(name: str) -> str:
    """A recorded SDP."""
    return (VECTORS / f"{name}.sdp").read_bytes().decode()


@dataclass
class World:
    """The server and its surroundings; `now_ms` is turned by hand."""

    hub: Hub
    media: FakeMedia
    url: str
    http: aiohttp.ClientSession
    now_ms: list[int]
    data: Path

    def token(self, rights: Rights) -> str:
        """A good token."""
        return mint(rights, ("test", KEYS["test"]), time.time())

    def teacher(self, room: str | None = "lesson-1", sub: str = "t1") -> str:
        """A teacher's token."""
        return self.token(teacher_rights(sub, "王老师", room, int(time.time()) + 600))

    def classroom(self, room: str = "lesson-1", sub: str = "c1") -> str:
        """A classroom's token."""
        return self.token(classroom_rights(sub, "Village 1", room, int(time.time()) + 600))

    def operator(self) -> str:
        """An operator's token."""
        return self.token(operator_rights("op", "Operator", int(time.time()) + 600))

    async def settled(self, good: Callable[[], bool]) -> None:
        """Give the server's tasks their turns until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not good():  # noqa: ASYNC110 - state of plain objects, nothing announces it
                await asyncio.sleep(0)

    @asynccontextmanager
    async def page(
        self, token: str, page: str = "classroom", headers: dict[str, str] | None = None, **hello: Any
    ) -> AsyncIterator[Page]:
        """A page that said hello."""
        async with self.http.ws_connect(self.url + "/ws", headers=headers) as socket:
            here = Page(socket)
            words = {"type": "hello", "protocol": 1, "token": token, "page": page, "tab": "tab1", **hello}
            await here.say(words)
            here.welcome = await here.hear("welcome")
            yield here

    async def request(self, method: str, path: str, token: str | None = None, **more: Any) -> tuple[int, Any, Any]:
        """Status, body (JSON or text), headers."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self.http.request(method, self.url + path, headers=headers, allow_redirects=False, **more) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text()), answer.headers


class Page:
    """A browser page's side of the WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}

    async def say(self, message: dict[str, Any]) -> None:
        """Send."""
        await self.socket.send_json(message)

    async def hear(self, kind: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next message of a kind that is wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message: dict[str, Any] = await self.socket.receive_json()
                if message["type"] == kind and wanted(message):
                    return message

    async def offer(self, sdp: str, number: int = 1) -> str:
        """The answer to an offer."""
        await self.say({"type": "offer", "id": number, "sdp": sdp})
        return str((await self.hear("answer", lambda m: m["id"] == number))["sdp"])

    async def close_code(self) -> int | None:
        """Read until the server hangs up."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.socket.receive()
                if message.type is aiohttp.WSMsgType.CLOSE:
                    return int(message.data)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return self.socket.close_code


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.delenv("ZHUANDI_CONFIG", raising=False)
    return load_config(None, {"data": str(tmp_path / "data"), "recording.min_free_bytes": 0})


@asynccontextmanager
async def running(config: Config, media: FakeMedia, now_ms: list[int]) -> AsyncIterator[World]:
    """A signalling process; ends as after a kill (nobody is told)."""
    from aiohttp import web

    async with (
        await Database.open(config.data_dir / "zhuandi.db") as database,
        MediaClient(str(media.path)) as client,
        aiohttp.ClientSession() as http,
    ):
        hub = Hub(config, Store(database), client, KEYS, lambda: now_ms[0])
        await hub.start()
        following = asyncio.create_task(follow_media(hub))
        ticking = asyncio.create_task(_publish(hub))
        runner = web.AppRunner(build_app(hub), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            await client.wait_connected()
            yield World(hub, media, f"http://127.0.0.1:{runner.addresses[0][1]}", http, now_ms, config.data_dir)
        finally:
            following.cancel()
            ticking.cancel()
            await runner.cleanup()


async def _publish(hub: Hub) -> None:
    while True:
        hub.publish()
        await asyncio.sleep(PUBLISHED_EVERY_S)


@pytest.fixture
async def world(config: Config, tmp_path: Path) -> AsyncIterator[World]:
    async with FakeMedia(tmp_path / "media.sock") as media, running(config, media, [1_700_000_000_000]) as world:
        yield world
