"""The plan as pages get it (PROTOCOL 4.3)."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from signaling.auth import Rights
from signaling.timetable.kiosk_day import state_of
from signaling.timetable.model import Occurrence, Period
from signaling.timetable.occurrences import ONE_DAY
from signaling.timetable.replacing import PlanChange
from signaling.timetable.words import hour_text

if TYPE_CHECKING:
    from signaling.hub import Hub


def plan_view(hub: Hub, rights: Rights, first: datetime.date, last: datetime.date) -> dict[str, Any]:
    """The periods of the plan, and the lessons from one day to another; codes and logins for whom they concern."""
    manages, sees_all = rights.may("manage_plan"), rights.may("list_all_lessons")
    plan, today = hub.plan, hub.plan.today()
    days = [first + number * ONE_DAY for number in range((last - first).days + 1)]
    periods = [p for p in plan.plan.periods.values() if p.last_day is None or p.last_day >= today]
    people = plan.people
    return {
        "server_ms": hub.now_ms(),
        "zone": plan.zone.key,
        "today": today.isoformat(),
        "from": first.isoformat(),
        "to": last.isoformat(),
        "periods": [
            period_view(hub, p, login=manages) for p in sorted(periods, key=lambda p: (p.weekday, p.begin_min, p.id))
        ],
        "lessons": [
            lesson_view(hub, held, code=sees_all or held.teacher == rights.sub)
            for day in days
            for held in plan.day(day)
        ],
        "teachers": [
            {"id": p.id, "login": p.login, "name": p.name, "school": people.place_of(p)[0]}
            for p in people.persons.values()
            if manages and p.active and p.role == "teacher"
        ],
        "classes": [
            {"id": c.id, "school": people.schools[c.school].name, "name": c.name} for c in people.classes.values()
        ],
    }


def period_view(hub: Hub, period: Period, *, login: bool = True) -> dict[str, Any]:
    """One period, with the texts of its form."""
    person = hub.plan.people.persons.get(period.teacher) if login else None
    return {
        "id": period.id,
        "weekday": period.weekday,
        "begin": hour_text(period.begin_min),
        "end": hour_text(period.end_min),
        "subject": period.subject,
        "teacher": period.teacher,
        "login": person.login if person is not None else "",
        "teacher_name": hub.plan.teacher_name(period.teacher),
        "classes": list(period.classes),
        "class_names": [hub.plan.class_name(c) for c in period.classes],
        "mode": period.mode,
        "record": period.record,
        "first_day": period.first_day.isoformat() if period.first_day is not None else None,
        "last_day": period.last_day.isoformat() if period.last_day is not None else None,
        "clip": period.clip,
    }


def lesson_view(hub: Hub, held: Occurrence, *, code: bool = True) -> dict[str, Any]:
    """One lesson of a day; its `code` is not for everybody's eyes."""
    room = hub.rooms.get(held.id)
    return {
        "id": held.id,
        "period": held.period,
        "planned_day": held.planned_day.isoformat(),
        "day": held.day.isoformat(),
        "begin_ms": held.begin_ms,
        "end_ms": held.end_ms,
        "begin": _clock(held.begin_ms, hub),
        "end": _clock(held.end_ms, hub),
        "subject": held.subject,
        "teacher": held.teacher,
        "teacher_name": hub.plan.teacher_name(held.teacher),
        "classes": list(held.classes),
        "class_names": [hub.plan.class_name(c) for c in held.classes],
        "mode": held.mode,
        "record": held.record,
        "clip": held.clip,
        "state": state_of(hub, held),
        "cancelled": held.cancelled,
        "substitute": held.substitute,
        "moved": held.moved,
        "code": room.row.code if room is not None and code else None,
        "receivers": room.lesson.receivers() if room is not None else 0,
    }


def change_view(hub: Hub, change: PlanChange) -> dict[str, Any]:
    """What an import changes."""
    return {
        "added": [period_view(hub, p) for p in change.added],
        "changed": [period_view(hub, p) for p in change.changed],
        "ended": [period_view(hub, p) for p in change.ended],
        "kept": len(change.kept),
    }


def _clock(at_ms: int, hub: Hub) -> str:
    return f"{datetime.datetime.fromtimestamp(at_ms / 1000, hub.plan.zone):%H:%M}"
