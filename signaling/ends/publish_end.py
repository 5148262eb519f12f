"""An output end that plays media from files through the real door."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from signaling.ends.client_core import ClientCore
from signaling.ends.demo_media import LessonMedia
from signaling.ends.door import Door, DoorPlan, Refused, post
from signaling.ends.headless import HeadlessEnd
from signaling.sdp import AnswerParams, ClientOffer, Sent, build_offer

if TYPE_CHECKING:
    from streaming._core import RtpParameters

ROLL_AGAIN_S = 10.0

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
        self._answered: dict[Sent, RtpParameters] = {}
        self._plays: dict[int, int] = {}  # leg to player
        self.legs: dict[Sent, int] = {}  # the core's handles of what is sent
        self.playing = asyncio.Event()

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
        self.client.forget(*self._plays.values())
        self._plays.clear()
        self.legs.clear()
        # A source begins when its files have been read: the longest first, so that all begin nearly together.
        for source, rtp in sorted(self._answered.items(), key=lambda item: -self._file_bytes(item[0])):
            played = self.media.sources[source]
            player = core.add_player(self.client.lesson, played.paths, played.rtp(), played.loop_us)
            self.legs[source] = core.add_subscription(transport, rtp)
            self._plays[self.legs[source]] = player
        self.resume()
        self.playing.set()
        await door.sources(**{str(source): True for source in self._answered if source != "low_voice"})
        if self._roll_lesson is not None:
            if self._rolling is not None:
                self._rolling.cancel()
            self._rolling = asyncio.create_task(self._roll(self._roll_lesson))

    def _file_bytes(self, source: Sent) -> int:
        return sum(Path(path).stat().st_size for path in self.media.sources[source].paths)

    def pause(self) -> None:
        """Send nothing for a while."""
        for leg in self._plays:
            self.client.core.connect(leg, None)

    def resume(self) -> None:
        """Send what the files say."""
        for leg, player in self._plays.items():
            self.client.core.connect(leg, player, all_encodings=True)

    async def run(self) -> None:
        """As every end; no repetition is announced any more when it is over."""
        try:
            await super().run()
        finally:
            if self._rolling is not None:
                self._rolling.cancel()

    async def _roll(self, lesson: str) -> None:
        """At the media's end begin a new recording; the server then makes everybody rejoin."""
        await asyncio.sleep(self.media.length_s)
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    await post(http, self.plan, f"/api/lessons/{lesson}/next_recording")
                    return
                except (Refused, aiohttp.ClientError, OSError) as error:
                    _log.warning("no new recording yet: %s", error)
                await asyncio.sleep(ROLL_AGAIN_S)
