"""What a classroom reads when a lesson has no place for it, or not for all of it, and that it comes in by itself."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser

from signaling.ends.demo_media import LessonMedia
from signaling.ends.door import post
from tests.support.browser import eventually, open_page, picture, sees_numbers
from tests.support.kiosk import teaching
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e
ANOTHER_TRY_S = 75.0  # the page tries again every 30 s


@pytest.mark.timeout(240)
async def test_a_classroom_too_many_is_told_so_in_both_languages_and_comes_in_when_a_place_is_free(
    browser: Browser, media: LessonMedia, tmp_path: Path
) -> None:
    with Server(tmp_path, settings={"ZHUANDI_LESSON__MAX_RECEIVERS": "1"}) as server:
        lesson = await server.create_lesson()
        async with teaching(server, lesson["id"], media):
            first = await open_page(browser, server.link("classroom", make_token("classroom", lesson["id"], "first")))
            await sees_numbers(first)
            links = [
                server.link("classroom", make_token("classroom", lesson["id"], name)) for name in ("second", "third")
            ]
            second = await open_page(browser, links[0])
            await second.get_by_test_id("verdict").filter(has_text="课堂名额已满").wait_for()
            third = await open_page(browser, links[1], language="en-GB")
            await third.get_by_test_id("verdict").filter(has_text="The lesson is full").wait_for()
            await third.close()
            async with aiohttp.ClientSession() as http:
                path = f"/api/lessons/{lesson['id']}/remove"
                await post(http, server.plan("operator", None), path, {"sub": "first"})
            await sees_numbers(second, within_s=ANOTHER_TRY_S)
            assert await second.get_by_test_id("verdict").count() == 0


@pytest.mark.timeout(240)
async def test_where_the_megabits_are_used_up_a_classroom_hears_and_reads_why_it_sees_less(
    browser: Browser, media: LessonMedia, tmp_path: Path
) -> None:
    # Room for the voice, and never for the smallest picture beside it.
    with Server(tmp_path, settings={"ZHUANDI_LESSON__MAX_MBIT_S": "0.07"}) as server:
        lesson = await server.create_lesson()
        async with teaching(server, lesson["id"], media):
            page = await open_page(browser, server.link("classroom", make_token("classroom", lesson["id"])))
            await page.get_by_test_id("paused-words").filter(has_text="服务器带宽已用满").wait_for()
            sound = "(id) => window.probe.sound(id)"
            await eventually(lambda: page.evaluate(sound, "audio"), lambda heard: heard["level"] > 0.005)
            assert (await picture(page) or {"number": None})["number"] is None
