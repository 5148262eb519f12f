"""Slides as pictures: what the class sees when the moving picture does not come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Browser, Page

from streaming.client import MediaClient
from tests.support.browser import eventually, open_page, picture, start_teaching
from tests.support.relay import Relay
from tests.support.rerouted import answers_name
from tests.support.server import Server, make_token

if TYPE_CHECKING:
    from streaming._core import LinkDict

pytestmark = pytest.mark.e2e
LOSSY: LinkDict = {"delay_us": 40_000, "loss": 0.1}
# A screen that shows numbered pages of small print, turned by the test.
SCREEN = """() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 })
  const paper = canvas.getContext('2d')
  window.turn = (page) => {
    paper.fillStyle = ['#fffdf5', '#eef6ff', '#f3ffee'][page % 3]
    paper.fillRect(0, 0, 1280, 720)
    paper.fillStyle = '#1c2430'
    paper.font = '16px sans-serif'
    for (let line = 0; line < 40; line++) {
      const words = `${page}.${line} the quick brown fox ${page * 7919 + line * 104729} jumps over it`
      paper.fillText(words, 40, 30 + 17 * line)
    }
    window.shown = Array.from(paper.getImageData(30, 100, 400, 60).data)
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
  const { data } = context.getImageData(30, 100, 400, 60)
  return page.reduce((sum, value, at) => sum + Math.abs(value - data[at]), 0) / page.length
}"""
WORDS = "() => document.querySelector('[data-testid=\"still-words\"]')?.textContent"


async def shared_screen(browser: Browser, server: Server, lesson: dict[str, Any]) -> Page:
    """A teacher who shares the numbered pages."""
    teacher = await open_page(browser, server.url + "/trust")
    await teacher.add_init_script(f"({SCREEN})()")
    await teacher.goto(server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    await teacher.get_by_test_id("share").click()
    return teacher


async def cap_screens(server: Server, spatial: int) -> None:
    """Limit every leg that carries a screen; -1 pauses it, as a decision for a weak link does."""
    async with MediaClient(str(server.data / "run" / "media.sock")) as media:
        await media.wait_connected()
        transports = [transport for lesson in media.state for transport in lesson["transports"]]
        screens = {p["publication"] for t in transports for p in t["publications"] if p["source"] == "screen"}
        slots = [s["subscription"] for t in transports for s in t["subscriptions"] if s["publication"] in screens]
        assert slots
        for slot in slots:
            await media.cap(slot, spatial)


async def sees_page(teacher: Page, classroom: Page, within_s: float) -> None:
    """Wait until the still is the teacher's page, sharp enough to be read."""
    page = await teacher.evaluate("() => window.shown")
    await eventually(
        lambda: classroom.evaluate(DIFFERENCE, page), lambda differs: differs is not None and differs < 3, within_s
    )


async def test_a_paused_screen_gives_way_to_a_legible_still_through_loss_and_comes_back(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    teacher = await shared_screen(browser, server, lesson)
    classroom = await open_page(browser, server.url + "/trust")
    async with Relay(server.media_port, LOSSY, LOSSY) as relay:
        await answers_name(classroom, server.media_port, relay.port)
        await classroom.goto(server.link("classroom", make_token("classroom", lesson["id"])))
        await eventually(lambda: picture(classroom, "video-screen"), lambda p: p is not None and p["mean"] > 1)
        await cap_screens(server, -1)
        await teacher.evaluate("() => window.turn(2)")
        await sees_page(teacher, classroom, 20)
        assert "图片" in (await eventually(lambda: classroom.evaluate(WORDS), bool) or "")
        await teacher.evaluate("() => window.turn(3)")
        await sees_page(teacher, classroom, 20)
        assert relay.down.counters()["lost"] > 0
        await cap_screens(server, 2)
        await teacher.evaluate("() => setInterval(() => window.turn(4), 200)")
        await eventually(lambda: classroom.get_by_test_id("still").is_visible(), lambda visible: not visible, 30)
