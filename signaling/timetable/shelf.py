"""What the library has for the timetable: sizes of clips, and recordings of lessons that are over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signaling.recordings import Recordings
    from signaling.store import Store


class Shelf:
    """Remembers what it found: published recordings never change, and hundreds of classrooms ask for the same ones."""

    def __init__(self, recordings: Recordings, store: Store) -> None:
        self._recordings = recordings
        self._store = store
        self._bytes: dict[str, int] = {}  # by recording
        self._of_lesson: dict[str, str] = {}

    def bytes_of(self, recording: str) -> int | None:
        """The size of a published recording, or None."""
        return self._bytes.get(recording)

    def recording_of(self, lesson: str) -> str | None:
        """The published recording of a lesson, or None."""
        return self._of_lesson.get(lesson)

    async def look(self, clips: Iterable[str], since_ms: int) -> None:
        """Look for these clips, and for recordings that began since; a county has a thousand lessons a day."""
        names = await asyncio.to_thread(self._recordings.published)
        for clip in names.intersection(clips):
            await self._find(clip)
        for recording, lesson in await self._store.recordings_since(since_ms):
            if recording in names and lesson not in self._of_lesson and await self._find(recording):
                self._of_lesson[lesson] = recording

    async def _find(self, recording: str) -> bool:
        if recording not in self._bytes:
            manifest = await asyncio.to_thread(self._recordings.manifest, recording)
            if manifest is None:
                return False
            self._bytes[recording] = sum(int(track["bytes"]) for track in manifest["tracks"])
        return True
