"""Takes the pictures of docs/screenshots: `python -m tests.e2e.screenshots` (or `make screenshots`)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, Page

from signaling.ends.demo_media import prepare_media
from tests.support.browser import chromium, open_page, sees_numbers, start_teaching
from tests.support.media import make_camera, make_microphone
from tests.support.server import ROOT, Server, make_token

FOLDER = ROOT / "docs" / "screenshots"
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
SETTLE_S = 2.0
LESSON_S = 8.0


async def take(page: Page, name: str) -> None:
    """One picture, after the page has come to rest."""
    await asyncio.sleep(SETTLE_S)
    await page.screenshot(path=FOLDER / f"{name}.png")
    print(name)


async def still_pages(browser: Browser, server: Server, short: str) -> None:
    """Pages that need no lesson of their own."""
    operator = make_token("operator", None)
    for name in ("operator", "library"):
        await take(await open_page(browser, server.link(name, operator), LANGUAGES[short]), f"{name}-{short}")
    for name, path in (("home", "/"), ("trust", "/trust"), ("join", "/classroom")):
        await take(await open_page(browser, server.url + path, LANGUAGES[short]), f"{name}-{short}")


async def demo_classroom(browser: Browser, server: Server, short: str) -> None:
    """A classroom in the demo lesson."""
    link = server.link("classroom", make_token("classroom", "demo", "希望小学"))
    page = await open_page(browser, link, LANGUAGES[short])
    await sees_numbers(page, "video-screen", 60)
    await sees_numbers(page, "video-camera", 30)
    await take(page, f"classroom-{short}")


async def one_lesson(browser: Browser, server: Server, short: str) -> str:
    """The teacher's pages, from the set-up to the end; the lesson's id."""
    lesson = await server.create_lesson("认识分数" if short == "zh" else "Fractions")
    page = await open_page(browser, server.link("teacher", lesson["token"]), LANGUAGES[short])
    await take(page, f"teacher-setup-{short}")
    await start_teaching(page)
    await asyncio.sleep(LESSON_S)
    await take(page, f"teacher-live-{short}")
    await page.get_by_test_id("end").click()
    await page.get_by_test_id("confirm-yes").click()
    await server.published(lesson["id"], within_s=60)
    return str(lesson["id"])


async def main() -> None:
    """Every page in both languages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    await prepare_media()
    with TemporaryDirectory() as name:
        folder = Path(name)
        camera, microphone = make_camera(folder / "camera.mjpeg"), make_microphone(folder / "microphone.wav")
        server = Server(folder)
        await asyncio.to_thread(server.start, "demo")
        try:
            async with chromium(camera, microphone) as browser:
                for short in LANGUAGES:
                    await demo_classroom(browser, server, short)
                    lesson = await one_lesson(browser, server, short)
                    watch = f"{server.url}/watch?id={lesson}#token={make_token('operator', None)}"
                    await take(await open_page(browser, watch, LANGUAGES[short]), f"watch-{short}")
                    await still_pages(browser, server, short)
        finally:
            await asyncio.to_thread(server.stop)


if __name__ == "__main__":
    asyncio.run(main())
