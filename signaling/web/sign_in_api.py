"""`/api/sign_in`, `/api/sign_out`, `/api/password`: persons of the register (PROTOCOL 4.2)."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from aiohttp import web

from signaling.auth import rights_for
from signaling.hub import Hub
from signaling.messages import Refused
from signaling.people.locked_out import LockedOut
from signaling.people.lockout import FREE_TRIES, Lockout
from signaling.people.model import Person
from signaling.people.passwords import MAX_CHARACTERS, too_weak
from signaling.people.sessions import SESSION_MS, session_id
from signaling.web.common import HUB, json_body, set_secret, token_for
from signaling.web.limits import RateLimit, asker_of

COOKIE = "zd_person"
COOKIE_PATH = "/api"
PERSON_TOKEN_S = 12 * 3600
LOCKOUT: web.AppKey[Lockout] = web.AppKey("lockout", Lockout)
LOCKED_OUT: web.AppKey[LockedOut] = web.AppKey("locked_out", LockedOut)
# A county's schools may share one address; whoever tries many logins from one is slowed down nevertheless.
SIGN_INS: web.AppKey[RateLimit] = web.AppKey("sign_ins", RateLimit)


def add_sign_in(app: web.Application) -> None:
    """Routes of persons."""
    app[LOCKOUT] = Lockout()
    app[LOCKED_OUT] = LockedOut(app[HUB].store.database)
    app.on_startup.append(_remember_locked)
    app[SIGN_INS] = RateLimit(burst=60, every_s=10.0)
    app.router.add_post("/api/sign_in", sign_in)
    app.router.add_post("/api/sign_in/again", sign_in_again)
    app.router.add_post("/api/sign_out", sign_out)
    app.router.add_post("/api/password", change_password)


async def _remember_locked(app: web.Application) -> None:
    app[LOCKOUT].recall(await app[LOCKED_OUT].load(app[HUB].now_ms() / 1000))


async def sign_in(request: web.Request) -> web.Response:
    """Login and password for a token, and the cookie that gives the next ones."""
    body = await json_body(request)
    person = await _proven(request, body)
    if person.must_change:
        raise Refused("must_change", "this is a first password: choose your own")
    return await _welcome(request, person)


async def sign_in_again(request: web.Request) -> web.Response:
    """A fresh token for who is signed in."""
    person = await person_of(request)
    if person is None:
        raise Refused("bad_login", "nobody is signed in here")
    return web.json_response(_told(request.app[HUB], person, request.cookies[COOKIE]))


async def sign_out(request: web.Request) -> web.Response:
    """The session ends, and with it the tokens that it gave."""
    secret = request.cookies.get(COOKIE)
    if secret:
        await request.app[HUB].sessions.end(secret)
    response = web.json_response({})
    response.del_cookie(COOKIE, path=COOKIE_PATH)
    return response


async def change_password(request: web.Request) -> web.Response:
    """`{login, password, new}`: another password, and signed in with it; every other session ends."""
    body = await json_body(request)
    person = await _proven(request, body)
    new = _password(body, "new")
    complaint = too_weak(new, person.login, _password(body, "password"))
    if complaint is not None:
        raise Refused("bad_message", complaint)
    await request.app[HUB].register.set_password(person.id, new)
    return await _welcome(request, person)


def session_of(request: web.Request) -> str:
    """The name of the cookie's session; "" without one."""
    secret = request.cookies.get(COOKIE)
    return session_id(secret) if secret else ""


async def person_of(request: web.Request) -> Person | None:
    """Who is signed in, by the cookie."""
    secret = request.cookies.get(COOKIE)
    hub = request.app[HUB]
    found = await hub.sessions.person(secret) if secret else None
    person = hub.register.people.persons.get(found or "")
    return person if person is not None and person.active else None


async def _proven(request: web.Request, body: dict[str, Any]) -> Person:
    lockout, asker, steady_s = request.app[LOCKOUT], asker_of(request), time.monotonic()
    now_s = request.app[HUB].now_ms() / 1000
    login = str(body.get("login", "")).strip().lower()[:64]
    password = _password(body, "password")
    wait_s = lockout.wait_s(login, now_s)
    if wait_s > 0:
        raise Refused("locked", f"too many wrong passwords; try again in {math.ceil(wait_s)} s, or ask the operator")
    if not request.app[SIGN_INS].may(asker, steady_s):
        raise Refused("locked", "too many wrong passwords from your network; wait a minute")
    wrong = lockout.begin(login, now_s)
    if wrong >= FREE_TRIES:  # before the password is looked at: a restart must give no further try
        await request.app[LOCKED_OUT].keep(login, wrong, now_s)
    person = await request.app[HUB].register.person_with(login, password)
    if person is None:
        request.app[SIGN_INS].take(asker, steady_s)
        raise Refused("bad_login", "login or password is wrong")
    lockout.right(login)
    if wrong >= FREE_TRIES:
        await request.app[LOCKED_OUT].forget(login)
    return person


def _password(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise Refused("bad_message", f"{name} is a text of at most {MAX_CHARACTERS} characters")
    return value


async def _welcome(request: web.Request, person: Person) -> web.Response:
    hub = request.app[HUB]
    secret = await hub.sessions.begin(person.id)
    response = web.json_response(_told(hub, person, secret))
    set_secret(request, response, COOKIE, secret, SESSION_MS // 1000, COOKIE_PATH)
    return response


def _told(hub: Hub, person: Person, secret: str) -> dict[str, Any]:
    expires_s = int(time.time()) + PERSON_TOKEN_S
    rights = replace(rights_for(person.role, person.id, person.name, None, expires_s), session=session_id(secret))
    who = {"id": person.id, "name": person.name, "role": person.role, "school": hub.register.people.place_of(person)[0]}
    return {"token": token_for(hub, rights), "person": who}
