"""The recording of one open lesson: its log in media, lesson.json beside it, and what people are told of it."""

from __future__ import annotations

import contextlib

import structlog

from signaling.lesson import DEMO, Lesson, RecordingState
from signaling.store import LessonRow
from signaling.tools import Tools
from streaming.errors import CommandFailed, MediaError

log = structlog.get_logger()
TELL_BYTES_EVERY_MS = 5_000


class RoomRecording:
    """Begins and ends recordings of a lesson; the lesson itself goes on whatever becomes of them."""

    def __init__(self, lesson: Lesson, tools: Tools) -> None:
        self._lesson = lesson
        self._tools = tools
        self._told_bytes_ms = 0

    async def open(self, row: LessonRow) -> None:
        """Media opens the lesson with its log; without one where there is no room on the disk. Raises `MediaError`."""
        folder = str(self._tools.recordings.log_dir(row.recording)) if self._tools.record and row.record else None
        self._lesson.recording = RecordingState(on=folder is not None)
        label = {"lesson": row.id}
        try:
            if folder is not None:
                self._write_state(row, "live", None)
            await self._tools.media.open_lesson(row.recording, folder, label)
        except (CommandFailed, OSError) as error:
            if folder is None:
                raise
            code = error.code if isinstance(error, CommandFailed) else "os_error"
            log.error("the lesson goes on unrecorded", lesson=row.id, error=str(error))
            self._lesson.recording = RecordingState(on=False, error=code)
            await self._tools.media.open_lesson(row.recording, None, label)

    async def close(self, row: LessonRow, *, opened: bool) -> None:
        """Media closes the lesson, where it has it open, and the recording is complete."""
        if opened:
            with contextlib.suppress(MediaError):
                await self._tools.media.close_lesson(row.recording)
        # Also when media is away just now: what it has written so far is the recording.
        if self._tools.recordings.begun(row.recording):
            try:
                self._write_state(row, "closed", self._tools.now_ms())
            except OSError as error:  # a full disk: the recorder publishes it as interrupted
                log.error("the recording could not be marked closed", lesson=row.id, error=str(error))

    def grew(self, row: LessonRow, bytes_written: int, error: str | None) -> bool:
        """The log grew, or broke: whether that is news for people."""
        state = self._lesson.recording
        if error is not None and state.error is None:
            log.error("the recording failed", lesson=row.id, error=error)
        # Only a lesson that is recorded has a log, so one that grows again after a fault is on again.
        self._lesson.recording = RecordingState(on=error is None, bytes=bytes_written, error=error)
        # Its size alone is no news for a hundred classrooms twice a second.
        now_ms = self._tools.now_ms()
        if error == state.error and now_ms - self._told_bytes_ms < TELL_BYTES_EVERY_MS:
            return False
        self._told_bytes_ms = now_ms
        return True

    def _write_state(self, row: LessonRow, state: str, closed_ms: int | None) -> None:
        series = (DEMO, self._tools.demo_keep) if row.id == DEMO else None
        self._tools.recordings.write_state(row, state, closed_ms, series)
