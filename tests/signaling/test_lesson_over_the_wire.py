"""A lesson as its pages live it: WebSocket in front, media commands behind."""

from __future__ import annotations

import json

from tests.signaling.conftest import Page, World, vector


async def test_a_teacher_and_a_classroom_meet_and_slots_are_connected(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher:
        assert teacher.welcome["lesson"]["id"] == "lesson-1"
        answer = await teacher.offer(vector("chromium_teacher"))
        assert "a=ice-lite" in answer and "a=setup:passive" in answer
        await teacher.say({"type": "sources", "microphone": True, "camera": True, "screen": False})
        async with world.page(world.classroom()) as classroom:
            await classroom.offer(vector("chromium_classroom"))
            slots = await classroom.hear("slots", lambda m: any(s["source"] for s in m["slots"]))
            assert [s["source"] for s in slots["slots"]] == ["microphone", None, "camera", None, None, None]
            live = await classroom.hear("lesson", lambda m: m["state"] == "live")
            assert live["sources"] == {"microphone": True, "camera": True, "screen": False}
            assert live["receivers"] == 1
            await teacher.say({"type": "sources", "microphone": True, "camera": True, "screen": True})
            await classroom.hear("slots", lambda m: m["slots"][3]["source"] == "screen")
    published = {c["source"] for c in world.media.did("add_publication")}
    assert published == {"microphone", "camera", "screen"}
    state = json.loads((world.data / "recordings" / "lesson-1" / "lesson.json").read_text())
    assert state["state"] == "live" and state["teacher"] == "王老师"


async def test_an_offer_may_follow_the_hello_without_waiting_for_the_welcome(world: World) -> None:
    async with world.page(world.teacher(), "teacher"), world.http.ws_connect(world.url + "/ws") as socket:
        classroom = Page(socket)
        hello = {"type": "hello", "protocol": 1, "token": world.classroom(), "page": "classroom", "tab": "tab1"}
        await classroom.say(hello)
        await classroom.say({"type": "offer", "id": 1, "sdp": vector("chromium_classroom")})
        await classroom.hear("welcome")
        assert "a=ice-lite" in (await classroom.hear("answer"))["sdp"]
        assert len((await classroom.hear("slots"))["slots"]) == 6
