"""Gives places: looks at what is taken and measured, judges a newcomer and seats it in one step, without a wait."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from signaling.admission.costs import costs_of
from signaling.admission.pace import Pace
from signaling.admission.verdict import ACCEPT, WHOLE, Cause, Costs, Scope, Verdict, judge
from signaling.lesson import Participant
from signaling.messages import Refused

if TYPE_CHECKING:
    from signaling.hub import Hub
    from signaling.room import Room

SETTLES_MS = 10_000  # until what somebody takes is what was measured
RAISE_EVERY_MS = 5_000
RAISED_AT_ONCE = 20  # in one lesson


class Admission:
    """`seat` newcomers, `tick` once a second."""

    def __init__(self, hub: Hub, now_s: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._now_s = now_s
        self._pace = Pace(hub.config.node.joins_per_s)
        self._on_air_ms: dict[str, int] = {}  # since when, by lesson
        self._raised_ms = hub.now_ms()

    def seat(self, room: Room, newcomer: Participant) -> list[Participant]:
        """Judge and seat it, atomically; whom it replaces. Raises `Refused` with a verdict where there is no place."""
        same = room.lesson.same_seat(newcomer.rights, newcomer.tab) if newcomer.kind == "page" else []
        if newcomer.takes_place:
            newcomer.admitted = same[-1].admitted if same else self._judge(room, newcomer)
            newcomer.admitted_ms = self._hub.now_ms()
        room.lesson.participants[newcomer.session] = newcomer
        room.dirty = True
        return same

    def _judge(self, room: Room, newcomer: Participant) -> Verdict:
        may_watch = self._may_watch(room, newcomer)
        verdict = judge(self._scopes(room), self._costs(room), may_watch=may_watch)
        if verdict.comes_in:
            tab = newcomer.tab if newcomer.kind == "page" else newcomer.kind
            wait_s = self._pace.may_enter((room.row.id, newcomer.rights.sub, tab), self._now_s())
            if wait_s > 0:
                verdict = Verdict("wait", "pace", seconds=math.ceil(wait_s))
        if not verdict.comes_in:
            plain = verdict.plain() or {}
            raise Refused("full", plain["en"], plain)
        return verdict

    def _may_watch(self, room: Room, newcomer: Participant) -> bool:
        """Whether the lesson is recorded for it: a place in the library is worth nothing without the right to it."""
        if not (self._hub.config.recording.enabled and room.row.record):
            return False
        classroom = self._hub.register.people.classrooms.get(newcomer.rights.sub)
        planned = classroom is not None and self._hub.plan.receives(classroom, room.row.id)
        return planned or newcomer.rights.may("watch_all_recordings")

    def _scopes(self, room: Room) -> tuple[Scope, Scope]:
        lesson, node = self._hub.config.lesson, self._hub.config.node
        here, everywhere = [room], list(self._hub.rooms.values())
        return (
            self._scope("lesson_receivers", "lesson_mbit", lesson.max_receivers, lesson.max_mbit_s, here),
            self._scope("node_receivers", "node_mbit", node.max_receivers, node.max_mbit_s, everywhere),
        )

    def _scope(self, places: Cause, mbit: Cause, receivers: int, mbit_s: float, rooms: list[Room]) -> Scope:
        taken = sum(sum(1 for _ in _placed(room)) for room in rooms)
        bps = sum(self._bps(room) for room in rooms) if mbit_s else 0
        return Scope(places, mbit, receivers, round(mbit_s * 1e6), taken, bps)

    def _bps(self, room: Room) -> int:
        """What leaves to this lesson's receivers, or will in some seconds."""
        costs, now_ms, rows = self._costs(room), self._hub.now_ms(), self._hub.book.transports
        on_air_ms = self._on_air_ms.get(room.row.id, now_ms)
        total = 0
        for participant in room.lesson.participants.values():
            if participant.is_output:
                continue
            row = rows.get(participant.transport.handle) if participant.transport is not None else None
            measured = row["send_bps"] if row is not None else 0
            since_ms = max(on_air_ms, participant.admitted_ms)
            settled = now_ms - since_ms >= SETTLES_MS or not participant.takes_place
            total += measured if settled else max(measured, costs.of(participant.admitted.layer))
        return total

    def _costs(self, room: Room) -> Costs:
        return costs_of(room.lesson.sources(), self._hub.book.publications)

    # later

    async def tick(self, now_ms: int) -> None:
        """Who came in with less gets more as soon as there is room."""
        for identity, room in self._hub.rooms.items():
            if room.lesson.sources():
                self._on_air_ms.setdefault(identity, now_ms)
            else:
                self._on_air_ms.pop(identity, None)
        for identity in self._on_air_ms.keys() - self._hub.rooms.keys():
            del self._on_air_ms[identity]
        if now_ms - self._raised_ms < RAISE_EVERY_MS:
            return
        self._raised_ms = now_ms
        for room in list(self._hub.rooms.values()):
            raised = self._raise_some(room, now_ms)
            if raised:
                await room.settle()
            for participant in raised:
                room.tell_media_state(participant)

    def _raise_some(self, room: Room, now_ms: int) -> list[Participant]:
        """Those who have least first, until one does not fit."""
        less = sorted((p for p in _placed(room) if p.admitted.layer < WHOLE), key=lambda p: p.admitted.layer)
        return list(takewhile(lambda p: self._raise(room, p, now_ms), less[:RAISED_AT_ONCE]))

    def _raise(self, room: Room, participant: Participant, now_ms: int) -> bool:
        """One layer more, where it fits."""
        costs, layer = self._costs(room), participant.admitted.layer + 1
        step = costs.of(layer) - costs.of(layer - 1)
        if any(scope.max_bps and scope.max_bps - scope.bps < step for scope in self._scopes(room)):
            return False
        participant.admitted = ACCEPT if layer == WHOLE else replace(participant.admitted, layer=layer)
        participant.admitted_ms = now_ms  # so that what it will take counts at once
        return True


def _placed(room: Room) -> Iterator[Participant]:
    return (p for p in room.lesson.participants.values() if p.takes_place)
