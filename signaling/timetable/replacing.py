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
    """From the periods of now to those that are wanted: the same weekday, begin and classes are the same period."""
    there: dict[object, list[Period]] = {}
    for period in sorted(now, key=lambda p: p.id):
        if period.last_day is None or period.last_day >= today:
            there.setdefault(_place(period), []).append(period)
    added: list[Period] = []
    changed: list[Period] = []
    kept: list[Period] = []
    for period in wanted:
        same = there.get(_place(period), [])
        if not same:
            added.append(period)
            continue
        before = same.pop(0)
        after = replace(
            period, id=before.id, first_day=period.first_day or before.first_day, changed_ms=before.changed_ms
        )
        (kept if after == before else changed).append(after)
    ended = [period for rest in there.values() for period in rest]
    return PlanChange(tuple(added), tuple(changed), tuple(ended), tuple(kept))


def _place(period: Period) -> object:
    return period.weekday, period.begin_min, frozenset(period.classes)
