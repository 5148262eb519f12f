"""A table of periods as people fill it in: a plan, or every fault in its cell (PROTOCOL 4.3)."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass

from signaling.people.model import People
from signaling.people.sheets import Column, Row, RowError, SheetRefused, Table
from signaling.timetable import words
from signaling.timetable.clashes import Clash, clashes
from signaling.timetable.model import Period

COLUMNS = (
    Column("weekday", ("星期", "weekday")),
    Column("begin", ("开始", "begin")),
    Column("end", ("结束", "end")),
    Column("subject", ("科目", "subject")),
    Column("teacher", ("主讲", "teacher")),
    Column("classes", ("接收班级", "classes")),
    Column("mode", ("方式", "mode"), required=False),
    Column("record", ("录制", "record"), required=False),
    Column("first", ("起", "from"), required=False),
    Column("last", ("止", "to"), required=False),
    Column("clip", ("微课", "clip"), required=False),
)
MAX_CLASSES = 200


def periods_of(table: Table, people: People, clips: Collection[str]) -> list[Period]:
    """The periods of a table, with id 0; raises `SheetRefused` with all faults."""
    read = [_Reader(table, row, people, clips).period() for row in table.rows]
    errors = [error for _, faults in read for error in faults]
    good = [(row, period) for row, (period, _) in zip(table.rows, read, strict=True) if period is not None]
    found = clashes([period for _, period in good])
    errors += [_clash_error(table, people, [row for row, _ in good], clash) for clash in found]
    if errors:
        raise SheetRefused(sorted(errors, key=lambda error: (error.row, error.column)))
    return [period for _, period in good]


def period_of_row(table: Table, row: Row, people: People, clips: Collection[str]) -> Period:
    """The period of one row, with id 0; raises `SheetRefused`."""
    period, errors = _Reader(table, row, people, clips).period()
    if period is None:
        raise SheetRefused(errors)
    return period


@dataclass
class _Reader:
    """Reads one row; every fault is kept, so that one try shows all."""

    table: Table
    row: Row
    people: People
    clips: Collection[str]

    def __post_init__(self) -> None:
        self.errors: list[RowError] = []

    def period(self) -> tuple[Period | None, list[RowError]]:
        mode = words.MODE_WORDS.get(words.plain(self.row["mode"]))
        if mode is None:
            self._wrong("mode", "bad_mode", "方式只能是 直播、录播、观摩", "the mode is live, recorded or observe")
        record = words.YES_NO.get(words.plain(self.row["record"]))
        if record is None:
            self._wrong("record", "bad_yes_no", "录制只能是 是 或 否", "record is yes or no")
        number = words.weekday(self.row["weekday"])
        if number is None:
            zh, en = "星期写 一 到 日，或 1 到 7", "the weekday is Monday to Sunday, or 1 to 7"
            self._wrong("weekday", "bad_weekday", zh, en)
        begin, end = self._hours()
        subject, first, last = self._subject(), *self._days()
        teacher = self._teacher(needed=mode != "recorded")
        classes, clip = self._classes(), self._clip(needed=mode == "recorded")
        if self.errors:
            return None, self.errors
        # Without a fault nothing of these is missing.
        assert number is not None and begin is not None and end is not None and mode is not None
        return Period(0, number, begin, end, subject, teacher, classes, mode, bool(record), first, last, clip), []

    def _wrong(self, field: str, code: str, zh: str, en: str) -> None:
        self.errors.append(self.table.error(self.row, field, code, zh, en))

    def _hours(self) -> tuple[int | None, int | None]:
        begin, end = words.minute(self.row["begin"]), words.minute(self.row["end"])
        for field, value in (("begin", begin), ("end", end)):
            if value is None:
                self._wrong(field, "bad_time", "时间写成 08:05 这样", "a time is written as 08:05")
        if begin is not None and end is not None and end <= begin:
            self._wrong(
                "end", "end_before_begin", "结束要晚于开始（同一天）", "the end comes after the begin, on the same day"
            )
        return begin, end

    def _days(self) -> tuple[datetime.date | None, datetime.date | None]:
        found: list[datetime.date | None] = []
        for field in ("first", "last"):
            value = words.day(self.row[field]) if self.row[field] else None
            if value is None and self.row[field]:
                self._wrong(field, "bad_date", "日期写成 2026-09-01 这样", "a date is written as 2026-09-01")
            found.append(value)
        first, last = found
        if first is not None and last is not None and last < first:
            self._wrong("last", "end_before_begin", "止日早于起日", "the last day is before the first")
        return first, last

    def _subject(self) -> str:
        subject = self.row["subject"]
        if not subject:
            self._wrong("subject", "missing", "缺少科目", "the subject is missing")
        return subject[:80]

    def _teacher(self, *, needed: bool) -> str:
        login = words.plain(self.row["teacher"])
        if not login and not needed:
            return ""
        person = self.people.by_login.get(login)
        if person is None or not person.active:
            zh, en = (
                f"没有账号“{login}”：主讲写名册里的账号",
                f"there is no login “{login}”: the teacher is a login of the roster",
            )
            self._wrong("teacher", "unknown_login", zh, en)
            return ""
        if person.role != "teacher":
            zh, en = f"“{login}”不是主讲教师", f"“{login}” is no teacher"
            self._wrong("teacher", "no_teacher", zh, en)
        return person.id

    def _classes(self) -> tuple[str, ...]:
        names = words.several(self.row["classes"])
        if not 1 <= len(names) <= MAX_CLASSES:
            zh, en = f"写 1 到 {MAX_CLASSES} 个接收班级，用 、 或 ; 分开", f"1 to {MAX_CLASSES} classes, parted by ;"
            self._wrong("classes", "missing", zh, en)
            return ()
        found: list[str] = []
        for name in names:
            matching = classes_named(self.people, name)
            if len(matching) == 1 and matching[0] not in found:
                found.append(matching[0])
                continue
            if not matching:
                code, zh, en = "unknown_class", f"没有班级“{name}”", f"there is no class “{name}”"
            elif len(matching) > 1:
                zh, en = (
                    f"有几个学校都有“{name}”：写成 学校+班级",
                    f"several schools have “{name}”: write school and class",
                )
                code = "ambiguous_class"
            else:
                code, zh, en = "double_class", f"“{name}”写了两次", f"“{name}” stands twice"
            self._wrong("classes", code, zh, en)
        return tuple(found)

    def _clip(self, *, needed: bool) -> str | None:
        clip = self.row["clip"].strip()
        if clip and clip not in self.clips:
            self._wrong("clip", "unknown_clip", f"课程库里没有“{clip}”", f"the library has no “{clip}”")
        if not clip and needed:
            self._wrong("clip", "missing", "录播要写微课编号", "a recorded lesson needs its clip")
        return clip or None


def classes_named(people: People, name: str) -> list[str]:
    """The classes that a name may mean: school and class in one, the class alone where one school has it, or an id."""
    if name in people.classes:
        return [name]
    wanted = _squeezed(name)
    full = [c.id for c in people.classes.values() if _squeezed(people.schools[c.school].name + c.name) == wanted]
    return full or [c.id for c in people.classes.values() if _squeezed(c.name) == wanted]


def _squeezed(name: str) -> str:
    return "".join(c for c in words.plain(name) if c not in " /-_·.|")


def _clash_error(table: Table, people: People, rows: list[Row], clash: Clash) -> RowError:
    later, earlier = rows[clash.later], rows[clash.earlier].number
    if clash.kind == "duplicate":
        return table.error(later, "", "duplicate", f"和第 {earlier} 行相同", f"the same as row {earlier}")
    if clash.kind == "teacher":
        name = people.persons[clash.who].name
        zh, en = f"{name} 同一时间已有第 {earlier} 行的课", f"{name} has the lesson of row {earlier} at that time"
        return table.error(later, "teacher", "overlap_teacher", zh, en)
    klass = people.classes[clash.who]
    name = f"{people.schools[klass.school].name} {klass.name}"
    zh, en = f"{name} 同一时间已有第 {earlier} 行的课", f"{name} has the lesson of row {earlier} at that time"
    return table.error(later, "classes", "overlap_class", zh, en)
