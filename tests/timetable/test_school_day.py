"""A whole school day in virtual time, over the wire: lessons open, change hands, overrun and close by themselves."""

from __future__ import annotations

import json
from typing import Any

from signaling.config import Config
from tests.signaling.conftest import Page, vector
from tests.signaling.fake_media import FakeMedia
from tests.timetable.conftest import School, open_school
from tests.timetable.test_values import MONDAY, at

TEACHER, CLASSROOM = vector("chromium_teacher"), vector("chromium_classroom")
ON_AIR = {"type": "sources", "microphone": True, "camera": True, "screen": False}


async def teach(page: Page) -> dict[str, Any]:
    await page.offer(TEACHER)
    await page.say(ON_AIR)
    return await page.hear("lesson", lambda m: m["state"] == "live")


async def change(school: School, **body: Any) -> tuple[int, Any]:
    return await school.operator("POST", "/api/plan/changes", body)


async def handed_over(school: School, lesson: str) -> str:
    """Five minutes before the bell somebody else takes a lesson over; the token of who does."""
    await school.until(7, 55)
    status, answer = await school.start(lesson)
    assert status == 200
    async with school.world.page(answer["token"], "teacher") as before:
        assert (await change(school, lesson=lesson, teacher="t2"))[0] == 200
        assert (await before.hear("bye"))["reason"] == "removed"
    assert (await school.start(lesson))[0] == 403
    status, answer = await school.start(lesson, "t2", "李华")
    assert status == 200
    shown = (await school.day())["lessons"][0]
    assert (shown["teacher"], shown["id"]) == ("李华", lesson)
    return str(answer["token"])


async def test_a_school_day_runs_by_itself_through_changes_overrun_and_a_restart(
    config: Config, media: FakeMedia
) -> None:
    now_ms = [at(MONDAY, 7)]
    async with open_school(config, media, now_ms) as school:
        maths = f"p{await school.add('08:00', '08:40', '数学')}-20261123"
        music = f"p{await school.add('09:00', '09:40', '音乐')}-20261123"
        art = f"p{await school.add('10:00', '10:40', '美术', 'lihua')}-20261123"
        english = f"p{await school.add('11:00', '11:40', '英语')}-20261123"
        assert await school.states() == [(s, "planned") for s in ("数学", "音乐", "美术", "英语")]
        await school.until(7, 49, 59)
        assert (await school.ticket("d1", maths))[0] == 404
        await school.until(7, 50)
        assert (await school.states())[0] == ("数学", "open")

        token = await handed_over(school, maths)

        # The classroom goes in; the lesson lasts three minutes longer than planned.
        async with school.world.page(token, "teacher") as teacher:
            assert teacher.welcome["lesson"]["title"] == "数学"
            await teach(teacher)
            status, ticket = await school.ticket("d1", maths)
            assert status == 200
            async with school.world.page(ticket["token"]) as classroom:
                assert classroom.welcome["name"] == "枫林教学点 三年级教室"
                await classroom.offer(CLASSROOM)
                await classroom.hear("slots", lambda m: m["slots"][2]["source"] == "camera")
                await school.until(8, 43)
                assert (await school.states())[0] == ("数学", "live")
                await school.until(8, 45)
                assert (await classroom.hear("bye"))["reason"] == "closed"
        assert (await school.states())[:2] == [("数学", "over"), ("音乐", "planned")]
        state = json.loads((config.data_dir / "recordings" / maths / "lesson.json").read_text())
        assert (state["state"], state["teacher"], state["title"]) == ("closed", "李华", "数学")

        # The music lesson falls out; nobody is led into it.
        assert (await change(school, lesson=music, cancelled=True))[0] == 200
        await school.until(9, 10)
        assert (await school.states())[1] == ("音乐", "cancelled")
        assert (await school.ticket("d1", music))[0] == 404

        await school.until(10, 15)
        status, answer = await school.start(art, "t2", "李华")
        assert status == 200
    # The server is killed in mid-lesson, and comes back ten minutes later.
    now_ms[0] = at(MONDAY, 10, 25)
    async with open_school(config, media, now_ms, school.secrets) as again:
        assert (await again.states())[2] == ("美术", "open")
        async with again.world.page(answer["token"], "teacher") as teacher:
            await teach(teacher)
            assert (await again.states())[2] == ("美术", "live")
        await again.until(10, 45)  # nobody is there any more
        assert (await again.states())[2:] == [("美术", "over"), ("英语", "planned")]
        await again.until(10, 50)
        assert (await again.states())[3] == ("英语", "open")
        await again.until(11, 40)
        assert {state for _, state in await again.states()} == {"over", "cancelled"}
        assert not again.world.hub.rooms
        assert english not in {command["lesson"] for command in media.did("open_lesson")}  # nobody came


async def test_only_the_classes_of_a_lesson_are_let_in(school: School) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学', classes=['k1', 'k3'])}-20261123"
    await school.until(8)
    assert [(await school.ticket(device, lesson))[0] for device in ("d1", "d2", "d3")] == [200, 403, 200]
    _, refused = await school.ticket("d2", lesson)
    assert refused["code"] == "forbidden" and refused["detail"]
    assert (await school.day("d2"))["lessons"] == []
    assert not school.world.hub.rooms[lesson].row.open


async def by_code(school: School, device: str, lesson: str) -> str:
    """The token of a classroom that typed the lesson's six digits."""
    body = {"code": school.world.hub.rooms[lesson].row.code, "name": ""}
    status, answer, _ = await school.device(device, "POST", "/api/join", json=body)
    assert status == 200, answer
    return str(answer["token"])


async def replan(school: School, lesson: str, classes: list[str]) -> None:
    """From now on the period is for these classes."""
    hours = {"weekday": "1", "begin": "08:00", "end": "08:40", "subject": "数学", "teacher": "wangfang"}
    path = f"/api/plan/periods/{lesson.partition('-')[0][1:]}"
    assert (await school.operator("PUT", path, {**hours, "classes": classes}))[0] == 200


async def test_a_class_taken_out_of_a_lesson_leaves_it_at_once_and_comes_back_when_it_is_planned_again(
    school: School,
) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学', classes=['k1', 'k3'])}-20261123"
    await school.until(8)
    media, world = school.world.media, school.world
    planned, stays = [(await school.ticket(device, lesson))[1]["token"] for device in ("d1", "d3")]
    guest = await by_code(school, "d2", lesson)
    async with world.page(planned) as out, world.page(stays) as other, world.page(guest) as by_hand:
        for page in (out, other, by_hand):
            await page.offer(CLASSROOM)
        first = min(media.transports)
        await replan(school, lesson, ["k3"])
        assert (await out.hear("bye"))["reason"] == "removed"
        assert [c["handle"] for c in media.did("remove")] == [first]
        # Neither its token of before nor a new one opens the door; the code does.
        assert (await world.request("POST", "/api/token/refresh", planned))[0] == 403
        assert (await school.ticket("d1", lesson))[0] == 403
        async with world.page(await by_code(school, "d1", lesson)) as back:
            await back.offer(CLASSROOM)
            await school.until(8, 2)
            assert len(media.did("remove")) == 1
        await replan(school, lesson, ["k1", "k3"])
        async with world.page((await school.ticket("d1", lesson))[1]["token"]) as again:
            await again.offer(CLASSROOM)
            await school.until(8, 4)
            for page in (again, other, by_hand):
                await page.say({"type": "ping", "t": 1})
                await page.hear("pong")


async def test_a_classroom_that_the_roster_moves_to_another_class_leaves_the_lesson_of_its_old_one(
    school: School,
) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学')}-20261123"
    await school.until(8)
    async with school.world.page((await school.ticket("d1", lesson))[1]["token"]) as page:
        hub = school.world.hub
        await hub.store.database.connection.execute("UPDATE classrooms SET class = 'k3' WHERE id = 'd1'")
        await hub.register.load()
        await hub.tick()
        assert (await page.hear("bye"))["reason"] == "removed"


async def test_who_watches_only_gets_no_right_to_speak(school: School) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学', mode='observe')}-20261123"
    await school.until(8)
    assert (await school.day())["lessons"][0]["mode"] == "observe"
    async with school.world.page((await school.ticket("d1", lesson))[1]["token"]) as page:
        await page.say({"type": "offer", "id": 1, "sdp": TEACHER})
        assert (await page.hear("error"))["code"] == "forbidden"


async def test_a_lesson_taken_back_from_cancelling_opens_again_and_goes_on_recording(school: School) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学')}-20261123"
    await school.until(8)
    async with school.world.page((await school.start(lesson))[1]["token"], "teacher") as teacher:
        await teach(teacher)
        await change(school, lesson=lesson, cancelled=True)
        await teacher.hear("bye")
    await school.until(8, 5)
    assert (await school.operator("DELETE", f"/api/plan/changes/{lesson}"))[0] == 200
    assert await school.states() == [("数学", "open")]
    async with school.world.page((await school.start(lesson))[1]["token"], "teacher") as teacher:
        await teach(teacher)
    assert [c["lesson"] for c in school.world.media.did("open_lesson")] == [lesson, f"{lesson}-20261123000500"]


async def test_whoever_taught_before_stays_outside_also_after_the_lesson_opens_again_and_may_come_back(
    school: School,
) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学')}-20261123"
    await school.until(8)
    first = (await school.start(lesson))[1]["token"]
    assert (await school.world.request("POST", f"/api/lessons/{lesson}/close", first))[0] == 200
    await change(school, lesson=lesson, teacher="t2")
    assert await school.states() == [("数学", "open")]
    assert (await school.world.request("GET", "/api/me", first))[0] == 403
    await change(school, lesson=lesson, cancelled=True)
    await change(school, lesson=lesson, cancelled=False, teacher=None)
    assert await school.states() == [("数学", "open")]
    assert (await school.world.request("GET", "/api/me", first))[0] == 200


async def test_a_lesson_ended_by_its_teacher_stays_ended_until_the_teacher_begins_it_again(school: School) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学')}-20261123"
    await school.until(8)
    token = school.signed_in()
    assert (await school.world.request("POST", f"/api/lessons/{lesson}/close", token))[0] == 200
    await school.until(8, 10)
    assert await school.states() == [("数学", "over")]
    assert (await school.start(lesson))[0] == 200
    await school.until(8, 20)
    assert await school.states() == [("数学", "open")]


async def test_a_lesson_moved_later_waits_and_keeps_its_id(school: School) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学')}-20261123"
    await school.until(7, 30)
    assert (await change(school, lesson=lesson, begin="14:00", end="14:40"))[0] == 200
    await school.until(8)
    assert await school.states() == [("数学", "planned")]
    await school.until(13, 50)
    assert await school.states() == [("数学", "open")]
    assert (await school.ticket("d1", lesson))[0] == 200


async def test_a_period_without_recording_is_not_recorded(school: School) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学', record='否')}-20261123"
    await school.until(8)
    async with school.world.page((await school.start(lesson))[1]["token"], "teacher") as teacher:
        assert (await teach(teacher))["recording"]["on"] is False
    assert [c["log_dir"] for c in school.world.media.did("open_lesson")] == [None]


async def test_a_teacher_sees_the_day_and_begins_an_hour_early_but_not_earlier(school: School) -> None:
    lesson = f"p{await school.add('09:30', '10:10', '数学')}-20261123"
    await school.add("10:30", "11:10", "美术", "lihua")
    status, day, _ = await school.world.request("GET", "/api/teacher/day", school.signed_in())
    assert status == 200 and [(row["subject"], row["may_begin"]) for row in day["lessons"]] == [("数学", False)]
    assert (await school.start(lesson))[0] == 410
    await school.until(8, 30)
    assert (await school.start(lesson))[0] == 200
    await school.until(8, 35)
    assert await school.states() == [("数学", "open"), ("美术", "planned")]


async def test_a_clip_has_no_room_and_is_on_at_its_hour(school: School) -> None:
    folder = school.world.data / "library" / "clip-1"
    folder.mkdir(parents=True)
    manifest = {"id": "clip-1", "title": "彩虹", "started_ms": 0, "tracks": [{"bytes": 700}, {"bytes": 300}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    await school.add("08:00", "08:40", "科学", "", mode="录播", clip="clip-1")
    day = await school.day()
    assert day["clips"] == [{"recording": "clip-1", "bytes": 1000, "use_ms": at(MONDAY, 8)}]
    assert (day["lessons"][0]["clip"], day["lessons"][0]["state"], day["asks"]["check"]) == ("clip-1", "planned", None)
    await school.until(8)
    assert await school.states() == [("科学", "live")] and not school.world.hub.rooms
    await school.until(8, 40)
    assert await school.states() == [("科学", "over")]
