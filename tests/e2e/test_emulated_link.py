"""A classroom's page over an emulated link of 64 kbit/s with 10 % loss: pages, WebSocket and media by one port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import eventually, hears_tone, open_page, sees_numbers, start_teaching
from tests.support.media import TONE_HZ
from tests.support.server import Server, free_port, make_token

pytestmark = pytest.mark.e2e
WITHIN_S = 60.0  # the page itself takes some 10 s to load

REMOTE_PORTS = """async () => {
  const stats = [...(await window.zhuandi.pc.getStats()).values()]
  const used = stats.filter((one) => one.type === 'candidate-pair' && one.nominated).map((one) => one.remoteCandidateId)
  return [...new Set(stats.filter((one) => used.includes(one.id)).map((one) => one.port))]
}"""


@pytest.fixture
def link_port() -> int:
    return free_port()


@pytest.fixture
def weak_server(tmp_path: Path, link_port: int) -> Iterator[Server]:
    with Server(tmp_path, settings={"ZHUANDI_LINKS": f"{link_port}:64k-loss10"}) as server:
        yield server


@pytest.mark.timeout(240)
async def test_the_voice_is_heard_at_64_kbit_and_the_picture_comes_when_the_link_gets_better(
    browser: Browser, weak_server: Server, link_port: int
) -> None:
    lesson: dict[str, Any] = await weak_server.create_lesson()
    teacher = await open_page(browser, weak_server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    classroom = await slow_page(
        browser, f"https://{weak_server.host}:{link_port}/classroom#token={make_token('classroom', lesson['id'])}"
    )
    await hears_tone(classroom, TONE_HZ, WITHIN_S)
    assert await classroom.evaluate(REMOTE_PORTS) == [link_port]
    for page in (teacher, classroom):
        assert await page.get_by_test_id("link").input_value() == "64k-loss10"
    await teacher.get_by_test_id("link").select_option("clean")
    chosen = classroom.get_by_test_id("link")
    await eventually(chosen.input_value, lambda value: value == "clean", WITHIN_S)
    await sees_numbers(classroom, within_s=WITHIN_S)


async def slow_page(browser: Browser, url: str) -> Page:
    """A page that may take its time."""
    page = await open_page(browser, "about:blank")
    page.set_default_timeout(WITHIN_S * 1000)
    await page.goto(url, timeout=WITHIN_S * 1000)
    return page
