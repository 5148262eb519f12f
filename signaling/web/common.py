"""What the handlers share: the hub's key, tokens, JSON bodies, error answers."""

from __future__ import annotations

import json
import time
from typing import Any

from aiohttp import web

from signaling.auth import Rights, mint
from signaling.hub import Hub
from signaling.messages import ErrorCode, Refused
from signaling.people.rights_table import Action
from signaling.room import Room

HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
HTTPS_PORT: web.AppKey[list[int]] = web.AppKey("https_port", list)  # one number, known once it is bound
MAX_BODY = 256 * 1024
STATUS: dict[ErrorCode, int] = {
    "bad_message": 400,
    "bad_sdp": 400,
    "unknown_codec": 422,
    "bad_token": 401,
    "expired_token": 401,
    "forbidden": 403,
    "already_publishing": 409,
    "lesson_closed": 410,
    "no_such_lesson": 404,
    "disk_full": 507,
    "full": 503,
    "busy": 503,
    "internal": 500,
    "not_paired": 401,
    "not_open": 403,
    "bad_login": 401,
    "locked": 429,
    "must_change": 403,
    "locked_lesson": 403,
}


def refusal(refused: Refused, status: int | None = None, headers: dict[str, str] | None = None) -> web.Response:
    """An error answer: `{"code", "detail"}`."""
    status = status or STATUS[refused.code]
    extra = dict(headers or {})
    if status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    if status == 429:
        extra.setdefault("Retry-After", "6")
    if status == 503:
        extra.setdefault("Retry-After", str((refused.verdict or {}).get("seconds") or 2))
    body: dict[str, Any] = {"code": refused.code, "detail": refused.detail}
    if refused.verdict is not None:
        body["verdict"] = refused.verdict
    return web.json_response(body, status=status, headers=extra)


def bearer(request: web.Request) -> str:
    """The token of a request; raises `Refused`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("bad_token", "an Authorization: Bearer header is needed")
    return token.strip()


async def rights_of(request: web.Request) -> Rights:
    """The rights of a request; raises `Refused`."""
    return await request.app[HUB].rights(bearer(request))


def set_secret(
    request: web.Request, response: web.StreamResponse, name: str, secret: str, max_age_s: int, path: str
) -> None:
    """A cookie that scripts and other sites never see."""
    secure = request.scheme == "https"
    response.set_cookie(name, secret, max_age=max_age_s, path=path, httponly=True, secure=secure, samesite="Strict")


async def json_body(request: web.Request, longest: int = 16 * 1024) -> dict[str, Any]:
    """A JSON object of at most so many bytes, or an empty one; raises `Refused`."""
    raw = await request.content.read(MAX_BODY + 1)
    if len(raw) > longest:
        raise Refused("bad_message", "the body is too big")
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused("bad_message", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused("bad_message", "the body is not a JSON object")
    return body


def text_field(body: dict[str, Any], name: str, longest: int = 200) -> str:
    """A short text of a body; raises `Refused`."""
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise Refused("bad_message", f"{name} is a text of at most {longest} characters")
    return value.strip()


def token_for(hub: Hub, rights: Rights) -> str:
    """A token of ours."""
    return mint(rights, next(iter(hub.keys.items())), time.time())


def permit(rights: Rights, action: Action) -> None:
    """Raises `Refused` where the table does not allow it."""
    if not rights.may(action):
        raise Refused("forbidden", f"this is not for the role {rights.role}, or the token was given less: {action}")


def room_in_charge(request: web.Request, rights: Rights) -> Room:
    """The open lesson of the path, for its teacher or an operator; raises `Refused`."""
    lesson = request.match_info["lesson"]
    room = request.app[HUB].rooms.get(lesson)
    own = room is not None and (room.row.teacher == rights.sub or rights.room == lesson)
    # A pupil's microphone may be published without being the teacher: only who opens lessons runs them.
    if not (rights.may("run_any_lesson") or (own and rights.may("run_own_lesson"))):
        raise Refused("forbidden", "this is for the teacher of the lesson or an operator")
    if room is None:
        raise Refused("no_such_lesson", "there is no such open lesson")
    return room
