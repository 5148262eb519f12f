"""An operator presses 全县联调: the real classroom takes the lesson, and its sentence stands in the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser

from signaling.ends.demo_media import LessonMedia, PlayedSource
from signaling.lesson import DEMO
from tests.support.axe import grave_findings
from tests.support.browser import open_page
from tests.support.kiosk import POLLED_S, attends, computer, pair, teaching
from tests.support.school import School, TurnedClock
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e


def with_slides(media: LessonMedia) -> LessonMedia:
    """A screen beside the camera: the same pictures in one size."""
    camera = media.sources["camera"]
    screen = PlayedSource(camera.paths[1:2], ["s"], camera.codec, camera.payload_type, camera.loop_us)
    return replace(media, sources={**media.sources, "screen": screen})


@pytest.mark.timeout(500)
async def test_a_paired_classroom_takes_part_by_itself_and_the_operator_reads_what_it_got(
    browser: Browser, school_server: Server, clock: TurnedClock, media: LessonMedia, tmp_path: Path
) -> None:
    school = await School.open(school_server, clock)
    demo = teaching(school_server, DEMO, with_slides(media))
    async with demo, computer(tmp_path / "profile") as classroom:
        await pair(classroom, school_server.url, await school.pairing_code())
        operator = await open_page(
            browser, f"{school_server.url}/operator?tab=rehearsal#token={make_token('operator', None)}"
        )
        await operator.get_by_test_id("begin-rehearsal").click()
        running = operator.get_by_test_id("rehearsal-state").filter(has_text="联调进行中")
        await running.wait_for()
        await attends(classroom)
        row = operator.locator("[data-testid=rehearsal-row]").filter(has_text="一切正常")
        await row.wait_for(timeout=1000 * POLLED_S)
        assert "石桥小学" in (await row.text_content() or "")
        assert await row.locator("[data-value=ok]").count() == 5
        assert await grave_findings(operator) == []
        await operator.get_by_test_id("stop-rehearsal").click()
        await operator.get_by_test_id("rehearsal-state").filter(has_text="已结束").wait_for()
        await classroom.get_by_test_id("day").wait_for(timeout=1000 * POLLED_S)
        await operator.reload()
        await row.wait_for()  # the table is kept
