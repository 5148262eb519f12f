"""`/api/…/questions`: the list of a lesson, also long after it, and its answers (PROTOCOL 4.5)."""

from __future__ import annotations

from aiohttp import web

from signaling.auth import Rights
from signaling.messages import Refused
from signaling.people.devices import device_of
from signaling.questions.desk import MAX_TEXT
from signaling.store import LessonRow
from signaling.web.common import HUB, json_body, permit, rights_of, text_field


def add_questions(app: web.Application) -> None:
    """Routes of questions."""
    app.router.add_get("/api/questions", lessons)
    app.router.add_get("/api/lessons/{lesson}/questions", questions)
    app.router.add_put("/api/lessons/{lesson}/questions/{question:[0-9]{1,15}}", answer)
    app.router.add_delete("/api/lessons/{lesson}/questions/{question:[0-9]{1,15}}", remove)


async def lessons(request: web.Request) -> web.Response:
    """The lessons in which something was asked."""
    rights = await rights_of(request)
    permit(rights, "run_own_lesson")
    own = None if rights.may("run_any_lesson") else rights.sub
    return web.json_response({"lessons": await request.app[HUB].questions.store.lessons(own)})


async def questions(request: web.Request) -> web.Response:
    """All of a lesson for who runs it, the own for who asked."""
    hub, lesson = request.app[HUB], request.match_info["lesson"]
    if "Authorization" not in request.headers:
        sub: str | None = (await device_of(request)).id
    else:
        rights = await rights_of(request)
        sub = None if _runs(rights, await hub.store.lesson(lesson)) else rights.sub
    rows = await hub.questions.store.of_lesson(lesson, sub)
    return web.json_response({"questions": [row.row() for row in rows]})


async def answer(request: web.Request) -> web.Response:
    """In writing; an empty text: it was answered aloud."""
    lesson, number = await _in_charge(request)
    text = text_field(await json_body(request), "text", MAX_TEXT)
    return web.json_response((await request.app[HUB].questions.answer(lesson, number, text)).row())


async def remove(request: web.Request) -> web.Response:
    """Off the list."""
    lesson, number = await _in_charge(request)
    await request.app[HUB].questions.remove(lesson, number)
    return web.json_response({})


async def _in_charge(request: web.Request) -> tuple[str, int]:
    """Lesson and number of the path, for who runs the lesson; raises `Refused`."""
    rights, lesson = await rights_of(request), request.match_info["lesson"]
    if not _runs(rights, await request.app[HUB].store.lesson(lesson)):
        raise Refused("forbidden", "this is for the teacher of the lesson or an operator")
    return lesson, int(request.match_info["question"])


def _runs(rights: Rights, row: LessonRow | None) -> bool:
    """Its teacher, its assistants, or an operator."""
    if rights.may("run_any_lesson"):
        return True
    seated = row is not None and rights.room == row.id and rights.may("call_to_stage")
    return seated or (row is not None and row.teacher == rights.sub and rights.may("run_own_lesson"))
