"""`/api/library/{id}/clips`: micro-lessons as a person edits, publishes and withdraws them (PROTOCOL section 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from recorder.clips import store
from recorder.clips.store import STEPS, Book, Clip, ClipError
from signaling.auth import Rights
from signaling.messages import Refused
from signaling.web.api import may_watch
from signaling.web.common import HUB, json_body, permit, rights_of

T = TypeVar("T")
CLIP = "/api/library/{recording}/clips/{number:[0-9]{1,6}}"


def add_clips(app: web.Application) -> None:
    """Routes of micro-lessons."""
    app.router.add_get("/api/library/{recording}/clips", clips)
    app.router.add_post("/api/library/{recording}/clips/propose", propose)
    app.router.add_put(CLIP, change)
    for step in STEPS:
        app.router.add_post(f"{CLIP}/{step}", _step(step))


async def clips(request: web.Request) -> web.Response:
    """Proposals and clips; while the lesson runs, too."""
    rights = await rights_of(request)
    permit(rights, "watch_own_recordings")
    folder = await _folder(request, rights)
    book = await asyncio.to_thread(store.read, folder)
    return web.json_response(asdict(book or Book()))


async def propose(request: web.Request) -> web.Response:
    """Those that nobody touched are made anew."""
    _, folder = await _in_charge(request)

    def ask(book: Book) -> None:
        book.asked = True

    await asyncio.to_thread(_edit, folder, ask)
    return web.json_response({})


async def change(request: web.Request) -> web.Response:
    """Another time or text."""
    hub = request.app[HUB]
    rights, folder = await _in_charge(request)
    values, number = await json_body(request), int(request.match_info["number"])
    return await _answer(folder, lambda book: book.change(number, values, _who(rights), hub.now_ms()))


def _step(step: str) -> Callable[[web.Request], Any]:
    async def handler(request: web.Request) -> web.Response:
        hub = request.app[HUB]
        rights, folder = await _in_charge(request)
        number = int(request.match_info["number"])
        if step == "publish" and await asyncio.to_thread(hub.recordings.manifest, folder.name) is None:
            raise Refused("bad_message", "the lesson's recording is not there yet")
        return await _answer(folder, lambda book: book.step(number, step, _who(rights), hub.now_ms()))

    return handler


async def _answer(folder: Path, do: Callable[[Book], Clip]) -> web.Response:
    return web.json_response(asdict(await asyncio.to_thread(_edit, folder, do)))


def _edit(folder: Path, do: Callable[[Book], T]) -> T:
    try:
        with store.edit(folder) as book:
            return do(book)
    except ClipError as error:
        raise Refused("bad_message", str(error)) from None


async def _in_charge(request: web.Request) -> tuple[Rights, Path]:
    """Who may change the clips of this recording, and where they are; raises `Refused`."""
    rights = await rights_of(request)
    if not rights.may("edit_any_clips"):
        permit(rights, "edit_own_clips")
    return rights, await _folder(request, rights)


async def _folder(request: web.Request, rights: Rights) -> Path:
    hub = request.app[HUB]
    recording = request.match_info["recording"]
    allowed = await may_watch(hub, rights, recording)
    folder = await asyncio.to_thread(hub.recordings.clips_folder, recording) if allowed else None
    if folder is None:
        raise Refused("forbidden", "there is no such recording for you")
    return folder


def _who(rights: Rights) -> str:
    return rights.name or rights.sub
