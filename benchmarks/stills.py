"""Stills to a real Chromium through a link that loses datagrams: how long until a slide of 20 kB is on the page."""

from __future__ import annotations

import asyncio
import io
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.async_api import Browser, Page

from benchmarks.report import parser, positive, progress, show
from streaming.client import MediaClient
from tests.support.browser import chromium, eventually, open_page
from tests.support.relay import Relay
from tests.support.rerouted import answers_name
from tests.support.server import Server, make_token

if TYPE_CHECKING:
    from streaming._core import LinkDict

ONE_WAY_US = 50_000
SIDE = 82  # a square of noise of this side is a PNG of 20 kB
LOSSES = (0, 10, 20)
PATIENCE_S = 30.0
CONNECTED = "() => window.zhuandi?.pc?.connectionState"
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
        async with MediaClient(str(server.data / "run" / "media.sock")) as media, chromium() as browser:
            for loss in LOSSES:
                progress(f"{count} stills of 20 kB at {loss} % loss")
                times = sorted(await _stills(server, media, browser, loss, count))
                figures[f"p50_s_{loss}pct"] = round(times[len(times) // 2], 2)
                figures[f"max_s_{loss}pct"] = round(times[-1], 2)
    return figures


async def _stills(server: Server, media: MediaClient, browser: Browser, loss: int, count: int) -> list[float]:
    lesson = (await server.create_lesson())["id"]
    page = await open_page(browser, server.url + "/trust")
    link: LinkDict = {"delay_us": ONE_WAY_US, "loss": loss / 100}
    async with Relay(server.media_port, link, link) as relay:
        await answers_name(page, server.media_port, relay.port)
        await page.goto(server.link("classroom", make_token("classroom", lesson)))
        await eventually(lambda: page.evaluate(CONNECTED), lambda state: state == "connected", PATIENCE_S)
        await _send(page, media, lesson, 0)
        times = [await _send(page, media, lesson, 1000 * loss + turn + 1) for turn in range(count)]
        assert relay.down.counters()["lost"] > 0 or loss == 0, "nothing went through the link"
    await page.context.close()
    return times


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
