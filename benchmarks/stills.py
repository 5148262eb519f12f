"""Stills to a real Chromium through a link that loses datagrams: how long until a slide of 20 kB is on the page."""

from __future__ import annotations

import asyncio
import io
import random
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

from benchmarks.report import parser, positive, progress, show
from streaming.client import MediaClient
from tests.support.browser import chromium, eventually, open_page
from tests.support.lossy import LossyRelay, lossy_relay
from tests.support.server import Server, make_token

ONE_WAY_S = 0.05
SIDE = 82  # a square of noise of this side is a PNG of 20 kB
LOSSES = (0, 10, 20)
PATIENCE_S = 30.0
SHOWN = """() => {
  const picture = document.querySelector('[data-testid="still-picture"]')
  return picture && picture.naturalWidth ? picture.src : null
}"""


def noise(seed: int) -> bytes:
    """A PNG that does not compress."""
    pixels = random.Random(seed).randbytes(3 * SIDE * SIDE)
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), pixels).save(file, "PNG")
    return file.getvalue()


async def measure(count: int) -> dict[str, float]:
    """Seconds from the command to the decoded picture, for each loss; `count` pictures each."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, Server(Path(name)) as server:
        lesson = (await server.create_lesson())["id"]
        async with (
            MediaClient(str(server.data / "run" / "media.sock")) as media,
            chromium() as browser,
        ):
            page = await open_page(browser, server.url + "/trust")
            async with lossy_relay(page, server.media_port) as relay:
                await page.goto(server.link("classroom", make_token("classroom", lesson)))
                state = page.get_by_test_id("state")
                await eventually(state.text_content, lambda text: "connected" in (text or ""), PATIENCE_S)
                relay.delay_s = ONE_WAY_S
                await _send(page, media, lesson, 0)
                for loss in LOSSES:
                    progress(f"{count} stills of 20 kB at {loss} % loss")
                    relay.loss = loss / 100
                    times = sorted([await _send(page, media, lesson, 1000 * loss + turn + 1) for turn in range(count)])
                    figures[f"p50_s_{loss}pct"] = round(times[len(times) // 2], 2)
                    figures[f"max_s_{loss}pct"] = round(times[-1], 2)
                    _tell(relay)
    return figures


def _tell(relay: LossyRelay) -> None:
    progress(f"  the relay passed {relay.passed} datagrams and lost {relay.lost}")


async def _send(page: Page, media: MediaClient, lesson: str, seed: int) -> float:
    before = await page.evaluate(SHOWN)
    began_s = time.monotonic()
    await media.put_still(lesson, "screen", "png", (SIDE, SIDE), noise(seed))
    await eventually(lambda: page.evaluate(SHOWN), lambda shown: shown not in (None, before), PATIENCE_S)
    return time.monotonic() - began_s


def main() -> None:
    """The command line."""
    made = parser("stills", __doc__ or "", ("", "--count 20 --json"))
    made.add_argument("--count", type=positive, default=20, help="stills at each loss (20)")
    options = made.parse_args()
    figures = asyncio.run(measure(options.count))
    words = {name: f"seconds to the picture, {name[:3]}, at {name.split('_')[2]} loss" for name in figures}
    show(figures, as_json=options.json, words=words)


if __name__ == "__main__":
    main()
