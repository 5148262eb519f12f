"""One period or one day as an operator types it: a good value, or faults by field."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from signaling.people.model import People
from signaling.people.sheets import Row, RowError, SheetRefused, Table
from signaling.timetable import words
from signaling.timetable.clashes import Clash, clashes, clashes_of_day
from signaling.timetable.importing import COLUMNS, period_of_row
from signaling.timetable.model import Change, Occurrence, Period, Plan, parse_occurrence_id
from signaling.timetable.occurrences import occurrence, occurrences
from signaling.timetable.timetable import Timetable


def typed_period(
    body: Mapping[str, Any], number: int, plan: Plan, people: People, clips: Collection[str], today: datetime.date
) -> Period:
    """The period of a form, whose texts are those of the table's columns; raises `SheetRefused`."""
    cells = {column.field: _text(body.get(column.field)) for column in COLUMNS}
    table = Table((Row(0, cells),), {field: field for field in cells})
    period = replace(period_of_row(table, table.rows[0], people, clips), id=number)
    others = [p for p in plan.periods.values() if p.id != number and (p.last_day is None or p.last_day >= today)]
    faults = [
        _period_fault(people, others[min(clash.later, clash.earlier)], clash)
        for clash in clashes([*others, period])
        if max(clash.later, clash.earlier) == len(others)
    ]
    if faults:
        raise SheetRefused(faults)
    return period


def typed_change(body: Mapping[str, Any], timetable: Timetable, now_ms: int) -> Change:
    """What is to be otherwise on one day: fields that are left out stay, null is as in the plan."""
    named = parse_occurrence_id(_text(body.get("lesson")))
    before = occurrence(timetable.plan, *named, timetable.zone) if named is not None else None
    if named is None or before is None:
        raise _fault("lesson", "no_such_lesson", "课表里没有这节课", "the timetable has no such lesson")
    if before.end_ms <= now_ms:
        raise _fault("lesson", "over", "这节课已经结束", "this lesson is over")
    change = _typed(body, timetable.plan.changes.get(named, Change(*named)), timetable.people)
    plan = replace(timetable.plan, changes={**timetable.plan.changes, named: change})
    after = occurrence(plan, *named, timetable.zone)
    assert after is not None
    if after.end_ms <= after.begin_ms:
        raise _fault("end", "end_before_begin", "结束要晚于开始", "the end comes after the begin")
    if after.end_ms <= now_ms:
        raise _fault("begin", "in_the_past", "这个时间已经过去", "this time is over already")
    _no_clash(occurrences(plan, after.day, timetable.zone), after, timetable)
    return change


def _typed(body: Mapping[str, Any], change: Change, people: People) -> Change:
    if "cancelled" in body:
        change = replace(change, cancelled=body["cancelled"] is True)
    if "teacher" in body:
        teacher = body["teacher"]
        person = people.persons.get(_text(teacher))
        if teacher is not None and (person is None or not person.active or person.role != "teacher"):
            raise _fault("teacher", "no_teacher", "请选择一位主讲教师", "choose a teacher")
        change = replace(change, teacher=teacher)
    if "day" in body:
        moved_to = words.day(_text(body["day"])) if body["day"] is not None else None
        if body["day"] is not None and moved_to is None:
            raise _fault("day", "bad_date", "日期写成 2026-09-01 这样", "a date is written as 2026-09-01")
        change = replace(change, moved_to=None if moved_to == change.day else moved_to)
    return replace(change, begin_min=_hour(body, "begin", change.begin_min), end_min=_hour(body, "end", change.end_min))


def _hour(body: Mapping[str, Any], field: str, before: int | None) -> int | None:
    if body.get(field) is None:
        return None if field in body else before
    minute = words.minute(_text(body[field]))
    if minute is None:
        raise _fault(field, "bad_time", "时间写成 08:05 这样", "a time is written as 08:05")
    return minute


def _no_clash(lessons: list[Occurrence], after: Occurrence, timetable: Timetable) -> None:
    place = next((n for n, o in enumerate(lessons) if o.id == after.id), None)
    for clash in clashes_of_day(lessons):
        if place in (clash.later, clash.earlier):
            other = lessons[clash.earlier if clash.later == place else clash.later]
            clock = datetime.datetime.fromtimestamp(other.begin_ms / 1000, timetable.zone)
            raise SheetRefused([_clash_fault(timetable.people, clash, f"{clock:%H:%M} {other.subject}")])


def _period_fault(people: People, other: Period, clash: Clash) -> RowError:
    return _clash_fault(people, clash, f"{words.hour_text(other.begin_min)} {other.subject}")


def _clash_fault(people: People, clash: Clash, other: str) -> RowError:
    if clash.kind == "duplicate":
        return RowError(0, "", "duplicate", f"已有同样的一节课：{other}", f"there is the same lesson already: {other}")
    if clash.kind == "teacher":
        name = people.persons[clash.who].name if clash.who in people.persons else clash.who
        zh, en = f"{name} 同一时间有 {other}", f"{name} has {other} at that time"
        return RowError(0, "teacher", "overlap_teacher", zh, en)
    name = people.classes[clash.who].name if clash.who in people.classes else clash.who
    zh, en = f"{name} 同一时间有 {other}", f"{name} has {other} at that time"
    return RowError(0, "classes", "overlap_class", zh, en)


def _fault(field: str, code: str, zh: str, en: str) -> SheetRefused:
    return SheetRefused([RowError(0, field, code, zh, en)])


def _text(value: object) -> str:
    if isinstance(value, list):
        return "、".join(str(part) for part in value)
    return str(value)[:4000] if isinstance(value, str | int) and not isinstance(value, bool) else ""
