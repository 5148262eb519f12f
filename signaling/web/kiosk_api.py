"""`/api/kiosk`: the day of a paired classroom, and what it thought of a lesson (PROTOCOL 4.3)."""

from __future__ import annotations

import hashlib
import json

from aiohttp import web

from signaling.messages import Refused
from signaling.people.devices import DEVICE, device_of
from signaling.timetable.kiosk_day import kiosk_day
from signaling.web.common import HUB, json_body, text_field

CLOCK = "Zd-Server-Ms"
HEAD_BYTES = 900  # of a request and its answer, with what TLS and TCP add


def add_kiosk(app: web.Application) -> None:
    """Routes of the kiosk."""
    app.router.add_get("/api/kiosk/day", day)
    app.router.add_post("/api/kiosk/rating", rating)
    app.on_response_prepare.append(count_bytes)


async def count_bytes(request: web.Request, response: web.StreamResponse) -> None:
    """What a classroom loads belongs to its school's month (`on_response_prepare`)."""
    device = request.get(DEVICE)
    if device is not None and request.method != "HEAD":
        accounts, count = request.app[HUB].accounts, HEAD_BYTES + (response.content_length or 0)
        accounts.usage.add(device.classroom.school, accounts.month, "pages", count)


async def day(request: web.Request) -> web.Response:
    """Today; without news an answer has no body, and every answer tells the server's time."""
    hub, device = request.app[HUB], await device_of(request)
    hub.rehearsals.saw(device.classroom.id)
    content = kiosk_day(hub, device.classroom)
    tag = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    now_ms = hub.now_ms()
    headers = {"ETag": f'"{tag}"', CLOCK: str(now_ms), "Cache-Control": "private, no-cache"}
    if any(one.value == tag for one in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.json_response({"server_ms": now_ms, **content}, headers=headers)


async def rating(request: web.Request) -> web.Response:
    """One tap after the lesson: 1 to 3."""
    hub, device = request.app[HUB], await device_of(request)
    body = await json_body(request)
    lesson, stars = text_field(body, "lesson", 64), body.get("stars")
    if stars not in (1, 2, 3) or isinstance(stars, bool):
        raise Refused("bad_message", "stars is 1, 2 or 3")
    if not hub.plan.receives(device.classroom, lesson):
        raise Refused("forbidden", "this lesson is not for this classroom")
    await hub.accounts.attendance.rate(lesson, device.id, stars, hub.now_ms())
    return web.json_response({})
