"""An output end that plays media from files through the real door."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp

from signaling.ends.client_core import ClientCore
from signaling.ends.demo_media import LessonMedia
from signaling.ends.door import Door, DoorPlan, Refused, post
from signaling.ends.headless import HeadlessEnd
from signaling.sdp import AnswerParams, ClientOffer, build_offer
from streaming.params import Source

if TYPE_CHECKING:
    from streaming._core import RtpParameters

_log = logging.getLogger(__name__)


class PublishEnd(HeadlessEnd):
    """Publishes `media` from its beginning at every connection, and repeats it for ever.

    With `roll_lesson` (a lesson's id) each repetition becomes a recording of its own.
    """

    def __init__(self, plan: DoorPlan, client: ClientCore, media: LessonMedia, roll_lesson: str | None = None) -> None:
        super().__init__(plan, client)
        self.media = media
        self._roll_lesson = roll_lesson
        self._rolling: asyncio.Task[None] | None = None
        self._answered: dict[Source, RtpParameters] = {}
        self._players: list[int] = []

    def make_offer(self, ufrag: str, pwd: str, fingerprint: str) -> ClientOffer:
        """Offer the media's sources, simulcast where there are several encodings."""
        sources = tuple(self.media.sources)
        return build_offer("publish", ufrag, pwd, fingerprint, sources=sources, rids=self.media.rids())

    def attach(self, transport: int, answer: AnswerParams) -> None:
        """Note what the server takes; media begins when the transport stands."""
        self._answered = answer.media

    async def started(self, door: Door) -> None:
        """Play everything from the start, all sources at once."""
        core, transport = self.client.core, self.transport
        if transport is None:
            return
        self.client.forget(*self._players)
        self._players.clear()
        for source, rtp in self._answered.items():
            played = self.media.sources[source]
            player = core.add_player(self.client.lesson, played.paths, played.rtp(), played.loop_us)
            self._players.append(player)
            core.connect(core.add_subscription(transport, rtp), player, all_encodings=True)
        await door.sources(**{str(source): True for source in self._answered})
        if self._roll_lesson is not None:
            if self._rolling is not None:
                self._rolling.cancel()
            self._rolling = asyncio.create_task(self._roll(self._roll_lesson))

    async def _roll(self, lesson: str) -> None:
        """At the media's end begin a new recording; the server then makes everybody rejoin."""
        await asyncio.sleep(self.media.length_s)
        async with aiohttp.ClientSession() as http:
            try:
                await post(http, self.plan, f"/api/lessons/{lesson}/next_recording")
            except (Refused, aiohttp.ClientError, OSError) as error:
                _log.warning("no new recording: %s", error)
