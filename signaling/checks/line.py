"""A line tried through the real media server, by our own packet core in the client's role: UDP, TCP, down and up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import aiohttp
import numpy as np

from bandwidth.policy import AdaptivePolicy
from signaling.checks.stream import CheckStream
from signaling.ends.client_core import ClientCore
from signaling.ends.door import DoorPlan, post
from signaling.sdp import AnswerParams, ClientOffer, build_offer, parse_answer
from streaming.commands import Commands
from streaming.control_loop import TICK_S, ControlLoop
from streaming.model import Model

if TYPE_CHECKING:
    from streaming._core import RtpParameters, TransportParams
    from streaming.params import Source

CONNECT_S = 6.0  # a handshake over 64 kbit/s takes about one
MEASURE_S = 8.0
Way = Literal["udp", "tcp"]
Found = dict[str, Any]
WAYS: tuple[Way, ...] = ("udp", "tcp")
LESSON = "check"


@dataclass
class _Connection:
    """One association with the server; `lost` when it broke after it stood."""

    leg: int
    way: Way
    transport: int
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False
    media: list[int] = field(default_factory=list)  # publications of what comes down

    def hear(self, event: dict[str, Any]) -> None:
        """What the core tells of it."""
        if event["event"] == "connected":
            self.connected.set()
        elif event["event"] in ("failed", "closed", "disconnected"):
            self.lost = self.connected.is_set()


class LineCheck:
    """One check that was begun; `run` finds what can be found and never raises for a bad line."""

    def __init__(
        self, http: aiohttp.ClientSession, plan: DoorPlan, check: str, client: ClientCore, stream: CheckStream,
        told: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._http = http
        self._plan = plan
        self._path = f"/api/checks/{check}"
        self._client = client
        self._stream = stream
        self._told = told
        self._model = Model()
        self._commands = Commands(client.core, self._model, "", _now_us)
        self._commands.open_lesson(LESSON, None)
        self._control = ControlLoop(client.core, self._model, AdaptivePolicy())
        self._media_port: int | None = None

    async def run(self) -> Found:
        """Facts of the line. Raises what HTTP raises."""
        self._told("udp")
        by_way = dict(zip(WAYS, await asyncio.gather(*(self._connect_by(way) for way in WAYS)), strict=True))
        found: Found = {way: "ok" if by_way[way] is not None else "blocked" for way in WAYS}
        found["media_port"] = self._media_port
        best = by_way["udp"] or by_way["tcp"]
        if best is None:
            return found
        self._told("down")
        found |= await self._down(best)
        self._told("up")
        found |= await self._up(best.way)
        if best.lost:
            found["media"] = "interrupted"
        return found

    async def _connect_by(self, way: Way) -> _Connection | None:
        core = self._client.core
        offer = build_offer("attend", *core.new_credentials(), core.fingerprint, sources=("microphone", "camera"))
        connection, answer = await self._connect(offer, way)
        if connection is not None and answer is not None:
            connection.media = [core.add_publication(connection.transport, rtp) for rtp in answer.media.values()]
        return connection if connection is not None and await _stands(connection) else None

    async def _connect(self, offer: ClientOffer, way: Way) -> tuple[_Connection | None, AnswerParams | None]:
        """A new association by one way alone; None where the server names no address for it."""
        value = await post(self._http, self._plan, f"{self._path}/offer", {"sdp": offer.sdp})
        answer = parse_answer(value["sdp"], offer)
        wanted = [one for one in answer.transport["candidates"] if one["protocol"] == way]
        if not wanted:
            return None, None
        self._media_port = wanted[0]["port"]
        params: TransportParams = {**answer.transport, "candidates": wanted}
        handle = self._commands.open_transport(LESSON, params)["transport"]
        connection = _Connection(value["leg"], way, handle)
        self._client.listen(handle, connection.hear)
        return connection, answer

    async def _down(self, connection: _Connection) -> Found:
        """The stream for some seconds: what came in the last half of them, and what the server believes of the line."""
        await post(self._http, self._plan, f"{self._path}/carry", {"leg": connection.leg})
        await asyncio.sleep(MEASURE_S / 2)
        began_s, before = time.monotonic(), self._received(connection)
        await asyncio.sleep(MEASURE_S / 2)
        came, packets, lost = (now - then for now, then in zip(self._received(connection), before, strict=True))
        kbps = came * 8 / 1000 / (time.monotonic() - began_s)
        leg = (await self._heard())["legs"][connection.leg]
        await post(self._http, self._plan, f"{self._path}/carry", {"leg": None})
        return {
            "down_kbps": round(max(kbps, leg["estimate_kbps"] if came else 0)),
            "down_loss": _share(lost, packets),
            "height": leg["height"] or 0,
            "rtt_ms": leg["rtt_ms"],
        }

    async def _up(self, way: Way) -> Found:
        """The same stream the other way, with the same policy at our end; the server counts what arrives."""
        core = self._client.core
        offer = build_offer("publish", *core.new_credentials(), core.fingerprint, sources=("microphone", "screen"))
        connection, answer = await self._connect(offer, way)
        if connection is None or answer is None or not await _stands(connection):
            return {"media": "interrupted"}
        self._send(connection.transport, "microphone", answer.media["microphone"])
        self._send(connection.transport, "camera", answer.media["screen"])
        steering = asyncio.create_task(self._steer())
        try:
            await asyncio.sleep(MEASURE_S / 2)
            first = await self._heard()
            await asyncio.sleep(MEASURE_S / 2)
            last = await self._heard()
        finally:
            steering.cancel()
            await asyncio.gather(steering, return_exceptions=True)
        found = _between(first, last, connection.leg)
        believed = self._control.estimates().get(connection.transport, 0) // 1000
        self._commands.remove(connection.transport)
        return {**found, "up_kbps": max(found["up_kbps"], believed if found["up_kbps"] else 0)}

    def _send(self, transport: int, source: Source, sent: RtpParameters) -> None:
        paths = self._stream.microphone if source == "microphone" else self._stream.camera
        player = self._commands.add_player(LESSON, paths, self._stream.rtp(source), self._stream.loop_us, source)
        slot = self._commands.add_subscription(transport, sent)
        self._commands.connect(slot["handle"], player["handle"])

    async def _steer(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._control.tick(_now_us(), self._client.core.take_stats())

    async def _heard(self) -> Any:
        url = f"{self._plan.url.rstrip('/')}{self._path}/heard"
        async with self._http.get(url, ssl=self._plan.trust(), raise_for_status=True) as answer:
            return await answer.json()

    def _received(self, connection: _Connection) -> tuple[int, int, int]:
        """Bytes of the association; packets of its media, and how many of them the line lost, repaired or not."""
        stats = self._client.core.take_stats()
        table = stats["transports"]
        rows = dict(zip(table["transport"].tolist(), table["rx_bytes"].tolist(), strict=True))
        media = np.isin(stats["encodings"]["publication"], connection.media)
        names = ("packets", "lost", "recovered")
        packets, lost, repaired = (int(stats["encodings"][name][media].sum()) for name in names)
        return int(rows.get(connection.transport, 0)), packets, lost + repaired


async def _stands(connection: _Connection) -> bool:
    try:
        await asyncio.wait_for(connection.connected.wait(), CONNECT_S)
    except TimeoutError:
        return False
    return True


def _between(first: Any, last: Any, leg: int) -> Found:
    """Rate and loss of what arrived at the server between two looks."""
    before, after = first["legs"][leg], last["legs"][leg]
    grown = {name: after[name] - before[name] for name in ("up_bytes", "up_packets", "up_lost")}
    ms = max(1, last["now_ms"] - first["now_ms"])
    return {
        "up_kbps": round(grown["up_bytes"] * 8 / ms),
        "up_loss": _share(grown["up_lost"], grown["up_packets"]),
    }


def _share(lost: int, came: int) -> float:
    """Of what was sent; `came` has the repaired ones too. What came late was lost for a while, so sums may fall."""
    return round(min(1.0, max(0, lost) / max(1, came)), 4)


def _now_us() -> int:
    return time.monotonic_ns() // 1000
