"""axe-core over a page of ours: findings that keep somebody from using it."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.async_api import Page

from tests.support.server import ROOT

SCRIPT = ROOT / "web_client" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = frozenset({"serious", "critical"})
RUN = """async (rules) => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'], rules })
  return violations.map(({ id, impact, nodes }) => ({
    id, impact, where: nodes.map((node) => `${node.target} ${node.failureSummary ?? ''}`.slice(0, 400)),
  }))
}"""


@cache
def _source() -> str:
    return SCRIPT.read_text()


async def grave_findings(page: Page, *, projected: bool = False) -> list[dict[str, Any]]:
    """Serious and critical violations; on projectors also text of less than 7:1 (WCAG 1.4.6)."""
    # Not by a script element, which our own policy refuses.
    await page.evaluate(_source() + "; undefined")
    rules = {"color-contrast-enhanced": {"enabled": projected}}
    found: list[dict[str, Any]] = await page.evaluate(RUN, rules)
    return [one for one in found if one["impact"] in GRAVE]
