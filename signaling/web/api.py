"""`/api`: joining by code, tokens, lessons, the library (PROTOCOL section 4)."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from typing import Any

from aiohttp import web

from signaling.auth import Rights, classroom_rights, clean_name, rights_for, teacher_rights
from signaling.hub import Hub
from signaling.lesson import DEMO
from signaling.links import NAMES, link_rights, page_of_link
from signaling.messages import ErrorCode, Refused
from signaling.people.devices import Device, device_of, device_or_none
from signaling.people.rights_table import Role
from signaling.recordings import ENTRY_FIELDS
from signaling.stage.removal import browser_of, refuse_removed
from signaling.stage.removal import remove as send_away
from signaling.store import LessonRow
from signaling.timetable.watching import classroom_may_watch
from signaling.web.common import HUB, json_body, permit, rights_of, room_in_charge, text_field, token_for
from signaling.web.device_api import DEVICE_TOKEN_S, device_rights
from signaling.web.limits import WRONG_CODES, RateLimit, asker_of
from signaling.web.sign_in_api import person_of, session_of

TOKEN_S = 12 * 3600
LINK_S = 30 * 86400
JOINS: web.AppKey[RateLimit] = web.AppKey("joins", RateLimit)


def add_api(app: web.Application) -> None:
    """Routes under /api."""
    app[WRONG_CODES] = RateLimit(burst=10, every_s=6.0)
    # Right codes cost only this: all classrooms of a county may come from one address, at one bell.
    app[JOINS] = RateLimit(burst=600, every_s=0.1)
    app.router.add_post("/api/join", join)
    app.router.add_post("/api/link", link)
    app.router.add_get("/api/me", me)
    app.router.add_post("/api/token/refresh", refresh)
    app.router.add_get("/api/lessons", lessons)
    app.router.add_post("/api/lessons", create_lesson)
    app.router.add_post("/api/lessons/{lesson}/token", lesson_token)
    app.router.add_post("/api/lessons/{lesson}/close", close_lesson)
    app.router.add_post("/api/lessons/{lesson}/next_recording", next_recording)
    app.router.add_post("/api/lessons/{lesson}/remove", remove)
    app.router.add_get("/api/library", library)
    app.router.add_get("/api/library/{recording}", library_entry)


async def join(request: web.Request) -> web.Response:
    """A six-digit code for a token of a seat in its lesson."""
    hub = request.app[HUB]
    asker, wrong_codes = asker_of(request), request.app[WRONG_CODES]
    now_s = time.monotonic()
    if not (wrong_codes.may(asker, now_s) and request.app[JOINS].allows(asker, now_s)):
        return _too_many()
    body = await json_body(request)
    code = text_field(body, "code", 20).replace(" ", "")
    name = clean_name(text_field(body, "name"))
    row = await hub.store.by_code(code)
    if row is None:
        wrong_codes.take(asker, now_s)
        raise Refused("no_such_lesson", "no open lesson has this code")
    rights = await _seat(request, row, name)
    await refuse_removed(hub, rights, tab="", browser=browser_of(request))
    token = token_for(hub, rights)
    return web.json_response({"token": token, "lesson": _lesson(hub, row)})


async def _seat(request: web.Request, row: LessonRow, name: str) -> Rights:
    """Who sits down with a code: a known classroom or person under the own name, a stranger where all may."""
    device, person = await device_or_none(request), await person_of(request)
    now_s = int(time.time())
    if device is not None:
        return device_rights(device, row.id)
    if person is not None:
        role: Role = "assistant" if person.role == "assistant" else "classroom"
        rights = rights_for(role, person.id, person.name, row.id, now_s + TOKEN_S)
        return replace(rights, session=session_of(request))
    if not row.open:
        words = "this lesson is for registered classrooms: pair this computer with its code, or sign in"
        raise Refused("not_open", words)
    sub = f"classroom-{secrets.token_hex(8)}"
    return classroom_rights(sub, name or sub[:16], row.id, now_s + TOKEN_S)


async def link(request: web.Request) -> web.Response:
    """A printed link's key for the token that it stands for."""
    hub = request.app[HUB]
    asker, wrong_codes = asker_of(request), request.app[WRONG_CODES]
    if not wrong_codes.may(asker, time.monotonic()):
        return _too_many()
    body = await json_body(request)
    page = page_of_link(text_field(body, "key", 64), hub.keys)
    if page is None:
        wrong_codes.take(asker, time.monotonic())
        raise Refused("bad_token", "this link is not of this server; copy it again from where the server was started")
    rights = link_rights(page, DEMO, text_field(body, "language", 8), int(time.time()) + LINK_S)
    return web.json_response({"token": token_for(hub, rights)})


async def me(request: web.Request) -> web.Response:
    """Who the token's bearer is."""
    hub = request.app[HUB]
    rights = await rights_of(request)
    row = await hub.store.lesson(rights.room) if rights.room is not None else None
    lesson = _lesson(hub, row) if row is not None else None
    return web.json_response(
        {
            "role": rights.role,
            "name": rights.name,
            "lesson": lesson,
            "expires_ms": rights.expires_s * 1000,
            "open_by_default": hub.open_by_default,
        }
    )


async def refresh(request: web.Request) -> web.Response:
    """The same rights for some more hours."""
    rights = await rights_of(request)
    if rights.sub in request.app[HUB].register.people.classrooms:
        # A paired classroom asks with its cookie: unpaired, it must not live on by its tokens.
        if (await device_of(request)).id != rights.sub:
            raise Refused("not_paired", "this device is another classroom now")
        short = replace(rights, expires_s=int(time.time()) + DEVICE_TOKEN_S)
        return web.json_response({"token": token_for(request.app[HUB], short)})
    fresh = replace(rights, expires_s=max(rights.expires_s, int(time.time()) + TOKEN_S))
    return web.json_response({"token": token_for(request.app[HUB], fresh)})


async def lessons(request: web.Request) -> web.Response:
    """The lessons that the bearer runs, newest first."""
    hub = request.app[HUB]
    rights = await rights_of(request)
    permit(rights, "list_lessons")
    every = rights.may("list_all_lessons")
    rows = [r for r in await hub.store.recent() if every or r.teacher == rights.sub or r.id == rights.room]
    return web.json_response({"lessons": [_row(hub, row) for row in rows], "open_by_default": hub.open_by_default})


async def create_lesson(request: web.Request) -> web.Response:
    """A new lesson with its code and a teacher's token."""
    hub = request.app[HUB]
    rights = await rights_of(request)
    body = await json_body(request)
    title, to_all = clean_name(text_field(body, "title")), body.get("open")
    if to_all is not None and not isinstance(to_all, bool):
        raise Refused("bad_message", "open is true or false")
    # A token may name a lesson that is still to be made (`zhuandi token create --room`).
    named = rights.room if rights.room is not None and await hub.store.lesson(rights.room) is None else None
    room = await hub.create(rights, title, named, _teacher_name(request, rights), to_all=to_all)
    token = _teacher_token(hub, room.row, rights)
    return web.json_response({**_lesson(hub, room.row), "token": token}, status=201)


async def lesson_token(request: web.Request) -> web.Response:
    """A fresh teacher's token of an open lesson."""
    rights = await rights_of(request)
    room = room_in_charge(request, rights)
    return web.json_response({"token": _teacher_token(request.app[HUB], room.row, rights)})


async def close_lesson(request: web.Request) -> web.Response:
    """The lesson is over."""
    await request.app[HUB].close(room_in_charge(request, await rights_of(request)))
    return web.json_response({})


async def next_recording(request: web.Request) -> web.Response:
    """The lesson goes on in a new recording."""
    room = room_in_charge(request, await rights_of(request))
    return web.json_response({"recording": await request.app[HUB].next_recording(room)})


async def remove(request: web.Request) -> web.Response:
    """Send somebody away for the rest of the lesson."""
    room = room_in_charge(request, await rights_of(request))
    sub = text_field(await json_body(request), "sub")
    if not sub:
        raise Refused("bad_message", "sub names whom to remove")
    await send_away(request.app[HUB], room, sub)
    return web.json_response({})


async def library(request: web.Request) -> web.Response:
    """The recordings that the bearer may see."""
    hub = request.app[HUB]
    rights = await rights_of(request)
    entries = await asyncio.to_thread(hub.recordings.entries)
    seen = [e for e in entries if await may_watch(hub, rights, str(e["id"]))]
    return web.json_response({"entries": seen})


async def library_entry(request: web.Request) -> web.Response:
    """The manifest of one recording."""
    hub = request.app[HUB]
    device = None if "Authorization" in request.headers else await device_or_none(request)
    rights = classroom_viewer(device) if device is not None else await rights_of(request)
    recording = request.match_info["recording"]
    allowed = await may_watch(hub, rights, recording)
    manifest = await asyncio.to_thread(hub.recordings.manifest, recording) if allowed else None
    if manifest is None:
        # One answer for both, so that nobody learns which recordings exist.
        code: ErrorCode = "no_such_lesson" if rights.may("watch_all_recordings") else "forbidden"
        raise Refused(code, "there is no such recording for you")
    return web.json_response(manifest)


def classroom_viewer(device: Device) -> Rights:
    """A paired classroom outside of any lesson: its plan alone says what it may watch."""
    return rights_for("classroom", device.id, device.name, None, int(time.time()) + 60)


async def may_watch(hub: Hub, rights: Rights, recording: str) -> bool:
    """`roomRecord` reads all, a teacher the recordings of the own lessons; a code of six digits opens none."""
    classroom = hub.register.people.classrooms.get(rights.sub)
    if classroom is not None:
        return await classroom_may_watch(hub, classroom, recording)
    if rights.may("watch_all_recordings") or not rights.may("watch_own_recordings"):
        return rights.may("watch_all_recordings")
    row = await hub.store.lesson_of_recording(recording)
    return row is not None and (row.id == rights.room or row.teacher == rights.sub)


def _too_many() -> web.Response:
    detail = {"code": "busy", "detail": "too many tries; wait some seconds"}
    return web.json_response(detail, status=429, headers={"Retry-After": "6"})


def _teacher_token(hub: Hub, row: LessonRow, rights: Rights) -> str:
    expires_s = int(time.time()) + TOKEN_S
    sub, name = (rights.sub, rights.name) if rights.publish else (row.teacher, row.teacher_name)
    own = rights.session if sub == rights.sub else ""
    return token_for(hub, replace(teacher_rights(sub, name, row.id, expires_s), session=own))


def _teacher_name(request: web.Request, rights: Rights) -> str:
    """Whoever opens a lesson for others does not teach it, and an id is no name: the word for a teacher then."""
    if rights.publish and rights.name != rights.sub:
        return rights.name
    language = "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "zh"
    return NAMES[language]["teacher"]


def _lesson(hub: Hub, row: LessonRow) -> dict[str, Any]:
    room = hub.rooms.get(row.id)
    state = room.lesson.snapshot().state if room is not None else "closed"
    return {"id": row.id, "title": row.title, "code": row.code, "state": state, "open": row.open}


def _row(hub: Hub, row: LessonRow) -> dict[str, Any]:
    room = hub.rooms.get(row.id)
    receivers = room.lesson.receivers() if room is not None else 0
    entry = {"teacher": row.teacher_name, "created_ms": row.created_ms, "receivers": receivers}
    return {**_lesson(hub, row), **entry}


__all__ = ["ENTRY_FIELDS", "add_api", "may_watch", "token_for"]
