"""Sent away for good: the account, the tab and the browser of who was removed come into this lesson no more."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from aiohttp import web

from signaling.auth import Rights
from signaling.messages import Refused
from signaling.web.common import set_secret
from streaming.errors import MediaError

if TYPE_CHECKING:
    from signaling.hub import Hub
    from signaling.room import Room

COOKIE = "zd_browser"  # an own random number, so that another name does not make another browser
COOKIE_S = 400 * 86_400
LONGEST = 64


def browser_of(request: web.Request) -> str:
    """The number of the browser that asks, "" where it has none yet."""
    return request.cookies.get(COOKIE, "")[:LONGEST]


def give_number(request: web.Request, response: web.StreamResponse) -> str:
    """The number of this browser, a new one where it has none."""
    number = browser_of(request)
    if not number:
        number = secrets.token_urlsafe(16)
        set_secret(request, response, COOKIE, number, COOKIE_S, "/")
    return number


async def refuse_removed(hub: Hub, rights: Rights, *, tab: str, browser: str) -> None:
    """Refuse who was removed before under another name; raises `Refused`. Who teaches may sit at the same computer."""
    if rights.room is None or rights.publish or rights.may("see_table"):
        return
    for key in _keys(tab, browser):
        if await hub.store.revoked(rights.room, key):
            raise Refused("forbidden", "you were removed from this lesson")


async def remove(hub: Hub, room: Room, sub: str) -> None:
    """Send a participant away: its packets stop before anything else is done, and the code that it knows is void."""
    await hub.store.revoke(room.row.id, sub, hub.now_ms())
    gone = [one for one in room.lesson.participants.values() if one.rights.sub == sub]
    for participant in gone:
        if participant.transport is not None:
            with contextlib.suppress(MediaError):
                await hub.media.remove(participant.transport.handle)
    for participant in gone:
        for key in _keys(participant.tab, participant.browser) if not participant.is_output else ():
            await hub.store.revoke(room.row.id, key, hub.now_ms())
    await hub.renew_code(room)
    for participant in gone:
        await room.leave(participant, "removed")


def _keys(tab: str, browser: str) -> list[str]:
    """Beside the accounts in the table of who was sent away; no `sub` begins so."""
    return [f"{kind}\n{value}" for kind, value in (("tab", tab), ("browser", browser)) if value]
