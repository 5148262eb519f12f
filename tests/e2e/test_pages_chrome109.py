"""A lesson and a check in a browser that has nothing of what came after Chrome 109, the last one for Windows 7."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from signaling.web.pages import PAGES
from tests.support.browser import hears_tone, open_page, sees_numbers, start_teaching
from tests.support.media import TONE_HZ
from tests.support.server import Server, make_token

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
OLD = Path(__file__).parents[1] / "support" / "chrome109.js"
LACKS = "() => !('jitterBufferTarget' in RTCRtpReceiver.prototype) && !('toSorted' in Array.prototype)"


async def old_page(browser: Browser, url: str, faults: list[str]) -> Page:
    """A page in a browser of that time; what it throws is noted."""
    page = await open_page(browser, "about:blank")
    await page.context.add_init_script(path=OLD)
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(url)
    assert await page.evaluate(LACKS)
    return page


async def test_a_lesson_is_taught_and_attended(browser: Browser, server: Server, lesson: dict[str, Any]) -> None:
    faults: list[str] = []
    teacher = await old_page(browser, server.link("teacher", lesson["token"]), faults)
    await start_teaching(teacher)
    await teacher.get_by_test_id("share").click()
    classroom = await old_page(browser, server.link("classroom", make_token("classroom", lesson["id"])), faults)
    await sees_numbers(classroom)
    await hears_tone(classroom, TONE_HZ)
    assert faults == []


async def test_every_page_opens_and_a_check_runs_through(browser: Browser, server: Server) -> None:
    faults: list[str] = []
    for name in PAGES:
        page = await old_page(browser, f"{server.url}/{'' if name == 'index' else name}", faults)
        await page.locator("#app button, #app input, #app a").first.wait_for()
        await page.context.close()
    check = await old_page(browser, server.link("check", make_token("classroom", "x")), faults)
    await check.get_by_test_id("verdict").wait_for(timeout=120_000)
    assert await check.get_by_test_id("verdict").get_attribute("data-rule") in {"well", "small_picture", "lossy"}
    assert faults == []
