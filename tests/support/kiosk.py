"""A receiving classroom's computer: a browser whose profile lasts, driven by arrows and Enter, its clock wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from playwright.async_api import BrowserContext, Page, async_playwright

from signaling.ends.client_core import ClientCore
from signaling.ends.demo_media import LessonMedia
from signaling.ends.publish_end import PublishEnd
from tests.support.browser import FLAGS, PATIENCE_S, PROBE, eventually
from tests.support.processes import command_of
from tests.support.server import Server

POLLED_S = 60.0  # the page asks for its day every 20 s
# Workers want a trusted certificate, as a school installs it; the page cannot be told one by one.
TRUST = "--ignore-certificate-errors"
WRONG_CLOCK = """(() => {
  const Right = Date
  globalThis.Date = class extends Right {
    constructor(...parts) { parts.length ? super(...parts) : super(Right.now() + WRONG_MS) }
    static now() { return Right.now() + WRONG_MS }
  }
})()"""
SHOWN_S = """() => Math.max(0, ...[...document.querySelectorAll('[data-testid="clip"] video')]
  .filter((one) => one.readyState >= 2 && one.videoWidth > 0).map((one) => one.currentTime))"""
NEXT_ARROW = """(id) => {
  const box = (one) => one.getBoundingClientRect()
  const [at, to] = [document.activeElement, document.querySelector(`[data-testid="${id}"]`)]
  if (!to || at === to) return at === to ? 'there' : null
  const [a, b] = [box(at), box(to)]
  const [dx, dy] = [(b.left + b.right - a.left - a.right) / 2, (b.top + b.bottom - a.top - a.bottom) / 2]
  const beside = b.top < a.bottom && b.bottom > a.top
  if (beside || (Math.abs(dx) > Math.abs(dy) && !window.tried)) return dx > 0 ? 'ArrowRight' : 'ArrowLeft'
  return dy > 0 ? 'ArrowDown' : 'ArrowUp'
}"""


@asynccontextmanager
async def computer(
    profile: Path, program: str | None = None, wrong_clock_s: int = 0, language: str = "zh-CN"
) -> AsyncIterator[Page]:
    """One page in a profile that outlives it."""
    executable = program or shutil.which("chromium")
    assert executable, "chromium is missing: run `make test`"
    async with async_playwright() as playwright:
        context: BrowserContext = await playwright.chromium.launch_persistent_context(
            str(profile), executable_path=executable, args=[*FLAGS, TRUST], chromium_sandbox=False,
            ignore_https_errors=True, locale=language, viewport={"width": 1366, "height": 768},
        )  # fmt: skip
        try:
            await context.add_init_script(path=PROBE)
            if wrong_clock_s:
                await context.add_init_script(WRONG_CLOCK.replace("WRONG_MS", str(wrong_clock_s * 1000)))
            page = context.pages[0] if context.pages else await context.new_page()
            page.set_default_timeout(1000 * PATIENCE_S)
            yield page
        finally:
            with suppress(Exception):  # it may have been killed
                await context.close()


def cut_power(profile: Path) -> None:
    """kill -9 to every process of the browser with this profile."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and f"--user-data-dir={profile} " in command_of(int(entry.name)):
            with suppress(ProcessLookupError):
                os.kill(int(entry.name), signal.SIGKILL)


async def press(page: Page, name: str) -> None:
    """Go to a key of the page with arrows alone, and press Enter."""
    for _ in range(60):
        arrow = await page.evaluate(NEXT_ARROW, name)
        if arrow == "there":
            await page.keyboard.press("Enter")
            return
        before = await page.evaluate("() => document.activeElement?.dataset.testid")
        await page.keyboard.press(arrow or "ArrowDown")
        stayed = before == await page.evaluate("() => document.activeElement?.dataset.testid")
        await page.evaluate("(tried) => { window.tried = tried }", stayed)
    raise AssertionError(f"arrows do not lead to {name}")


async def pair(page: Page, url: str, code: str) -> None:
    """From the address to the timetable, as the assistant does it on the first day: with four arrows and Enter."""
    await page.goto(f"{url}/classroom")
    await page.get_by_test_id("code-input").wait_for()
    await press(page, "swap-kind")
    for character in code:
        await press(page, f"key-{character}")
    await eventually(lambda: page.get_by_test_id("join-button").is_enabled(), bool)
    await press(page, "join-button")
    await page.get_by_test_id("day").wait_for()


@asynccontextmanager
async def teaching(server: Server, lesson: str, media: LessonMedia) -> AsyncIterator[None]:
    """A teacher sends in this lesson."""
    with ClientCore() as client:
        task = asyncio.create_task(PublishEnd(server.plan("teacher", lesson), client, media).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def knows_the_time(page: Page, now_ms: int) -> None:
    """Wait until the page has heard that it is so late."""
    state = page.get_by_test_id("state")
    await eventually(lambda: state.get_attribute("data-server-ms"), lambda ms: int(ms or 0) >= now_ms, POLLED_S)


async def attends(page: Page) -> None:
    """Wait until the page has gone into a lesson."""
    state = page.get_by_test_id("state")
    await eventually(state.text_content, lambda text: (text or "").startswith("room"), POLLED_S)


async def plays(page: Page) -> None:
    """Wait until a recording on the screen shows frames that move on."""
    first = await eventually(lambda: page.evaluate(SHOWN_S), lambda at: at > 0)
    await eventually(lambda: page.evaluate(SHOWN_S), lambda at: at > first + 1)
