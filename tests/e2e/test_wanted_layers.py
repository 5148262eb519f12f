"""What nobody watches is not encoded: seen in the teacher's browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.test_uplink import SENT
from tests.support.browser import eventually, open_page, picture, sees_numbers, start_teaching
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e
OFF_WITHIN_S = 40.0  # off after 10 s unwatched
ACTIVE = """() => Object.fromEntries(window.zhuandi.pc.getSenders()
  .filter((sender) => sender.track?.kind === 'video')
  .flatMap((sender) => sender.getParameters().encodings.map((one) => [one.rid ?? 'screen', one.active])))"""


@pytest.fixture
def unrecorded(tmp_path: Path) -> Iterator[Server]:
    """Recorded lessons keep their best picture."""
    with Server(tmp_path, settings={"ZHUANDI_RECORDING__ENABLED": "false"}) as running:
        yield running


async def frames(teacher: Page) -> dict[str, int]:
    """Frames sent so far, by layer of the camera."""
    return {row["rid"]: row["frames"] for row in await teacher.evaluate(SENT) if row["rid"]}


@pytest.mark.timeout(300)
async def test_layers_that_nobody_watches_stop_and_come_back_for_who_asks(browser: Browser, unrecorded: Server) -> None:
    lesson: dict[str, Any] = await unrecorded.create_lesson()
    teacher = await open_page(browser, unrecorded.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    classroom = await open_page(browser, unrecorded.link("classroom", make_token("classroom", lesson["id"])))
    await sees_numbers(classroom)
    await classroom.mouse.move(300, 300)
    await classroom.get_by_test_id("quality-low").click()
    await eventually(
        lambda: teacher.evaluate(ACTIVE), lambda on: on == {"l": True, "m": False, "h": False}, OFF_WITHIN_S
    )
    before = await frames(teacher)
    after = await eventually(lambda: frames(teacher), lambda now: now["l"] > before["l"] + 20)
    assert after["h"] <= before["h"] + 2 and after["m"] <= before["m"] + 2, (before, after)
    await sees_numbers(classroom)
    began = time.monotonic()
    await classroom.get_by_test_id("quality-high").click()
    await eventually(lambda: picture(classroom), lambda seen: seen is not None and seen["height"] == 720)
    took_s = time.monotonic() - began
    print(f"the best picture was there {took_s:.2f} s after it was asked for")
    assert took_s < 8, took_s
    assert (await teacher.evaluate(ACTIVE)) == {"l": True, "m": True, "h": True}


@pytest.mark.timeout(300)
async def test_a_picture_that_is_hidden_everywhere_is_not_sent_at_all(browser: Browser, unrecorded: Server) -> None:
    lesson: dict[str, Any] = await unrecorded.create_lesson()
    teacher = await open_page(browser, unrecorded.link("teacher", lesson["token"]))
    await teacher.evaluate(
        """() => { navigator.mediaDevices.getDisplayMedia = async () => {
          const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 })
          const paper = canvas.getContext('2d')
          setInterval(() => paper.fillRect(Math.random() * 640, Math.random() * 360, 9, 9), 200)
          return canvas.captureStream(5)
        } }"""
    )
    await start_teaching(teacher)
    await teacher.get_by_test_id("share").click()
    classroom = await open_page(browser, unrecorded.link("classroom", make_token("classroom", lesson["id"])))
    await sees_numbers(classroom)
    await classroom.mouse.move(300, 300)
    await classroom.get_by_test_id("alone").click()
    await eventually(
        lambda: teacher.evaluate(ACTIVE),
        lambda on: on == {"l": False, "m": False, "h": False, "screen": True},
        OFF_WITHIN_S,
    )
    await classroom.mouse.move(310, 300)
    await classroom.get_by_test_id("alone").click()
    await sees_numbers(classroom)
