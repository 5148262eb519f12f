"""The teacher's room at work: carries out in media who is called, and tells everybody what concerns them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from signaling.auth import Rights
from signaling.messages import Hand, Hush, LookAs, Refused, StageMessage, StageWord, Voice, WallMessage
from signaling.messages import Lock as LockMessage
from signaling.stage.audience import Audience
from signaling.stage.called import may_flow
from signaling.stage.lock import Lock
from signaling.stage.places import STAGE
from signaling.stage.stage import Stage
from signaling.stage.standing_in import DEAD_LINE_MS, is_stand_in, stand_in_rights
from streaming.errors import MediaError

if TYPE_CHECKING:
    from signaling.lesson import Participant
    from signaling.room import Room
    from signaling.tools import Tools
    from signaling.transport import Publication

LOST_MS = 15_000  # a classroom on stage may be without media for so long


class RoomStage:
    """The stage of one room."""

    def __init__(self, room: Room, tools: Tools) -> None:
        self._room = room
        self._tools = tools
        self._lock: Lock | None = None
        self._audience = Audience(room, tools)
        self._shown: dict[int, list[tuple[int, int]]] = {}  # by transport, whose stills it gets
        self._lost_ms: dict[int, int] = {}
        self._taught_ms = tools.now_ms()

    # who comes in

    def admit(self, rights: Rights, tab: str) -> None:
        """Judge a newcomer; raises `Refused`."""
        if self._lock is not None and not self._lock.admits(rights, tab):
            raise Refused("locked_lesson", "the teacher has closed the door: nobody new comes into this lesson")
        if is_stand_in(rights):
            self._check_absence(rights)

    def stand_in(self, assistant: Rights) -> Rights:
        """The rights with which an assistant takes over; raises `Refused` while somebody teaches."""
        self._check_absence(assistant)
        return stand_in_rights(assistant, self._room.row.id)

    def _check_absence(self, rights: Rights) -> None:
        other = self._room.lesson.taken_over()
        if other is not None and other.rights.sub != rights.sub:
            raise Refused("busy", "another assistant teaches already")
        if other is None and self._tools.now_ms() - self._taught_ms < DEAD_LINE_MS:
            raise Refused("busy", "the teacher is there; you may take over when the line was dead for ten seconds")

    # what people say

    async def take(self, me: Participant, word: StageWord) -> None:
        """One of the words of the teacher's room; raises `Refused`."""
        stage = self._room.lesson.stage
        match word:
            case Voice():
                me.voice, me.voice_ms = word, self._tools.now_ms()
            case Hand(up=up):
                self._may_speak()
                await self._change(stage.raise_hand(me.tile) if up else stage.lower(me.tile))
            case StageMessage(id=tile, on=on):
                await self._change(stage.call(self._callable(tile)) if on else stage.end(tile))
            case Hush(on=on):
                await self._change(stage.hushed(on=on))
                await self._keep()
            case LockMessage(on=on):
                everybody = self._room.lesson.participants.values()
                self._lock = Lock.of((p.rights.sub, p.tab) for p in everybody) if on else None
                await self._keep()
            case WallMessage(visible=visible, pinned=pinned):
                me.wall = replace(me.wall, visible=frozenset(visible), pinned=tuple(pinned))
                await self._change(stage)
            case LookAs(id=eyes):
                me.wall = replace(me.wall, look_as=eyes)
                await self._room.settle()

    async def _keep(self) -> None:
        hush = self._room.lesson.stage.hush
        await self._tools.doors.keep(self._room.row.id, hush=hush, lock=self._lock)

    async def recall(self) -> None:
        """After a restart: what no association tells."""
        hush, self._lock = await self._tools.doors.of(self._room.row.id)
        self._room.lesson.stage = self._room.lesson.stage.hushed(on=hush)

    def _may_speak(self) -> None:
        if self._tools.only_watched(self._room.row.id):
            raise Refused("forbidden", "this lesson is observed: classrooms do not speak in it")

    def _callable(self, tile: int) -> int:
        self._may_speak()
        if self._room.lesson.by_tile(tile) is None:
            raise Refused("bad_message", "this classroom is not in the lesson any more")
        return tile

    async def _change(self, stage: Stage) -> None:
        """Silence first: it waits neither for words nor for whoever holds the room's lock."""
        self._room.lesson.stage = stage
        await self._silence()
        self._audience.tell()
        await self._room.settle()

    # what media does

    async def _silence(self) -> None:
        on = [pair for pair in self._own() if pair[1].granted and not may_flow(self._room.lesson, *pair)]
        with contextlib.suppress(MediaError):
            await asyncio.gather(*(self._grant(publication, on=False) for _, publication in on))

    async def _grant(self, publication: Publication, *, on: bool) -> None:
        await self._tools.media.grant(publication.handle, on)
        publication.granted = on

    def _own(self) -> Iterator[tuple[Participant, Publication]]:
        """What classrooms send, or would."""
        for participant in list(self._room.lesson.participants.values()):
            if participant.transport is not None and not participant.is_output:
                for publication in list(participant.transport.publications.values()):
                    yield participant, publication

    async def carry_out(self) -> None:
        """Grants as the stage is now, and whose stills are looked at. Raises `MediaError`."""
        for participant, publication in self._own():
            on = may_flow(self._room.lesson, participant, publication)
            if publication.granted != on:
                await self._grant(publication, on=on)
        await self._show_stills()

    async def _show_stills(self) -> None:
        lesson = self._room.lesson
        outputs = [p for p in lesson.participants.values() if p.is_output and p.transport is not None]
        wanted: dict[int, list[tuple[int, int]]] = {}
        for output in outputs:
            seen = [one for tile in sorted(output.wall.visible) if (one := lesson.by_tile(tile)) is not None]
            if output.transport is not None:
                of = [(one.transport.handle, one.tile) for one in seen if one.transport is not None]
                wanted[output.transport.handle] = of
        for handle, of in wanted.items():
            if of != self._shown.get(handle, []):
                await self._tools.media.show_stills(handle, of)
        self._shown = wanted

    # what happens

    def welcome(self, participant: Participant) -> None:
        """Tell a page that came (back) what it has to know."""
        self._audience.tell(participant)

    def left(self, participant: Participant, *, replaced: bool) -> None:
        """A participant is gone; another page in the same seat keeps its place."""
        stage = self._room.lesson.stage
        self._audience.forget(participant)
        if participant.tile:
            tile = participant.tile
            self._room.lesson.stage = stage.lower(tile) if replaced else stage.without(tile)

    def adopt(self) -> None:
        """After a restart of ours: who is on stage is what the slots of the stage carry."""
        lesson = self._room.lesson
        everybody = [p for p in lesson.participants.values() if p.transport is not None]
        owner = {one.handle: p.tile for p in everybody if p.transport for one in p.transport.publications.values()}
        places = list(lesson.stage.places)
        for slot in (slot for p in everybody if p.transport for slot in p.transport.slots):
            if slot.carries in STAGE and slot.publication in owner:
                places[STAGE.index(slot.carries)] = owner[slot.publication]
        lesson.stage = replace(lesson.stage, places=(places[0], places[1]))

    def publish(self) -> None:
        """Twice a second."""
        self._audience.publish(locked=self._lock is not None)

    async def tick(self) -> None:
        """Once a second: who is on stage without media, and whether somebody teaches."""
        lesson, now_ms = self._room.lesson, self._tools.now_ms()
        if any(_teaches(participant) for participant in lesson.participants.values()):
            self._taught_ms = now_ms
        gone = [tile for tile in lesson.stage.places if tile is not None and not self._has_media(tile)]
        self._lost_ms = {tile: self._lost_ms.get(tile, now_ms) for tile in gone}
        late = [tile for tile, since_ms in self._lost_ms.items() if now_ms - since_ms >= LOST_MS]
        for tile in late:
            await self._change(lesson.stage.end(tile))

    def _has_media(self, tile: int) -> bool:
        speaker = self._room.lesson.by_tile(tile)
        return speaker is not None and speaker.transport is not None and speaker.transport.connected


def _teaches(participant: Participant) -> bool:
    """Whether this is the lesson's own output end, with media."""
    own = participant.is_output and "microphone" in participant.rights.publish and not is_stand_in(participant.rights)
    return own and participant.transport is not None and participant.transport.connected
