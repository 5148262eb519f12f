"""What is to be done now with the lessons of the timetable: a pure function of time, plan and open lessons.

It keeps nothing between two calls, so a restart, a change of the last minute and a server that was away need no rules
of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from signaling.timetable.model import Occurrence, parse_occurrence_id

OPEN_BEFORE_MS = 600_000
EARLY_MS = 3_600_000  # a teacher may begin so long before the bell
CloseReason = Literal["cancelled", "not_planned", "over", "overrun"]


@dataclass(frozen=True)
class OpenLesson:
    """A lesson that is open now; `teaching`: something is on air."""

    id: str
    teacher: str
    title: str
    teaching: bool


@dataclass(frozen=True)
class Open:
    """Open its lesson."""

    occurrence: Occurrence


@dataclass(frozen=True)
class Follow:
    """The lesson has another teacher or title now."""

    occurrence: Occurrence


@dataclass(frozen=True)
class Close:
    """End the lesson for everybody."""

    lesson: str
    reason: CloseReason


Action = Open | Follow | Close


def actions(
    now_ms: int,
    around: Iterable[Occurrence],
    open_lessons: Iterable[OpenLesson],
    closed_ms: Mapping[str, int],
    overrun_ms: Mapping[str, int],
    open_before_ms: int = OPEN_BEFORE_MS,
) -> list[Action]:
    """What is to be done; `around` holds at least the lessons of yesterday, today and tomorrow.

    `closed_ms` says when lessons were closed, `overrun_ms` how long each may last beyond its end, both by id.
    """
    planned = {o.id: o for o in around}
    there = {lesson.id: lesson for lesson in open_lessons if parse_occurrence_id(lesson.id) is not None}
    todo: list[Action] = []
    for lesson in there.values():
        held = planned.get(lesson.id)
        reason = _reason_to_close(now_ms, held, lesson, overrun_ms.get(lesson.id, 0))
        if held is None or reason is not None:
            todo.append(Close(lesson.id, reason or "not_planned"))
        elif (lesson.teacher, lesson.title) != (held.teacher, held.subject):
            todo.append(Follow(held))
    due = (held for held in planned.values() if held.id not in there and is_due(now_ms, held, open_before_ms))
    todo += [Open(held) for held in due if _may_open(held, closed_ms.get(held.id))]
    return todo


def is_due(now_ms: int, held: Occurrence, before_ms: int) -> bool:
    """Whether its lesson ought to be open; a played clip needs none."""
    return has_lesson(held) and held.begin_ms - before_ms <= now_ms < held.end_ms


def has_lesson(held: Occurrence) -> bool:
    """Whether it is held over the line."""
    return held.mode != "recorded" and not held.cancelled


def _may_open(held: Occurrence, closed_ms: int | None) -> bool:
    """What was closed stays closed until the plan for that day changes."""
    return closed_ms is None or held.changed_ms >= closed_ms


def _reason_to_close(now_ms: int, held: Occurrence | None, lesson: OpenLesson, overrun_ms: int) -> CloseReason | None:
    if held is None:
        return "not_planned"
    if not has_lesson(held):
        return "cancelled"
    if now_ms >= held.end_ms:
        late = now_ms >= held.end_ms + overrun_ms
        return ("overrun" if lesson.teaching else "over") if late or not lesson.teaching else None
    # It was moved to later: whoever teaches already goes on.
    return "not_planned" if now_ms < held.begin_ms - EARLY_MS and not lesson.teaching else None
