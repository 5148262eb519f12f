"""Everybody is back without a click: after a kill, a reload, a second tab, a cut."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from recorder.zwl import Kind, ZwlReader
from tests.support.browser import eventually, open_page, sees_numbers, start_teaching
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e
BACK_S = 30.0  # `benchmarks.lesson` measures how soon; here two cores are shared with a software encoder


async def lesson_under_way(browser: Browser, server: Server) -> tuple[dict[str, Any], Page, Page]:
    """A lesson with a teacher and a classroom that sees the picture."""
    lesson = await server.create_lesson()
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    classroom = await open_page(browser, server.link("classroom", make_token("classroom", lesson["id"])))
    await sees_numbers(classroom)
    return lesson, teacher, classroom


@asynccontextmanager
async def makes_a_new_connection(page: Page) -> AsyncIterator[None]:
    """Wait at the end until the page has replaced its connection: only a new one can carry what follows."""
    await page.evaluate("() => { window.before = window.zhuandi.pc }")
    yield
    await eventually(lambda: page.evaluate("() => window.zhuandi.pc !== window.before"), bool)


async def end_lesson(teacher: Page) -> None:
    """The teacher closes the lesson."""
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("confirm-yes").click()


@pytest.mark.parametrize("victim", ["streaming.node", "signaling.app", "-m recorder"])
async def test_one_process_dies_and_the_lesson_goes_on(browser: Browser, own_server: Server, victim: str) -> None:
    _, _, classroom = await lesson_under_way(browser, own_server)
    # Connections die with the process that carries them.
    async with makes_a_new_connection(classroom) if victim == "streaming.node" else nullcontext():
        own_server.kill_one(victim)
    await sees_numbers(classroom, within_s=BACK_S)


async def test_the_whole_server_dies_and_comes_back_with_one_recording_that_lists_the_gap(
    browser: Browser, own_server: Server
) -> None:
    lesson, teacher, classroom = await lesson_under_way(browser, own_server)
    async with makes_a_new_connection(classroom):
        own_server.kill()
        own_server.start()
    await sees_numbers(classroom, within_s=BACK_S)
    await eventually(lambda: teacher.get_by_test_id("state").text_content(), lambda text: "connected" in (text or ""))
    await end_lesson(teacher)
    manifest = await own_server.published(lesson["id"], within_s=60)
    assert manifest["gaps"], manifest
    assert manifest["state"] == "final"


async def test_the_supervisor_alone_dies_and_may_be_started_again_at_once(browser: Browser, own_server: Server) -> None:
    _, teacher, classroom = await lesson_under_way(browser, own_server)
    async with makes_a_new_connection(classroom):
        own_server.kill_supervisor()
        own_server.start()
    await sees_numbers(classroom, within_s=BACK_S)
    await eventually(lambda: teacher.get_by_test_id("state").text_content(), lambda text: "connected" in (text or ""))
    assert own_server.process is not None and own_server.process.poll() is None, own_server.log()


async def test_sigterm_ends_everything_in_good_order_with_its_logs_sealed(browser: Browser, own_server: Server) -> None:
    lesson, _, _ = await lesson_under_way(browser, own_server)
    (run,) = [path for path in (own_server.data / "recordings" / lesson["id"]).iterdir() if path.is_dir()]
    assert own_server.stop() == 0, own_server.log()
    written = {path.name for path in run.glob("*.zwl")}
    sealed = [json.loads(line)["file"] for line in (run / "sealed.jsonl").read_text().splitlines()]
    assert len(written) >= 3 and set(sealed) == written
    assert {last_record(path) for path in run.glob("*.zwl")} <= {Kind.END, Kind.EVENT}


def last_record(path: Path) -> int:
    """The kind of the record with which a log file ends."""
    return [record.kind for record in ZwlReader(path).read()][-1]


async def test_the_teacher_reloads_and_teaching_goes_on(browser: Browser, server: Server) -> None:
    _, teacher, classroom = await lesson_under_way(browser, server)
    await teacher.reload()
    await sees_numbers(classroom, within_s=BACK_S + 2)


async def test_a_second_tab_of_the_teacher_takes_over(browser: Browser, server: Server) -> None:
    lesson, teacher, classroom = await lesson_under_way(browser, server)
    second = await teacher.context.new_page()
    await second.goto(server.link("teacher", lesson["token"]))
    await start_teaching(second)
    await sees_numbers(classroom, within_s=BACK_S)
    await eventually(
        lambda: teacher.get_by_test_id("state").text_content(), lambda text: "connected" not in (text or "connected")
    )
