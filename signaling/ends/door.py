"""The door as people use it, for ends without a browser: HTTPS, the WebSocket of PROTOCOL section 3, bearer tokens."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

PING_S = 2.0
ANSWER_S = 10.0
Page = Literal["teacher", "classroom", "operator"]


class Refused(Exception):
    """The server said no; `code` is a code of PROTOCOL section 3, `detail` its sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{detail} ({code})" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class DoorPlan:
    """Where to, as whom, and whom to trust: `ca_file` names a certificate authority, `insecure` trusts anybody."""

    url: str
    token: str
    page: Page
    ca_file: str | None = None
    insecure: bool = False
    tab: str = field(default_factory=lambda: secrets.token_hex(8))

    def trust(self) -> ssl.SSLContext | bool:
        """What aiohttp wants as `ssl`."""
        if self.insecure:
            return False
        return True if self.ca_file is None else ssl.create_default_context(cafile=self.ca_file)


class Door:
    """One open WebSocket after `hello`; iterate `messages()`, which also answers waiting offers."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self.welcome: dict[str, Any] = {}

    async def hello(self, plan: DoorPlan, resume: str | None) -> dict[str, Any]:
        """Say who we are; the `welcome`. Raises `Refused`."""
        hello = {"type": "hello", "protocol": 1, "token": plan.token, "page": plan.page, "tab": plan.tab}
        await self._send({**hello, "resume": resume, "language": "en"})
        async for message in self.messages():
            if message["type"] == "welcome":
                self.welcome = message
                return message
            if message["type"] in {"error", "bye"}:
                raise Refused(str(message.get("code", message.get("reason"))), str(message.get("detail", "")))
        raise ConnectionError(f"the server hung up before its welcome (close code {self._socket.close_code})")

    async def offer(self, sdp: str) -> str:
        """The answer to an offer; somebody must iterate `messages()` meanwhile. Raises `Refused`, `TimeoutError`."""
        number = next(self._ids)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._send({"type": "offer", "id": number, "sdp": sdp})
            return await asyncio.wait_for(answer, ANSWER_S)
        finally:
            self._waiting.pop(number, None)

    async def sources(self, **on: bool) -> None:
        """Tell what the teacher sends now."""
        await self._send({"type": "sources", "microphone": False, "camera": False, "screen": False, **on})

    async def quality(self, choice: str) -> None:
        """Ask for `auto`, `high`, `medium` or `low`."""
        await self._send({"type": "quality", "choice": choice})

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """What the server says, until it hangs up."""
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            message: dict[str, Any] = json.loads(frame.data)
            answer = self._waiting.get(message.get("id") or 0)
            if answer is None or answer.done():
                yield message
            elif message["type"] == "answer":
                answer.set_result(message["sdp"])
            elif message["type"] == "error":
                answer.set_exception(Refused(message["code"], message.get("detail", "")))

    async def keep_alive(self) -> None:
        """Ping until cancelled."""
        while True:
            await asyncio.sleep(PING_S)
            await self._send({"type": "ping", "t": time.time() * 1000})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_str(json.dumps(message))


@asynccontextmanager
async def open_door(http: aiohttp.ClientSession, plan: DoorPlan) -> AsyncIterator[Door]:
    """Connect the WebSocket; `hello` is still to be said. Raises `aiohttp.ClientError`."""
    socket = await http.ws_connect(
        plan.url.rstrip("/") + "/ws",
        ssl=plan.trust(),
        max_msg_size=1 << 20,
        timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
    )
    try:
        door = Door(socket)
        pinging = asyncio.create_task(door.keep_alive())
        try:
            yield door
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)
    finally:
        await socket.close()


async def post(http: aiohttp.ClientSession, plan: DoorPlan, path: str, body: dict[str, Any] | None = None) -> Any:
    """POST JSON with the plan's token, if it has one; the JSON answer. Raises `Refused`, `aiohttp.ClientError`."""
    headers = {"Authorization": f"Bearer {plan.token}"} if plan.token else {}
    async with http.post(plan.url.rstrip("/") + path, json=body or {}, headers=headers, ssl=plan.trust()) as answer:
        try:
            value = await answer.json(content_type=None)
        except ValueError:
            value = {}
        if answer.status >= 400:
            value = value if isinstance(value, dict) else {}
            raise Refused(value.get("code", str(answer.status)), value.get("detail", answer.reason or ""))
        return value
