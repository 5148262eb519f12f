"""`/api/people`: the register for operators (PROTOCOL 4.2)."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from signaling.auth import Rights, clean_name
from signaling.hub import Hub
from signaling.messages import Refused
from signaling.people.model import Classroom, Person
from signaling.people.rights_table import ROLES
from signaling.people.roster import COLUMNS, LOGIN, ROLE_NAMES, Entry, RosterChange, plan_roster, without_left_out
from signaling.people.sheet_templates import XLSX_TYPE, csv_list, xlsx_template
from signaling.people.sheets import read_table
from signaling.web.common import HUB, json_body, permit, rights_of, text_field
from signaling.web.upload import uploaded_table

EXAMPLES = (
    ("石门中心小学", "", "王芳", "主讲教师", "wangfang"),
    ("枫林教学点", "三年级", "三年级教室", "接收教室", ""),
    ("枫林教学点", "三年级", "张伟", "助教", "zhangwei"),
    ("县教育局", "", "李娜", "管理员", "lina"),
)
NOTES = (
    "每行一个人或一间教室；不要合并单元格；第一张表的表头不能改。",
    f"角色：{'、'.join(ROLE_NAMES.values())}。接收教室要写班级，不要账号；其他人都要账号（字母、数字）。",
    "再次导入同一张表不会重复：账号相同就是同一个人。示例行请删除。",
    "One row a person or a classroom; no merged cells; keep the header of the first sheet.",
    f"Roles: {', '.join(ROLE_NAMES)}. A classroom needs its class and no login; everybody else needs a login.",
    "Importing again makes no doubles: the same login is the same person. Delete the examples.",
)


def add_people(app: web.Application) -> None:
    """Routes of the register."""
    app.router.add_get("/api/people", people)
    app.router.add_post("/api/people", add_person)
    app.router.add_get("/api/people/template", template)
    app.router.add_post("/api/people/import", import_roster)
    app.router.add_put("/api/people/{person}", change_person)
    app.router.add_post("/api/people/{person}/password", renew_password)


async def people(request: web.Request) -> web.Response:
    """Everybody, by school; a school without id for those who belong to none."""
    hub, _ = await _operator(request)
    known, pairing = hub.register.people, await hub.pairing.states()
    places: dict[str | None, dict[str, Any]] = {
        identity: {"id": identity, "name": name, "classes": [], "persons": [], "classrooms": []}
        for identity, name in [*((school.id, school.name) for school in known.schools.values()), (None, "")]
    }
    for klass in known.classes.values():
        places[klass.school]["classes"].append({"id": klass.id, "name": klass.name})
    for person in known.persons.values():
        places[person.school]["persons"].append(_person(hub, person))
    for room in known.classrooms.values():
        if room.active:
            places[room.school]["classrooms"].append({**_classroom(hub, room), **pairing[room.id]})
    return web.json_response({"schools": [p for p in places.values() if p["id"] or p["persons"]]})


async def template(request: web.Request) -> web.Response:
    """A roster to start from."""
    await _operator(request)
    headings = [f"{column.names[0]}" for column in COLUMNS]
    body = await asyncio.to_thread(xlsx_template, "花名册", headings, EXAMPLES, NOTES)
    disposition = 'attachment; filename="roster.xlsx"'
    return web.Response(body=body, content_type=XLSX_TYPE, headers={"Content-Disposition": disposition})


async def import_roster(request: web.Request) -> web.Response:
    """Show what a roster would change (`?dry=1`), or change it; `?remove=1` keeps out who is no longer in it."""
    hub, rights = await _operator(request)
    data = await uploaded_table(request)
    table = await asyncio.to_thread(read_table, data, COLUMNS)
    async with hub.register.lock:
        change = await asyncio.to_thread(plan_roster, table, hub.register.people, rights.sub)
        shown = _change(hub, change)
        if request.query.get("dry") == "1":
            return web.json_response(shown)
        if request.query.get("remove") != "1":
            change = without_left_out(change)
        new = await hub.register.apply(change)
    passwords = [{"school": e.school, "name": e.name, "login": e.login, "password": word} for e, word in new]
    headings = ("学校 school", "姓名 name", "账号 login", "初始密码 first password")
    list_of = csv_list(headings, [list(row.values()) for row in passwords])
    return web.json_response({**shown, "passwords": passwords, "csv": list_of.decode()})


async def add_person(request: web.Request) -> web.Response:
    """One person without a school: `{login, name, role}`; the first password, shown once."""
    hub, _ = await _operator(request)
    body = await json_body(request)
    login, name = text_field(body, "login").lower(), clean_name(text_field(body, "name"))
    role = next((r for r in ROLES if r == body.get("role") and r != "classroom"), None)
    if role is None or not LOGIN.fullmatch(login) or not name:
        raise Refused("bad_message", "a person has a login, a name and a role")
    try:
        password = await hub.register.add(login, name, role)
    except ValueError as error:
        raise Refused("bad_message", str(error)) from None
    return web.json_response({"login": login, "password": password}, status=201)


async def change_person(request: web.Request) -> web.Response:
    """Keep a person out, or let in again: `{active}`."""
    hub, rights = await _operator(request)
    person = _named(hub, request)
    active = (await json_body(request)).get("active")
    if not isinstance(active, bool):
        raise Refused("bad_message", "active is true or false")
    if person.id == rights.sub:
        raise Refused("forbidden", "you cannot keep yourself out")
    await hub.register.set_active(person.id, active)
    return web.json_response(_person(hub, hub.register.people.persons[person.id]))


async def renew_password(request: web.Request) -> web.Response:
    """A new first password, shown once."""
    hub, _ = await _operator(request)
    person = _named(hub, request)
    return web.json_response({"login": person.login, "password": await hub.register.renew_password(person.id)})


async def _operator(request: web.Request) -> tuple[Hub, Rights]:
    rights = await rights_of(request)
    permit(rights, "manage_people")
    return request.app[HUB], rights


def _named(hub: Hub, request: web.Request) -> Person:
    known, named = hub.register.people, request.match_info["person"]
    person = known.persons.get(named) or known.by_login.get(named)
    if person is None:
        raise Refused("bad_message", "there is no such person")
    return person


def _person(hub: Hub, person: Person) -> dict[str, Any]:
    klass = hub.register.people.place_of(person)[1]
    fields = ("id", "name", "role", "login", "active", "must_change")
    return {"class": klass, **{name: getattr(person, name) for name in fields}}


def _classroom(hub: Hub, classroom: Classroom) -> dict[str, Any]:
    return {"id": classroom.id, "name": classroom.name, "class": hub.register.people.place_of(classroom)[1]}


def _change(hub: Hub, change: RosterChange) -> dict[str, Any]:
    known = hub.register.people
    gone: list[Person | Classroom] = [*change.left_out_persons, *change.left_out_classrooms]
    left = [{"school": known.place_of(w)[0], "class": known.place_of(w)[1], "name": w.name} for w in gone]
    return {
        "added": [_entry(entry) for entry in change.added],
        "changed": [_entry(entry) for entry in change.changed],
        "left_out": left,
        "unchanged": change.unchanged,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "row": entry.row, "school": entry.school, "class": entry.klass, "name": entry.name,
        "role": entry.role, "login": entry.login,
    }  # fmt: skip
