"""The teacher's four keys over the WebSocket: into the log, back to the page, and known again after a restart."""

from __future__ import annotations

from pathlib import Path

from recorder.zwl import ZwlWriter
from tests.signaling.conftest import World, vector


async def test_a_press_goes_into_the_log_and_the_page_is_told_what_stands(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as page, world.page(world.classroom()) as classroom:
        await page.say({"type": "marker", "mark": "begin"})
        assert (await page.hear("error"))["code"] == "bad_message"  # nothing is recorded yet
        await page.offer(vector("chromium_teacher"))
        await page.say({"type": "marker", "mark": "begin", "title": " 分数 "})
        told = await page.hear("marked", lambda m: m["count"] == 1)
        assert told["open"] and not told["private"] and told["last"]["mark"] == "begin"
        await page.say({"type": "marker", "mark": "private"})
        assert (await page.hear("marked", lambda m: m["count"] == 2))["private"]
        await page.say({"type": "marker", "mark": "private", "on": False})
        assert not (await page.hear("marked", lambda m: m["count"] == 3))["private"]
        await page.say({"type": "marker", "mark": "end"})
        assert not (await page.hear("marked", lambda m: m["count"] == 4))["open"]
        await page.say({"type": "marker", "mark": "nonsense"})
        assert (await page.hear("error"))["code"] == "bad_message"
        await classroom.say({"type": "marker", "mark": "begin"})
        assert (await classroom.hear("error"))["code"] == "forbidden"
    bodies = [(c["lesson"], c["body"]) for c in world.media.did("mark")]
    assert [b["mark"] for _, b in bodies] == ["begin", "private", "private", "end"]
    assert bodies[0] == ("lesson-1", {"event": "marker", "mark": "begin", "on": True, "title": "分数"})


async def test_a_page_that_comes_back_hears_that_nothing_is_to_be_recorded(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as page:
        await page.offer(vector("chromium_teacher"))
        room = world.hub.rooms["lesson-1"]
        world.hub.marking.forget(room.row.id)  # as after a restart: the log alone knows
        folder = world.data / "recordings" / room.row.recording / "epoch-1"
        _write_log(folder)
    async with world.page(world.teacher(), "teacher", tab="another") as page:
        told = await page.hear("marked")
        assert (told["private"], told["open"], told["count"]) == (True, True, 2)


def _write_log(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with ZwlWriter(folder / "00000-000000.zwl", 0) as log:
        log.event(5, {"event": "lesson_opened"})
        log.event(10, {"event": "marker", "mark": "begin", "on": True, "title": ""})
        log.event(20, {"event": "marker", "mark": "private", "on": True, "title": ""})
