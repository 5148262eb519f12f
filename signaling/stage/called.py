"""Which classroom's own voice and picture flow, and into which slots: never into those of the same classroom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signaling.stage.places import PINNED, STAGE

if TYPE_CHECKING:
    from signaling.lesson import Lesson, Participant
    from signaling.transport import Publication, Slot


def may_flow(lesson: Lesson, participant: Participant, publication: Publication) -> bool:
    """Whether a publication is granted: an output end's always, a classroom's on stage, its camera also when pinned."""
    if participant.is_output:
        return True
    if lesson.stage.place_of(participant.tile) is not None:
        return True
    return publication.source == "camera" and participant.tile in pinned(lesson)


def pinned(lesson: Lesson) -> set[int]:
    """The tiles that some output end sees live."""
    return {tile for one in lesson.participants.values() if one.is_output for tile in one.wall.pinned}


def called(lesson: Lesson, owner: Participant, slot: Slot) -> Publication | None:
    """What a slot of the stage, or a pinned one, carries."""
    if slot.carries in STAGE:
        tile = lesson.stage.places[STAGE.index(slot.carries)]
        return _own(lesson, owner, slot, tile)
    if slot.carries not in PINNED or not owner.is_output:
        return None
    place = PINNED.index(slot.carries)
    if place == 1 and owner.wall.look_as is not None:
        return owner.transport.publications.get("camera") if owner.transport is not None else None
    tile = owner.wall.pinned[place] if place < len(owner.wall.pinned) else None
    return _own(lesson, owner, slot, tile)


def _own(lesson: Lesson, owner: Participant, slot: Slot, tile: int | None) -> Publication | None:
    speaker = lesson.by_tile(tile) if tile is not None else None
    # Another page of the same classroom stands in the same room.
    if speaker is None or speaker.transport is None or speaker.rights.sub == owner.rights.sub:
        return None
    return speaker.transport.publications.get("microphone" if slot.kind == "audio" else "camera")
