"""The wall of classrooms: stills of those that are on the screen, of nobody else, and live video of who is pinned."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import eventually, start_teaching
from tests.support.class_pages import CLASSES, TEACHER, classroom, page_of, sees, tile
from tests.support.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
FIRST, SECOND = "甲校", "乙校"


def picture_of(name: str, what: str) -> str:
    """A picture within a tile."""
    return f'[data-name="{name}"] [data-testid="{what}"]'


async def wall(browser: Browser, server: Server, lesson: dict[str, Any]) -> tuple[Page, dict[str, Page]]:
    """A teacher's page with two tiles."""
    teacher = await page_of(browser, TEACHER, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    rooms = {name: await classroom(browser, server, lesson["id"], name) for name in (FIRST, SECOND)}
    for name in rooms:
        await tile(teacher, name).wait_for()
    return teacher, rooms


async def test_each_tile_shows_a_still_of_its_class_for_as_long_as_the_wall_is_open(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    teacher, rooms = await wall(browser, server, lesson)
    for name in rooms:
        await sees(teacher, picture_of(name, "tile-still"), CLASSES[name])
        await rooms[name].get_by_test_id("watched").wait_for()
    await teacher.get_by_test_id("wall-closed").click()
    for page in rooms.values():
        await page.get_by_test_id("watched").wait_for(state="detached")
    await teacher.get_by_test_id("wall-full").click()
    for page in rooms.values():
        await page.get_by_test_id("watched").wait_for()


async def test_a_pinned_class_is_seen_live_and_not_heard(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    teacher, rooms = await wall(browser, server, lesson)
    await tile(teacher, FIRST).get_by_test_id("tile-more").click()
    await teacher.get_by_test_id("sheet-pin").click()
    await sees(teacher, picture_of(FIRST, "tile-video"), CLASSES[FIRST])
    assert await teacher.evaluate("(all) => window.probe.tones(all)", [CLASSES[FIRST].hertz]) == []
    await tile(teacher, FIRST).get_by_test_id("tile-more").click()
    await teacher.get_by_test_id("sheet-pin").click()
    await rooms[FIRST].bring_to_front()
    await eventually(lambda: rooms[FIRST].evaluate(SENT_VIDEO), lambda sent: sent is False)


async def test_the_teacher_sees_what_a_class_sees(browser: Browser, server: Server, lesson: dict[str, Any]) -> None:
    teacher, _ = await wall(browser, server, lesson)
    await tile(teacher, SECOND).get_by_test_id("tile-more").click()
    await teacher.get_by_test_id("sheet-look").click()
    await sees(teacher, "look-as-video", TEACHER)
    await teacher.keyboard.press("Escape")
    await teacher.get_by_test_id("look-as").wait_for(state="detached")


SENT_VIDEO = "() => window.zhuandi.pc.getSenders().some((sender) => sender.track?.kind === 'video')"
