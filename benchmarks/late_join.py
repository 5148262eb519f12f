"""A classroom comes late: the stations from opening its link to the first picture, by the page's own clock."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from tests.support.browser import eventually

RUNS = 7
PATIENCE_S = 30.0
MILESTONES = Path(__file__).with_name("milestones.js")
WORDS = {
    "late_join_s": "a tab with an empty cache opens the link of a running lesson: to the first picture (median)",
    "late_join_worst_s": "the slowest of seven such tabs",
    "late_page_s": "of it, since the link was opened: the page runs",
    "late_offer_s": "… its offer is on the way",
    "late_answer_s": "… the answer is there",
    "late_connected_s": "… ICE and DTLS stand",
}
STATIONS = {"late_page_s": "page", "late_offer_s": "offer", "late_answer_s": "answer", "late_connected_s": "connected"}


async def late_joins(browser: Browser, link: Callable[[], str]) -> dict[str, float]:
    """Medians over `RUNS` tabs, one after another, each with a cache of its own; the browser itself runs already."""
    runs = [await _late_join(browser, link()) for _ in range(RUNS)]
    pictures = [run["picture"] for run in runs]
    figures = {"late_join_s": statistics.median(pictures), "late_join_worst_s": max(pictures)}
    figures |= {name: statistics.median(run[station] for run in runs) for name, station in STATIONS.items()}
    return {name: ms / 1000 for name, ms in figures.items()}


async def _late_join(browser: Browser, link: str) -> dict[str, float]:
    context = await browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 720})
    try:
        await context.add_init_script(path=MILESTONES)
        page = await context.new_page()
        await page.goto(link, wait_until="commit")

        def arrived(passed: dict[str, Any] | None) -> bool:
            return passed is not None and "picture" in passed and "connected" in passed

        passed = await eventually(lambda: page.evaluate("() => window.milestones"), arrived, PATIENCE_S)
        assert passed is not None
        return dict(passed)
    finally:
        await context.close()
