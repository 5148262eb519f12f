"""A roster against the register: what would change, or every fault with its cell. Pure: nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from signaling.auth import MAX_NAME, clean_name
from signaling.people.model import Classroom, People, Person
from signaling.people.rights_table import Role
from signaling.people.sheets import Column, Row, RowError, SheetRefused, Table

COLUMNS = (
    Column("school", ("学校", "school")),
    Column("class", ("班级", "class"), required=False),
    Column("name", ("姓名", "name")),
    Column("role", ("角色", "role")),
    Column("login", ("账号", "login"), required=False),
)
ROLE_WORDS: dict[str, Role] = {
    "主讲教师": "teacher", "教师": "teacher", "teacher": "teacher",
    "助教": "assistant", "assistant": "assistant",
    "接收教室": "classroom", "classroom": "classroom",
    "教研员": "reviewer", "reviewer": "reviewer",
    "巡课": "patrol", "巡课员": "patrol", "patrol": "patrol",
    "管理员": "operator", "operator": "operator",
}  # fmt: skip
ROLE_NAMES: dict[Role, str] = {
    "teacher": "主讲教师", "assistant": "助教", "classroom": "接收教室",
    "reviewer": "教研员", "patrol": "巡课", "operator": "管理员",
}  # fmt: skip
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,39}")
MAX_NEW_PERSONS = 2000  # each costs a slow hash


@dataclass(frozen=True)
class Entry:
    """One row as it is to be kept; `login` "" for a classroom."""

    row: int
    school: str
    klass: str
    name: str
    role: Role
    login: str

    @property
    def key(self) -> tuple[str, ...]:
        """Who it is: a login, or the place of a classroom."""
        return (self.login,) if self.login else (self.school, self.klass, self.name)


@dataclass(frozen=True)
class RosterChange:
    """What a roster would do."""

    added: tuple[Entry, ...] = ()
    changed: tuple[Entry, ...] = ()
    unchanged: int = 0
    left_out_persons: tuple[Person, ...] = ()  # of the roster's schools, active, not in it
    left_out_classrooms: tuple[Classroom, ...] = ()


@dataclass
class _Reading:
    table: Table
    rows: dict[int, Row]
    errors: list[RowError] = field(default_factory=list)

    def fault(self, row: Row, column: str, code: str, zh: str, en: str) -> None:
        self.errors.append(self.table.error(row, column, code, zh, en))


def plan_roster(table: Table, people: People, importer: str | None = None) -> RosterChange:
    """What would change; raises `SheetRefused`. The `importer` (a person's id) stays an operator."""
    reading = _Reading(table, {row.number: row for row in table.rows})
    entries = [entry for row in table.rows if (entry := _entry(reading, row)) is not None]
    _no_doubles(reading, entries)
    own = people.persons.get(importer or "")
    for entry in entries:
        if own is not None and entry.login == own.login and entry.role != own.role:
            row = reading.rows[entry.row]
            reading.fault(
                row, "role", "own_role", "不能改变自己的角色", "you cannot take the operator's role from yourself"
            )
    change = _compare(entries, people, own)
    new_persons = [entry for entry in change.added if entry.login]
    if len(new_persons) > MAX_NEW_PERSONS:
        zh, en = f"一次最多新增 {MAX_NEW_PERSONS} 人", f"at most {MAX_NEW_PERSONS} new persons at once"
        reading.fault(reading.rows[new_persons[MAX_NEW_PERSONS].row], "", "too_many", zh, en)
    if reading.errors:
        raise SheetRefused(sorted(reading.errors, key=lambda e: (e.row, e.column)))
    return change


def _entry(reading: _Reading, row: Row) -> Entry | None:
    faults = len(reading.errors)
    role = ROLE_WORDS.get(row["role"].lower())
    if role is None:
        zh = f"角色“{row['role']}”不认识：可以是 {'、'.join(ROLE_NAMES.values())}"
        reading.fault(row, "role", "unknown_role", zh, f"unknown role “{row['role']}”: one of {', '.join(ROLE_NAMES)}")
    for column, zh, en in (
        ("name", "姓名不能为空", "a name is needed"),
        ("school", "学校不能为空", "a school is needed"),
    ):
        if not row[column]:
            reading.fault(row, column, "missing", zh, en)
        elif clean_name(row[column]) != row[column]:
            zh, en = f"最多 {MAX_NAME} 个字，不能有特殊符号", f"at most {MAX_NAME} printable characters"
            reading.fault(row, column, "bad_name", zh, en)
    login = row["login"].lower()
    if role == "classroom":
        if not row["class"]:
            reading.fault(row, "class", "missing", "接收教室要写明班级", "a classroom needs its class")
        login = ""
    elif not login:
        reading.fault(row, "login", "missing", "账号不能为空", "a login is needed")
    elif not LOGIN.fullmatch(login):
        zh, en = "账号用 2 到 40 个字母、数字或 . _ - @", "a login has 2 to 40 letters, digits or . _ - @"
        reading.fault(row, "login", "bad_login", zh, en)
    if role is None or len(reading.errors) > faults:
        return None
    return Entry(row.number, row["school"], row["class"], row["name"], role, login)


def _no_doubles(reading: _Reading, entries: Iterable[Entry]) -> None:
    first: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        known = first.setdefault(entry.key, entry)
        if known is not entry:
            column = "login" if entry.login else "name"
            zh, en = f"与第 {known.row} 行重复", f"the same as row {known.row}"
            reading.fault(reading.rows[entry.row], column, "duplicate", zh, en)


def _compare(entries: list[Entry], people: People, own: Person | None) -> RosterChange:
    added: list[Entry] = []
    changed: list[Entry] = []
    unchanged = 0
    for entry in entries:
        if entry.login:
            person = people.by_login.get(entry.login)
            kept = person and (*people.place_of(person), person.name, person.role, person.active)
            same = kept == (entry.school, entry.klass, entry.name, entry.role, True)
            known = person is not None
        else:
            classroom = people.classroom_named.get((entry.school, entry.klass, entry.name))
            known, same = classroom is not None, classroom is not None and classroom.active
        if same:
            unchanged += 1
        else:
            (changed if known else added).append(entry)
    schools = {entry.school for entry in entries}
    keys = {entry.key for entry in entries}
    return RosterChange(
        tuple(added),
        tuple(changed),
        unchanged,
        tuple(
            person for person in people.persons.values()
            if person.active and person != own and people.place_of(person)[0] in schools and (person.login,) not in keys
        ),
        tuple(
            room for place, room in people.classroom_named.items()
            if room.active and place[0] in schools and place not in keys
        ),
    )  # fmt: skip


def without_left_out(change: RosterChange) -> RosterChange:
    """The same, but who is not in the roster stays as he or she is."""
    return replace(change, left_out_persons=(), left_out_classrooms=())
