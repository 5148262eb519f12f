"""The checks that run now: each has associations of its own in one lesson of ours that nobody sits in.

That lesson has a player that sends what `stream` made, no log and no people; what a checker sends up is counted by the
media process and goes nowhere. Nothing of it touches the room of a real lesson.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from signaling.auth import Rights
from signaling.checks.stream import CheckStream, prepare_stream
from signaling.emulator.ways import Ways
from signaling.messages import ErrorCode, Refused
from signaling.negotiation import negotiate
from signaling.sdp import SdpError, build_answer, parse_offer, transport_params
from signaling.statistics import StatsBook
from signaling.transport import Slot
from streaming.client import MediaClient
from streaming.errors import CommandFailed, MediaError
from streaming.params import Source

log = structlog.get_logger()
LESSON = "~checks"  # no lesson's id has this letter
MAX_CHECKS = 8  # at once: with the stream's 1.4 Mbit/s and a probe, some 20 Mbit/s of the server's line at the worst
MAX_LEGS = 4  # associations of one check
CHECK_S = 60
MAX_BYTES = 12_000_000  # of one check, both directions
SENT: frozenset[Source] = frozenset({"microphone", "camera", "screen"})  # what a checker may send up
OVER = "this check is over; begin another one"
IDLE_CLOSE_S = 300  # the player's lesson stays a while for the next one


@dataclass
class Leg:
    """One association of a check."""

    handle: int
    slots: list[Slot] = field(default_factory=list)
    up: list[int] = field(default_factory=list)  # publications of what the checker sends
    connected: bool = False
    height: int | None = None
    estimate_kbps: int = 0


@dataclass
class Check:
    """One check that runs; `asker` is who asked, for the limits, `payer` whose bytes they are, `billed` so many."""

    id: str
    asker: str
    payer: str
    ends_s: float
    legs: list[Leg] = field(default_factory=list)
    billed: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class CheckDesk:
    """`begin`, then `offer` and `carry` as often as is allowed, `heard` for the figures, `end`; `tick` each second."""

    def __init__(
        self, media: MediaClient, book: StatsBook, ways: Ways, folder: Path, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._media = media
        self._book = book
        self._ways = ways
        self._folder = folder
        self._now_s = now_s
        self._checks: dict[str, Check] = {}
        self._legs: dict[int, Leg] = {}  # by transport
        self._players: dict[Source, int] = {}
        self._bills: Counter[str] = Counter()
        self._opened = False
        self._opening = asyncio.Lock()
        self._idle_since_s = now_s()

    @property
    def running(self) -> int:
        """How many checks there are now."""
        return len(self._checks)

    def begin(self, asker: str) -> Check:
        """A new check, in place of the asker's older one; raises `Refused` when there are too many."""
        older = next((check for check in self._checks.values() if check.asker == asker), None)
        if older is None and len(self._checks) >= MAX_CHECKS:
            raise Refused("busy", "too many checks are running; try again in a minute")
        if older is not None:
            older.ends_s = 0.0  # the next tick takes it away
            older.asker = ""
        check = Check(secrets.token_urlsafe(16), asker, asker, self._now_s() + CHECK_S)
        self._checks[check.id] = check
        return check

    def check(self, number: str) -> Check:
        """A check that runs; raises `Refused`."""
        found = self._checks.get(number)
        if found is None or found.ends_s <= self._now_s():
            raise Refused("expired_token", OVER)
        return found

    async def offer(self, check: Check, sdp: str, way: int | None) -> tuple[int, str]:
        """Number and answer of a new association; raises `Refused`, `MediaError`."""
        async with check.lock:
            if len(check.legs) >= MAX_LEGS:
                raise Refused("busy", f"a check has at most {MAX_LEGS} connections")
            await self._ensure_open()
            try:
                offer = parse_offer(sdp)
                rights = Rights(check.id, "", "classroom", LESSON, 0, join=True, publish=SENT, subscribe=True)
                result = negotiate(offer, rights, "page", taken=lambda _: False)
                local = await self._media.open_transport(LESSON, transport_params(offer))
            except SdpError as error:
                code: ErrorCode = "unknown_codec" if error.code == "unknown_codec" else "bad_sdp"
                raise Refused(code, str(error)) from None
            except CommandFailed as error:
                raise Refused("internal", f"the media process refused the offer: {error.detail}") from None
            leg = Leg(local["transport"])
            if check.id not in self._checks:  # it ended while media answered
                await self._media.remove(leg.handle)
                raise Refused("expired_token", OVER)
            check.legs.append(leg)
            self._legs[leg.handle] = leg
            for source, section in result.tracks:
                leg.up.append(await self._media.add_publication(leg.handle, section.rtp, source))
            for slot, section in result.slots:
                slot.handle = await self._media.add_subscription(leg.handle, section.rtp)
                leg.slots.append(slot)
            seen = self._ways.through(way, local)
            return len(check.legs) - 1, build_answer(offer, result.sections, seen, 1)

    async def carry(self, check: Check, number: int | None) -> None:
        """Let the stream flow to one association of the check, or to none. Raises `Refused`, `MediaError`."""
        async with check.lock:
            if number is not None and not 0 <= number < len(check.legs):
                raise Refused("bad_message", "there is no such connection in this check")
            for place, leg in enumerate(check.legs):
                await self._fill(leg, on=place == number)

    async def _fill(self, leg: Leg, *, on: bool) -> None:
        for slot in leg.slots:
            source: Source = "microphone" if slot.kind == "audio" else "camera"
            wanted = self._players.get(source) if on and slot.place == 0 else None
            if wanted != slot.publication:
                await self._media.connect(slot.handle, wanted)
                slot.publication = wanted

    def heard(self, check: Check) -> dict[str, Any]:
        """What the media process counted: totals since the beginning, rates of the last second."""
        return {"now_ms": int(self._now_s() * 1000), "legs": [self._heard(leg) for leg in check.legs]}

    def _heard(self, leg: Leg) -> dict[str, Any]:
        transport = self._book.transports.get(leg.handle)
        sent = (self._book.publications.get(handle) for handle in leg.up)
        encodings = [encoding for row in sent if row is not None for encoding in row["encodings"]]
        rtt_us = transport["rtt_us"] if transport is not None else -1
        return {
            "connected": leg.connected,
            "height": leg.height,
            "estimate_kbps": leg.estimate_kbps,
            "rtt_ms": round(rtt_us / 1000) if rtt_us >= 0 else None,
            "up_bytes": sum(one["bytes"] for one in encodings),
            "up_packets": sum(one["packets"] for one in encodings),
            "up_lost": sum(one["lost"] + one["recovered"] for one in encodings),
        }

    async def end(self, check: Check) -> None:
        """Its associations go away."""
        self._moved(check)
        self._checks.pop(check.id, None)
        self._idle_since_s = self._now_s()
        for leg in check.legs:
            self._legs.pop(leg.handle, None)
            with contextlib.suppress(MediaError):
                await self._media.remove(leg.handle)

    # what media says

    def take(self, event: dict[str, Any]) -> bool:
        """Whether an event was about a check."""
        if event["event"] == "rung":
            for leg in self._legs.values():
                slot = next((one for one in leg.slots if one.handle == event["subscription"]), None)
                if slot is not None:
                    leg.estimate_kbps = event["estimate_kbps"]
                    if slot.kind == "video":
                        leg.height = event["height"] if event["spatial"] >= 0 else 0
                    return True
            return False
        leg_of = self._legs.get(event.get("transport", 0))
        if leg_of is None:
            return False
        leg_of.connected = event["event"] == "connected"
        return True

    def media_is_new(self) -> None:
        """Media said hello, so nothing of ours stands: the checks that ran are over."""
        self._opened = False
        self._players.clear()
        self._legs.clear()
        self._checks.clear()

    async def tick(self) -> None:
        """Once a second: what took too long or too much is ended."""
        now_s = self._now_s()
        for check in list(self._checks.values()):
            if self._moved(check) > MAX_BYTES or check.ends_s <= now_s:
                await self.end(check)
        if self._opened and not self._checks and now_s - self._idle_since_s > IDLE_CLOSE_S:
            self._opened = False
            self._players.clear()
            with contextlib.suppress(MediaError):
                await self._media.close_lesson(LESSON)

    def bills(self) -> dict[str, int]:
        """Bytes of checks by who asked for them, since this was called last."""
        bills, self._bills = self._bills, Counter()
        return dict(bills)

    def _moved(self, check: Check) -> int:
        """The bytes of a check so far, put on its bill."""
        rows = (self._book.transports.get(leg.handle) for leg in check.legs)
        moved = sum(row["rx_bytes"] + row["tx_bytes"] for row in rows if row is not None)
        self._bills[check.payer] += max(0, moved - check.billed)
        check.billed = max(check.billed, moved)
        return moved

    async def _ensure_open(self) -> None:
        async with self._opening:
            if self._opened:
                return
            try:
                stream = await prepare_stream(self._folder)
            except (RuntimeError, OSError) as error:
                log.error("no check can run", error=str(error))
                raise Refused("internal", "the stream of the check could not be made here") from None
            await self._media.open_lesson(LESSON, None)
            await self._play(stream)
            self._opened = True

    async def _play(self, stream: CheckStream) -> None:
        files: tuple[tuple[Source, list[str]], ...] = (("microphone", stream.microphone), ("camera", stream.camera))
        for source, paths in files:
            rtp = stream.rtp(source)
            self._players[source] = await self._media.add_player(LESSON, paths, rtp, stream.loop_us, source)
