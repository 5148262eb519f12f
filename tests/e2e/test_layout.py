"""Pages on a school's laptop of 1366 x 768: what must be pressed in a hurry is in sight, whatever else is shown."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser

from tests.support.browser import open_page, start_teaching
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e
LAPTOP: Any = {"width": 1366, "height": 768}
TOO_WIDE = "() => document.querySelector('.sheet').scrollWidth - document.querySelector('.sheet').clientWidth"


async def test_mute_and_end_stay_in_sight_however_much_stands_beside_the_picture(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await teacher.set_viewport_size(LAPTOP)
    await start_teaching(teacher)
    await teacher.get_by_test_id("devices").click()
    await teacher.get_by_test_id("pick-camera").wait_for()
    for name in ("mute", "end", "pick-camera"):
        box = await teacher.get_by_test_id(name).bounding_box()
        assert box is not None and box["y"] + box["height"] <= LAPTOP["height"], (name, box)


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
async def test_the_operator_sees_every_column(
    browser: Browser, server: Server, lesson: dict[str, Any], language: str
) -> None:
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    link = server.link("classroom", make_token("classroom", lesson["id"], "青山小学五年级"))
    classroom = await open_page(browser, link)
    await classroom.get_by_test_id("video-camera").wait_for()
    operator = await open_page(browser, server.link("operator", make_token("operator", None)), language)
    await operator.set_viewport_size(LAPTOP)
    await operator.get_by_role("cell", name="青山小学五年级").first.wait_for()
    assert await operator.evaluate(TOO_WIDE) <= 0
