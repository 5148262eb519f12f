"""The teacher's page in a real Chromium, and every frame that its encoders give out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, Page, ViewportSize

from benchmarks.links import films
from tests.support.browser import PATIENCE_S, start_teaching

TAP = Path(__file__).with_name("tap.js")
# Order of the page's sending m-lines (PROTOCOL 1), and the ticks of a second on them.
VOICE_LINE, LOW_VOICE_LINE, CAMERA_LINE = range(3)
VIDEO_HZ = 90_000
WINDOW: ViewportSize = {"width": 480, "height": 360}
Frames = list[dict[str, Any]]


class Publisher:
    """A page that teaches."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def take(self) -> Frames:
        """The frames since the last call, as the tap has them."""
        frames: Frames = await self.page.evaluate("() => window.tap.take()")
        return frames

    async def ask_for_key_frames(self) -> None:
        """All layers of the camera get one."""
        await self.page.evaluate("(line) => window.tap.key(line)", CAMERA_LINE)


@asynccontextmanager
async def publisher(browser: Browser, url: str) -> AsyncIterator[Publisher]:
    """Open the teacher's page and press start."""
    # The tap's worker is no file of the server's; a small window leaves the processor to the encoders.
    context = await browser.new_context(ignore_https_errors=True, bypass_csp=True, viewport=WINDOW)
    try:
        await context.add_init_script(path=TAP)
        page = await context.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        await page.goto(url)
        await start_teaching(page)
        yield Publisher(page)
    finally:
        await context.close()


def recording(frames: Frames, keys: Frames, loop_us: int) -> films.Recording:
    """What the first `loop_us` of these frames look like as films; `keys` are more key frames that were seen."""
    pictures = [f for f in [*keys, *frames] if f["line"] == CAMERA_LINE]
    # Heights tell the layers apart; a layer that was made smaller for a while is still itself.
    size: dict[int, tuple[int, int]] = {}
    for f in pictures:
        size[f["ssrc"]] = max(size.get(f["ssrc"], (0, 0)), (f["height"], f["width"]))
    layers = sorted(size, key=lambda ssrc: size[ssrc])
    rows: list[films.Row] = []
    for number, ssrc in enumerate(layers):
        rows += _picture([f for f in frames if f["ssrc"] == ssrc], number, loop_us)
    sizes = [(*size[ssrc], _keys([f for f in pictures if f["ssrc"] == ssrc])) for ssrc in layers]
    voices = []
    for line, length_us in zip((LOW_VOICE_LINE, VOICE_LINE), films.VOICES_US, strict=True):
        spoken = [f["bytes"] for f in frames if f["line"] == line]
        # A busy machine hands some frames over late; the voice itself goes on.
        voices.append(np.resize(spoken, loop_us // length_us).tolist())
    return films.Recording(loop_us, sorted(rows), sizes, voices)


def _keys(mine: Frames) -> list[int]:
    """Sizes of the key frames, or that of the largest frame where there was none."""
    return [f["bytes"] for f in mine if f["key"]] or [max(f["bytes"] for f in mine)]


def _picture(mine: Frames, encoding: int, loop_us: int) -> list[films.Row]:
    """One layer from its first base frame on, so that the repetition begins with one, too."""
    temporal = {f["number"]: f["temporal"] for f in mine}
    first = next(at for at, f in enumerate(mine) if f["temporal"] == 0)
    rows = []
    for frame in mine[first:]:
        at_us = ((frame["ticks"] - mine[first]["ticks"]) % 2**32) * 1_000_000 // VIDEO_HZ
        if at_us >= loop_us:
            break
        sync = frame["temporal"] > 0 and all(temporal.get(number, 0) == 0 for number in frame["needs"])
        rows.append(films.Row(at_us, encoding, frame["temporal"], int(sync), frame["bytes"]))
    return rows
