"""Who comes in, who stays out, and who teaches when the teacher's line is dead."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from signaling.auth import rights_for
from signaling.config import Config
from tests.signaling.conftest import Page, World, running
from tests.signaling.fake_media import FakeMedia
from tests.signaling.stage.seats import ALL_ON, CLASSROOM, TEACHER, attending, seated, teaching

TRIES = 20


@asynccontextmanager
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """A browser with cookies of its own."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield http


async def join(world: World, http: aiohttp.ClientSession, code: str, name: str) -> tuple[int, dict[str, Any]]:
    async with http.post(world.url + "/api/join", json={"code": code, "name": name}) as answer:
        return answer.status, await answer.json()


async def come_in(world: World, http: aiohttp.ClientSession, token: str, tab: str) -> dict[str, Any]:
    """What the server says to a hello."""
    async with http.ws_connect(world.url + "/ws") as socket:
        page = Page(socket)
        await page.say({"type": "hello", "protocol": 1, "token": token, "page": "classroom", "tab": tab})
        return dict(await socket.receive_json())


async def test_twenty_tries_of_a_removed_classroom_under_new_names_all_fail(world: World) -> None:
    async with teaching(world) as teacher, browser() as http:
        room = world.hub.rooms["lesson-1"]
        _, body = await join(world, http, room.row.code, "Village 1")
        async with http.ws_connect(world.url + "/ws") as socket:
            page = Page(socket)
            await page.say({"type": "hello", "protocol": 1, "token": body["token"], "page": "classroom", "tab": "mine"})
            page.welcome = await page.hear("welcome")
            seat = await seated(world, page, CLASSROOM)
            row = (await teacher.page.hear("tiles", lambda m: len(m["rows"]) > 0))["rows"][0]
            await world.request("POST", "/api/lessons/lesson-1/remove", world.teacher(), json={"sub": row["sub"]})
            assert (await page.hear("bye"))["reason"] == "removed"
            assert seat.handle not in world.media.transports
        new_code = room.row.code
        for number in range(TRIES):
            status, body = await join(world, http, new_code, f"Village {number + 2}")
            assert (status, body["code"]) == (403, "forbidden")
            stranger = world.classroom(sub=f"somebody-{number}")
            assert (await come_in(world, http, stranger, f"tab {number}"))["type"] == "error", "the same browser"
            async with browser() as other:
                assert (await come_in(world, other, stranger, "mine"))["type"] == "error", "the same tab"
        assert room.lesson.receivers() == 0
        async with browser() as other:
            assert (await come_in(world, other, world.classroom(sub="c7"), "theirs"))["type"] == "welcome"
            assert (await come_in(world, http, world.teacher(sub="t2"), "t"))["type"] == "welcome", "who teaches here"


async def test_into_a_locked_lesson_comes_back_who_was_there_and_nobody_else(world: World) -> None:
    async with teaching(world) as teacher:
        async with attending(world) as classroom:
            await teacher.say("lock", on=True)
            await teacher.page.hear("tiles", lambda m: m["locked"])
            session = classroom.page.welcome["session"]
        async with browser() as http:
            refused = await come_in(world, http, world.classroom(sub="c2"), "tab of c2")
            assert (refused["type"], refused["code"]) == ("error", "locked_lesson")
        status, body, _ = await world.request(
            "POST", "/whep/lesson-1", world.classroom(sub="c3"), data="v=0", headers={"Content-Type": "application/sdp"}
        )
        assert body["code"] == "locked_lesson" and status >= 400
        async with attending(world, resume=session), attending(world, sub="c1", page="classroom"):
            pass
        await teacher.say("lock", on=False)
        await teacher.page.hear("tiles", lambda m: not m["locked"])
        async with attending(world, "c2"):
            pass


def assistant(world: World) -> str:
    return world.token(rights_for("assistant", "p-9", "张伟", "lesson-1", int(time.time()) + 600))


async def test_an_assistant_takes_over_when_the_line_was_dead_for_ten_seconds_and_gives_back(world: World) -> None:
    async with (
        teaching(world) as teacher,
        world.page(assistant(world), tab="a1") as helper,
        attending(world) as classroom,
    ):
        await world.hub.tick()
        await helper.say({"type": "take_over"})
        assert (await helper.hear("error"))["code"] == "busy"
        world.media.say("failed", transport=teacher.handle)
        await teacher.page.hear("rejoin")
        world.now_ms[0] += 11_000
        await world.hub.tick()
        await helper.say({"type": "take_over"})
        token = (await helper.hear("taken_over"))["token"]
        async with world.page(token, "teacher", tab="a2") as stand_in:
            instead = await seated(world, stand_in, TEACHER)
            await stand_in.say(ALL_ON)
            await world.settled(lambda: classroom.hears("microphone") == instead.publication("microphone"))
            assert (await classroom.page.hear("stage"))["taken_over"] == "张伟"
            await stand_in.say({"type": "stage", "id": classroom.tile, "on": True})
            await world.settled(classroom.is_granted)
            back = await seated(world, teacher.page, TEACHER)
            await teacher.page.say(ALL_ON)
            await teacher.page.say({"type": "ping", "t": 1})
            await teacher.page.hear("pong")
            assert classroom.hears("microphone") == instead.publication("microphone"), (
                "the teacher's return ends nothing"
            )
            await stand_in.say({"type": "give_back"})
            assert (await stand_in.hear("bye"))["reason"] == "removed"
        await world.settled(lambda: classroom.hears("microphone") == back.publication("microphone"))
        assert (await classroom.page.hear("stage", lambda m: m["taken_over"] is None))["places"][0]["own"]
        async with browser() as http:
            assert (await come_in(world, http, token, "a3"))["type"] == "error", "that time is over"


async def test_an_assistant_who_comes_too_late_does_not_take_the_lesson_from_its_teacher(world: World) -> None:
    async with teaching(world), world.page(assistant(world), tab="a1") as helper, browser() as http:
        world.now_ms[0] += 11_000
        await helper.say({"type": "take_over"})
        token = (await helper.hear("taken_over"))["token"]
        await world.hub.tick()
        assert (await come_in(world, http, token, "a2"))["code"] == "busy"


async def test_a_lesson_is_hushed_and_locked_over_a_restart_and_not_when_it_is_held_again(
    config: Config, tmp_path: Path
) -> None:
    now_ms = [1_700_000_000_000]
    async with FakeMedia(tmp_path / "media.sock") as media:
        async with running(config, media, now_ms) as world, teaching(world) as teacher, attending(world) as classroom:
            await teacher.say("hush", on=True)
            await teacher.say("lock", on=True)
            await teacher.page.hear("tiles", lambda m: m["hush"] and m["locked"])
            sessions = teacher.page.welcome["session"], classroom.page.welcome["session"]
        async with (
            running(config, media, now_ms) as world,
            browser() as http,
            world.page(world.teacher(), "teacher", resume=sessions[0]) as page,
        ):
            await page.hear("tiles", lambda m: m["hush"] and m["locked"])
            assert (await come_in(world, http, world.classroom(sub="c2"), "tab of c2"))["code"] == "locked_lesson"
            assert (await come_in(world, http, world.classroom(), "tab of c1"))["type"] == "welcome"
            await page.say({"type": "end_lesson"})
            await page.hear("bye")
        async with running(config, media, now_ms) as world:
            assert await world.hub._tools.doors.of("lesson-1") == (False, None)
