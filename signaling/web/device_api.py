"""`/api/classrooms` and `/api/device`: pairing a classroom's device, and its short tokens (PROTOCOL 4.2)."""

from __future__ import annotations

import time
from dataclasses import replace

from aiohttp import web

from signaling.auth import Rights, classroom_rights
from signaling.messages import Refused
from signaling.people.devices import Device, device_of, give_cookie
from signaling.people.model import Classroom
from signaling.web.common import HUB, json_body, permit, rights_of, text_field, token_for
from signaling.web.limits import WRONG_CODES, asker_of

DEVICE_TOKEN_S = 900


def add_devices(app: web.Application) -> None:
    """Routes of devices."""
    app.router.add_post("/api/classrooms/{classroom}/pairing", new_code)
    app.router.add_delete("/api/classrooms/{classroom}/pairing", unpair)
    app.router.add_get("/api/device", device)
    app.router.add_post("/api/device/pair", pair)
    app.router.add_post("/api/device/token", device_token)


async def new_code(request: web.Request) -> web.Response:
    """A pairing code, shown once."""
    permit(await rights_of(request), "manage_people")
    code, until_ms = await request.app[HUB].pairing.new_code(_named(request).id)
    return web.json_response({"code": f"{code[:4]}-{code[4:]}", "until_ms": until_ms})


async def unpair(request: web.Request) -> web.Response:
    """The device is out, at once also of a lesson."""
    permit(await rights_of(request), "manage_people")
    hub, classroom = request.app[HUB], _named(request)
    await hub.pairing.unpair(classroom.id)
    for room in list(hub.rooms.values()):
        for participant in list(room.lesson.participants.values()):
            if participant.rights.sub == classroom.id:
                await room.leave(participant, "removed")
    return web.json_response({})


async def pair(request: web.Request) -> web.Response:
    """The code that the operator read out, for the cookie that makes this device the classroom's."""
    hub = request.app[HUB]
    asker, wrong_codes = asker_of(request), request.app[WRONG_CODES]
    if not wrong_codes.may(asker, time.monotonic()):
        raise Refused("locked", "too many tries; wait some seconds")
    paired = await hub.pairing.pair(text_field(await json_body(request), "code", 20))
    classroom = hub.register.people.classrooms.get(paired[0]) if paired is not None else None
    if paired is None or classroom is None:
        wrong_codes.take(asker, time.monotonic())
        raise Refused("not_paired", "no classroom waits for this code: it was used, has run out, or was mistyped")
    device = Device(classroom, *hub.register.people.place_of(classroom))
    response = web.json_response({"classroom": device.plain()})
    give_cookie(request, response, paired[1])
    return response


async def device(request: web.Request) -> web.Response:
    """Which classroom this device is."""
    return web.json_response({"classroom": (await device_of(request)).plain()})


async def device_token(request: web.Request) -> web.Response:
    """A short token for a lesson that this classroom may receive now."""
    hub, who = request.app[HUB], await device_of(request)
    lesson = text_field(await json_body(request), "lesson", 64)
    row = await hub.store.lesson(lesson)
    if row is None:
        raise Refused("no_such_lesson", "there is no such lesson")
    if row.state != "open":
        raise Refused("lesson_closed", "the lesson is over")
    if not (row.open or hub.plan.receives(who.classroom, lesson)):
        raise Refused("forbidden", "this lesson is not for this classroom; join it by its six-digit code")
    rights = replace(device_rights(who, lesson), by_plan=not row.open)
    return web.json_response({"token": token_for(hub, rights)})


def device_rights(who: Device, lesson: str) -> Rights:
    """A classroom's rights in a lesson, under the name of the register and for a short time."""
    return classroom_rights(who.id, who.name, lesson, int(time.time()) + DEVICE_TOKEN_S)


def _named(request: web.Request) -> Classroom:
    classroom = request.app[HUB].register.people.classrooms.get(request.match_info["classroom"])
    if classroom is None or not classroom.active:
        raise Refused("bad_message", "there is no such classroom")
    return classroom
