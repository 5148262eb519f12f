"""What all headless ends share: come in, negotiate, stay, come back."""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import aiohttp

from signaling.ends.client_core import ClientCore
from signaling.ends.door import Door, DoorPlan, Refused, open_door, post
from signaling.sdp import AnswerParams, ClientOffer, parse_answer

if TYPE_CHECKING:
    from streaming._core import TransportParams

RECONNECT_S = (0.0, 0.5, 1.0, 2.0)
# So long a way in by UDP, or by TCP, may take before the other one is tried; twice as long at each change.
FIRST_WAY_S, LONGEST_WAY_S = 4.0, 30.0
REFRESH_S = 600.0  # a fresh token, long before the shortest grant ends
# Answers that the same offer will get again: no use to try once more.
FINAL = frozenset(
    {
        "bad_token",
        "expired_token",
        "forbidden",
        "no_such_lesson",
        "lesson_closed",
        "closed",
        "removed",
        "replaced",
        "already_publishing",
    }
)

_log = logging.getLogger(__name__)
Way = Literal["udp", "tcp"]


class HeadlessEnd(ABC):
    """One end: a WebSocket and one transport of a shared `ClientCore`."""

    def __init__(self, plan: DoorPlan, client: ClientCore) -> None:
        self.plan = plan
        self.client = client
        self.connected = asyncio.Event()
        self.transport: int | None = None
        self._session: str | None = None
        self._again: asyncio.Event = asyncio.Event()
        self._way: Way = "udp"
        self._way_s = FIRST_WAY_S

    @abstractmethod
    def make_offer(self, ufrag: str, pwd: str, fingerprint: str) -> ClientOffer:
        """The offer of this end."""

    @abstractmethod
    def attach(self, transport: int, answer: AnswerParams) -> None:
        """Add publications or subscriptions to a new transport."""

    async def started(self, door: Door) -> None:
        """Called when the media of a new transport flows; nothing by default."""

    def heard(self, message: dict[str, Any]) -> None:
        """Called with every message that the base does not use; nothing by default."""

    async def run(self) -> None:
        """Attend, and come back for ever; raises `Refused` at a final no or goodbye."""
        attempt = 0
        async with aiohttp.ClientSession() as http:
            refreshing = asyncio.create_task(self._refresh(http))
            try:
                while True:
                    try:
                        await self._attend(http)
                        attempt = 0
                    except Refused as refused:
                        if refused.code in FINAL:
                            raise
                        _log.warning("refused for now: %s", refused)
                    except (aiohttp.ClientError, OSError, TimeoutError) as error:
                        _log.info("no way in yet: %s", error)
                    await asyncio.sleep(RECONNECT_S[min(attempt, len(RECONNECT_S) - 1)] * random.uniform(0.8, 1.2))
                    attempt += 1
            finally:
                refreshing.cancel()
                self._drop_transport()

    async def _attend(self, http: aiohttp.ClientSession) -> None:
        async with open_door(http, self.plan) as door:
            welcome = await door.hello(self.plan, self._session)
            self._session = welcome["session"]
            if not (welcome["resumed"] and self.connected.is_set()):
                self._again.set()
            negotiating = asyncio.create_task(self._negotiate_again(door))
            listening = asyncio.create_task(self._listen(door))
            try:
                done, _ = await asyncio.wait({negotiating, listening}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in (negotiating, listening):
                    task.cancel()
                await asyncio.gather(negotiating, listening, return_exceptions=True)

    async def _listen(self, door: Door) -> None:
        async for message in door.messages():
            match message["type"]:
                case "rejoin":
                    self._again.set()
                case "bye" if message["reason"] == "expired":
                    return
                case "bye":
                    raise Refused(message["reason"], "the server said goodbye")
                case _:
                    self.heard(message)

    async def _negotiate_again(self, door: Door) -> None:
        """Make a new transport whenever the old one is lost."""
        while True:
            await self._again.wait()
            self._again.clear()
            self._drop_transport()
            core = self.client.core
            offer = self.make_offer(*core.new_credentials(), core.fingerprint)
            answer = parse_answer(await door.offer(offer.sdp), offer)
            transport = core.open_transport(self.client.lesson, self._by_one_way(answer.transport))["transport"]
            self.transport = transport
            self.client.listen(transport, self._transport_event)
            self.attach(transport, answer)
            lost, up = asyncio.create_task(self._again.wait()), asyncio.create_task(self.connected.wait())
            await asyncio.wait({lost, up}, timeout=self._way_s, return_when=asyncio.FIRST_COMPLETED)
            if up.done():
                self._way_s = FIRST_WAY_S
                await self.started(door)
            else:
                self._try_the_other_way()
            lost.cancel()
            up.cancel()

    def _by_one_way(self, peer: TransportParams) -> TransportParams:
        """The peer with its candidates of the way that is tried now, or with all where it has none of those."""
        chosen = [candidate for candidate in peer["candidates"] if candidate["protocol"] == self._way]
        return {**peer, "candidates": chosen or peer["candidates"]}

    def _try_the_other_way(self) -> None:
        """Some schools let no UDP pass; there media goes by ICE-TCP."""
        self._way = "udp" if self._way == "tcp" else "tcp"
        self._way_s = min(LONGEST_WAY_S, self._way_s * 2)
        self._again.set()

    def _transport_event(self, event: dict[str, Any]) -> None:
        if event["event"] == "connected":
            self.connected.set()
        elif event["event"] in {"failed", "closed", "disconnected"}:
            self.connected.clear()
            self._again.set()

    def _drop_transport(self) -> None:
        self.connected.clear()
        if self.transport is not None:
            self.client.forget(self.transport)
            self.transport = None

    async def _refresh(self, http: aiohttp.ClientSession) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                fresh = await post(http, self.plan, "/api/token/refresh")
                self.plan = replace(self.plan, token=fresh["token"])
            except (Refused, aiohttp.ClientError, OSError) as error:
                _log.warning("the token could not be refreshed: %s", error)
