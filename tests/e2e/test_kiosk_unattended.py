"""What a classroom's computer does while nobody looks: stay awake, take a newer page, download at its hours."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.support.browser import eventually
from tests.support.kiosk import POLLED_S, attends, computer, knows_the_time, pair
from tests.support.school import School, TurnedClock
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.e2e
HOUR_MS = 3_600_000
LOOKS_AGAIN_MS = 61_000
CLIP, CLIP_BYTES = "clip-1", 3_500_000
# The browser's own lock lets go when its page is hidden, and tells nobody what it holds.
WAKE_LOCKS = """(() => {
  window.awake = { asked: 0, held: 0 }
  const request = async () => {
    window.awake.asked++
    window.awake.held++
    return { release: async () => { window.awake.held-- } }
  }
  Object.defineProperty(navigator, 'wakeLock', { value: { request } })
})()"""
HIDE_AND_SHOW = """() => {
  for (const seen of ['hidden', 'visible']) {
    Object.defineProperty(document, 'visibilityState', { value: seen, configurable: true })
    if (seen === 'hidden') window.awake.held = 0
    document.dispatchEvent(new Event('visibilitychange'))
  }
}"""
LOOKS = """(() => {
  window.looks = 0
  const open = CacheStorage.prototype.open
  CacheStorage.prototype.open = function (name) {
    if (name.includes('clip')) window.looks++
    return open.call(this, name)
  }
})()"""
READY = "async () => (await navigator.serviceWorker.ready).active?.state"
STORES = "async () => await caches.keys()"


def code_of_its_own(folder: Path) -> Path:
    """Our code with pages that the test may replace, as an update does."""
    shutil.copytree(ROOT / "signaling", folder / "signaling")
    shutil.copytree(ROOT / "web_client" / "dist", folder / "web_client" / "dist")
    for package in ("streaming", "bandwidth", "recorder"):
        (folder / package).symlink_to(ROOT / package)
    return folder


def bring_newer_pages(code: Path) -> str:
    """Another build of the classroom's page; the name of its worker's store."""
    dist = code / "web_client" / "dist"
    html, worker = dist / "classroom.html", dist / "worker.js"
    for compressed in (*dist.glob("*.br"), *dist.glob("*.gz")):
        compressed.unlink()
    html.write_text(html.read_text().replace("<head>", '<head><meta name="build" content="newer">'))
    script = worker.read_text()
    (version,) = set(re.findall(r"\b[0-9a-f]{12}\b", script))
    worker.write_text(script.replace(version, "0" * 12))
    return "zd-page-" + "0" * 12


@pytest.mark.timeout(300)
async def test_the_screen_is_kept_awake_by_day_and_lesson_and_again_after_it_was_hidden(
    school_server: Server, clock: TurnedClock, tmp_path: Path
) -> None:
    school = await School.open(school_server, clock)
    await school.period("10:00", "10:40", "音乐")
    async with computer(tmp_path / "profile") as page:
        await page.add_init_script(WAKE_LOCKS)
        await pair(page, school_server.url, await school.pairing_code())
        await stays_awake(page)
        clock.turn_to("10:00", -60)
        await attends(page)
        await stays_awake(page)


async def stays_awake(page: Page) -> None:
    """It is kept awake, and after the page was hidden it is asked for anew."""
    awake = await eventually(lambda: page.evaluate("() => window.awake"), lambda now: now["held"] > 0)
    await page.evaluate(HIDE_AND_SHOW)
    again = await page.evaluate("() => window.awake")
    assert again["asked"] > awake["asked"] and again["held"] > 0


@pytest.mark.timeout(400)
async def test_a_newer_page_is_found_within_an_hour_and_taken_when_no_lesson_is_on(
    clock: TurnedClock, tmp_path: Path
) -> None:
    code = code_of_its_own(tmp_path / "code")
    with Server(tmp_path, settings=clock.settings(), code=code) as server:
        school = await School.open(server, clock)
        lesson = await school.period("10:00", "13:00", "音乐")
        async with computer(tmp_path / "profile") as page:
            await page.clock.install()
            await pair(page, server.url, await school.pairing_code())
            await eventually(lambda: page.evaluate(READY), lambda state: state == "activated")
            clock.turn_to("10:00")
            await attends(page)
            store = bring_newer_pages(code)
            await page.evaluate("() => { window.before = true }")
            await page.clock.fast_forward(HOUR_MS)
            await eventually(lambda: page.evaluate(STORES), lambda stores: store in stores, 2 * POLLED_S)
            await attends(page)
            assert await page.evaluate("() => window.before"), "a lesson was interrupted"
            await school.close(lesson)
            newer = page.locator("meta[name=build][content=newer]")
            await newer.wait_for(state="attached", timeout=2000 * POLLED_S)
            await page.get_by_test_id("day").wait_for()
            assert not await page.evaluate("() => window.before")


@pytest.mark.timeout(300)
async def test_recordings_are_downloaded_in_their_hours_and_within_the_month_s_budget_only(
    school_server: Server, clock: TurnedClock, tmp_path: Path
) -> None:
    school = await School.open(school_server, clock)
    publish_clip(school_server.data)
    await school.policy(clip_window="22:00-06:00", clip_budget_mb=2)
    await school.period("23:00", "23:40", "科学", mode="录播", clip=CLIP)
    async with computer(tmp_path / "profile") as page:
        loaded: list[str] = []
        page.on("request", lambda request: loaded.append(request.url) if f"/media/{CLIP}/" in request.url else None)
        await page.add_init_script(LOOKS)
        await page.clock.install()
        await pair(page, school_server.url, await school.pairing_code())
        clips = page.get_by_test_id("clips")
        await clips.filter(has_text="0 / 1").wait_for(timeout=1000 * POLLED_S)
        await school.policy(clip_budget_mb=500)
        await looks_again(page)  # outside of its hours
        await school.policy(clip_budget_mb=2)
        await knows_the_time(page, clock.turn_to("22:05"))
        await looks_again(page)  # more than is left of the month
        assert loaded == []
        await school.policy(clip_budget_mb=500)
        await eventually(lambda: ready_after_a_look(page), bool, 2 * POLLED_S)
        assert len(loaded) == -(-CLIP_BYTES // 1_000_000), "pieces of a megabyte, each once"


def publish_clip(data: Path) -> None:
    """A recording in the library; nobody plays it here."""
    folder = data / "library" / CLIP
    folder.mkdir(parents=True)
    (folder / "0123456789abcdef.mp4").write_bytes(bytes(CLIP_BYTES))
    track: dict[str, Any] = {"source": "camera", "file": "0123456789abcdef.mp4", "bytes": CLIP_BYTES}
    head = {"id": CLIP, "title": "彩虹", "teacher": "王", "state": "final", "started_ms": 0, "duration_s": 60.0}
    (folder / "manifest.json").write_text(json.dumps({**head, "tracks": [track], "poster": None}))


async def looks_again(page: Page) -> None:
    """Let the page hear of its day, and look twice at what is to be downloaded."""
    for _ in range(2):
        before = await page.evaluate("() => window.looks")
        async with page.expect_response("**/api/kiosk/day"):
            await page.clock.fast_forward(LOOKS_AGAIN_MS)
        await eventually(lambda: page.evaluate("() => window.looks"), lambda looks, n=before: looks > n)  # type: ignore[misc]


async def ready_after_a_look(page: Page) -> bool:
    """Whether all is here, a minute of the page later."""
    await page.clock.fast_forward(LOOKS_AGAIN_MS)
    return "没有网络也能播放" in (await page.get_by_test_id("clips").text_content() or "")
