"""How deep the play-out buffer of a page is, as media is told: shallow while it is on stage (PROTOCOL 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signaling.lesson import Lesson, Participant

SHALLOW_MS = 120
UNKNOWN_MS = 0


def play_out_ms(lesson: Lesson, participant: Participant) -> int | None:
    """The depth, None where nothing was ever said of it."""
    report, transport = participant.report, participant.transport
    known = int(report.jitter_target_ms) if report is not None and report.jitter_target_ms is not None else None
    if lesson.stage.place_of(participant.tile) is not None and participant.is_tile:
        return min(known, SHALLOW_MS) if known is not None else SHALLOW_MS
    if known is None and transport is not None and transport.play_out_ms is not None:
        return UNKNOWN_MS  # it was on stage
    return known
