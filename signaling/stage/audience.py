"""Who is told what of the teacher's room, and only when it is news to that page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signaling.lesson import GRAVITY
from signaling.messages import ServerMessage
from signaling.stage.called import pinned
from signaling.stage.tiles import SILENCE, ToldTiles, levels_of, rows_of
from signaling.stage.wall import Look, looks
from signaling.stage.words import HandPlace, StagePlaces, WantedOfClassroom

if TYPE_CHECKING:
    from signaling.lesson import Participant
    from signaling.room import Room
    from signaling.tools import Outbox, Tools

# What a page takes for granted after `welcome`.
SILENT_START: tuple[ServerMessage, ...] = (
    StagePlaces([None, None], None),
    HandPlace(None, False),
    WantedOfClassroom(0, 0, level=False, camera=False),
)


@dataclass
class _Page:
    """What the page at the end of an outbox knows."""

    outbox: Outbox
    told: dict[str, ServerMessage] = field(default_factory=lambda: {one.type: one for one in SILENT_START})
    tiles: ToldTiles = field(default_factory=ToldTiles)
    loud: bool = False


class Audience:
    """The pages of one room."""

    def __init__(self, room: Room, tools: Tools) -> None:
        self._room = room
        self._tools = tools
        self._pages: dict[str, _Page] = {}

    def forget(self, participant: Participant) -> None:
        """It is gone."""
        self._pages.pop(participant.session, None)

    def tell(self, only: Participant | None = None) -> None:
        """To everybody, or to one: who is on stage; to classrooms, what is wanted of them and where their hand is."""
        lesson = self._room.lesson
        walls = [p.wall for p in lesson.participants.values() if p.is_output]
        wanted, live = looks(walls), pinned(lesson)
        stage = self._stage()
        for participant in [only] if only is not None else list(lesson.participants.values()):
            page = self._page(participant)
            if page is None:
                continue
            place = lesson.stage.place_of(participant.tile) if participant.is_tile else None
            _news(page, stage if place is None else self._stage(place))
            if participant.is_tile:
                look = wanted.get(participant.tile)
                camera = place is not None or participant.tile in live
                _news(page, HandPlace(lesson.stage.turn_of(participant.tile), lesson.stage.hush))
                _news(page, _wanted(look, camera=camera))

    def publish(self, *, locked: bool) -> None:
        """Twice a second, to who calls classrooms: the wall."""
        self.tell()
        lesson, now_ms = self._room.lesson, self._tools.now_ms()
        callers = [p for p in lesson.participants.values() if p.rights.may("call_to_stage")]
        pages = [(one, page) for one in callers if (page := self._page(one)) is not None]
        if not pages:
            return
        rows = rows_of(lesson, self._tools.place_of, GRAVITY.index)
        for participant, page in pages:
            tiles = page.tiles.news(rows, hush=lesson.stage.hush, locked=locked)
            if tiles is not None:
                page.outbox.send(tiles)
            levels = levels_of(lesson, participant.wall.visible, now_ms)
            loud = any(level < SILENCE for _, level in levels.rows)
            if loud or page.loud:  # the last one says that all are silent
                page.outbox.send(levels)
            page.loud = loud

    def _page(self, participant: Participant) -> _Page | None:
        outbox = self._room.outboxes.get(participant.session)
        if outbox is None:
            return None
        page = self._pages.get(participant.session)
        if page is None or page.outbox is not outbox:
            page = self._pages[participant.session] = _Page(outbox)
        return page

    def _stage(self, own: int | None = None) -> StagePlaces:
        lesson = self._room.lesson
        places = []
        for number, tile in enumerate(lesson.stage.places):
            speaker = lesson.by_tile(tile) if tile is not None else None
            place = {"id": speaker.tile, "name": speaker.rights.name, "own": number == own} if speaker else None
            places.append(place)
        stand_in = lesson.taken_over()
        return StagePlaces(places, stand_in.rights.name if stand_in is not None else None)


def _wanted(look: Look | None, *, camera: bool) -> WantedOfClassroom:
    if look is None:
        return WantedOfClassroom(0, 0, level=False, camera=camera)
    return WantedOfClassroom(look.still_s, look.width, level=True, camera=camera)


def _news(page: _Page, message: ServerMessage) -> None:
    if page.told.get(message.type) != message:
        page.told[message.type] = message
        page.outbox.send(message)
