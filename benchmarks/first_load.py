"""The first load of a page over 512 kbit/s: Chromium with an empty cache, from the address to the first words."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import Browser

from benchmarks.report import parser, positive, progress, show
from signaling.addresses import machine_addresses
from signaling.emulator.relay import Relay
from tests.support.browser import chromium
from tests.support.server import Server

if TYPE_CHECKING:
    from streaming._core import LinkDict, LinkProfileDict

CAPACITY_BPS, DELAY_MS = 512_000, 20
WORDS = {
    "runs": "first loads, each with an empty cache and a connection of its own",
    "shown_s": "seconds from the address to the first button or field, half of them",
    "worst_s": "the same, the slowest",
    "down_kb": "kilobytes that came down, headers of IP and TCP included",
    "up_kb": "kilobytes that went up",
}
SHOWN = "#app button, #app input"


def link_512() -> LinkProfileDict:
    """A line of 512 kbit/s both ways with a round trip of 40 ms."""
    one: LinkDict = {"capacity_bps": CAPACITY_BPS, "delay_us": DELAY_MS * 1000, "queue_ms": 500}
    return {"down": one, "up": one}


async def load(browser: Browser, server: Server, path: str) -> dict[str, float]:
    """One first load over a link of its own: seconds, and bytes as the link carried them."""
    https = (server.host, server.port)
    relay = Relay(link_512(), https, host="127.0.0.1", addresses=machine_addresses(), seed=1)
    await relay.start(0)
    context = await browser.new_context(ignore_https_errors=True, locale="zh-CN")
    try:
        page = await context.new_page()
        began_s = time.monotonic()
        await page.goto(f"https://127.0.0.1:{relay.port}{path}", wait_until="commit", timeout=60_000)
        await page.locator(SHOWN).first.wait_for(timeout=60_000)
        shown_s = time.monotonic() - began_s
        counted: Any = relay.bucket.counters()
    finally:
        await context.close()
        await relay.stop()
    return {"shown_s": shown_s, **{way: counted[way]["delivered_bytes"] / 1000 for way in ("down", "up")}}


async def measure(runs: int, path: str) -> dict[str, float]:
    """All figures, on a server of their own."""
    with tempfile.TemporaryDirectory() as name, Server(Path(name)) as server:
        async with chromium() as browser:
            times = []
            for run in range(runs):
                progress(f"load {run + 1} of {runs}")
                times.append(await load(browser, server, path))
    return {
        "runs": runs,
        "shown_s": round(statistics.median(one["shown_s"] for one in times), 3),
        "worst_s": round(max(one["shown_s"] for one in times), 3),
        "down_kb": round(statistics.median(one["down"] for one in times), 1),
        "up_kb": round(statistics.median(one["up"] for one in times), 1),
    }


def main() -> None:
    """The command line."""
    arguments = parser("first_load", "How long a page's first load takes at 512 kbit/s.", ("--runs 5 --json",))
    arguments.add_argument("--runs", type=positive, default=5, help="loads (default 5)")
    arguments.add_argument("--path", default="/classroom", help="the page (default /classroom)")
    given = arguments.parse_args()
    show(asyncio.run(measure(given.runs, given.path)), as_json=given.json, words=WORDS)


if __name__ == "__main__":
    main()
