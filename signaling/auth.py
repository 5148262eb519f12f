"""Tokens: LiveKit-shaped HS256 JWTs in, a frozen value of rights out (PROTOCOL 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import jwt

from signaling.people.rights_table import ROLES, TABLE, Action, Role, grants_of, needed_grants
from streaming.params import Source

ALGORITHM = "HS256"
MAX_TOKEN = 8192
MAX_NAME = 80
LEEWAY_S = 10
SOURCES: tuple[Source, ...] = ("microphone", "camera", "screen")
# LiveKit's words for the same things.
SOURCE_WORDS: dict[str, Source] = {
    "microphone": "microphone",
    "camera": "camera",
    "screen": "screen",
    "screen_share": "screen",
}


class TokenRefused(Exception):
    """A token that gives no rights; `code` is of PROTOCOL section 3."""

    def __init__(self, code: Literal["bad_token", "expired_token"], detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Rights:
    """What a verified token allows; `room` None: no lesson yet. `expires_s` is Unix time.

    `by_plan`: a classroom that the timetable seats, and may unseat; a code of six digits seats for good.
    `session` names the sign-in that it came from and ends with; "" for what came otherwise.
    """

    sub: str
    name: str
    role: Role
    room: str | None
    expires_s: int
    join: bool = False
    create: bool = False
    list_rooms: bool = False
    admin: bool = False
    record: bool = False
    publish: frozenset[Source] = frozenset()
    subscribe: bool = False
    by_plan: bool = False
    session: str = ""

    def may(self, action: Action) -> bool:
        """Whether the table allows it to this role, and the token was not given less."""
        return action in TABLE[self.role] and any(getattr(self, grant) for grant in needed_grants(action))


def verify(token: str, keys: Mapping[str, str]) -> Rights:
    """The rights in `token`; raises `TokenRefused`. The algorithm is pinned; `iss` alone chooses the key."""
    if not token or len(token) > MAX_TOKEN:
        raise TokenRefused("bad_token", "there is no token, or it is too long")
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}, algorithms=[ALGORITHM]).get("iss")
        secret = keys.get(issuer) if isinstance(issuer, str) else None
        if secret is None:
            raise TokenRefused("bad_token", "the token's key is not known here")
        claims = jwt.decode(
            token, secret, algorithms=[ALGORITHM], leeway=LEEWAY_S, options={"require": ["exp"], "verify_aud": False}
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("expired_token", "the token has expired") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise TokenRefused("bad_token", "the token is not valid") from None
    return _rights(claims)


def mint(rights: Rights, key: tuple[str, str], now_s: float) -> str:
    """A token of these rights; `key` is (name, secret)."""
    video: dict[str, Any] = {
        "roomJoin": rights.join,
        "roomCreate": rights.create,
        "roomList": rights.list_rooms,
        "roomAdmin": rights.admin,
        "roomRecord": rights.record,
        "canPublish": bool(rights.publish),
        "canSubscribe": rights.subscribe,
    }
    if rights.room is not None:
        video["room"] = rights.room
    if rights.publish:
        video["canPublishSources"] = sorted(rights.publish)
    claims = {
        "iss": key[0],
        "sub": rights.sub,
        "name": rights.name,
        "nbf": int(now_s) - LEEWAY_S,
        "exp": rights.expires_s,
        "video": video,
        "zd": _origin(rights),
    }
    return jwt.encode(claims, key[1], algorithm=ALGORITHM)


def _origin(rights: Rights) -> dict[str, Any]:
    said: dict[str, Any] = {"role": rights.role, "by_plan": rights.by_plan, "session": rights.session}
    return {name: value for name, value in said.items() if value}


def rights_for(role: Role, sub: str, name: str, room: str | None, expires_s: int) -> Rights:
    """All that the table gives to a role."""
    grants = grants_of(role)
    return Rights(
        sub, name, role, room, expires_s,
        join="join" in grants,
        create="create" in grants,
        list_rooms="list_rooms" in grants,
        admin="admin" in grants,
        record="record" in grants,
        publish=frozenset(SOURCES) if "publish" in grants else frozenset(),
        subscribe="subscribe" in grants,
    )  # fmt: skip


def teacher_rights(sub: str, name: str, room: str | None, expires_s: int) -> Rights:
    """Teaches, watches and reads recordings of one lesson (or creates it)."""
    return rights_for("teacher", sub, name, room, expires_s)


def classroom_rights(sub: str, name: str, room: str, expires_s: int) -> Rights:
    """Watches one lesson."""
    return rights_for("classroom", sub, name, room, expires_s)


def operator_rights(sub: str, name: str, expires_s: int) -> Rights:
    """Sees and ends all lessons and reads all recordings; publishes nothing."""
    return rights_for("operator", sub, name, None, expires_s)


def _rights(claims: dict[str, Any]) -> Rights:
    video, zd = claims.get("video"), claims.get("zd")
    video = video if isinstance(video, dict) else {}
    zd = zd if isinstance(zd, dict) else {}
    sub, room = claims.get("sub"), video.get("room")
    if not isinstance(sub, str) or not 1 <= len(sub) <= 128:
        raise TokenRefused("bad_token", "the token names no participant (sub)")
    publish = _sources(video)
    role, session = zd.get("role"), zd.get("session")
    name = claims.get("name")
    return Rights(
        sub=sub,
        name=clean_name(name) if isinstance(name, str) and name else sub,
        role=cast("Role", role) if role in ROLES else _role_of(video, publish=bool(publish)),
        room=room if isinstance(room, str) and room else None,
        expires_s=int(claims["exp"]),
        join=video.get("roomJoin") is True,
        create=video.get("roomCreate") is True,
        list_rooms=video.get("roomList") is True,
        admin=video.get("roomAdmin") is True,
        record=video.get("roomRecord") is True,
        publish=publish,
        # LiveKit's default: who may join may watch, unless it is forbidden.
        subscribe=video.get("roomJoin") is True and video.get("canSubscribe") is not False,
        by_plan=zd.get("by_plan") is True,
        session=session if isinstance(session, str) else "",
    )


def _role_of(video: dict[str, Any], *, publish: bool) -> Role:
    """The role that comes nearest to a token of LiveKit's own tools, which name none."""
    if video.get("roomAdmin") is True:
        return "teacher" if publish else "operator"
    if publish or video.get("roomCreate") is True:
        return "teacher"
    if video.get("roomRecord") is True:
        return "reviewer"
    return "patrol" if video.get("roomList") is True else "classroom"


def _sources(video: dict[str, Any]) -> frozenset[Source]:
    """Publishing must be granted by name: unlike LiveKit, silence is no grant."""
    if video.get("canPublish") is not True or video.get("roomJoin") is not True:
        return frozenset()
    named = video.get("canPublishSources")
    if not isinstance(named, list) or not named:
        return frozenset(SOURCES)
    return frozenset(SOURCE_WORDS[word] for word in named if isinstance(word, str) and word in SOURCE_WORDS)


def clean_name(name: str) -> str:
    """A name for people's eyes: printable, one line, bounded; direction marks are dropped."""
    return "".join(c for c in name if c.isprintable())[:MAX_NAME].strip()
