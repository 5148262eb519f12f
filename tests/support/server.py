"""A real `zhuandi serve` in a folder of its own on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

import aiohttp
import jwt

from signaling.ends.door import DoorPlan, Page, post
from tests.support.processes import command_of, descendants

ROOT = Path(__file__).resolve().parents[2]
KEY, SECRET = "test", "a secret of the tests, at least 32 bytes long"
ANYBODY = ssl._create_unverified_context()
READY_S = 60.0  # a few seconds on a free machine
STOP_S = 40.0
ROLE_SOURCES = {"teacher": ["microphone", "camera", "screen"]}


def free_port() -> int:
    """A port that is free for UDP and TCP just now."""
    while True:
        with (
            socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("::", 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind(("::", port))
            except OSError:
                continue
            return port


def make_token(role: str, lesson: str | None, name: str = "", lasts_s: float = 3600, **video: Any) -> str:
    """A token of the test key (PROTOCOL 4.1); `video` overrides single rights."""
    sub = name or f"{role}-{secrets.token_hex(4)}"
    grant: dict[str, Any] = {"roomJoin": True, "canSubscribe": role != "teacher", "canPublish": role == "teacher"}
    grant["canPublishSources"] = ROLE_SOURCES.get(role, [])
    if role in {"teacher", "operator"}:
        grant |= {"roomCreate": True, "roomRecord": True, "roomAdmin": True, "roomList": True}
    if lesson is not None:
        grant["room"] = lesson
    now = time.time()
    claims = {"iss": KEY, "sub": sub, "name": name or sub, "nbf": int(now) - 5, "exp": int(now + lasts_s)}
    return jwt.encode({**claims, "video": grant | video, "zd": {"role": role}}, SECRET, algorithm="HS256")


class Server:
    """`with Server(folder) as server:`; `kill` and `start` may be called again on the same data."""

    def __init__(
        self, folder: Path, host: str = "127.0.0.1", settings: dict[str, str] | None = None, code: Path = ROOT
    ) -> None:
        self.data = folder / "data"
        self._code = code
        self.host = host
        self.port, self.http_port, self.media_port, metrics = (free_port() for _ in range(4))
        self.metrics = f"127.0.0.1:{metrics}"
        self._settings = settings or {}
        self._log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The HTTPS address."""
        return f"https://{self.host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Our settings as variables, which the command line's `zhuandi` also reads."""
        return {
            **os.environ,
            "PYTHONPATH": str(self._code),
            "ZHUANDI_DATA": str(self.data),
            "ZHUANDI_LISTEN__PORT": str(self.port),
            "ZHUANDI_LISTEN__HTTP_PORT": str(self.http_port),
            "ZHUANDI_RTC__PORT": str(self.media_port),
            "ZHUANDI_METRICS__LISTEN": self.metrics,
            "ZHUANDI_LOG__TO": "stderr",
            "ZHUANDI_RECORDING__MIN_FREE_BYTES": "1000000",
            "ZHUANDI_LINKS": "",
            "ZHUANDI_KEYS": json.dumps({KEY: SECRET}),
            **self._settings,
        }

    def start(self, command: str = "serve") -> None:
        """Start and wait until it is ready; raises `RuntimeError` with its last words."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                zhuandi(command),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._code,
            )
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server did not become ready:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def log(self) -> str:
        """Everything that its processes wrote."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def stop(self) -> int | None:
        """End it in good order (SIGTERM); the exit status."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.kill()

    def kill(self) -> None:
        """kill -9 to all of its processes at once."""
        if self.process is not None:
            victims = [self.process.pid, *descendants(self.process.pid)]
            for pid in victims:
                _kill(pid)
            self.process.wait()
            self.process = None

    def kill_supervisor(self) -> None:
        """kill -9 to the process that started all others; they notice by themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def pid_of(self, word: str) -> int:
        """The child with the whole `word` in its command line: `streaming.node`, `signaling.app` or `-m recorder`."""
        assert self.process is not None
        found = [pid for pid in descendants(self.process.pid) if f"{word} " in command_of(pid)]
        assert len(found) == 1, {pid: command_of(pid) for pid in descendants(self.process.pid)}
        return found[0]

    def kill_one(self, word: str) -> int:
        """kill -9 to one process; its number."""
        pid = self.pid_of(word)
        _kill(pid)
        return pid

    def plan(self, page: Page, lesson: str | None, **token: Any) -> DoorPlan:
        """A way in with a fresh token."""
        return DoorPlan(self.url, make_token(page, lesson, **token), page, insecure=True)

    def link(self, page: str, token: str) -> str:
        """A page's address with its token."""
        return f"{self.url}/{page}#token={token}"

    async def create_lesson(self, title: str = "分数") -> dict[str, Any]:
        """A new lesson by the operator: {id, code, title, state, token}."""
        async with aiohttp.ClientSession() as http:
            value: dict[str, Any] = await post(http, self.plan("operator", None), "/api/lessons", {"title": title})
            return value

    async def fetch(self, path: str, token: str | None = None) -> Any:
        """GET JSON; raises on an error status."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            aiohttp.ClientSession(raise_for_status=True) as http,
            http.get(self.url + path, headers=headers, ssl=False) as answer,
        ):
            return await answer.json()

    async def published(self, lesson: str, within_s: float, state: str = "final") -> dict[str, Any]:
        """The manifest of a lesson, waiting until the library has it in this state."""
        token = make_token("operator", None)
        deadline = time.monotonic() + within_s
        while True:
            try:
                manifest: dict[str, Any] = await self.fetch(f"/api/library/{lesson}", token)
                if manifest["state"] == state:
                    return manifest
            except (aiohttp.ClientResponseError, aiohttp.ClientConnectionError):
                pass
            assert time.monotonic() < deadline, f"{lesson} is not in the library:\n{self.log()[-4000:]}"
            await asyncio.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=2, context=ANYBODY) as answer:
                return bool(answer.status == 200)
        except (OSError, ValueError):
            return False


def zhuandi(*arguments: str) -> list[str]:
    """The command line of our own program under the interpreter of the tests."""
    return [sys.executable, "-m", "signaling", *arguments]


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
