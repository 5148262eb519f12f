"""The plan on a day: which lessons are held, from which instant to which."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from signaling.timetable.model import Change, Occurrence, Period, Plan, occurrence_id

ONE_DAY = datetime.timedelta(days=1)


def day_of(now_ms: int, zone: ZoneInfo) -> datetime.date:
    """The date on the wall at an instant."""
    return datetime.datetime.fromtimestamp(now_ms / 1000, zone).date()


def instant_ms(day: datetime.date, minute: int, zone: ZoneInfo) -> int:
    """When the wall clock shows `minute` after midnight; of an hour that there is twice, the first.

    A minute that the clocks leave out is taken as long after the last one before (PEP 495, fold 0).
    """
    wall = datetime.datetime.combine(day, datetime.time.min) + datetime.timedelta(minutes=minute)
    return round(wall.replace(tzinfo=zone).timestamp() * 1000)


def occurrences(plan: Plan, day: datetime.date, zone: ZoneInfo) -> list[Occurrence]:
    """The lessons of a day, cancelled ones too, in their order; one that was moved is on its new day only."""
    found = [_on_its_day(plan, period, day, zone) for period in plan.periods.values() if period.falls_on(day)]
    found += [_moved_here(plan, change, zone) for change in plan.changes.values() if change.moved_to == day]
    return sorted((o for o in found if o is not None and o.day == day), key=lambda o: (o.begin_ms, o.id))


def occurrences_between(plan: Plan, first: datetime.date, last: datetime.date, zone: ZoneInfo) -> Iterable[Occurrence]:
    """The lessons of the days from `first` to `last`, both included."""
    day = first
    while day <= last:
        yield from occurrences(plan, day, zone)
        day += ONE_DAY


def occurrence(plan: Plan, period: int, day: datetime.date, zone: ZoneInfo) -> Occurrence | None:
    """One lesson by its period and the day on which the plan has it."""
    row = plan.periods.get(period)
    if row is None or not row.falls_on(day):
        return None
    return _held(row, plan.changes.get((period, day), Change(period, day)), zone)


def _on_its_day(plan: Plan, period: Period, day: datetime.date, zone: ZoneInfo) -> Occurrence | None:
    change = plan.changes.get((period.id, day), Change(period.id, day))
    # One that was moved to its own day is found by its change.
    return _held(period, change, zone) if change.moved_to is None else None


def _moved_here(plan: Plan, change: Change, zone: ZoneInfo) -> Occurrence | None:
    return occurrence(plan, change.period, change.day, zone)


def _held(period: Period, change: Change, zone: ZoneInfo) -> Occurrence:
    day = change.moved_to or change.day
    begin_min = period.begin_min if change.begin_min is None else change.begin_min
    end_min = period.end_min if change.end_min is None else change.end_min
    begin_ms = instant_ms(day, begin_min, zone)
    return Occurrence(
        id=occurrence_id(period.id, change.day),
        period=period.id,
        planned_day=change.day,
        day=day,
        begin_ms=begin_ms,
        # A lesson is as long as the plan says, whatever is done to the clocks meanwhile.
        end_ms=begin_ms + (end_min - begin_min) * 60_000,
        subject=period.subject,
        teacher=change.teacher or period.teacher,
        classes=period.classes,
        mode=period.mode,
        record=period.record,
        clip=period.clip,
        cancelled=change.cancelled,
        substitute=change.teacher is not None and change.teacher != period.teacher,
        moved=day != change.day or begin_min != period.begin_min or end_min != period.end_min,
        changed_ms=max(change.at_ms, period.changed_ms),
    )
