"""`/api/teacher`: the day of a signed-in teacher, begun with one click (PROTOCOL 4.3)."""

from __future__ import annotations

import time
from dataclasses import replace

from aiohttp import web

from signaling.auth import Rights, teacher_rights
from signaling.messages import Refused
from signaling.timetable.plan_view import lesson_view
from signaling.web.common import HUB, json_body, permit, rights_of, text_field, token_for

TOKEN_S = 12 * 3600


def add_teacher(app: web.Application) -> None:
    """Routes of the teacher's day."""
    app.router.add_get("/api/teacher/day", day)
    app.router.add_post("/api/teacher/start", start)


async def day(request: web.Request) -> web.Response:
    """Today's lessons of the bearer, those taken over from others too."""
    hub, rights = request.app[HUB], await _teacher(request)
    today = hub.plan.today()
    lessons = [o for o in hub.plan.day(today) if o.teacher == rights.sub and o.mode != "recorded"]
    rows = [{**lesson_view(hub, o), "may_begin": hub.plan.may_begin(o)} for o in lessons]
    head = {"server_ms": hub.now_ms(), "zone": hub.plan.zone.key, "date": today.isoformat()}
    signed_in = rights.sub in hub.plan.people.persons
    return web.json_response({**head, "name": rights.name, "signed_in": signed_in, "lessons": rows})


async def start(request: web.Request) -> web.Response:
    """A token for one of them, which is opened where it is not: before its hour, or again after it was ended."""
    hub, rights = request.app[HUB], await _teacher(request)
    lesson = text_field(await json_body(request), "lesson", 64)
    held, room = hub.plan.find(lesson), hub.rooms.get(lesson)
    if held is None or held.teacher != rights.sub:
        raise Refused("forbidden", "this lesson is not yours")
    if room is None:
        if held.cancelled:
            raise Refused("lesson_closed", "this lesson was cancelled")
        if not hub.plan.may_begin(held):
            raise Refused("lesson_closed", "this lesson can be begun from an hour before its bell until its end")
        room = await hub.keeper.open(held)
    teaches = teacher_rights(rights.sub, rights.name, lesson, int(time.time()) + TOKEN_S)
    token = token_for(hub, replace(teaches, session=rights.session))
    return web.json_response({"token": token, "lesson": lesson_view(hub, held)})


async def _teacher(request: web.Request) -> Rights:
    rights = await rights_of(request)
    permit(rights, "run_own_lesson")
    return rights
