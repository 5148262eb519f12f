"""Takes questions and answers from pages, tells those whom it concerns, and forgets in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from signaling.lesson import Participant
from signaling.messages import Ask, ErrorMessage, QuestionAnswer, Questions, Refused
from signaling.questions.store import Question, QuestionStore, TooMany
from signaling.web.limits import RateLimit

if TYPE_CHECKING:
    from signaling.hub import Hub
    from signaling.room import Room

MAX_TEXT = 500
ASK_EVERY_S = 5.0
DAY_MS = 86_400_000
FORGET_EVERY_MS = 3_600_000


class QuestionDesk:
    """One for all lessons."""

    def __init__(self, hub: Hub, now_s: Callable[[], float] = time.monotonic) -> None:
        self.store = QuestionStore(hub.store.database)
        self._hub = hub
        self._now_s = now_s
        self._asks = RateLimit(burst=1, every_s=ASK_EVERY_S)
        self._forgot_ms: int | None = None

    async def take(self, room: Room, me: Participant, message: Ask | QuestionAnswer) -> None:
        """A word from a page; what cannot be done is answered with an error."""
        try:
            if isinstance(message, Ask):
                await self._ask(room, me, message.text)
            else:
                await self.answer(room.row.id, message.question, message.text)
        except Refused as refused:
            room.tell(me, ErrorMessage(None, refused.code, refused.detail))

    async def _ask(self, room: Room, me: Participant, text: str) -> None:
        text = readable(text)
        if not text:
            raise Refused("bad_message", "a question has words")
        if not self._asks.allows(f"{room.row.id} {me.rights.sub}", self._now_s()):
            raise Refused("busy", f"one question in {ASK_EVERY_S:.0f} s")
        sub, name = me.rights.sub, me.rights.name
        try:
            await self.store.add(room.row.id, room.row.recording, sub, name, text, self._hub.now_ms())
        except TooMany:
            raise Refused("busy", "many questions wait for an answer already") from None
        await self._tell(room, sub)

    async def answer(self, lesson: str, number: int, text: str) -> Question:
        """Answer a question of a lesson; raises `Refused`."""
        found = await self.find(lesson, number)
        await self.store.answer(number, readable(text), self._hub.now_ms())
        await self._changed(lesson, found.sub)
        return await self.find(lesson, number)

    async def remove(self, lesson: str, number: int) -> None:
        """Take a question off the list; raises `Refused`."""
        found = await self.find(lesson, number)
        await self.store.remove(number)
        await self._changed(lesson, found.sub)

    async def find(self, lesson: str, number: int) -> Question:
        """A question of a lesson; raises `Refused`."""
        found = await self.store.one(lesson, number)
        if found is None:
            raise Refused("bad_message", "there is no such question in this lesson")
        return found

    async def welcome(self, room: Room, me: Participant) -> None:
        """What a page that came in has to know."""
        unanswered, newest_ms = await self.store.news(room.row.id, None if me.is_output else me.rights.sub)
        if newest_ms:
            room.tell(me, Questions(unanswered, newest_ms))

    async def _changed(self, lesson: str, sub: str) -> None:
        room = self._hub.rooms.get(lesson)
        if room is not None:
            await self._tell(room, sub)

    async def _tell(self, room: Room, sub: str) -> None:
        """Those who give the lesson, and who asked."""
        for_all = Questions(*await self.store.news(room.row.id))
        for_one = Questions(*await self.store.news(room.row.id, sub))
        for participant in list(room.lesson.participants.values()):
            if participant.is_output:
                room.tell(participant, for_all)
            elif participant.rights.sub == sub:
                room.tell(participant, for_one)

    async def tick(self, now_ms: int) -> None:
        """Once an hour: forget what is older than is allowed, with lessons whose recording is gone."""
        if self._forgot_ms is not None and 0 <= now_ms - self._forgot_ms < FORGET_EVERY_MS:
            return
        self._forgot_ms = now_ms
        before_ms = now_ms - round(self._hub.config.lesson.questions_days * DAY_MS)
        recordings = self._hub.recordings
        published = recordings.published()
        await self.store.forget(before_ms, lambda name: name in published or recordings.begun(name))


def readable(text: str) -> str:
    """Words for people's eyes: lines stay, direction marks and controls go."""
    return "".join(c for c in text if c.isprintable() or c == "\n")[:MAX_TEXT].strip()
