"""Newcomers one after another: so many at once, then so many a second, the others by appointment; reads no clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

KEPT_S = 30.0  # how long after its time an appointment is good
EARLY_S = 0.5  # clocks and rounding of the other side
LONGEST_S = 60.0  # beyond it nobody gets an appointment
MAX_APPOINTMENTS = 10_000
ROUNDING_S = 1e-6


class Pace:
    """`may_enter` says 0 to who comes in now, or after how many seconds it is its turn."""

    def __init__(self, per_s: float) -> None:
        self._gap_s = 1 / per_s
        self._next_s = 0.0  # when the turn of the next newcomer would be, at an even pace; at most 1 s is saved up
        self._appointments: OrderedDict[Hashable, float] = OrderedDict()

    def may_enter(self, seat: Hashable, now_s: float) -> float:
        """Ask for a seat; a turn that was given is used up."""
        due_s = self._appointments.get(seat)
        if due_s is not None and now_s <= due_s + KEPT_S:
            if now_s < due_s - EARLY_S:
                return due_s - now_s
            del self._appointments[seat]
            return 0.0
        turn_s = max(self._next_s, now_s - 1.0 + self._gap_s)
        if turn_s - now_s < ROUNDING_S:
            self._next_s = turn_s + self._gap_s
            return 0.0
        if turn_s - now_s > LONGEST_S:
            return LONGEST_S
        self._next_s = turn_s + self._gap_s
        self._note(seat, turn_s, now_s)
        return turn_s - now_s

    def _note(self, seat: Hashable, due_s: float, now_s: float) -> None:
        self._appointments.pop(seat, None)
        self._appointments[seat] = due_s
        while self._appointments:
            oldest, its_due_s = next(iter(self._appointments.items()))
            if len(self._appointments) <= MAX_APPOINTMENTS and its_due_s + KEPT_S >= now_s:
                return
            del self._appointments[oldest]
