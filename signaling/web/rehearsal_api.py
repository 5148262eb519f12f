"""`/api/rehearsals`: begun by an operator, watched as a table; and what classrooms' pages say (PROTOCOL 4.5)."""

from __future__ import annotations

from aiohttp import web
from pydantic import ValidationError

from signaling.messages import Refused
from signaling.people.devices import device_of
from signaling.rehearsal.desk import RehearsalDesk
from signaling.rehearsal.verdict import PageFacts
from signaling.web.common import HUB, json_body, permit, refusal, rights_of, text_field


def add_rehearsals(app: web.Application) -> None:
    """Routes of rehearsals."""
    app.router.add_get("/api/rehearsals", past)
    app.router.add_post("/api/rehearsals", begin)
    app.router.add_get("/api/rehearsals/{rehearsal}", one)
    app.router.add_delete("/api/rehearsals/{rehearsal}", end)
    app.router.add_post("/api/kiosk/rehearsal", hear)


async def past(request: web.Request) -> web.Response:
    """The last ones."""
    return web.json_response({"rehearsals": await (await _desk(request)).past()})


async def begin(request: web.Request) -> web.Response:
    """All classrooms that are online come now."""
    desk = await _desk(request)
    try:
        begun = await desk.begin()
    except Refused as refused:
        return refusal(refused, 409 if refused.code == "busy" else None)
    return web.json_response(await desk.one(begun.id), status=201)


async def one(request: web.Request) -> web.Response:
    """Its table."""
    return web.json_response(await (await _desk(request)).one(request.match_info["rehearsal"]))


async def end(request: web.Request) -> web.Response:
    """Before its time."""
    await (await _desk(request)).end(request.match_info["rehearsal"])
    return web.json_response({})


async def hear(request: web.Request) -> web.Response:
    """What a classroom got."""
    device, body = await device_of(request), await json_body(request)
    try:
        facts = PageFacts.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Refused("bad_message", f"{first['loc'][0]}: {first['msg']}") from None
    request.app[HUB].rehearsals.hear(device.id, text_field(body, "rehearsal", 32), facts)
    return web.json_response({})


async def _desk(request: web.Request) -> RehearsalDesk:
    permit(await rights_of(request), "see_checks")
    return request.app[HUB].rehearsals
