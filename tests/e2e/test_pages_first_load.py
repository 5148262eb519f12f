"""The classroom's page at 512 kbit/s within 2.5 s: what the line alone takes of it, in bytes and round trips."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser

from benchmarks.first_load import CAPACITY_BPS, DELAY_MS, SHOWN, load
from tests.support.browser import open_page
from tests.support.server import Server

pytestmark = pytest.mark.e2e
FIRST_LOAD_S = 2.5
FOR_THE_MACHINE_S = 0.5  # to shake hands, read the scripts and draw; measured by `benchmarks.first_load`
# TCP, TLS, the page; a connection more (two) and the files that the page names; the classroom's day.
ROUND_TRIPS = 7
AT_START = """() => performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)
  .filter((path) => /\\.(js|css)$/.test(path))"""


async def test_what_the_line_takes_leaves_the_machine_its_time(browser: Browser, server: Server) -> None:
    loaded = await load(browser, server, "/classroom")
    line_s = loaded["down"] * 8000 / CAPACITY_BPS + ROUND_TRIPS * 2 * DELAY_MS / 1000
    assert line_s < FIRST_LOAD_S - FOR_THE_MACHINE_S, loaded


async def test_the_page_itself_names_all_that_it_needs_to_begin(browser: Browser, server: Server) -> None:
    page = await open_page(browser, f"{server.url}/classroom")
    await page.locator(SHOWN).first.wait_for()
    asked = set(await page.evaluate(AT_START))
    written = await page.evaluate("() => fetch('/classroom').then((answer) => answer.text())")
    named = set(re.findall(r'(?:src|href)="(/assets/[^"]+\.(?:js|css))"', written))
    # A file that only another file names would cost a round trip more.
    assert {path for path in asked if path.startswith("/assets/classroom")} <= named
    assert {path for path in asked if path.startswith("/assets/common")} <= named
    assert len(named) >= 3


async def test_scripts_come_compressed_as_well_as_the_browser_can_read(browser: Browser, server: Server) -> None:
    page = await open_page(browser, f"{server.url}/trust")
    coded = await page.evaluate("""async () => {
      const script = document.querySelector('script[src]').src
      return (await fetch(script)).headers.get('content-encoding')
    }""")
    assert coded == "br"
