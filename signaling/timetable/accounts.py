"""Keeps the books of a running server: what classrooms had, what their schools used, what is left of the month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from signaling.lesson import Participant
from signaling.timetable.attendance import Attendance
from signaling.timetable.usage import Usage, month_of

if TYPE_CHECKING:
    from signaling.hub import Hub
    from signaling.room import Room

LONGEST_TICK_MS = 5_000  # what is longer was no lesson: the machine slept, or its clock was set
ALLOW_EVERY_MS = 5_000
WRITE_EVERY_MS = 60_000


class Accounts:
    """Use `start` once, `tick` once a second and `flush` at the end."""

    def __init__(self, hub: Hub) -> None:
        self.attendance = Attendance(hub.store.database)
        self.usage = Usage(hub.store.database)
        self._hub = hub
        self._ticked_ms = self._allowed_ms = self._written_ms = hub.now_ms()

    async def start(self) -> None:
        """Read the sums."""
        await self.usage.load()

    @property
    def month(self) -> str:
        """The present one at the schools."""
        return month_of(self._hub.now_ms(), self._hub.plan.zone)

    async def tick(self, now_ms: int) -> None:
        """Note everybody who is there."""
        elapsed_ms, self._ticked_ms = min(max(0, now_ms - self._ticked_ms), LONGEST_TICK_MS), now_ms
        for room, participant in self._classrooms():
            self.attendance.note(room.row.id, participant.rights.sub, participant, elapsed_ms)
        self.usage.look(self.month, list(self._transports()))
        devices = self._hub.plan.people.classrooms
        for asker, count in self._hub.checks.bills().items():
            if asker in devices:
                self.usage.add(devices[asker].school, self.month, "media", count)
        if not 0 <= now_ms - self._allowed_ms < ALLOW_EVERY_MS:
            self._allowed_ms = now_ms
            await self.allow()
        if not 0 <= now_ms - self._written_ms < WRITE_EVERY_MS:
            self._written_ms = now_ms
            await self.flush()

    async def allow(self) -> None:
        """Tell every classroom's pictures how much its school has left."""
        plan = self._hub.plan
        allowed = self.usage.allowances(plan.people.schools, self.month, plan.plan.policies)
        for room, participant in list(self._classrooms()):
            now = allowed.get(plan.people.classrooms[participant.rights.sub].school, "all")
            if participant.allowance != now:
                participant.allowance = now
                await room.settle()
                room.tell_media_state(participant)

    async def flush(self) -> None:
        """Write what is new."""
        await self.attendance.flush()
        await self.usage.flush()

    def _classrooms(self) -> Iterator[tuple[Room, Participant]]:
        devices = self._hub.plan.people.classrooms
        for room in self._hub.rooms.values():
            for participant in room.lesson.participants.values():
                if participant.rights.sub in devices:
                    yield room, participant

    def _transports(self) -> Iterator[tuple[int, str, int]]:
        devices, rows = self._hub.plan.people.classrooms, self._hub.book.transports
        for _, participant in self._classrooms():
            row = rows.get(participant.transport.handle) if participant.transport is not None else None
            if row is not None:
                school = devices[participant.rights.sub].school
                yield row["transport"], school, row["rx_bytes"] + row["tx_bytes"]
