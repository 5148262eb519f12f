"""`/media`: the files of the library, for a short-lived cookie or a bearer token."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from aiohttp import web

from recorder.clips.store import file_states
from signaling.auth import Rights
from signaling.hub import Hub
from signaling.messages import Refused
from signaling.people.devices import device_or_none
from signaling.web.api import classroom_viewer, may_watch
from signaling.web.common import HUB, bearer, permit, rights_of, set_secret

COOKIE = "zd_media"
COOKIE_S = 600
TYPES = {
    ".webm": "video/webm",
    ".mp4": "video/mp4",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
}


def add_media(app: web.Application) -> None:
    """Routes of the library's files."""
    app.router.add_post("/api/library/session", open_session)
    app.router.add_get("/media/{recording}/{file}", media_file)


async def open_session(request: web.Request) -> web.Response:
    """A cookie that lets `<video>` read what the token may read."""
    hub = request.app[HUB]
    rights = await rights_of(request)
    permit(rights, "watch_own_recordings")
    response = web.json_response({})
    set_secret(request, response, COOKIE, _seal(hub, rights, int(time.time()) + COOKIE_S), COOKIE_S, "/media")
    return response


async def media_file(request: web.Request) -> web.StreamResponse:
    """One immutable file; FileResponse answers Range and conditions."""
    hub = request.app[HUB]
    rights = await _viewer(request, hub)
    recording = request.match_info["recording"]
    if not await may_watch(hub, rights, recording):
        raise Refused("forbidden", "there is no such recording for you")
    name = request.match_info["file"]
    state = await asyncio.to_thread(_clip_state, hub, recording, name)
    if state is not None and state != "published":
        raise Refused("forbidden", "this clip was withdrawn")
    path = await asyncio.to_thread(hub.recordings.media_file, recording, name)
    if path is None:
        raise web.HTTPNotFound
    # A clip may be withdrawn: browsers ask each time whether they may show what they have.
    cache = "private, max-age=31536000, immutable" if state is None else "private, no-cache"
    headers = {"Content-Type": TYPES[path.suffix], "Cache-Control": cache}
    return web.FileResponse(path, headers=headers)


def _clip_state(hub: Hub, recording: str, file: str) -> str | None:
    """The state of the clip that the file is of; None where it is of none."""
    folder = hub.recordings.clips_folder(recording)
    return file_states(folder).get(file) if folder is not None else None


async def _viewer(request: web.Request, hub: Hub) -> Rights:
    device = None if "Authorization" in request.headers else await device_or_none(request)
    if device is not None:
        return classroom_viewer(device)
    sealed = request.cookies.get(COOKIE)
    if sealed is not None and "Authorization" not in request.headers:
        rights = _open(hub, sealed)
        if rights.room is not None and await hub.store.revoked(rights.room, rights.sub):
            raise Refused("forbidden", "you were removed from this lesson")
        return rights
    return await hub.rights(bearer(request))


def _seal(hub: Hub, rights: Rights, expires_s: int) -> str:
    body: dict[str, Any] = {
        "sub": rights.sub,
        "role": rights.role,
        "room": rights.room,
        "create": rights.create,
        "record": rights.record,
        "exp": expires_s,
    }
    raw = urlsafe_b64encode(json.dumps(body).encode())
    return f"{raw.decode()}.{_mac(hub, raw)}"


def _open(hub: Hub, sealed: str) -> Rights:
    raw, _, mac = sealed.partition(".")
    if not hmac.compare_digest(_mac(hub, raw.encode()).encode(), mac.encode()):
        raise Refused("bad_token", "the media cookie is not ours")
    body = json.loads(urlsafe_b64decode(raw))
    if body["exp"] < time.time():
        raise Refused("expired_token", "the media cookie has expired")
    return Rights(
        body["sub"], "", body["role"], body["room"], body["exp"], create=body["create"], record=body["record"]
    )


def _mac(hub: Hub, raw: bytes) -> str:
    secret = next(iter(hub.keys.values())).encode()
    return hmac.new(secret, b"zd_media:" + raw, hashlib.sha256).hexdigest()
