"""The teacher's four keys: each press goes into the log, and the page is told what stands (PROTOCOL section 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.clips.marks import MarkName, read_event
from recorder.zwl import Kind, ZwlReader
from signaling.lesson import Participant
from signaling.messages import Marker, Refused, ServerMessage
from signaling.recordings import Recordings
from signaling.room import Room
from streaming.client import MediaClient
from streaming.errors import MediaError


@dataclass(frozen=True)
class Marked(ServerMessage):
    """What the marks of this recording come to."""

    type = "marked"
    private: bool
    open: bool
    last: dict[str, Any] | None
    count: int

    def after(self, mark: MarkName, on: bool, at_ms: int) -> Marked:
        """With one more."""
        private = on if mark == "private" else self.private
        begun = mark == "begin" or (self.open and mark != "end")
        return Marked(private, begun, {"mark": mark, "on": on, "at_ms": at_ms}, self.count + 1)


NOTHING = Marked(False, False, None, 0)


class Marking:
    """The marks of all open lessons. The log is the truth: after a restart it is read again."""

    def __init__(self, media: MediaClient, recordings: Recordings, now_ms: Callable[[], int]) -> None:
        self._media, self._recordings, self._now_ms = media, recordings, now_ms
        self._known: dict[str, tuple[str, Marked]] = {}  # by lesson: its recording, and what stands there

    async def take(self, room: Room, message: Marker) -> None:
        """One press; raises `Refused`."""
        if not room.lesson.recording.on or not room.opened:
            raise Refused("bad_message", "this lesson is not recorded")
        recording, at_ms = room.row.recording, self._now_ms()
        before = await self._of(room)
        body = {"event": "marker", "mark": message.mark, "on": message.on, "title": message.title.strip()}
        try:
            await self._media.mark(recording, body)
        except MediaError:
            raise Refused("busy", "the mark could not be written; press again") from None
        now = self._known.get(room.row.id, (recording, before))[1].after(message.mark, message.on, at_ms)
        self._known[room.row.id] = recording, now
        for participant in list(room.lesson.participants.values()):
            if participant.is_output:
                room.tell(participant, now)

    async def welcome(self, room: Room, participant: Participant) -> None:
        """What stands, for a page that came (back)."""
        if participant.is_output and room.lesson.recording.on:
            room.tell(participant, await self._of(room))

    def forget(self, lesson: str) -> None:
        """It is closed."""
        self._known.pop(lesson, None)

    async def _of(self, room: Room) -> Marked:
        recording, stands = self._known.get(room.row.id, ("", NOTHING))
        if recording != room.row.recording:
            recording = room.row.recording
            stands = await asyncio.to_thread(_read, self._recordings.log_dir(recording))
            self._known[room.row.id] = recording, stands
        return stands


def _read(folder: Path) -> Marked:
    """All marks of a recording."""
    marked = NOTHING
    records = (r for path in sorted(folder.glob("*/00000-*.zwl")) for r in ZwlReader(path).read())
    for record in sorted((r for r in records if r.kind == Kind.EVENT), key=lambda r: r.arrival_us):
        said = read_event(record.body)
        if said is not None and said.mark is not None:
            marked = marked.after(said.mark, said.on, record.arrival_us // 1000)
    return marked
