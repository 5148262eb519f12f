"""A classroom without power or network: back in its lesson by itself, and a downloaded recording at its hour."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from signaling.ends.demo_media import LessonMedia
from tests.support.browser import eventually, sees_numbers
from tests.support.kiosk import POLLED_S, attends, computer, cut_power, knows_the_time, pair, plays, teaching
from tests.support.school import School, TurnedClock
from tests.support.server import Server

pytestmark = pytest.mark.e2e
CLIP_S = 30.0
IN_STEP_S = 3.0
# How far the recording is behind the bell, in seconds.
BEHIND_S = """(begin_ms) => {
  const now_ms = Number(document.querySelector('[data-testid="state"]').dataset.serverMs)
  return (now_ms - begin_ms) / 1000 - window.zhuandi.state.position
}"""
KEPT = "async () => (await navigator.serviceWorker.ready).active?.state"
FROM_THE_WORKER = """() => {
  const [page] = performance.getEntriesByType('navigation')
  const files = performance.getEntriesByType('resource').filter((one) => one.name.includes('/assets/'))
  return page.workerStart > 0 && files.length > 0 && files.every((one) => one.workerStart > 0)
}"""


@pytest.mark.timeout(300)
async def test_a_power_cut_in_mid_lesson_costs_only_the_time_until_the_computer_is_on_again(
    school_server: Server, clock: TurnedClock, media: LessonMedia, tmp_path: Path
) -> None:
    school, profile = await School.open(school_server, clock), tmp_path / "profile"
    lesson = await school.period("10:00", "10:40", "音乐")
    async with computer(profile) as page:
        await pair(page, school_server.url, await school.pairing_code())
        await eventually(lambda: page.evaluate(KEPT), lambda state: state == "activated")
    clock.turn_to("10:05")
    async with AsyncExitStack() as stack:
        async with computer(profile) as page:
            await page.goto(f"{school_server.url}/classroom")
            await attends(page)  # the server has opened the lesson: its teacher comes into this one
            await stack.enter_async_context(teaching(school_server, lesson, media))
            await sees_numbers(page)
            cut_power(profile)
        async with computer(profile) as page:
            await page.goto(f"{school_server.url}/classroom")
            await sees_numbers(page)
            assert await page.evaluate(FROM_THE_WORKER), "the page was downloaded again"


@pytest.mark.timeout(300)
async def test_without_a_network_the_timetable_stays_and_a_downloaded_recording_plays_at_its_hour(
    school_server: Server, clock: TurnedClock, media: LessonMedia, tmp_path: Path
) -> None:
    school = await School.open(school_server, clock)
    recording = (await school_server.create_lesson("微课"))["id"]
    async with teaching(school_server, recording, media):
        await asyncio.sleep(CLIP_S)  # the length of the recording
    await school.close(recording)
    await school_server.published(recording, within_s=60)
    await school.period("10:00", "10:40", "科学", mode="录播", clip=recording)
    async with computer(tmp_path / "profile", wrong_clock_s=-3 * 3600) as page:
        await pair(page, school_server.url, await school.pairing_code())
        await eventually(lambda: page.evaluate(KEPT), lambda state: state == "activated")
        await page.get_by_test_id("clips").filter(has_text="没有网络也能播放").wait_for(timeout=1000 * POLLED_S)
        soon_ms = clock.turn_to("10:00", -45)
        await knows_the_time(page, soon_ms)
        school_server.kill()
        await page.reload()
        await page.get_by_test_id("offline").wait_for()
        assert "科学" in (await page.get_by_test_id("next").text_content() or "")
        await page.get_by_test_id("clip").wait_for(timeout=1000 * POLLED_S)
        await plays(page)
        await eventually(lambda: page.evaluate(BEHIND_S, soon_ms + 45_000), lambda behind: abs(behind) < IN_STEP_S)
