"""Debian's Chromium with a numbered camera and a tone as its microphone, driven by Playwright."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from playwright.async_api import Browser, Page, async_playwright

from signaling.ends.counter import number_from_bits

PATIENCE_S = 40.0  # two cores encode, forward, record, decode and draw here
PROBE = Path(__file__).with_name("probe.js")
REROUTE = Path(__file__).with_name("reroute.js")
FLAGS = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
)


@asynccontextmanager
async def chromium(
    camera: Path | None = None,
    microphone: Path | None = None,
    program: str | None = None,
    without: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
) -> AsyncIterator[Browser]:
    """A headless browser that trusts any certificate; `program` replaces the one on the path.

    `without` takes flags away, named by how they begin, and `also` adds some.
    """
    flags = [flag for flag in FLAGS if not flag.startswith(without)] if without else list(FLAGS)
    flags += also
    if camera is not None:
        flags.append(f"--use-file-for-fake-video-capture={camera}")
    if microphone is not None:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}")
    executable = program or shutil.which("chromium")
    assert executable, "chromium is missing: run `make test`"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=flags, chromium_sandbox=False)
        try:
            yield browser
        finally:
            await browser.close()


async def open_page(browser: Browser, url: str, language: str = "zh-CN", relay_port: int | None = None) -> Page:
    """A page in a fresh profile, with the probe installed; with `relay_port` its media goes through a relay."""
    context = await browser.new_context(
        ignore_https_errors=True, locale=language, viewport={"width": 1280, "height": 720}
    )
    await context.add_init_script(path=PROBE)
    if relay_port is not None:
        await context.add_init_script(REROUTE.read_text().replace("RELAY_PORT", str(relay_port)))
    page = await context.new_page()
    page.set_default_timeout(1000 * PATIENCE_S)
    await page.goto(url)
    return page


async def start_teaching(page: Page) -> None:
    """Press start and wait until the media stands."""
    await page.get_by_test_id("start").click()
    await eventually(lambda: page.get_by_test_id("state").text_content(), lambda text: "connected" in (text or ""))


async def picture(page: Page, name: str = "video-camera") -> dict[str, Any] | None:
    """{width, height, mean, number} of what a video element shows; `number` None when none is readable."""
    found: dict[str, Any] | None = await page.evaluate("(id) => window.probe.picture(id)", name)
    if found is not None:
        found["number"] = number_from_bits(found.pop("bits"))
    return found


async def sees_numbers(page: Page, name: str = "video-camera", within_s: float = PATIENCE_S) -> float:
    """Wait until the picture's number is readable and moves; seconds that it took."""
    began = time.monotonic()
    first = await eventually(lambda: picture(page, name), lambda p: p is not None and p["number"] is not None, within_s)
    assert first is not None
    seen = first["number"]
    await eventually(lambda: picture(page, name), lambda p: p is not None and p["number"] not in {None, seen}, within_s)
    return time.monotonic() - began


async def hears_tone(page: Page, hertz: float, within_s: float = PATIENCE_S, name: str = "audio") -> None:
    """Wait until the page, or one element of it, plays this tone."""
    await eventually(
        lambda: page.evaluate("(id) => window.probe.sound(id)", name),
        lambda sound: sound["level"] > 0.02 and abs(sound["hertz"] - hertz) < 30,
        within_s,
    )


T = TypeVar("T")


async def eventually(ask: Callable[[], Awaitable[T]], good: Callable[[T], bool], within_s: float = PATIENCE_S) -> T:
    """Ask until the answer is good; fails with the last answer."""
    deadline = time.monotonic() + within_s
    while True:
        value = await ask()
        if good(value):
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {within_s:g} s"
        await asyncio.sleep(0.05)
