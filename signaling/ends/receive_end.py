"""A receiving end without a screen: everything a classroom does on the network, and the moment of the first media."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from signaling.ends.client_core import ClientCore
from signaling.ends.door import DoorPlan
from signaling.ends.headless import HeadlessEnd
from signaling.sdp import AnswerParams, ClientOffer, Sent, build_offer
from streaming.params import Source


class ReceiveEnd(HeadlessEnd):
    """Attends a lesson; `publications` are the core's handles of what it receives, by source."""

    def __init__(
        self, plan: DoorPlan, client: ClientCore, sources: tuple[Source, ...] = ("microphone", "camera", "screen")
    ) -> None:
        super().__init__(plan, client)
        self.sources = sources
        self.publications: dict[Sent, int] = {}
        self.first_media = asyncio.Event()
        self.began_s = time.monotonic()
        self.first_media_s: float | None = None  # monotonic time

    def make_offer(self, ufrag: str, pwd: str, fingerprint: str) -> ClientOffer:
        """Offer a slot for each source."""
        return build_offer("attend", ufrag, pwd, fingerprint, sources=self.sources)

    def attach(self, transport: int, answer: AnswerParams) -> None:
        """Expect each source's media."""
        self.publications = {
            source: self.client.core.add_publication(transport, rtp) for source, rtp in answer.media.items()
        }
        for handle in self.publications.values():
            self.client.listen(handle, self._media_event)

    def _media_event(self, event: dict[str, Any]) -> None:
        if event["event"] == "first_media" and self.first_media_s is None:
            self.first_media_s = time.monotonic()
            self.first_media.set()
