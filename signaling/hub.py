"""All open lessons: who comes in where, what media tells, and when a lesson ends."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from signaling.admission.desk import Admission
from signaling.auth import Rights, TokenRefused, verify
from signaling.checks.desk import CheckDesk
from signaling.config import Config
from signaling.emulator.ways import Ways
from signaling.lesson import DEMO, Participant
from signaling.marking import Marking
from signaling.messages import ByeReason, Hello, Refused, Table
from signaling.people.pairing import Pairing
from signaling.people.register import Register
from signaling.people.sessions import Sessions
from signaling.questions.desk import QuestionDesk
from signaling.recordings import MAX_LESSON_ID, SAFE_ID, Recordings, next_recording_id
from signaling.rehearsal.desk import RehearsalDesk
from signaling.room import Room
from signaling.stage.doors import Doors
from signaling.statistics import Durations, StatsBook
from signaling.store import LessonRow, Store, Taken
from signaling.timetable.accounts import Accounts
from signaling.timetable.keeper import Keeper
from signaling.timetable.plan_store import PlanStore
from signaling.timetable.shelf import Shelf
from signaling.timetable.timetable import Timetable
from signaling.tools import Outbox, Tools
from signaling.transport import Slot
from streaming.client import MediaClient
from streaming.errors import MediaError

log = structlog.get_logger()
SESSION_OUTLIVES_SOCKET_MS = 60_000
START_GRACE_MS = 60_000  # after a start clients may take this long to come back before a lesson counts as left
SAW_TEACHER_EVERY_MS = 10_000
MAX_OPEN_LESSONS = 1000
DISK_FULL = "the disk of the server is almost full: the lesson could not be recorded; ask the operator to make room"


class Hub:
    """The registry of rooms. `start` once, then call from the HTTP edge."""

    def __init__(
        self, config: Config, store: Store, media: MediaClient, keys: Mapping[str, str], now_ms: Callable[[], int]
    ) -> None:
        self.config = config
        self.store = store
        self.register = Register(store.database)
        self.pairing = Pairing(store.database, next(iter(keys.values())), now_ms)
        self.sessions = Sessions(store.database, now_ms)
        self.media = media
        self.keys = keys
        self.now_ms = now_ms
        self.token_s: Callable[[], float] = time.time  # tokens are not of the lessons' clock, which tests turn
        self.recordings = Recordings(config.data_dir, min_free_bytes=config.recording.min_free_bytes)
        self.rooms: dict[str, Room] = {}
        self.slots: dict[int, tuple[Room, Participant, Slot]] = {}  # by handle, as they were when one was missed last
        self.epoch: str | None = None  # of the media process
        self.book = StatsBook()
        self.join_seconds = Durations()
        self.consoles: dict[Outbox, Rights] = {}  # operators' pages outside of any lesson
        self.ways = Ways(config.emulated_links)
        self.checks = CheckDesk(media, self.book, self.ways, config.data_dir / "checks")
        self.draining = False
        self.address = ""  # where other machines reach the pages, once somebody listens
        self.local_url = ""  # where our own programs reach them
        self.plan = Timetable(
            PlanStore(store.database), ZoneInfo(config.timezone), now_ms, lambda: self.register.people
        )
        self.keeper = Keeper(self)
        self.shelf = Shelf(self.recordings, store)
        self.accounts = Accounts(self)
        self.admission = Admission(self)
        self.questions = QuestionDesk(self)
        self.marking = Marking(media, self.recordings, now_ms)
        self.rehearsals = RehearsalDesk(self)
        self._started_ms = now_ms()
        self._tools = Tools(
            media, self.recordings, now_ms, config.recording.enabled, config.demo.keep, self.ways,
            lambda sub: self.register.people.place_of_sub(sub), Doors(store.database), self.plan.only_watched,
        )  # fmt: skip
        self._create_lock = asyncio.Lock()

    async def start(self) -> None:
        """Read who is who, and open again what was open."""
        await self.register.load()
        for row in await self.store.open_lessons():
            if row.id != DEMO or self.config.demo.enabled:
                self.rooms[row.id] = Room(row, self._tools)
                await self.rooms[row.id].stage.recall()
        await self.keeper.start()
        await self.accounts.start()

    # tokens

    async def rights(self, token: str) -> Rights:
        """What a token allows; raises `Refused`."""
        try:
            rights = verify(token, self.keys)
        except TokenRefused as refused:
            raise Refused(refused.code, refused.detail) from None
        if not self.register.people.may_act(rights.sub, rights.role):
            raise Refused("forbidden", "this account was closed or changed; sign in again, or ask the operator")
        if rights.room is not None and await self.store.revoked(rights.room, rights.sub):
            raise Refused("forbidden", "you were removed from this lesson")
        if rights.session and await self.sessions.ended({rights.session}):
            raise Refused("expired_token", "the session of this token was ended; sign in again")
        if not self.plan.seats(rights):
            raise Refused("forbidden", "this lesson is no longer for this classroom; join it by its six-digit code")
        return rights

    # lessons

    async def room_for(self, rights: Rights) -> Room:
        """The lesson that a token leads into; made where the token may. Raises `Refused`."""
        if not rights.join:
            raise Refused("forbidden", "the token does not allow to join a lesson")
        if rights.room is None:
            own = [r for r in self.rooms.values() if r.row.teacher == rights.sub]
            if own and await self.store.revoked(own[-1].row.id, rights.sub):
                raise Refused("forbidden", "you were removed from this lesson")
            return own[-1] if own else await self.create(rights, "")
        room = self.rooms.get(rights.room)
        if room is not None:
            return room
        if await self.store.lesson(rights.room) is not None:
            raise Refused("lesson_closed", "the lesson is over")
        if not rights.create or not rights.publish:
            raise Refused("no_such_lesson", "there is no such lesson")
        return await self.create(rights, "", rights.room)

    @property
    def open_by_default(self) -> bool:
        """Whether a lesson that nobody said anything of is open to all: until classrooms are registered."""
        return not self.register.people.has_classrooms

    async def create(
        self,
        rights: Rights,
        title: str,
        lesson: str | None = None,
        name: str | None = None,
        *,
        to_all: bool | None = None,
    ) -> Room:
        """Open a lesson, `to_all` who know its code or to known classrooms and persons; raises `Refused`."""
        if not rights.may("open_lesson"):
            raise Refused("forbidden", "the token does not allow to create lessons")
        if lesson is not None and not (SAFE_ID.fullmatch(lesson) and len(lesson) <= MAX_LESSON_ID):
            raise Refused("no_such_lesson", "a lesson id has letters, digits, '-' and '_', at most 48")
        # The demo lesson stands even then: its teacher is refused at the door, and the server starts.
        if lesson != DEMO and self.config.recording.enabled and self.recordings.disk_is_full():
            raise Refused("disk_full", DISK_FULL)
        teacher = name or (rights.name if rights.name != rights.sub else "")
        now_ms, identity = self.now_ms(), lesson or secrets.token_hex(8)
        title = title or name or rights.name
        if lesson == DEMO or to_all is None:
            to_all = lesson == DEMO or self.open_by_default
        row = LessonRow(identity, title, rights.sub, teacher, "", "open", identity, now_ms, now_ms, open=to_all)
        return await self.open(row)

    async def open(self, row: LessonRow) -> Room:
        """Open a lesson as `row` has it, with a code of its own; raises `Refused`."""
        async with self._create_lock:
            if row.id in self.rooms:
                return self.rooms[row.id]
            if len(self.rooms) >= MAX_OPEN_LESSONS:
                raise Refused("full", "too many lessons are open")
            row = await self._keep(row)
            self.rooms[row.id] = room = Room(row, self._tools)
        log.info("lesson opened", lesson=row.id)
        return room

    async def _keep(self, row: LessonRow) -> LessonRow:
        before = await self.store.lesson(row.id)
        if before is not None and self.recordings.begun(before.recording):
            # It was closed, and so was its recording: it goes on in another one.
            row = replace(row, recording=next_recording_id(row.id, _moment(row.created_ms)))
        for _ in range(50):
            row = replace(row, code=_draw_code())
            with contextlib.suppress(Taken):
                await (self.store.add(row) if before is None else self.store.reopen(row))
                return row
        raise Refused("full", "no free lesson code was found")

    async def close(self, room: Room) -> None:
        """End a lesson for everybody; the demo lesson only begins anew."""
        if room.permanent:
            await self.next_recording(room)
            return
        if self.rooms.pop(room.row.id, None) is None:
            return
        await self._tools.doors.keep(room.row.id, hush=False, lock=None)
        closed = await self.store.close_lesson(room.row, self.now_ms())
        self.keeper.closed_ms[closed.id] = self.now_ms()
        await room.close(closed)
        self.marking.forget(closed.id)
        log.info("lesson closed", lesson=closed.id)

    async def next_recording(self, room: Room) -> str:
        """Go on in a new recording, whose id is returned."""
        now_ms = self.now_ms()
        recording = next_recording_id(room.row.id, _moment(now_ms))
        await self.store.start_recording(room.row.id, recording, now_ms)
        await room.next_recording(replace(room.row, recording=recording))
        return recording

    async def renew_code(self, room: Room) -> None:
        """Another code: the old one leads nowhere."""
        for _ in range(50):
            code = _draw_code()
            with contextlib.suppress(Taken):
                await self.store.set_code(room.row.id, code)
                room.row = replace(room.row, code=code)
                room.lesson.code = code
                room.dirty = True
                return
        log.error("no free lesson code was found", lesson=room.row.id)

    # people

    async def join(self, hello: Hello, rights: Rights, outbox: Outbox) -> tuple[Room, Participant, bool]:
        """A page comes in: its lesson, its seat, and whether its media still stands. Raises `Refused`."""
        room = await self.room_for(rights)
        recorded = self.config.recording.enabled and room.row.record
        if rights.publish and not room.opened and recorded and self.recordings.disk_is_full():
            raise Refused("disk_full", DISK_FULL)
        old = room.lesson.participants.get(hello.resume or "")
        if old is not None and old.kind == "page" and _same_rights(old.rights, rights):
            self._resume(room, old, rights, outbox)
            return room, old, old.transport is not None
        room.stage.admit(rights, hello.tab)
        participant = Participant(secrets.token_urlsafe(12), rights, hello.tab, "page", self.now_ms())
        before = self.admission.seat(room, participant)
        room.lesson.number(participant, before[-1].tile if before else 0)
        for seat in before:
            await room.leave(seat, "replaced")
        room.outboxes[participant.session] = outbox  # last: nothing is said to it before its welcome
        return room, participant, False

    @staticmethod
    def _resume(room: Room, participant: Participant, rights: Rights, outbox: Outbox) -> None:
        previous = room.outboxes.pop(participant.session, None)
        if previous is not None:
            previous.bye("replaced")
        participant.rights, participant.online, participant.told_classrooms = rights, True, None
        room.outboxes[participant.session] = outbox
        room.offline_since_ms.pop(participant.session, None)
        room.dirty = True

    async def gone(self, room: Room, participant: Participant, outbox: Outbox) -> None:
        """A page's socket closed; its session lives on for a while."""
        if room.outboxes.get(participant.session) is not outbox:
            return
        del room.outboxes[participant.session]
        participant.online = False
        room.offline_since_ms[participant.session] = self.now_ms()
        room.dirty = True

    async def admit_client(self, room: Room, rights: Rights, kind: str) -> Participant:
        """A WHIP or WHEP client comes in; a publisher replaces its own older session."""
        if kind == "whip":
            for other in list(room.lesson.participants.values()):
                if other.kind == "whip" and other.rights.sub == rights.sub:
                    await room.leave(other)
        else:
            room.stage.admit(rights, "")
        session = secrets.token_urlsafe(18)
        participant = Participant(session, rights, session, "whip" if kind == "whip" else "whep", self.now_ms())
        self.admission.seat(room, participant)
        return participant

    # time

    def publish(self) -> None:
        """Twice a second: changed lessons to their people."""
        for room in list(self.rooms.values()):
            room.publish_snapshot()
            room.stage.publish()

    def publish_table(self) -> None:
        """Once a second: everything to the operators, one lesson to those who sit in it or give it."""
        for room in self.rooms.values():
            room.publish_classrooms()
            sitting = [p for p in room.lesson.participants.values() if p.rights.may("see_table")]
            if sitting:
                own = Table(self.book.table(room.row.id, room.lesson))
                for participant in sitting:
                    room.tell(participant, own)
        if self.consoles:
            rows = [row for room in self.rooms.values() for row in self.book.table(room.row.id, room.lesson)]
            table = Table(rows)
            for outbox in list(self.consoles):
                outbox.send(table)

    async def tick(self) -> None:
        """Once a second: sessions without socket, lessons without teacher."""
        now_ms = self.now_ms()
        await self.checks.tick()
        await self._part_with_closed()
        for room in list(self.rooms.values()):
            for session, since_ms in list(room.offline_since_ms.items()):
                if now_ms - since_ms >= SESSION_OUTLIVES_SOCKET_MS:
                    participant = room.lesson.participants.get(session)
                    room.offline_since_ms.pop(session, None)
                    if participant is not None:
                        await room.leave(participant)
            room.turn_away_expired(round(self.token_s() * 1000))
            await room.stage.tick()
            await self._watch_teacher(room, now_ms)
        await self.keeper.tick(now_ms)
        await self.accounts.tick(now_ms)
        await self.admission.tick(now_ms)
        await self.questions.tick(now_ms)
        await self.rehearsals.tick(now_ms)

    async def _part_with_closed(self) -> None:
        """An account that was closed or changed ends what it has open, too, and so does a sign-out."""
        there = [
            (room, participant) for room in self.rooms.values() for participant in room.lesson.participants.values()
        ]
        every = [*self.consoles.values(), *(participant.rights for _, participant in there)]
        ended = await self.sessions.ended({rights.session for rights in every} - {""})

        def farewell(rights: Rights) -> ByeReason | None:
            if not self.register.people.may_act(rights.sub, rights.role):
                return "removed"
            return "expired" if rights.session in ended else None

        for outbox, rights in list(self.consoles.items()):
            if (reason := farewell(rights)) is not None:
                outbox.bye(reason)
        for room, participant in there:
            if (reason := farewell(participant.rights)) is not None:
                await room.leave(participant, reason)

    async def _watch_teacher(self, room: Room, now_ms: int) -> None:
        if next(room.lesson.outputs(), None) is not None:
            if now_ms - room.row.last_teacher_ms >= SAW_TEACHER_EVERY_MS:
                room.row = replace(room.row, last_teacher_ms=now_ms)
                await self.store.saw_teacher(room.row.id, now_ms)
            return
        grace_ms = self._started_ms + START_GRACE_MS
        idle_ms = now_ms - room.row.last_teacher_ms
        kept = room.permanent or self.plan.planned(room.row.id)
        if not kept and now_ms >= grace_ms and idle_ms >= self.config.lesson.idle_close_s * 1000:
            log.info("nobody teaches here any more", lesson=room.row.id)
            await self.close(room)

    # media

    def room_of_recording(self, recording: str) -> Room | None:
        """The open lesson that a media lesson belongs to."""
        return next((r for r in self.rooms.values() if r.row.recording == recording), None)

    async def media_hello(self, event: dict[str, Any]) -> None:
        """Media is there (again): adopt, rejoin, and close what should not stand."""
        standing = {state["lesson"]: state for state in event["state"]}
        self.checks.media_is_new()
        for room in list(self.rooms.values()):
            state = standing.pop(room.row.recording, None)
            if room.permanent and state is None and self.recordings.begun(room.row.recording):
                room.opened = False
                await self.next_recording(room)  # a demonstration has no gaps
            else:
                await room.media_is_new(state)
        for recording in standing:
            with contextlib.suppress(MediaError):
                await self.media.close_lesson(recording)


def _same_rights(old: Rights, new: Rights) -> bool:
    """Whether a session may go on: the same person, and nothing that flows now has become forbidden."""
    return old.sub == new.sub and old.publish == new.publish and old.subscribe == new.subscribe


def _moment(now_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC)


def _draw_code() -> str:
    return f"{secrets.randbelow(900_000) + 100_000}"
