"""`/api/plan` and `/api/policies`: the timetable for operators (PROTOCOL 4.3)."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

from aiohttp import web

from signaling.hub import Hub
from signaling.messages import Refused
from signaling.people.sheet_templates import XLSX_TYPE, xlsx_template
from signaling.people.sheets import SheetRefused, read_table
from signaling.timetable import words
from signaling.timetable.editing import typed_change, typed_period
from signaling.timetable.importing import COLUMNS, periods_of
from signaling.timetable.model import Change, parse_occurrence_id
from signaling.timetable.occurrences import ONE_DAY, occurrence
from signaling.timetable.plan_view import change_view, lesson_view, period_view, plan_view
from signaling.timetable.policy import LEVELS, Owner, Policy, complaint
from signaling.timetable.replacing import plan_change
from signaling.web.common import HUB, json_body, permit, rights_of, text_field
from signaling.web.upload import table_refusal, uploaded_table

LONGEST_DAYS = 62
EXAMPLES = (
    ("一", "08:00", "08:40", "数学", "wangfang", "枫林教学点 三年级；石桥小学 三年级", "直播", "是", "", "", ""),
    ("三", "10:00", "10:40", "音乐", "wangfang", "枫林教学点 三年级", "观摩", "否", "2026-09-01", "2027-01-20", ""),
)
NOTES = (
    "每行一节每周的课；不要合并单元格；第一张表的表头不能改；示例行请删除。",
    "主讲写名册里的账号；接收班级写 学校 班级，几个班级用 ；或 、 分开。",
    "方式：直播、录播（到点播放微课）、观摩（只看不说）。录制：是、否。起、止是日期，可以不填。",
    "导入的表就是完整的课表：表里没有的课从今天起不再上。有错误时什么都不改。",
    "One row a weekly lesson; no merged cells; keep the header of the first sheet; delete the examples.",
    "The teacher is a login of the roster; classes are written as school and class, parted by ;",
    "Mode: live, recorded (plays the clip at its hour), observe (watch only). Record: yes, no. From and to are dates.",
    "The table is the whole timetable: lessons that it leaves out end today. A mistake changes nothing.",
)


def add_plan(app: web.Application) -> None:
    """Routes of the timetable."""
    app.router.add_get("/api/plan", plan)
    app.router.add_get("/api/plan/template", template)
    app.router.add_post("/api/plan/import", import_plan)
    app.router.add_put(r"/api/plan/periods/{period:\d{1,9}}", put_period)
    app.router.add_delete(r"/api/plan/periods/{period:\d{1,9}}", end_period)
    app.router.add_post("/api/plan/changes", change)
    app.router.add_delete("/api/plan/changes/{lesson}", undo_change)
    app.router.add_get("/api/policies", policies)
    app.router.add_put("/api/policies", put_policy)


async def plan(request: web.Request) -> web.Response:
    """The periods, and the lessons of some days; without days of this week."""
    hub, rights = request.app[HUB], await rights_of(request)
    permit(rights, "see_plan")
    today = hub.plan.today()
    monday = today - (today.isoweekday() - 1) * ONE_DAY
    first, last = _day(request, "from", monday), _day(request, "to", monday + 6 * ONE_DAY)
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise Refused("bad_message", f"from and to are at most {LONGEST_DAYS} days apart")
    return web.json_response(plan_view(hub, rights, first, last))


async def template(request: web.Request) -> web.Response:
    """A table to start from."""
    permit(await rights_of(request), "manage_plan")
    headings = [column.names[0] for column in COLUMNS]
    body = await asyncio.to_thread(xlsx_template, "课表", headings, EXAMPLES, NOTES)
    headers = {"Content-Disposition": 'attachment; filename="timetable.xlsx"'}
    return web.Response(body=body, content_type=XLSX_TYPE, headers=headers)


async def import_plan(request: web.Request) -> web.Response:
    """A whole timetable; with `dry=1` only what it would change."""
    hub = request.app[HUB]
    permit(await rights_of(request), "manage_plan")
    try:
        table = await asyncio.to_thread(read_table, await uploaded_table(request), COLUMNS)
        wanted = periods_of(table, hub.plan.people, await _clips(hub))
    except SheetRefused as refused:
        return table_refusal(refused)
    change = plan_change(hub.plan.plan.periods.values(), wanted, hub.plan.today())
    if request.query.get("dry") != "1":
        await hub.plan.replace(change)
        await hub.keeper.now()
    return web.json_response(change_view(hub, change))


async def put_period(request: web.Request) -> web.Response:
    """A period; number 0 is a new one."""
    hub = request.app[HUB]
    permit(await rights_of(request), "manage_plan")
    number = int(request.match_info["period"])
    if number and number not in hub.plan.plan.periods:
        raise Refused("bad_message", "there is no such period")
    body = await json_body(request)
    try:
        typed = typed_period(body, number, hub.plan.plan, hub.plan.people, await _clips(hub), hub.plan.today())
    except SheetRefused as refused:
        return table_refusal(refused)
    kept = await hub.plan.put_period(typed)
    await hub.keeper.now()
    return web.json_response(period_view(hub, kept), status=200 if number else 201)


async def end_period(request: web.Request) -> web.Response:
    """From today on it is not held; what was held stays."""
    hub = request.app[HUB]
    permit(await rights_of(request), "manage_plan")
    await hub.plan.end([int(request.match_info["period"])])
    await hub.keeper.now()
    return web.json_response({})


async def change(request: web.Request) -> web.Response:
    """One lesson is otherwise: another teacher, cancelled, another hour or day."""
    hub = request.app[HUB]
    permit(await rights_of(request), "manage_plan")
    try:
        typed = typed_change(await json_body(request), hub.plan, hub.now_ms())
    except SheetRefused as refused:
        return table_refusal(refused)
    return await _changed(hub, typed)


async def undo_change(request: web.Request) -> web.Response:
    """One lesson is as in the plan again."""
    hub = request.app[HUB]
    permit(await rights_of(request), "manage_plan")
    named = parse_occurrence_id(request.match_info["lesson"])
    if named is None or named not in hub.plan.plan.changes:
        raise Refused("no_such_lesson", "nothing was changed about this lesson")
    return await _changed(hub, Change(*named))


async def policies(request: web.Request) -> web.Response:
    """What is set at each level; what is not set is inherited."""
    hub = request.app[HUB]
    permit(await rights_of(request), "see_plan")
    own, people = hub.plan.plan.policies.own, hub.plan.people
    schools = [
        {"level": "school", "owner": s.id, "name": s.name, "own": own.get(("school", s.id), {})}
        for s in people.schools.values()
    ]
    classes = [
        {"level": "class", "owner": c.id, "school": c.school, "name": c.name, "own": own.get(("class", c.id), {})}
        for c in people.classes.values()
    ]
    county = {"level": "county", "owner": "", "name": "", "own": own.get(("county", ""), {})}
    return web.json_response({"default": vars(Policy()), "policies": [county, *schools, *classes]})


async def put_policy(request: web.Request) -> web.Response:
    """Settings of one level; null is inherited."""
    hub = request.app[HUB]
    permit(await rights_of(request), "manage_plan")
    body = await json_body(request)
    owner, settings = _owner(hub, body), body.get("settings")
    if not isinstance(settings, dict):
        raise Refused("bad_message", "settings is an object of names and values")
    for name, value in settings.items():
        wrong = complaint(owner[0], name, value if value is not None else getattr(Policy(), name, None))
        if wrong is not None:
            raise Refused("bad_message", wrong)
    await hub.plan.set_policy(owner, settings)
    await hub.accounts.allow()
    return web.json_response({"own": hub.plan.plan.policies.own.get(owner, {})})


def _owner(hub: Hub, body: dict[str, Any]) -> Owner:
    level, owner = text_field(body, "level", 10), text_field(body, "owner", 64)
    there = {"county": {""}, "school": hub.plan.people.schools.keys(), "class": hub.plan.people.classes.keys()}
    if level not in LEVELS or owner not in there[level]:
        raise Refused("bad_message", "level is county, school or class, and owner the id of one")
    return level, owner


async def _changed(hub: Hub, typed: Change) -> web.Response:
    await hub.plan.change(typed)
    await hub.keeper.now()
    held = occurrence(hub.plan.plan, typed.period, typed.day, hub.plan.zone)
    return web.json_response(lesson_view(hub, held) if held is not None else {})


async def _clips(hub: Hub) -> set[str]:
    return {str(entry["id"]) for entry in await asyncio.to_thread(hub.recordings.entries)}


def _day(request: web.Request, name: str, otherwise: datetime.date) -> datetime.date:
    text = request.query.get(name)
    day = words.day(text) if text is not None else otherwise
    if day is None:
        raise Refused("bad_message", f"{name} is a date as 2026-09-01")
    return day
