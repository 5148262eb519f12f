"""One rehearsal at a time: begins it, watches who comes, listens to what pages say, and keeps the table of it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from signaling.auth import mint, teacher_rights
from signaling.lesson import DEMO, Lesson, Participant
from signaling.messages import Refused
from signaling.rehearsal.teacher import RehearsalTeacher
from signaling.rehearsal.verdict import CODES, Findings, PageFacts, verdict
from signaling.store import LessonRow

if TYPE_CHECKING:
    from signaling.hub import Hub
    from signaling.people.model import Classroom

log = structlog.get_logger()
COME_IN_MS = 60_000  # pages ask for their day every 20 s
TAKE_MS = 120_000
TEACHER_MS = 900_000  # the demo lesson is made at its first use
KEPT = 20
TOKEN_S = 1800
SUB, TITLE, NAME = "rehearsal-teacher", "全县联调 · Rehearsal", "联调 · Rehearsal"


@dataclass
class Rehearsal:
    """One that is on; `begin_ms` is when its lesson was on air, 0: not yet."""

    id: str
    lesson: str
    asked_ms: int
    begin_ms: int = 0
    end_ms: int = 0
    found: dict[str, Findings] = field(default_factory=dict)  # by classroom


class RehearsalDesk:
    """`begin`, `end`, `tick` once a second; `asks` for the kiosk's day, `hear` for what pages say."""

    def __init__(self, hub: Hub, make_teacher: Callable[[], RehearsalTeacher] = RehearsalTeacher) -> None:
        self._hub = hub
        self._make_teacher = make_teacher
        self._teacher: RehearsalTeacher | None = None
        self.now: Rehearsal | None = None

    # the operator

    async def begin(self) -> Rehearsal:
        """All classrooms shall come; raises `Refused` while one is on."""
        if self.now is not None:
            raise Refused("busy", "a rehearsal is on; it takes three minutes")
        number, now_ms = secrets.token_hex(6), self._hub.now_ms()
        demo = self._hub.rooms.get(DEMO)
        lesson = DEMO if demo is not None else f"rehearsal-{number}"
        self.now = now = Rehearsal(number, lesson, now_ms)
        if demo is None:
            row = LessonRow(lesson, TITLE, SUB, NAME, "", "open", lesson, now_ms, now_ms, record=False, open=True)
            try:
                await self._hub.open(row)
                self._teacher = self._make_teacher()
                rights = teacher_rights(SUB, NAME, lesson, int(time.time()) + TOKEN_S)
                key = next(iter(self._hub.keys.items()))
                await self._teacher.start(self._hub.local_url, mint(rights, key, time.time()))
            except (Refused, OSError):
                await self._over(now)
                raise Refused("internal", "the rehearsal's lesson could not be begun") from None
        await self.tick(now_ms)
        log.info("rehearsal", rehearsal=number, lesson=lesson)
        return now

    async def end(self, number: str) -> None:
        """Before its time."""
        if self.now is not None and self.now.id == number:
            self.now.end_ms = min(self.now.end_ms or self._hub.now_ms(), self._hub.now_ms())
            await self._over(self.now)

    async def past(self) -> list[dict[str, Any]]:
        """The last ones, the present one first."""
        query = f"SELECT id, begin_ms, end_ms FROM rehearsals ORDER BY begin_ms DESC LIMIT {KEPT}"
        rows = await self._hub.store.database.connection.execute_fetchall(query)
        on = [(self.now.id, self.now.begin_ms, self.now.end_ms)] if self.now is not None else []
        return [dict(zip(("id", "begin_ms", "end_ms"), row, strict=True)) for row in [*on, *rows]]

    async def one(self, number: str) -> dict[str, Any]:
        """One with its table; raises `Refused`."""
        if self.now is not None and self.now.id == number:
            return _plain(self.now, "on", await self._rows(self.now))
        query = "SELECT id, lesson, begin_ms, end_ms, rows FROM rehearsals WHERE id = ?"
        found = list(await self._hub.store.database.connection.execute_fetchall(query, (number,)))
        if not found:
            raise Refused("bad_message", "there is no such rehearsal any more")
        identity, lesson, begin_ms, end_ms, rows = found[0]
        return _plain(Rehearsal(identity, lesson, 0, begin_ms, end_ms), "over", json.loads(rows))

    # the classrooms

    def asks(self, classroom: Classroom) -> dict[str, Any] | None:
        """What a classroom's page is asked to take part in now, when it has nothing else to do."""
        now = self.now
        if now is None or not now.begin_ms or self._has_own_lesson(classroom, now):
            return None
        return {"id": now.id, "lesson": now.lesson, "begin_ms": now.begin_ms, "end_ms": now.end_ms}

    def saw(self, classroom: str) -> None:
        """Its page asked for the day."""
        if self.now is not None:
            self._found(self.now, classroom).online = True

    def hear(self, classroom: str, number: str, facts: PageFacts) -> None:
        """What its page got; raises `Refused` when the rehearsal is over."""
        if self.now is None or self.now.id != number:
            raise Refused("bad_message", "this rehearsal is over")
        self._found(self.now, classroom).page = facts

    def _has_own_lesson(self, classroom: Classroom, now: Rehearsal) -> bool:
        plan = self._hub.plan
        enters_ms = plan.policy_of(classroom.klass).enter_before_s * 1000
        for held in plan.day(plan.today()):
            soon = held.begin_ms - enters_ms < now.end_ms and self._hub.now_ms() < held.end_ms
            if classroom.klass in held.classes and not held.cancelled and soon:
                return True
        return False

    # time

    async def tick(self, now_ms: int) -> None:
        """Once a second: begin when the teacher is on air, look who is there, end in time."""
        now = self.now
        if now is None:
            return
        room = self._hub.rooms.get(now.lesson)
        waited_long = not now.begin_ms and now_ms - now.asked_ms > TEACHER_MS
        if waited_long or (room is None and now.begin_ms):
            log.error("the rehearsal had no lesson", rehearsal=now.id)
            await self._over(now)
            return
        if not now.begin_ms and room is not None and room.lesson.sources():
            now.begin_ms, now.end_ms = now_ms, now_ms + COME_IN_MS + TAKE_MS
        if now.begin_ms and now_ms >= now.end_ms:
            await self._over(now)
        elif now.begin_ms:
            self._look(now)

    def _look(self, now: Rehearsal) -> None:
        classrooms = self._hub.register.people.classrooms
        for identity, room in self._hub.rooms.items():
            for participant in room.lesson.participants.values():
                if participant.rights.sub not in classrooms or not participant.online:
                    continue
                found = self._found(now, participant.rights.sub)
                if identity == now.lesson:
                    self._saw_in(found, participant)
                else:
                    found.elsewhere = True

    def _saw_in(self, found: Findings, participant: Participant) -> None:
        found.joined_ms = found.joined_ms or self._hub.now_ms()
        transport = participant.transport
        found.connected |= transport is not None and transport.connected
        rung = Lesson.rung_of(participant)
        if rung is not None and rung.reason != "no_source":
            found.reason = rung.reason

    def _found(self, now: Rehearsal, classroom: str) -> Findings:
        return now.found.setdefault(classroom, Findings(paired=True))

    async def _over(self, now: Rehearsal) -> None:
        self.now = None
        teacher, self._teacher = self._teacher, None
        if teacher is not None:
            await teacher.stop()
        room = self._hub.rooms.get(now.lesson)
        if room is not None and not room.permanent:
            await self._hub.close(room)
        if now.begin_ms:
            values = (now.id, now.lesson, now.begin_ms, now.end_ms, json.dumps(await self._rows(now)))
            database = self._hub.store.database.connection
            await database.execute("INSERT OR REPLACE INTO rehearsals VALUES (?, ?, ?, ?, ?)", values)
            oldest = f"SELECT id FROM rehearsals ORDER BY begin_ms DESC LIMIT -1 OFFSET {KEPT}"
            await database.execute(f"DELETE FROM rehearsals WHERE id IN ({oldest})")

    async def _rows(self, now: Rehearsal) -> list[dict[str, Any]]:
        """Every classroom of the register with its verdict, the worst first."""
        people, rows = self._hub.register.people, []
        devices = await self._hub.pairing.states()
        for classroom in people.classrooms.values():
            if not classroom.active:
                continue
            found = now.found.get(classroom.id) or Findings(paired=devices[classroom.id]["paired"])
            found.elsewhere |= self._has_own_lesson(classroom, now) and found.online
            school, klass = people.place_of(classroom)
            head = {"classroom": classroom.id, "school": school, "class": klass, "name": classroom.name}
            rows.append({**head, "joined_ms": found.joined_ms, **verdict(found)})
        return sorted(rows, key=lambda row: (CODES.index(row["code"]), row["school"], row["name"]))


def _plain(one: Rehearsal, state: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    head = {name: getattr(one, name) for name in ("id", "lesson", "begin_ms", "end_ms")}
    return {**head, "state": state, "rows": rows}
