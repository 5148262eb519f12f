"""One attempt for each action of the rights table, over the wire: True when the server let it happen."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable

from signaling.auth import Rights, rights_for, teacher_rights
from signaling.people.rights_table import Action, Role
from tests.signaling.conftest import World, vector

SUB = "p-one"  # whose token is tried
OWN, OTHER = "own-lesson", "other-lesson"
# Who teaches comes with a token of the own lesson, as `POST /api/lessons` gives it; others see all, or sit in one.
ROOMS: dict[Role, str | None] = {
    "teacher": OWN, "assistant": OTHER, "classroom": OTHER, "reviewer": None, "patrol": None, "operator": None,
}  # fmt: skip
Attempt = Callable[[World, Role], Awaitable[bool]]


def rights(role: Role, room: str | None) -> Rights:
    """What the table gives to this role."""
    return rights_for(role, SUB, "某人", room, int(time.time()) + 600)


def token(world: World, role: Role) -> str:
    """A token of the role as it is given out."""
    return world.token(rights(role, ROOMS[role]))


async def prepare(world: World) -> None:
    """A lesson of one's own, one of somebody else, and a recording of each."""
    for lesson, sub in ((OWN, SUB), (OTHER, "somebody")):
        await world.hub.create(teacher_rights(sub, "王老师", lesson, int(time.time()) + 600), "分数", lesson)
        folder = world.data / "library" / lesson
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(
            json.dumps({"id": lesson, "title": "分数", "started_ms": 0, "tracks": []})
        )


async def _publish(world: World, role: Role) -> bool:
    return await _offer(world, role, "chromium_teacher")


async def _receive(world: World, role: Role) -> bool:
    return await _offer(world, role, "chromium_classroom")


async def _offer(world: World, role: Role, sdp: str) -> bool:
    lesson = OWN if role == "teacher" else OTHER
    async with world.page(world.token(rights(role, lesson))) as page:
        await page.say({"type": "offer", "id": 1, "sdp": vector(sdp)})
        while True:
            said = await page.socket.receive_json(timeout=60)
            if said["type"] in ("answer", "error"):
                return bool(said["type"] == "answer")


async def _asks(world: World, role: Role, method: str, path: str) -> bool:
    status, body, _ = await world.request(method, path, token(world, role))
    assert status < 300 or (status == 403 and body["code"] == "forbidden"), (status, body)
    return status < 300


async def _list_lessons(world: World, role: Role) -> bool:
    return await _asks(world, role, "GET", "/api/lessons")


async def _list_all(world: World, role: Role) -> bool:
    status, body, _ = await world.request("GET", "/api/lessons", token(world, role))
    return status == 200 and OTHER in {row["id"] for row in body["lessons"]}


async def _see_table(world: World, role: Role) -> bool:
    async with world.page(world.token(rights(role, OWN))) as page:
        await page.say({"type": "ping", "t": 1})
        await page.hear("pong")
        world.hub.publish_table()
        await page.say({"type": "ping", "t": 2})
        while True:
            said = await page.socket.receive_json(timeout=60)
            if said["type"] in ("table", "pong"):
                return bool(said["type"] == "table")


def _call(method: str, path: str) -> Attempt:
    async def attempt(world: World, role: Role) -> bool:
        return await _asks(world, role, method, path)

    return attempt


def _says(word: dict[str, object]) -> Attempt:
    async def attempt(world: World, role: Role) -> bool:
        async with world.page(world.token(rights(role, OWN if role == "teacher" else OTHER))) as page:
            await page.say(word)
            await page.say({"type": "ping", "t": 1})
            while True:
                said = await page.socket.receive_json(timeout=60)
                if said["type"] in ("error", "pong"):
                    return not (said["type"] == "error" and said["code"] == "forbidden")

    return attempt


ATTEMPTS: dict[Action, Attempt] = {
    "publish": _publish,
    "receive": _receive,
    "raise_hand": _says({"type": "hand", "up": True}),
    "call_to_stage": _says({"type": "hush", "on": True}),
    "take_over": _says({"type": "take_over"}),
    "open_lesson": _call("POST", "/api/lessons"),
    "run_own_lesson": _call("POST", f"/api/lessons/{OWN}/next_recording"),
    "run_any_lesson": _call("POST", f"/api/lessons/{OTHER}/close"),
    "list_lessons": _list_lessons,
    "list_all_lessons": _list_all,
    "see_table": _see_table,
    "watch_own_recordings": _call("GET", f"/api/library/{OWN}"),
    "edit_own_clips": _call("POST", f"/api/library/{OWN}/clips/propose"),
    "edit_any_clips": _call("POST", f"/api/library/{OTHER}/clips/propose"),
    "manage_people": _call("GET", "/api/people"),
    "watch_all_recordings": _call("GET", f"/api/library/{OTHER}"),
    "see_plan": _call("GET", "/api/plan"),
    "manage_plan": _call("DELETE", "/api/plan/periods/1"),
    "see_data": _call("GET", "/api/data"),
    "check_line": _call("POST", "/api/checks/begin"),
    "see_checks": _call("GET", "/api/checks"),
}
