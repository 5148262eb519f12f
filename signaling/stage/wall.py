"""What an output end looks at, and what that asks of the classrooms: values in, values out (PROTOCOL 3.3)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

STILL_BITS = 24 * 1024 * 8  # the largest that a classroom may send
WALL_BPS = 2_400_000  # all visible tiles together, should every still be the largest
LEAST_S = 2
WIDTHS = ((12, 320), (30, 240))  # up to so many tiles each is so wide, in pixels
SMALL_WIDTH = 192


@dataclass(frozen=True)
class Wall:
    """The tiles on the screen of one output end, those that it sees live, and through whose eyes it looks."""

    visible: frozenset[int] = frozenset()
    pinned: tuple[int, ...] = ()
    look_as: int | None = None


@dataclass(frozen=True)
class Look:
    """How often, in seconds, and how wide, in pixels, the stills of visible tiles are wanted."""

    still_s: int
    width: int


def look_of(tiles: int) -> Look:
    """So that any number of tiles costs their output end no more than `WALL_BPS`."""
    width = next((width for most, width in WIDTHS if tiles <= most), SMALL_WIDTH)
    return Look(max(LEAST_S, math.ceil(tiles * STILL_BITS / WALL_BPS)), width)


def looks(walls: Iterable[Wall]) -> dict[int, Look]:
    """What is wanted of each tile that somebody sees: of several walls what the one that wants most says."""
    wanted: dict[int, Look] = {}
    for wall in walls:
        look = look_of(len(wall.visible))
        for tile in wall.visible:
            other = wanted.get(tile, look)
            wanted[tile] = Look(min(look.still_s, other.still_s), max(look.width, other.width))
    return wanted
