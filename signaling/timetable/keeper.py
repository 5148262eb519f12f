"""Carries out what the runner says: once a second, in the hub's tick."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from signaling.messages import Refused
from signaling.store import LessonRow
from signaling.timetable.kiosk_day import CLIP_DAYS
from signaling.timetable.model import Occurrence
from signaling.timetable.occurrences import ONE_DAY, instant_ms
from signaling.timetable.runner import OPEN_BEFORE_MS, Close, Follow, Open, OpenLesson, actions

if TYPE_CHECKING:
    from signaling.hub import Hub
    from signaling.room import Room

log = structlog.get_logger()
LOOK_EVERY_MS = 5_000
REMEMBERED_MS = 3 * 86_400_000


class Keeper:
    """Opens, hands over and closes the lessons of the timetable. The hub tells it what was closed."""

    def __init__(self, hub: Hub) -> None:
        self.closed_ms: dict[str, int] = {}
        self._hub = hub
        self._looked_ms = 0
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Read the plan, and what was closed lately."""
        await self._hub.plan.load()
        self.closed_ms = await self._hub.store.closed_since(self._hub.now_ms() - REMEMBERED_MS)

    async def tick(self, now_ms: int) -> None:
        """Once a second."""
        async with self._one_at_a_time:
            await self._follow_plan(now_ms)
        if not 0 <= now_ms - self._looked_ms < LOOK_EVERY_MS:
            self._looked_ms = now_ms
            await self.look()

    async def _follow_plan(self, now_ms: int) -> None:
        hub = self._hub
        around = hub.plan.around()
        open_lessons = [_as_open(room) for room in hub.rooms.values()]
        overrun_ms = {o.id: hub.plan.overrun_ms(o) for o in around if o.id in hub.rooms}
        for action in actions(now_ms, around, open_lessons, self.closed_ms, overrun_ms, self._open_before_ms()):
            try:
                await self._carry_out(action)
            except Refused as refused:
                log.error("the timetable could not be followed", action=str(action), detail=refused.detail)
        await self._part_with_others()

    async def _part_with_others(self) -> None:
        """A class that was taken out of a lesson leaves it; who came in by the lesson's code stays."""
        for room in list(self._hub.rooms.values()):
            for participant in list(room.lesson.participants.values()):
                if not self._hub.plan.seats(participant.rights):
                    await room.leave(participant, "removed")

    async def now(self) -> None:
        """At once, after the plan was changed: five minutes before the bell nobody wants to wait."""
        self._looked_ms = 0
        await self.tick(self._hub.now_ms())

    async def look(self) -> None:
        """At what changes elsewhere: what the library has by now."""
        hub, today = self._hub, self._hub.plan.today()
        days = [o for number in range(CLIP_DAYS) for o in hub.plan.day(today + number * ONE_DAY)]
        clips = {o.clip for o in days if o.clip is not None}
        await hub.shelf.look(clips, instant_ms(today - ONE_DAY, 0, hub.plan.zone))

    async def open(self, held: Occurrence) -> Room:
        """Open the lesson of an occurrence; raises `Refused`."""
        now_ms, name = self._hub.now_ms(), self._hub.plan.teacher_name(held.teacher)
        before = await self._hub.store.lesson(held.id)
        if before is not None and before.teacher != held.teacher:
            await self._hub.store.revoke(held.id, before.teacher, now_ms)
        return await self._hub.open(
            LessonRow(
                held.id, held.subject, held.teacher, name, "", "open", held.id, now_ms, now_ms,
                record=held.record, open=False,
            )
        )  # fmt: skip

    async def _carry_out(self, action: Open | Follow | Close) -> None:
        match action:
            case Open(held):
                await self.open(held)
            case Follow(held):
                if held.id in self._hub.rooms:
                    await self._follow(self._hub.rooms[held.id], held)
            case Close(lesson, reason):
                log.info("the timetable closes a lesson", lesson=lesson, reason=reason)
                if lesson in self._hub.rooms:
                    await self._hub.close(self._hub.rooms[lesson])

    async def _follow(self, room: Room, held: Occurrence) -> None:
        """Whoever teaches instead takes the seat; the one who taught so far leaves it."""
        before = room.row.teacher
        name = self._hub.plan.teacher_name(held.teacher)
        row = replace(room.row, teacher=held.teacher, teacher_name=name, title=held.subject)
        await self._hub.store.hand_over(row)
        room.row, room.lesson.title, room.dirty = row, row.title, True
        if before == held.teacher:
            return
        await self._hub.store.revoke(room.row.id, before, self._hub.now_ms())
        for participant in list(room.lesson.participants.values()):
            if participant.rights.sub == before:
                await room.leave(participant, "removed")

    def _open_before_ms(self) -> int:
        """Classrooms that enter earlier find the lesson open."""
        own = self._hub.plan.plan.policies.own.values()
        earliest_s = max((int(settings.get("enter_before_s", 0)) for settings in own), default=0)
        return max(OPEN_BEFORE_MS, earliest_s * 1000)


def _as_open(room: Room) -> OpenLesson:
    teaching = next(room.lesson.outputs(), None) is not None
    return OpenLesson(room.row.id, room.row.teacher, room.row.title, teaching)
