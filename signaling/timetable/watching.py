"""Which recordings a classroom may watch: those of lessons that were for it, and the clips of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signaling.people.model import Classroom

if TYPE_CHECKING:
    from signaling.hub import Hub


async def classroom_may_watch(hub: Hub, classroom: Classroom, recording: str) -> bool:
    """By the plan; nothing else opens a recording to a classroom."""
    if hub.plan.has_clip(classroom, recording):
        return True
    row = await hub.store.lesson_of_recording(recording)
    return row is not None and hub.plan.receives(classroom, row.id)
