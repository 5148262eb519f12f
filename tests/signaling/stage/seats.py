"""A lesson with a teacher and classrooms whose pages can speak."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.signaling.conftest import Page, World, vector

TEACHER, CLASSROOM = vector("chromium_stage_teacher"), vector("chromium_stage_classroom")
ALL_ON = {"type": "sources", "microphone": True, "camera": True, "screen": True}


@dataclass
class Seat:
    """One page in the lesson, and what media has of it."""

    world: World
    page: Page
    handle: int
    tile: int

    async def say(self, kind: str, **fields: Any) -> None:
        """One word of the page."""
        await self.page.say({"type": kind, **fields})

    def slot(self, carries: str, kind: str = "audio") -> int:
        """The handle of its slot for something."""
        rows = self.world.media.transports[self.handle]["subscriptions"]
        labels: list[tuple[int, Any]] = [(row["subscription"], row["label"]) for row in rows]
        return next(n for n, label in labels if (label["carries"], label["kind"]) == (carries, kind))

    def publication(self, source: str) -> int:
        """The handle of what it sends, or would."""
        rows = self.world.media.transports[self.handle]["publications"]
        return int(next(row["publication"] for row in rows if row["source"] == source))

    def hears(self, carries: str, kind: str = "audio") -> int | None:
        """The publication that one of its slots carries."""
        return self.world.media.connections.get(self.slot(carries, kind))

    def is_granted(self, source: str = "microphone") -> bool:
        """Whether media lets it through."""
        rows = self.world.media.transports[self.handle]["publications"]
        return bool(next(row["granted"] for row in rows if row["source"] == source))

    def sees_stills_of(self) -> list[tuple[int, int]]:
        """The transports whose own stills it gets, and their tiles."""
        shows = self.world.media.transports[self.handle].get("shows", [])
        return [(transport, tile) for transport, tile in shows]


async def seated(world: World, page: Page, sdp: str) -> Seat:
    """The page with its media."""
    await page.offer(sdp)
    session = page.welcome["session"]
    participant = world.hub.rooms["lesson-1"].lesson.participants[session]
    assert participant.transport is not None
    handle = participant.transport.handle
    world.media.say("connected", transport=handle, protocol="udp", address="")
    await world.settled(lambda: participant.transport is not None and participant.transport.connected)
    return Seat(world, page, handle, participant.tile)


@asynccontextmanager
async def teaching(world: World) -> AsyncIterator[Seat]:
    """The teacher, who is on air."""
    async with world.page(world.teacher(), "teacher") as page:
        seat = await seated(world, page, TEACHER)
        await page.say(ALL_ON)
        yield seat


@asynccontextmanager
async def attending(world: World, sub: str = "c1", **hello: Any) -> AsyncIterator[Seat]:
    """A classroom."""
    async with world.page(world.classroom(sub=sub), tab=f"tab of {sub}", **hello) as page:
        yield await seated(world, page, CLASSROOM)
