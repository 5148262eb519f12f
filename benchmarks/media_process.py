"""A media process of our own in its default configuration, and peers in the client role around it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import SERVER_CORES, on_cores
from benchmarks.traffic import Traffic, section
from signaling.ends.client_core import ClientCore
from streaming.client import MediaClient
from streaming.params import NodeConfig

if TYPE_CHECKING:
    from streaming._core import LocalTransport, TransportParams

LESSON = "lesson"
PATIENCE_S = 60.0
KINDS = ("video", "audio")
REPEAT_US = 3_600_000_000  # never within a measurement


class MediaProcess:
    """One running media process; `opened` holds what its publisher sends, by kind."""

    def __init__(self, pid: int, client: MediaClient) -> None:
        self.pid = pid
        self.client = client
        self.opened: dict[str, int] = {}

    async def join(self, end: ClientCore) -> tuple[int, int]:
        """An association; its handles there and at the end."""
        ufrag, pwd = end.core.new_credentials()
        offered: TransportParams = {"ufrag": ufrag, "pwd": pwd, "fingerprint": end.core.fingerprint, "dtls": "passive"}
        local: LocalTransport = await self.client.open_transport(LESSON, offered)
        answered: TransportParams = {
            "role": "client",
            "ufrag": local["ufrag"],
            "pwd": local["pwd"],
            "fingerprint": local["fingerprint"],
            "dtls": "active",
            "candidates": local["candidates"],
            "local_ufrag": ufrag,
            "local_pwd": pwd,
        }
        up = asyncio.Event()
        here = end.core.open_transport(end.lesson, answered)["transport"]
        end.listen(here, lambda event: up.set() if event["event"] == "connected" else None)
        await asyncio.wait_for(up.wait(), PATIENCE_S)
        return local["transport"], here


class Publisher:
    """The sending end: silent until `play`."""

    def __init__(self, end: ClientCore) -> None:
        self._end = end
        self._legs: dict[str, int] = {}
        self._players: list[int] = []

    async def publish(self, media: MediaProcess) -> None:
        """Connect and announce both tracks."""
        there, here = await media.join(self._end)
        for number, kind in enumerate(KINDS):
            rtp = section(kind, ssrc=1000 + 10 * number)
            source: Any = "camera" if kind == "video" else "microphone"
            media.opened[kind] = await media.client.add_publication(there, rtp, source)
            self._legs[kind] = self._end.core.add_subscription(here, rtp)

    def play(self, traffic: Traffic) -> None:
        """Send both tracks once, from their beginning."""
        core = self._end.core
        self.silence()
        files = {"video": traffic.video, "audio": traffic.audio}
        for kind, leg in self._legs.items():
            player = core.add_player(self._end.lesson, [files[kind]], section(kind, played=True), REPEAT_US)
            core.connect(leg, player, all_encodings=True)
            self._players.append(player)

    def silence(self) -> None:
        """Send nothing more."""
        self._end.forget(*self._players)
        self._players.clear()


async def receive(media: MediaProcess, end: ClientCore, number: int) -> None:
    """One receiver joins; ends when it has had a packet of each kind."""
    there, here = await media.join(end)
    began: list[asyncio.Event] = []
    for place, kind in enumerate(KINDS):
        rtp = section(kind, ssrc=10_000 + 100 * number + 10 * place)
        began.append(_heard(end, end.core.add_publication(here, rtp)))
        slot = await media.client.add_subscription(there, rtp)
        await media.client.connect(slot, media.opened[kind])
    await asyncio.wait_for(asyncio.gather(*(heard.wait() for heard in began)), PATIENCE_S)


def _heard(end: ClientCore, publication: int) -> asyncio.Event:
    """Set at its first packet."""
    heard = asyncio.Event()
    end.listen(publication, lambda _: heard.set())
    return heard


@asynccontextmanager
async def running(folder: Path, policy: str = NodeConfig("").policy) -> AsyncIterator[MediaProcess]:
    """A media process on the server's core, with recording on."""
    socket = str(folder / "media.sock")
    config = json.dumps({"socket": socket, "addresses": ["127.0.0.1"], "policy": policy})
    with on_cores(SERVER_CORES):
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "streaming.node", config)
    listening = None
    try:
        async with MediaClient(socket) as client:
            listening = asyncio.create_task(_listen(client))
            await client.wait_connected()
            await client.open_lesson(LESSON, str(folder / "recording"))
            yield MediaProcess(process.pid, client)
    finally:
        if listening is not None:
            await listening
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _listen(client: MediaClient) -> None:
    async for _ in client.events():
        pass  # read as the signalling process would
