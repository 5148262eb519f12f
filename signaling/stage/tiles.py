"""The rows of the wall, and what changed of them since a page was told (PROTOCOL 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from signaling.stage.words import Levels, Tiles

if TYPE_CHECKING:
    from signaling.lesson import Lesson, Participant

MAX_ROWS = 100
SILENCE = 127
LAST = 1 << 31  # in the queue: no hand is up
FRESH_MS = 1_500  # a level that is older is silence
Row = dict[str, Any]
PlaceOf = Callable[[str], tuple[str, str]]


def rows_of(lesson: Lesson, place_of: PlaceOf, gravity: Callable[[str], int]) -> list[Row]:
    """All tiles by need: hands by time, then how badly they get the lesson, then names."""
    rows = [_row(lesson, participant, place_of) for participant in lesson.participants.values() if participant.is_tile]
    return sorted(rows, key=lambda row: (row["hand"] or LAST, gravity(row["reason"]), row["name"], row["id"]))


def _row(lesson: Lesson, who: Participant, place_of: PlaceOf) -> Row:
    school, klass = place_of(who.rights.sub)
    rung = lesson.rung_of(who)
    return {
        "id": who.tile,
        "sub": who.rights.sub,
        "name": who.rights.name,
        "school": school,
        "class": klass,
        "online": who.online,
        "hand": lesson.stage.turn_of(who.tile),
        "stage": lesson.stage.place_of(who.tile),
        "reason": rung.reason if rung is not None else "no_source",
        "estimate_kbps": rung.estimate_kbps if rung is not None else 0,
        "camera": rung.camera if rung is not None else None,
        "screen": rung.screen if rung is not None else None,
        "microphone": who.voice.microphone if who.voice is not None else None,
    }


class ToldTiles:
    """What one page knows of the wall."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._rest: tuple[list[int], bool, bool] | None = None

    def news(self, rows: list[Row], *, hush: bool, locked: bool) -> Tiles | None:
        """What is to be told now, None: nothing; more than a message holds follows with the next call."""
        changed = [row for row in rows if self._rows.get(row["id"]) != row][:MAX_ROWS]
        order = [row["id"] for row in rows]
        rest = (order, hush, locked)
        if not changed and rest == self._rest:
            return None
        self._rows = {tile: row for tile, row in self._rows.items() if tile in set(order)}
        self._rows |= {row["id"]: row for row in changed}
        self._rest = rest
        return Tiles(changed, order, hush, locked)


def levels_of(lesson: Lesson, visible: frozenset[int], now_ms: int) -> Levels:
    """How loud the visible tiles are."""
    rows = [
        (who.tile, who.voice.level if now_ms - who.voice_ms <= FRESH_MS else SILENCE)
        for who in lesson.participants.values()
        if who.tile in visible and who.is_tile and who.voice is not None
    ]
    return Levels(rows)
