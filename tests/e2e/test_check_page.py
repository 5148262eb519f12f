"""The page /check in Chromium: a good line, one without UDP, a stranger's computer, and the operator's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from signaling.addresses import machine_addresses
from signaling.ends.door import post
from tests.support.browser import eventually, open_page
from tests.support.school_router import only_tcp
from tests.support.server import Server, free_port, make_token

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
WITHIN_MS = 120_000


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("checked"), settings={"ZHUANDI_LINKS": str(port)}) as server:
        yield server


async def outcome(page: Page) -> dict[str, Any]:
    """What the check came to."""
    await page.get_by_test_id("verdict").wait_for(timeout=WITHIN_MS)
    result: dict[str, Any] = await page.evaluate("() => JSON.parse(JSON.stringify(window.zhuandi.state.result))")
    return result


async def test_a_good_line_is_well_and_the_operator_finds_the_code_that_was_read_out(
    browser: Browser, checked: Server
) -> None:
    page = await open_page(browser, checked.link("check", make_token("classroom", "x", name="枫林小学")))
    result = await outcome(page)
    assert (result["rule"], result["facts"]["udp"], result["facts"]["tcp"]) == ("well", "ok", "ok"), result
    assert result["facts"]["height"] >= 360
    assert result["facts"]["up_kbps"] > 40
    assert "可以正常上课" in (await page.get_by_test_id("verdict").inner_text())
    shown = (await page.get_by_test_id("report-code").inner_text()).replace(" ", "")
    row = await checked.fetch(f"/api/checks/{shown}", make_token("operator", None))
    assert (row["name"], row["facts"]["tool"], row["level"]) == ("枫林小学", "page", "well")


async def test_the_operator_sees_who_needs_help_before_the_bell(browser: Browser, checked: Server) -> None:
    found: dict[str, dict[str, Any]] = {
        "青山小学": {"udp": "blocked", "tcp": "blocked"},
        "白云小学": {"udp": "ok", "down_kbps": 63, "height": 0},
    }
    async with aiohttp.ClientSession() as http:
        for name, facts in found.items():
            plan = checked.plan("classroom", "x", name=name)
            await post(http, plan, "/api/checks", {"facts": {"tool": "page", **facts}, "lesson": "p1-20261122"})
    token = make_token("operator", None)
    page = await open_page(browser, f"{checked.url}/operator?tab=checks#token={token}")
    rows = page.get_by_test_id("check-row")
    await eventually(rows.all_inner_texts, lambda said: sum(name in one for name in found for one in said) == 2)
    said = await rows.all_inner_texts()
    worst, weak = (next(i for i, one in enumerate(said) if name in one) for name in found)
    assert worst < weak
    assert "63 kbit/s" in said[weak]
    code = (await checked.fetch("/api/checks/today", token))["code"]
    assert (await page.get_by_test_id("day-code").inner_text()).replace(" ", "") == code
    await page.get_by_test_id("find-code").fill("000-000")
    await page.get_by_test_id("find").click()
    await page.get_by_test_id("no-report").wait_for()


async def test_without_udp_the_page_says_so_and_what_to_ask_for(browser: Browser, checked: Server, port: int) -> None:
    media = (machine_addresses()[0], checked.media_port)
    async with only_tcp(port, (checked.host, checked.port), media):
        token = make_token("classroom", "x")
        page = await open_page(browser, f"https://{checked.host}:{port}/check#token={token}", "en-US")
        result = await outcome(page)
        assert result["rule"] == "udp_blocked", result
        assert "blocks UDP" in await page.get_by_test_id("cause").inner_text()
        assert f"UDP port {port}" in await page.get_by_test_id("steps").inner_text()


async def test_a_computer_that_nobody_knows_is_asked_for_the_code_of_the_day(browser: Browser, checked: Server) -> None:
    page = await open_page(browser, f"{checked.url}/check", "en-US")
    assert (await outcome(page))["rule"] == "not_admitted"
    code = (await checked.fetch("/api/checks/today", make_token("operator", None)))["code"]
    await page.get_by_test_id("check-code").fill(code)
    await page.get_by_test_id("again").click()
    await page.get_by_test_id("running").wait_for()
    assert (await outcome(page))["rule"] == "well"
    verdict = page.get_by_test_id("verdict")
    await page.get_by_text("中文").click()
    await eventually(verdict.inner_text, lambda said: "可以正常上课" in said)


async def test_where_the_server_is_gone_the_page_says_so(browser: Browser, checked: Server, port: int) -> None:
    async with only_tcp(port, (checked.host, checked.port), None):
        page = await open_page(browser, f"https://{checked.host}:{port}/check")
        await outcome(page)
    await page.get_by_test_id("again").click()
    await eventually(
        lambda: page.get_by_test_id("verdict").get_attribute("data-rule"), lambda rule: rule == "silent", 60.0
    )
