"""What an imported plan changes: rows that stay keep their lessons, others begin or end today."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace

from signaling.timetable.model import Period


@dataclass(frozen=True)
class PlanChange:
    """What an import does; `changed` have the ids of the periods whose place they take."""

    added: tuple[Period, ...]
    changed: tuple[Period, ...]
    ended: tuple[Period, ...]
    kept: tuple[Period, ...]


def plan_change(now: Iterable[Period], wanted: Iterable[Period], today: datetime.date) -> PlanChange:
    """From the periods of now to those that are wanted.

    The same weekday and begin with the same classes are the same period; else with a class that both have, so that a
    class less or more ends no lesson for the others.
    """
    there: dict[tuple[int, int], list[Period]] = {}
    for period in sorted(now, key=lambda p: p.id):
        if period.last_day is None or period.last_day >= today:
            there.setdefault(_hour(period), []).append(period)
    rows = list(wanted)
    stays: dict[int, Period] = {}  # by its place in the table, what it was
    for alike in (_same_classes, _shared_class):
        for place, period in enumerate(rows):
            others = there.get(_hour(period), [])
            before = next((p for p in others if place not in stays and alike(p, period)), None)
            if before is not None:
                others.remove(before)
                stays[place] = before
    added = [period for place, period in enumerate(rows) if place not in stays]
    after = {place: _in_place_of(before, rows[place]) for place, before in sorted(stays.items())}
    changed = [period for place, period in after.items() if period != stays[place]]
    kept = [period for place, period in after.items() if period == stays[place]]
    ended = [period for rest in there.values() for period in rest]
    return PlanChange(tuple(added), tuple(changed), tuple(ended), tuple(kept))


def _in_place_of(before: Period, period: Period) -> Period:
    first_day = period.first_day or before.first_day
    return replace(period, id=before.id, first_day=first_day, changed_ms=before.changed_ms)


def _same_classes(one: Period, other: Period) -> bool:
    return set(one.classes) == set(other.classes)


def _shared_class(one: Period, other: Period) -> bool:
    return bool(set(one.classes) & set(other.classes))


def _hour(period: Period) -> tuple[int, int]:
    return period.weekday, period.begin_min
