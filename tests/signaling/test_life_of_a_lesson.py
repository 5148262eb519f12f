"""What a lesson survives, and how it ends: restarts, second tabs, removals, full disks, empty chairs."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from signaling.config import Config
from tests.signaling.conftest import Page, World, running, vector
from tests.signaling.fake_media import FakeMedia

TEACHER, CLASSROOM = vector("chromium_teacher"), vector("chromium_classroom")
CAMERA_ON = {"type": "sources", "microphone": True, "camera": True, "screen": False}


async def teach(page: Page) -> None:
    await page.offer(TEACHER)
    await page.say(CAMERA_ON)


def state_of(world: World, recording: str = "lesson-1") -> dict[str, Any]:
    state: dict[str, Any] = json.loads((world.data / "recordings" / recording / "lesson.json").read_text())
    return state


async def test_after_a_restart_of_signalling_pages_resume_and_media_is_not_touched(
    config: Config, tmp_path: Path
) -> None:
    async with FakeMedia(tmp_path / "media.sock") as media:
        now_ms = [1_700_000_000_000]
        async with (
            running(config, media, now_ms) as world,
            world.page(world.teacher(), "teacher") as teacher,
            world.page(world.classroom()) as classroom,
        ):
            await teach(teacher)
            await classroom.offer(CLASSROOM)
            await classroom.hear("slots", lambda m: m["slots"][2]["source"] == "camera")
            sessions = teacher.welcome["session"], classroom.welcome["session"]
        before = len(media.commands)
        async with (
            running(config, media, now_ms) as world,
            world.page(world.teacher(), "teacher", resume=sessions[0]) as teacher,
            world.page(world.classroom(), resume=sessions[1]) as classroom,
        ):
            assert teacher.welcome["resumed"] and classroom.welcome["resumed"]
            assert (teacher.welcome["session"], classroom.welcome["session"]) == sessions
            slots = await classroom.hear("slots")
            assert slots["slots"][2] == {"mid": "2", "source": "camera", "codec": "VP8"}
        done = {command["do"] for command in media.commands[before:]}
        assert not done & {"open_transport", "remove", "close_lesson", "add_publication"}


async def test_a_new_epoch_of_media_makes_everybody_rejoin_in_the_same_recording(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await classroom.offer(CLASSROOM)
        world.media.restart("epoch-2")
        assert (await teacher.hear("rejoin"))["reason"] == "media_restarted"
        await classroom.hear("rejoin")
        await teacher.offer(TEACHER, 2)
        await classroom.offer(CLASSROOM, 2)
        await classroom.hear("slots", lambda m: m["slots"][2]["source"] == "camera")
    opened = world.media.did("open_lesson")
    assert {c["lesson"] for c in opened} == {"lesson-1"} and len({c["log_dir"] for c in opened}) == 1


async def test_after_a_restart_of_everything_it_is_the_same_lesson_and_recording(
    config: Config, tmp_path: Path
) -> None:
    now_ms = [1_700_000_000_000]
    async with (
        FakeMedia(tmp_path / "media.sock") as media,
        running(config, media, now_ms) as world,
        world.page(world.teacher(), "teacher") as teacher,
    ):
        code = teacher.welcome["lesson"]["code"]
        await teach(teacher)
    now_ms[0] += 30_000
    async with FakeMedia(tmp_path / "media.sock", "epoch-2") as media, running(config, media, now_ms) as world:
        async with world.page(world.teacher(), "teacher", resume="gone") as teacher:
            assert teacher.welcome["lesson"]["code"] == code and not teacher.welcome["resumed"]
            await teach(teacher)
        assert [c["lesson"] for c in media.did("open_lesson")] == ["lesson-1"]


async def test_a_second_tab_of_the_teacher_replaces_the_first(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as first:
        await teach(first)
        async with world.page(world.teacher(), "teacher", tab="tab2") as second:
            assert (await first.hear("bye"))["reason"] == "replaced"
            assert await first.close_code() == 4000
            await teach(second)
            assert len(world.media.transports) == 1


async def test_classrooms_are_told_apart_by_their_tabs(world: World) -> None:
    async with (
        world.page(world.teacher(), "teacher"),
        world.page(world.classroom()) as one,
        world.page(world.classroom(), tab="tab2") as other,
    ):
        assert other.welcome["session"] != one.welcome["session"]
        await one.say({"type": "ping", "t": 1})
        await one.hear("pong")
        assert world.hub.rooms["lesson-1"].lesson.receivers() == 2


async def test_a_session_outlives_its_socket_by_a_minute(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher:
        await teach(teacher)
        session = teacher.welcome["session"]
    room = world.hub.rooms["lesson-1"]
    await world.settled(lambda: session in room.offline_since_ms)
    world.now_ms[0] += 59_000
    await world.hub.tick()
    assert session in room.lesson.participants and world.media.transports
    world.now_ms[0] += 2_000
    await world.hub.tick()
    assert session not in room.lesson.participants and not world.media.transports


async def test_a_page_whose_token_ran_out_is_sent_for_a_fresh_one_and_its_media_stays(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher:
        await teach(teacher)
        await world.hub.tick()
        world.hub.token_s = lambda: time.time() + 620
        await world.hub.tick()
        assert (await teacher.hear("bye"))["reason"] == "expired"
        assert await teacher.close_code() == 4000
    assert world.media.transports


async def test_ending_the_lesson_tells_everybody_and_completes_the_recording(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await teacher.say({"type": "end_lesson"})
        assert (await classroom.hear("bye"))["reason"] == "closed"
        assert await classroom.close_code() == 4000
    assert world.media.did("close_lesson") and not world.media.lessons
    assert state_of(world)["state"] == "closed" and state_of(world)["closed_ms"] == world.now_ms[0]
    async with world.http.ws_connect(world.url + "/ws") as socket:
        page = Page(socket)
        await page.say({"type": "hello", "protocol": 1, "token": world.classroom(), "page": "classroom", "tab": "t"})
        assert (await page.hear("error"))["code"] == "lesson_closed"


async def test_a_lesson_without_a_teacher_is_closed_in_the_end_and_not_before(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        world.now_ms[0] += 3_600_000
        await world.hub.tick()
        await teacher.socket.close()
        room = world.hub.rooms["lesson-1"]
        await world.settled(lambda: teacher.welcome["session"] in room.offline_since_ms)
        world.now_ms[0] += 599_000
        await world.hub.tick()
        assert "lesson-1" in world.hub.rooms
        world.now_ms[0] += 2_000
        await world.hub.tick()
        assert (await classroom.hear("bye"))["reason"] == "closed"


async def test_the_next_recording_begins_in_the_same_lesson(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        status, body, _ = await world.request("POST", "/api/lessons/lesson-1/next_recording", world.teacher())
        assert status == 200
        assert (await classroom.hear("rejoin"))["reason"] == "next_recording"
        await teacher.hear("rejoin")
        await teach(teacher)
    assert state_of(world)["state"] == "closed"
    assert state_of(world, body["recording"])["lesson"] == "lesson-1"
    assert state_of(world, body["recording"])["state"] == "live"
    assert [c["lesson"] for c in world.media.did("open_transport")] == ["lesson-1", body["recording"]]
    row = await world.hub.store.lesson_of_recording(body["recording"])
    assert row is not None and row.id == "lesson-1"


async def test_who_was_removed_stays_out_of_this_lesson(world: World) -> None:
    async with world.page(world.teacher(), "teacher"), world.page(world.classroom()) as classroom:
        await classroom.offer(CLASSROOM)
        path = "/api/lessons/lesson-1/remove"
        assert (await world.request("POST", path, world.classroom(sub="c2"), json={"sub": "c1"}))[0] == 403
        assert (await world.request("POST", path, world.teacher(), json={"sub": "c1"}))[0] == 200
        assert (await classroom.hear("bye"))["reason"] == "removed"
        assert not world.media.transports
    assert (await world.request("GET", "/api/me", world.classroom()))[0] == 403


async def test_the_code_that_a_removed_classroom_knows_leads_nowhere_and_the_teacher_sees_the_new_one(
    world: World,
) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()):
        old = teacher.welcome["lesson"]["code"]
        await world.request("POST", "/api/lessons/lesson-1/remove", world.teacher(), json={"sub": "c1"})
        new = (await teacher.hear("lesson", lambda m: m["code"] != old))["code"]
        joined = [(await world.request("POST", "/api/join", json={"code": code}))[0] for code in (old, new)]
        assert joined == [404, 200]


async def test_a_full_disk_refuses_a_new_lesson_in_words_and_lets_a_running_one_go_on(
    config: Config, tmp_path: Path
) -> None:
    full = config.model_copy(update={"recording": config.recording.model_copy(update={"min_free_bytes": 1 << 60})})
    async with FakeMedia(tmp_path / "media.sock") as media, running(full, media, [0]) as world:
        async with world.http.ws_connect(world.url + "/ws") as socket:
            page = Page(socket)
            await page.say({"type": "hello", "protocol": 1, "token": world.teacher(), "page": "teacher", "tab": "t"})
            error = await page.hear("error")
            assert error["code"] == "disk_full" and "disk" in error["detail"]
        status, body, _ = await world.request("GET", "/readyz")
        assert status == 503 and body["reasons"] == ["disk_full"]


async def test_a_recording_that_breaks_and_its_recovery_are_told_and_media_goes_on(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher:
        await teach(teacher)
        world.media.say("log", lesson="lesson-1", bytes=1000, error="disk_full")
        told = await teacher.hear("lesson", lambda m: m["recording"]["error"] is not None)
        assert told["recording"] == {"on": False, "bytes": 1000, "error": "disk_full"}
        assert told["state"] == "live" and world.media.transports
        world.media.say("log", lesson="lesson-1", bytes=2000, error=None)
        told = await teacher.hear("lesson", lambda m: m["recording"]["error"] is None)
        assert told["recording"] == {"on": True, "bytes": 2000, "error": None}


async def test_without_room_for_the_log_the_lesson_goes_on_unrecorded(world: World) -> None:
    world.media.refuse["open_lesson"] = ("disk_full", "no room")
    async with world.page(world.teacher(), "teacher") as teacher:
        await teacher.say({"type": "offer", "id": 1, "sdp": TEACHER})
        assert (await teacher.hear("error"))["code"] == "internal"  # the fake refuses the second try too
        tries = world.media.did("open_lesson")
        assert [t["log_dir"] is None for t in tries] == [False, True]


async def test_what_a_classroom_gets_is_told_as_rungs_and_its_choice_caps_it(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await classroom.offer(CLASSROOM)
        await classroom.hear("slots", lambda m: m["slots"][2]["source"] == "camera")
        slots = world.media.transports[max(world.media.transports)]["subscriptions"]
        camera = next(s["subscription"] for s in slots if s["label"]["mid"] == "2")
        world.media.say("rung", subscription=camera, spatial=1, height=360, reason="link_slow", estimate_kbps=180)
        rung = await classroom.hear("rung", lambda m: m["camera"] == 360)
        assert rung["reason"] == "link_slow" and rung["estimate_kbps"] == 180 and rung["screen"] is None
        await classroom.say({"type": "quality", "choice": "low"})
        await classroom.hear("rung", lambda m: m["choice"] == "low")
        caps = {c["subscription"]: (c["spatial"], c["fixed"]) for c in world.media.did("cap")}
        assert caps[camera] == (0, True)


async def test_rungs_of_a_new_connection_reach_the_page_and_those_of_the_old_one_do_not(world: World) -> None:
    def camera() -> int:
        slots = world.media.transports[max(world.media.transports)]["subscriptions"]
        return int(next(s["subscription"] for s in slots if s["label"]["mid"] == "2"))

    told = {"spatial": 1, "reason": "link_slow", "estimate_kbps": 180}
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await classroom.offer(CLASSROOM)
        await classroom.hear("slots", lambda m: m["slots"][2]["source"] == "camera")
        before = camera()
        world.media.say("rung", subscription=before, height=360, **told)
        await classroom.hear("rung", lambda m: m["camera"] == 360)
        mark = CLASSROOM.index("sha-256 ") + 8
        await classroom.offer(CLASSROOM.replace(CLASSROOM[mark : mark + 95], "00:" * 31 + "00"), 2)
        await classroom.hear("slots", lambda m: m["slots"][2]["source"] == "camera")
        assert camera() != before
        world.media.say("rung", subscription=before, height=90, **told)
        world.media.say("rung", subscription=camera(), height=720, **told)
        told_now = await classroom.hear("rung", lambda m: m["camera"] in (90, 720))
        assert told_now["camera"] == 720


async def test_a_classroom_that_comes_in_disturbs_no_change_that_is_under_way(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await classroom.offer(CLASSROOM)
        world.media.held["cap"] = asyncio.Event()
        await classroom.say({"type": "quality", "choice": "low"})
        await world.settled(lambda: bool(world.media.did("cap")))
        async with world.page(world.classroom(sub="c2")):
            world.media.held["cap"].set()
            await classroom.hear("rung", lambda m: m["choice"] == "low")


async def test_media_learns_how_deep_a_page_buffers_when_that_changes(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await classroom.offer(CLASSROOM)
        for target_ms in (200, 200, 600):
            await classroom.say({"type": "report", "jitter_target_ms": target_ms})
        await classroom.say({"type": "quality", "choice": "low"})
        await classroom.hear("rung", lambda m: m["choice"] == "low")
        told = [(c["transport"], c["target_ms"]) for c in world.media.did("play_out")]
        assert told == [(max(world.media.transports), 200), (max(world.media.transports), 600)]


async def test_an_ice_restart_keeps_transport_and_ssrcs_and_a_new_fingerprint_replaces_it(world: World) -> None:
    async with world.page(world.teacher(), "teacher"), world.page(world.classroom()) as classroom:
        first = await classroom.offer(CLASSROOM)
        ufrag = CLASSROOM.split("a=ice-ufrag:")[1].split("\r\n")[0]
        restarted = await classroom.offer(CLASSROOM.replace(f"a=ice-ufrag:{ufrag}", "a=ice-ufrag:other"), 2)
        ssrcs = [line for line in first.split("\r\n") if line.startswith("a=ssrc")]
        assert ssrcs and all(line in restarted for line in ssrcs)
        assert len(world.media.did("open_transport")) == 1
        mark = CLASSROOM.index("sha-256 ") + 8
        old = CLASSROOM[mark : mark + 95]
        await classroom.offer(CLASSROOM.replace(old, "00:" * 31 + "00"), 3)
        replaced = world.media.did("open_transport")[1]["replaces"]
        assert replaced is not None and len(world.media.transports) == 1


@pytest.mark.parametrize(
    ("sdp", "code"),
    [
        ("v=0", "bad_sdp"),
        (TEACHER.replace("sha-256", "sha-1"), "bad_sdp"),
        (TEACHER.replace("opus/", "speex/"), "unknown_codec"),
    ],
)
async def test_a_bad_offer_gets_its_code_and_the_session_lives(world: World, sdp: str, code: str) -> None:
    async with world.page(world.teacher(), "teacher") as teacher:
        await teacher.say({"type": "offer", "id": 9, "sdp": sdp})
        error = await teacher.hear("error")
        assert (error["id"], error["code"]) == (9, code)
        await teach(teacher)


async def test_a_classroom_may_not_publish_and_a_listener_may_not_end_the_lesson(world: World) -> None:
    async with world.page(world.teacher(), "teacher"), world.page(world.classroom()) as classroom:
        await classroom.say({"type": "offer", "id": 1, "sdp": TEACHER})
        assert (await classroom.hear("error"))["code"] == "forbidden"
        await classroom.say({"type": "end_lesson"})
        assert (await classroom.hear("error"))["code"] == "forbidden"
        assert not world.media.did("add_publication")
