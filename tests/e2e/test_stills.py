"""Slides as pictures: what the class sees when the moving picture does not come."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page

from streaming.client import MediaClient
from tests.support.browser import eventually, open_page, picture, start_teaching
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e
PATIENCE_S = 45.0
LEGIBLE = 6  # a lossy file of a page differs by 2 to 4 from it, another page by more than 10
# A screen that shows numbered pages of small print, turned by the test.
SCREEN = """() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 })
  const paper = canvas.getContext('2d')
  window.turn = (page) => {
    paper.fillStyle = ['#fffdf5', '#eef6ff', '#f3ffee'][page % 3]
    paper.fillRect(0, 0, 1280, 720)
    paper.fillStyle = '#1c2430'
    paper.font = '16px sans-serif'
    for (let line = 0; line < 12; line++) {
      const number = (_, at) => Math.floor(1e7 * Math.abs(Math.sin(page * 99 + line * 9 + at)))
      const words = Array.from({ length: 8 }, number).join(' ')
      paper.fillText(words, 40, 30 + 17 * line)
    }
    window.shown = Array.from(paper.getImageData(30, 40, 400, 120).data)
  }
  navigator.mediaDevices.getDisplayMedia = async () => {
    const stream = canvas.captureStream(5)
    window.turn(1)
    return stream
  }
}"""
# Mean difference, 0-255, of what the class is shown from a part of the teacher's page; null: no still is shown.
DIFFERENCE = """(page) => {
  const image = document.querySelector('[data-testid="still-picture"]')
  if (!image?.naturalWidth || !image.checkVisibility()) return null
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight)
  const context = canvas.getContext('2d')
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(30, 40, 400, 120)
  return page.reduce((sum, value, at) => sum + Math.abs(value - data[at]), 0) / page.length
}"""
SCREEN_HEIGHT = "() => window.zhuandi.state.rung?.screen"
WORDS = "() => document.querySelector('[data-testid=\"still-words\"]')?.textContent"


async def shared_screen(browser: Browser, server: Server, lesson: dict[str, Any]) -> Page:
    """A teacher who shares the numbered pages."""
    teacher = await open_page(browser, server.url + "/trust")
    await teacher.add_init_script(f"({SCREEN})()")
    await teacher.goto(server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    await teacher.get_by_test_id("share").click()
    return teacher


async def cap_pictures(server: Server, spatial: int) -> None:
    """Limit every leg that carries a moving picture; -1 pauses it, as a decision for a weak link does."""
    async with MediaClient(str(server.data / "run" / "media.sock")) as media:
        await media.wait_connected()
        transports = [transport for lesson in media.state for transport in lesson["transports"]]
        published = [p for transport in transports for p in transport["publications"]]
        pictures = {p["publication"] for p in published if p["source"] != "microphone"}
        slots = [s["subscription"] for t in transports for s in t["subscriptions"] if s["publication"] in pictures]
        assert slots
        for slot in slots:
            await media.cap(slot, spatial)


async def sees_page(teacher: Page, classroom: Page) -> None:
    """Wait until the still is the teacher's page, sharp enough to be read."""
    page = await teacher.evaluate("() => window.shown")
    await eventually(
        lambda: classroom.evaluate(DIFFERENCE, page),
        lambda differs: differs is not None and differs < LEGIBLE,
        PATIENCE_S,
    )


async def test_a_paused_screen_gives_way_to_a_legible_still_and_comes_back(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    teacher = await shared_screen(browser, server, lesson)
    classroom = await open_page(browser, server.url + "/trust")
    await classroom.goto(server.link("classroom", make_token("classroom", lesson["id"])))
    await eventually(lambda: picture(classroom, "video-screen"), lambda p: p is not None and p["mean"] > 1)
    await cap_pictures(server, -1)
    await eventually(lambda: classroom.evaluate(SCREEN_HEIGHT), lambda height: height == 0)
    await teacher.evaluate("() => window.turn(2)")
    await sees_page(teacher, classroom)
    assert "图片" in (await eventually(lambda: classroom.evaluate(WORDS), bool) or "")
    await teacher.evaluate("() => window.turn(3)")
    await sees_page(teacher, classroom)
    await cap_pictures(server, 2)
    await teacher.evaluate("() => setInterval(() => window.turn(4), 200)")
    await eventually(lambda: classroom.get_by_test_id("still").is_visible(), lambda visible: not visible, PATIENCE_S)
