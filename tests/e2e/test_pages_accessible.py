"""Every page in both languages has no serious finding of axe, and what is projected has text of at least 7:1."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from signaling.ends.client_core import ClientCore
from signaling.ends.demo_media import LessonMedia
from signaling.ends.door import post
from signaling.ends.publish_end import PublishEnd
from signaling.web.pages import PAGES
from tests.support.axe import grave_findings
from tests.support.browser import eventually as until
from tests.support.browser import open_page, picture, start_teaching
from tests.support.kiosk import pair
from tests.support.school import School, TurnedClock
from tests.support.server import Server, make_token

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
RECORDED_S = 3.0
LANGUAGES = ("zh-CN", "en-US")
# A classroom shows these on its wall.
PROJECTED = frozenset({"classroom", "check"})


async def is_clean(page: Page, *, projected: bool) -> None:
    """No finding that keeps somebody out."""
    await page.locator("h1, h2, [data-testid], button, input").first.wait_for()
    found = await grave_findings(page, projected=projected)
    assert found == [], found


async def test_the_judge_sees_what_is_wrong(browser: Browser, server: Server) -> None:
    page = await open_page(browser, f"{server.url}/trust")
    await page.evaluate("""() => document.querySelector('main').insertAdjacentHTML('beforeend',
      '<p style="color:#6b6b6b">pale</p><button></button>')""")
    assert {one["id"] for one in await grave_findings(page)} == {"button-name"}
    assert {one["id"] for one in await grave_findings(page, projected=True)} == {
        "button-name",
        "color-contrast-enhanced",
    }


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_as_strangers_meet_them(browser: Browser, server: Server, language: str) -> None:
    for name in PAGES:
        page = await open_page(browser, f"{server.url}/{'' if name == 'index' else name}", language)
        await is_clean(page, projected=name in PROJECTED)
        assert await page.evaluate("document.documentElement.lang") == {"zh-CN": "zh-CN", "en-US": "en"}[language]
        if name == "check":
            await page.get_by_test_id("check-code").wait_for(timeout=60_000)
            await is_clean(page, projected=True)
        await page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_lesson_at_both_ends(browser: Browser, server: Server, lesson: dict[str, Any], language: str) -> None:
    teacher = await open_page(browser, server.link("teacher", lesson["token"]), language)
    await teacher.get_by_test_id("start").wait_for()
    await is_clean(teacher, projected=False)
    classroom = await open_page(
        browser, server.link("classroom", make_token("classroom", lesson["id"], name="枫林小学")), language
    )
    await is_clean(classroom, projected=True)
    await start_teaching(teacher)
    await until(lambda: picture(classroom), lambda seen: seen is not None and seen["mean"] > 1)
    await is_clean(teacher, projected=False)
    await is_clean(classroom, projected=True)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_operators_tabs(browser: Browser, server: Server, language: str) -> None:
    async with aiohttp.ClientSession() as http:
        for facts in ({"udp": "blocked", "tcp": "blocked"}, {"udp": "ok", "down_kbps": 63, "height": 0}):
            await post(http, server.plan("classroom", "x"), "/api/checks", {"facts": {"tool": "page", **facts}})
    page = await open_page(browser, server.link("operator", make_token("operator", None)), language)
    tabs = page.get_by_role("tab")
    await tabs.first.wait_for()
    for place in range(await tabs.count()):
        await tabs.nth(place).click()
        await page.get_by_role("tabpanel").wait_for()
        await is_clean(page, projected=False)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_library_and_a_verdict(browser: Browser, server: Server, language: str) -> None:
    page = await open_page(browser, server.link("library", make_token("operator", None)), language)
    await is_clean(page, projected=False)
    check = await open_page(browser, server.link("check", make_token("classroom", "x")), language)
    await check.get_by_test_id("running").wait_for()
    await is_clean(check, projected=True)
    await check.get_by_test_id("verdict").wait_for(timeout=120_000)
    await check.get_by_text("数据" if language == "zh-CN" else "Numbers").click()
    await is_clean(check, projected=True)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_paired_classrooms_day(browser: Browser, tmp_path: Path, language: str) -> None:
    clock = TurnedClock(tmp_path / "clock")
    clock.turn_to("09:40")
    with Server(tmp_path, settings=clock.settings()) as server:
        school = await School.open(server, clock)
        await school.period("10:00", "10:40", "音乐")
        await school.period("10:50", "11:30", "美术")
        page = await open_page(browser, f"{server.url}/classroom", language)
        await is_clean(page, projected=True)
        await pair(page, server.url, await school.pairing_code())
        await page.locator("main", has_text="音乐").wait_for()
        await is_clean(page, projected=True)
        await page.get_by_test_id("enter-code").click()
        await page.get_by_test_id("key-1").wait_for()
        await is_clean(page, projected=True)


async def test_a_recording_in_the_player(
    browser: Browser, server: Server, lesson: dict[str, Any], media: LessonMedia
) -> None:
    with ClientCore([server.host]) as core:
        end = PublishEnd(server.plan("teacher", lesson["id"]), core, media)
        teaching = asyncio.create_task(end.run())
        await asyncio.wait_for(end.playing.wait(), 40)
        await asyncio.sleep(RECORDED_S)
        teaching.cancel()
        await asyncio.gather(teaching, return_exceptions=True)
        async with aiohttp.ClientSession() as http:
            await post(http, server.plan("operator", None), f"/api/lessons/{lesson['id']}/close")
    await server.published(lesson["id"], 60.0)
    for language in LANGUAGES:
        url = f"{server.url}/watch?id={lesson['id']}#token={make_token('operator', None)}"
        page = await open_page(browser, url, language)
        await page.get_by_test_id("big-play").wait_for()
        await is_clean(page, projected=False)
        await page.get_by_test_id("big-play").click()
        await page.get_by_test_id("seek").wait_for()
        await is_clean(page, projected=False)
