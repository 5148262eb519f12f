"""An assistant who teaches in the place of a teacher whose line is dead, under a name of its own in the lesson."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from signaling.auth import Rights, teacher_rights

if TYPE_CHECKING:
    from signaling.hub import Hub
    from signaling.room import Room

MARK = "~stands-in-"
# For so long no output end may have been there with media.
DEAD_LINE_MS = 10_000


def stand_in_rights(assistant: Rights, lesson: str) -> Rights:
    """A teacher's rights in this lesson; each time under another `sub`, so that giving back can end them for good."""
    sub = f"{assistant.sub[:100]}{MARK}{secrets.token_hex(4)}"
    return replace(teacher_rights(sub, assistant.name, lesson, assistant.expires_s), session=assistant.session)


def is_stand_in(rights: Rights) -> bool:
    """Whether somebody teaches here only for the time being."""
    return MARK in rights.sub


async def give_back(hub: Hub, room: Room) -> None:
    """Whoever stands in teaches no more, and not again with the same token."""
    for participant in list(room.lesson.participants.values()):
        if is_stand_in(participant.rights):
            await hub.store.revoke(room.row.id, participant.rights.sub, hub.now_ms())
            await room.leave(participant, "removed")
