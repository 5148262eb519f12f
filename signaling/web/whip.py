"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-04): encoders in, players out, by plain HTTP."""

from __future__ import annotations

import hmac
import time

from aiohttp import web

from signaling.auth import Rights
from signaling.hub import Hub
from signaling.lesson import Participant
from signaling.messages import Refused
from signaling.room import Room
from signaling.sdp import SdpError, parse_trickle
from signaling.web.common import HUB, MAX_BODY, bearer, refusal, rights_of
from signaling.web.limits import RateLimit, asker_of

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Location, Link, ETag, Retry-After",
}
RETRY_S = "2"
POSTS: web.AppKey[RateLimit] = web.AppKey("whip_posts", RateLimit)


def add_whip(app: web.Application) -> None:
    """Routes of WHIP, WHEP, their sessions, and the order of words that MediaMTX uses."""
    app[POSTS] = RateLimit(burst=60, every_s=0.5)
    for kind in ("whip", "whep"):
        for path in (f"/{kind}/{{lesson}}", f"/{{lesson}}/{kind}"):
            app.router.add_post(path, create, name=None)
            app.router.add_get(path, probe, allow_head=True)
            app.router.add_options(path, options)
        session = f"/{kind}/session/{{session}}"
        app.router.add_delete(session, end)
        app.router.add_patch(session, patch)
        app.router.add_get(session, probe, allow_head=True)
        app.router.add_options(session, options)
    app.on_response_prepare.append(_add_cors)


async def options(request: web.Request) -> web.Response:
    """What may be posted here, and the CORS preflight."""
    return web.Response(status=200, headers={"Accept-Post": SDP, "Allow": CORS["Access-Control-Allow-Methods"]})


async def probe(request: web.Request) -> web.Response:
    """GET and HEAD are harmless: an empty body."""
    return web.Response(status=200, content_type=SDP)


async def create(request: web.Request) -> web.Response:
    """POST an offer: 201, the answer, and where the session lives."""
    hub = request.app[HUB]
    kind = _kind(request)
    if not request.app[POSTS].allows(asker_of(request), time.monotonic()):
        detail = {"code": "busy", "detail": "too many requests"}
        return web.json_response(detail, status=429, headers={"Retry-After": RETRY_S})
    rights = await rights_of(request)
    if request.content_type != SDP:
        return refusal(Refused("bad_message", f"an offer is {SDP}"), 415)
    offer = await _body(request)
    room = await _room(hub, rights, request.match_info["lesson"], kind)
    if kind == "whep" and not room.publishes():
        waiting = Refused("busy", "nobody teaches in this lesson yet")
        return refusal(waiting, 409, {"Retry-After": RETRY_S})
    participant = await hub.admit_client(room, rights, kind)
    participant.way = hub.ways.of_host(request.host)
    try:
        screen = request.query.get("source") == "screen"
        answer = await room.answer(participant, offer, screen=screen)
        await room.settle()
    except BaseException:
        await room.leave(participant)
        raise
    headers = {"Location": f"/{kind}/session/{participant.session}", "ETag": _etag(participant)}
    return web.Response(status=201, text=answer, content_type=SDP, headers=headers)


async def end(request: web.Request) -> web.Response:
    """DELETE ends the session; it ignores If-Match."""
    room, participant = await _session(request)
    await room.leave(participant)
    return web.Response(status=200)


async def patch(request: web.Request) -> web.Response:
    """Candidates are not needed by an ICE-lite server; new credentials are an ICE restart."""
    room, participant = await _session(request)
    if request.content_type != FRAGMENT:
        return refusal(Refused("bad_message", f"a change is {FRAGMENT}"), 415)
    condition = request.headers.get("If-Match")
    if condition is None:
        return refusal(Refused("bad_message", "If-Match is needed"), 428)
    try:
        credentials = parse_trickle(await _body(request))
    except SdpError as error:
        raise Refused("bad_sdp", str(error)) from None
    transport = participant.transport
    if transport is None:
        raise web.HTTPNotFound
    if condition != "*" and condition != _etag(participant):
        return refusal(Refused("bad_message", "the session has changed since (If-Match)"), 412)
    if credentials is None or credentials[0] == transport.ufrag:
        return web.Response(status=204)
    fragment = await room.restart_ice(participant, *credentials)
    return web.Response(status=200, text=fragment, content_type=FRAGMENT, headers={"ETag": _etag(participant)})


async def _room(hub: Hub, rights: Rights, lesson: str, kind: str) -> Room:
    if rights.room is not None and rights.room != lesson:
        raise Refused("forbidden", "the token is for another lesson")
    if kind == "whip" and not rights.publish:
        raise Refused("forbidden", "the token does not allow to publish")
    if kind == "whep" and not rights.subscribe:
        raise Refused("forbidden", "the token does not allow to subscribe")
    if rights.room is None and not rights.admin:
        raise Refused("forbidden", "the token names no lesson")
    room = hub.rooms.get(lesson)
    return room if room is not None else await hub.room_for(rights)


async def _session(request: web.Request) -> tuple[Room, Participant]:
    """The session of the path, for the bearer who made it."""
    hub = request.app[HUB]
    rights = await hub.rights(bearer(request))
    wanted = request.match_info["session"]
    for room in hub.rooms.values():
        participant = room.lesson.participants.get(wanted)
        if participant is not None and participant.kind == _kind(request):
            if not hmac.compare_digest(participant.rights.sub.encode(), rights.sub.encode()):
                raise Refused("forbidden", "this session belongs to somebody else")
            return room, participant
    raise web.HTTPNotFound


async def _body(request: web.Request) -> str:
    raw = bytearray()
    async for chunk in request.content.iter_chunked(65536):
        raw += chunk
        if len(raw) > MAX_BODY:
            raise Refused("bad_sdp", f"the description is longer than {MAX_BODY} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused("bad_sdp", "the description is not UTF-8") from None


def _kind(request: web.Request) -> str:
    parts = request.path.strip("/").split("/")
    return parts[0] if parts[0] in ("whip", "whep") else parts[-1]


def _etag(participant: Participant) -> str:
    transport = participant.transport
    return f'"{transport.handle}-{transport.version}"' if transport is not None else '"0"'


async def _add_cors(request: web.Request, response: web.StreamResponse) -> None:
    parts = request.path.strip("/").split("/")
    if len(parts) >= 2 and ("whip" in (parts[0], parts[-1]) or "whep" in (parts[0], parts[-1])):
        for name, value in CORS.items():
            response.headers.setdefault(name, value)
