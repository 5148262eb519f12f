"""Who is on stage, whose hand is up, and whether all are muted: values in, values out. Classrooms are named by tile."""

from __future__ import annotations

from dataclasses import dataclass, replace

from signaling.messages import Refused

EMPTY: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True)
class Stage:
    """Two places and a queue of hands, the earliest first; in a hush both stay empty."""

    places: tuple[int | None, int | None] = EMPTY
    hands: tuple[int, ...] = ()
    hush: bool = False

    def place_of(self, tile: int) -> int | None:
        """The place of a classroom on stage."""
        return self.places.index(tile) if tile in self.places else None

    def turn_of(self, tile: int) -> int | None:
        """Its turn in the queue of hands, from 1."""
        return self.hands.index(tile) + 1 if tile in self.hands else None

    def call(self, tile: int) -> Stage:
        """On stage, its hand down; raises `Refused` when there is no place."""
        if tile in self.places:
            return self
        if self.hush:
            raise Refused("forbidden", "everybody is muted: end that first")
        if None not in self.places:
            raise Refused("full", "two classrooms are on stage: let one go first")
        first, second = self.places
        return replace(self.lower(tile), places=(tile, second) if first is None else (first, tile))

    def end(self, tile: int) -> Stage:
        """Off the stage."""
        first, second = (None if place == tile else place for place in self.places)
        return replace(self, places=(first, second))

    def raise_hand(self, tile: int) -> Stage:
        """Asks to speak: at the end of the queue. Raises `Refused` in a hush."""
        if self.hush:
            raise Refused("forbidden", "the teacher has muted everybody for now")
        on_it = tile in self.hands or tile in self.places
        return self if on_it else replace(self, hands=(*self.hands, tile))

    def lower(self, tile: int) -> Stage:
        """Asks no more."""
        return replace(self, hands=tuple(one for one in self.hands if one != tile))

    def without(self, tile: int) -> Stage:
        """It is gone from the lesson."""
        return self.end(tile).lower(tile)

    def hushed(self, *, on: bool) -> Stage:
        """Everybody off the stage and hands down, or speaking is possible again."""
        return Stage(hush=True) if on else replace(self, hush=False)
