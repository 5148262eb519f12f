"""Questions of a lesson: asked while it is on, answered then or long after, read by whom they concern, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from signaling.questions.desk import ASK_EVERY_S, DAY_MS, QuestionDesk, readable
from signaling.questions.store import MAX_UNANSWERED
from tests.signaling.conftest import World

PATH = "/api/lessons/lesson-1/questions"


async def listed(world: World, token: str, path: str = PATH) -> list[dict[str, Any]]:
    """The list as somebody gets it."""
    status, body, _ = await world.request("GET", path, token)
    assert status == 200, body
    rows: list[dict[str, Any]] = body["questions"]
    return rows


def asking_at_will(world: World) -> list[float]:
    """A clock for the limits, turned by hand."""
    now_s = [0.0]
    world.hub.questions = QuestionDesk(world.hub, lambda: now_s[0])
    return now_s


async def test_a_question_reaches_the_teacher_and_its_answer_who_asked_and_nobody_else(world: World) -> None:
    asking_at_will(world)
    async with (
        world.page(world.teacher(), "teacher") as teacher,
        world.page(world.classroom(sub="c1"), tab="a") as asker,
        world.page(world.classroom(sub="c2"), tab="b") as other,
    ):
        await asker.say({"type": "ask", "text": "为什么\u202e天是蓝的？"})
        assert (await teacher.hear("questions"))["unanswered"] == 1
        assert (await asker.hear("questions"))["unanswered"] == 1
        (row,) = await listed(world, world.teacher())
        assert (row["text"], row["name"], row["answer"], row["answered_ms"]) == (
            "为什么天是蓝的？",
            "Village 1",
            None,
            None,
        )
        await teacher.say({"type": "answer", "question": row["id"], "text": "因为散射"})
        assert (await asker.hear("questions"))["unanswered"] == 0
        (own,) = await listed(world, world.classroom(sub="c1"))
        assert own["answer"] == "因为散射" and own["answered_ms"] == world.now_ms[0]
        assert await listed(world, world.classroom(sub="c2")) == []
        await other.say({"type": "ping", "t": 1})
        while (message := await other.socket.receive_json())["type"] != "pong":
            assert message["type"] != "questions"
        assert "c1" not in str(own)  # who asked is a name, not an account


async def test_a_list_is_answered_after_the_lesson_and_found_among_the_teachers_lessons(world: World) -> None:
    asking_at_will(world)
    async with world.page(world.teacher(), "teacher"), world.page(world.classroom()) as asker:
        await asker.say({"type": "ask", "text": "作业是什么？"})
        await asker.hear("questions")
    await world.hub.close(world.hub.rooms["lesson-1"])
    status, mine, _ = await world.request("GET", "/api/questions", world.teacher(None))
    assert status == 200
    assert [(row["id"], row["state"], row["unanswered"], row["total"]) for row in mine["lessons"]] == [
        ("lesson-1", "closed", 1, 1)
    ]
    assert (await world.request("GET", "/api/questions", world.teacher(None, "t2")))[1]["lessons"] == []
    assert (await world.request("GET", "/api/questions", world.classroom()))[0] == 403
    (row,) = await listed(world, world.teacher(None))
    one = f"{PATH}/{row['id']}"
    for stranger in (world.teacher("lesson-2", "t2"), world.classroom()):
        for method in ("PUT", "DELETE"):
            assert (await world.request(method, one, stranger, json={"text": "x"}))[0] == 403
    status, answered, _ = await world.request("PUT", one, world.teacher(None), json={"text": ""})
    assert status == 200 and answered["answer"] == "" and answered["answered_ms"]
    assert (await world.request("PUT", f"{PATH}/999", world.teacher(None), json={"text": ""}))[0] == 400
    assert (await world.request("DELETE", one, world.operator()))[0] == 200
    assert await listed(world, world.operator()) == []


async def test_who_comes_in_learns_of_the_list_only_where_there_is_one(world: World) -> None:
    asking_at_will(world)
    async with world.page(world.teacher(), "teacher") as teacher:
        async with world.page(world.classroom()) as asker:
            await asker.say({"type": "ask", "text": "?"})
            await teacher.hear("questions")
        async with world.page(world.classroom(sub="c2"), tab="b") as other:
            await other.say({"type": "ping", "t": 1})
            while (message := await other.socket.receive_json())["type"] != "pong":
                assert message["type"] != "questions"
        async with world.page(world.classroom(), tab="c") as again:
            assert (await again.hear("questions"))["unanswered"] == 1
    async with world.page(world.teacher(), "teacher") as back:
        assert (await back.hear("questions"))["unanswered"] == 1


async def test_asking_is_paced_and_bounded_and_a_teacher_does_not_ask(world: World) -> None:
    now_s = asking_at_will(world)
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as asker:
        await teacher.say({"type": "ask", "text": "?"})
        assert (await teacher.hear("error"))["code"] == "forbidden"
        await asker.say({"type": "answer", "question": 1, "text": "?"})
        assert (await asker.hear("error"))["code"] == "forbidden"
        for text in ("", "x" * 501, " \u200b\u202e\n "):
            await asker.say({"type": "ask", "text": text})
            assert (await asker.hear("error"))["code"] == "bad_message"
        for number in range(MAX_UNANSWERED):
            await asker.say({"type": "ask", "text": f"{number}"})
            await asker.hear("questions")
            await asker.say({"type": "ask", "text": "too soon"})
            assert (await asker.hear("error"))["code"] == "busy"
            now_s[0] += ASK_EVERY_S
        await asker.say({"type": "ask", "text": "one too many"})
        assert (await asker.hear("error"))["code"] == "busy"
    rows = await listed(world, world.teacher())
    assert [row["text"] for row in rows] == [f"{number}" for number in range(MAX_UNANSWERED)]


async def test_questions_are_forgotten_with_the_recording_of_their_lesson(world: World) -> None:
    asking_at_will(world)
    async with world.page(world.teacher(), "teacher"), world.page(world.classroom()) as asker:
        await asker.say({"type": "ask", "text": "?"})
        await asker.hear("questions")
    recording = world.hub.rooms["lesson-1"].row.recording
    entry = world.data / "library" / recording
    entry.mkdir(parents=True)
    days_ms = round(world.hub.config.lesson.questions_days * DAY_MS)
    for moment_ms, kept in ((days_ms - 1, True), (days_ms + DAY_MS, True), (days_ms + 2 * DAY_MS, False)):
        if not kept:
            _erase(entry)
        await world.hub.questions.tick(world.now_ms[0] + moment_ms)
        assert bool(await listed(world, world.teacher())) is kept, moment_ms


def _erase(entry: Path) -> None:
    entry.rmdir()


def test_what_people_read_has_no_hidden_characters() -> None:
    assert readable(" a\u202eb\x00c\nd\u200b ") == "abc\nd"
