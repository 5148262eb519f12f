"""What people are told about the teacher's room (PROTOCOL 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signaling.messages import ServerMessage


@dataclass(frozen=True)
class Tiles(ServerMessage):
    """Rows of the wall that changed, and all tiles in the order of need."""

    type = "tiles"
    rows: list[dict[str, Any]]
    order: list[int]
    hush: bool
    locked: bool


@dataclass(frozen=True)
class Levels(ServerMessage):
    """How loud visible classrooms are: (tile, -dBov)."""

    type = "levels"
    rows: list[tuple[int, int]]


@dataclass(frozen=True)
class StagePlaces(ServerMessage):
    """Who is on stage, and which assistant teaches."""

    type = "stage"
    places: list[dict[str, Any] | None]
    taken_over: str | None


@dataclass(frozen=True)
class HandPlace(ServerMessage):
    """Where the own hand stands in the queue."""

    type = "hand"
    place: int | None
    hush: bool


@dataclass(frozen=True)
class WantedOfClassroom(ServerMessage):
    """What an output end wants of this classroom: stills (0: none), levels, its camera live."""

    type = "wanted"
    still_s: int
    width: int
    level: bool
    camera: bool


@dataclass(frozen=True)
class TakenOver(ServerMessage):
    """The token with which the assistant's page goes on as the output end."""

    type = "taken_over"
    token: str
