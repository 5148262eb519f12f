"""Who hears which encodings are wanted, and how the classrooms get the lesson."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from signaling.config import Config
from signaling.web.metrics import metrics_app
from tests.signaling.conftest import Page, World, running, vector
from tests.signaling.fake_media import FakeMedia

TEACHER, CLASSROOM = vector("chromium_teacher"), vector("chromium_classroom")
ALL_ON = {"type": "sources", "microphone": True, "camera": True, "screen": True}


async def teach(page: Page) -> None:
    await page.offer(TEACHER)
    await page.say(ALL_ON)


async def attend(page: Page) -> None:
    await page.offer(CLASSROOM)
    await page.hear("slots", lambda m: m["slots"][3]["source"] == "screen")


def handle_of(world: World, source: str) -> int:
    """The publication of a source."""
    rows = [row for transport in world.media.transports.values() for row in transport["publications"]]
    return int(next(row["publication"] for row in rows if row["source"] == source))


def slot_of(world: World, source: str) -> int:
    """The subscription that shows a source."""
    handle = handle_of(world, source)
    return next(slot for slot, publication in world.media.connections.items() if publication == handle)


async def test_an_output_end_is_told_what_is_wanted_and_classrooms_are_not(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await attend(classroom)
        world.media.say("wanted", publication=handle_of(world, "camera"), watched=1, recorded=3)
        told = await teacher.hear("layers", lambda m: m["camera"] is not None)
        assert told["camera"] == {"watched": 1, "recorded": 3} and told["screen"] is None
        world.media.say("wanted", publication=handle_of(world, "screen"), watched=0, recorded=0)
        told = await teacher.hear("layers", lambda m: m["screen"] is not None)
        assert told["screen"] == {"watched": 0, "recorded": 0} and told["camera"] == {"watched": 1, "recorded": 3}
        # Whatever was on its way to the classroom is there before this answer.
        await classroom.say({"type": "ping", "t": 1})
        while (message := await classroom.socket.receive_json())["type"] != "pong":
            assert message["type"] != "layers"


async def test_what_is_wanted_outlives_a_restart_of_signalling(config: Config, tmp_path: Path) -> None:
    async with FakeMedia(tmp_path / "media.sock") as media:
        now_ms = [1_700_000_000_000]
        async with running(config, media, now_ms) as world, world.page(world.teacher(), "teacher") as teacher:
            await teach(teacher)
            session = teacher.welcome["session"]
        for transport in media.transports.values():
            for row in transport["publications"]:
                row["wanted"] = {"watched": 2, "recorded": 0}
        async with (
            running(config, media, now_ms) as world,
            world.page(world.teacher(), "teacher", resume=session) as teacher,
        ):
            told = await teacher.hear("layers")
            assert told["camera"] == {"watched": 2, "recorded": 0}


async def test_a_picture_that_the_page_does_not_show_is_paused_until_it_is_shown_again(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await attend(classroom)
        camera = slot_of(world, "camera")

        def caps() -> list[tuple[int, bool]]:
            return [(c["spatial"], c["fixed"]) for c in world.media.did("cap") if c["subscription"] == camera]

        await classroom.say({"type": "shown", "camera": False, "screen": True})
        await world.settled(lambda: caps() == [(-1, False)])
        await classroom.say({"type": "quality", "choice": "low"})
        await world.settled(lambda: world.media.did("cap")[-1]["spatial"] == 0)
        assert caps() == [(-1, False)], "a choice of quality does not bring it back"
        await classroom.say({"type": "shown", "camera": True, "screen": True})
        await world.settled(lambda: caps() == [(-1, False), (0, True)])


async def test_the_teacher_sees_who_gets_less_and_why(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        await teach(teacher)
        await attend(classroom)
        world.hub.publish_table()
        assert (await teacher.hear("classrooms"))["counts"] == {"ok": 1}
        slow = {"spatial": 0, "height": 180, "reason": "link_slow", "estimate_kbps": 180}
        world.media.say("rung", subscription=slot_of(world, "camera"), **slow)
        cut = {"spatial": -1, "height": 0, "reason": "link_out", "estimate_kbps": 0}
        world.media.say("rung", subscription=slot_of(world, "screen"), **cut)
        rung = await classroom.hear("rung", lambda m: m["screen"] == 0)
        assert rung["reason"] == "link_out", "the worst is told, whichever picture has it"
        world.hub.publish_table()
        told = await teacher.hear("classrooms")
        assert told["counts"] == {"link_out": 1}
        assert told["rows"] == [
            {"name": "Village 1", "camera": 180, "screen": 0, "reason": "link_out", "estimate_kbps": 0}
        ]
        (row,) = [
            r for r in world.hub.book.table("lesson-1", world.hub.rooms["lesson-1"].lesson) if r["role"] == "classroom"
        ]
        assert row["reason"] == "link_out"
        assert await gauge(world, "zhuandi_classrooms", reason="link_out") == 1


async def gauge(world: World, name: str, **labels: str) -> float:
    """One sample of /metrics."""
    runner = web.AppRunner(metrics_app(world.hub))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with world.http.get(f"http://127.0.0.1:{runner.addresses[0][1]}/metrics") as answer:
            text = await answer.text()
    finally:
        await runner.cleanup()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return float(next(sample.value for sample in families[name].samples if sample.labels == labels))
