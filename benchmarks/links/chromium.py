"""One classroom in a real Chromium behind a link on the real clock: what its page hears and sees."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Browser, Page, ViewportSize

from benchmarks.links.catalogue import Scenario
from benchmarks.links.noted import NotedDirection
from benchmarks.links.stand_in import StandIn
from signaling.addresses import machine_addresses
from signaling.emulator.relay import Relay
from tests.support.server import Server

WATCH = Path(__file__).with_name("watch.js")
WINDOW: ViewportSize = {"width": 640, "height": 480}
WARM_S = 15  # of media, not counted
JOIN_S = 90  # a page over 64 kbit/s loads for 10 s
LOOK_MS = 250.0  # between two rows of watch.js
# A packet that our own process holds for longer is more than the delays may differ by; a page that looks this much too
# late has a browser that waits for the processor. On a free machine both stay below 20 ms.
BUSY_MS = 50.0
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Comparable:
    """What is compared of one link, over the measured span."""

    audio_concealed: float
    freeze_ratio: float
    own_delay_p50_ms: float
    own_delay_p95_ms: float
    sound_delay_ms: float | None  # from capture to loudspeaker
    picture_delay_ms: float | None
    rungs: dict[int, float]  # share of the time by the height of what is shown; 0: off


@dataclass(frozen=True)
class Watched:
    """A run in Chromium."""

    figures: Comparable
    joined_s: float  # when the media connection stood, since the link began
    load: float  # of the machine, mean of a minute
    late_ms: float  # the worst that our own process or the browser was late: a packet, a frame of the teacher, a look

    @property
    def valid(self) -> bool:
        """Whether the link made what was seen, and not a machine that was too busy."""
        return self.late_ms <= BUSY_MS


async def watch(browser: Browser, server: Server, port: int, url: str, teacher: StandIn, link: Scenario) -> Watched:
    """A classroom's page comes to `url` by this port and link, and is watched for the link's time."""
    # Datagrams come to the addresses that answers name, which are not the pages'.
    ends = {"host": "", "addresses": machine_addresses()}
    relay = Relay({"down": link.down, "up": link.up}, (server.host, server.port), seed=1, **ends)  # type: ignore[arg-type]
    down = NotedDirection(link.down, seed=1)
    relay.bucket.down = down
    await relay.start(port)
    relay.media_port((server.host, server.media_port))
    began_ms = time.time() * 1000
    teacher.rewind()
    try:
        async with _page(browser, url) as page:
            await asyncio.sleep(WARM_S)
            for way in (down, relay.bucket.up):
                way.late_us = 0
            teacher.take_late_us()
            await asyncio.sleep(link.seconds)
            late_us = max(down.late_us, relay.bucket.up.late_us, teacher.take_late_us())
            rows: Rows = await page.evaluate("() => window.watched")
        joined_ms = next(row["at_ms"] for row in rows if row["connected"])
        span = [row for row in rows if row["at_ms"] >= joined_ms + 1000 * WARM_S]
        own_ms = down.own_delay_ms(round(1000 * (span[0]["at_ms"] - began_ms)))
        seen = figures(span, own_ms, link.down.get("delay_us", 0) / 1000)
        late_ms = max(late_us / 1000, looked_late_ms(span))
        return Watched(seen, (joined_ms - began_ms) / 1000, os.getloadavg()[0], late_ms)
    finally:
        await relay.stop()


@asynccontextmanager
async def _page(browser: Browser, url: str) -> AsyncIterator[Page]:
    """A classroom's page whose connection stands."""
    context = await browser.new_context(ignore_https_errors=True, viewport=WINDOW)
    try:
        await context.add_init_script(path=WATCH)
        page = await context.new_page()
        page.set_default_timeout(1000 * JOIN_S)
        await page.goto(url)
        await page.wait_for_function("() => window.watched.at(-1)?.connected", timeout=1000 * JOIN_S)
        yield page
    finally:
        await context.close()


def looked_late_ms(rows: Rows) -> float:
    """How much too late the page looked at worst."""
    return float(np.diff([row["at_ms"] for row in rows]).max() - LOOK_MS)


def figures(rows: Rows, own_ms: NDArray[np.float64], delay_ms: float) -> Comparable:
    """The figures of a span, as the page saw it four times a second; `delay_ms` is that of an empty link."""
    at_s = np.array([row["at_ms"] for row in rows]) / 1000
    lengths, off = np.diff(at_s), paused(rows)
    passed = np.concatenate([[0.0], np.cumsum(lengths * off[1:])])
    frozen = 0.0
    for number, grown in enumerate(np.diff([row["frozen_s"] for row in rows]), start=1):
        # A freeze is counted when it ends; what of it was a picture switched off is none.
        frozen += max(0.0, grown - float(passed[number] - np.interp(at_s[number] - grown, at_s, passed)))
    heights = [0 if gone else row["height"] for row, gone in zip(rows[1:], off[1:], strict=True)]
    span_s = float(at_s[-1] - at_s[0])
    samples = rows[-1]["samples"] - rows[0]["samples"]
    packets = rows[-1]["sound_packets"] - rows[0]["sound_packets"]
    # A frame of sound is sent when it is whole.
    way_ms = delay_ms + float(own_ms.mean()) if own_ms.size else delay_ms
    return Comparable(
        audio_concealed=(rows[-1]["concealed"] - rows[0]["concealed"]) / max(samples, 1),
        freeze_ratio=frozen / span_s,
        own_delay_p50_ms=float(np.quantile(own_ms, 0.5)),
        own_delay_p95_ms=float(np.quantile(own_ms, 0.95)),
        sound_delay_ms=_heard_after(rows, way_ms + 1000 * span_s / max(packets, 1)),
        picture_delay_ms=_shown_after(rows, delay_ms),
        rungs={height: float(lengths[np.array(heights) == height].sum()) / span_s for height in sorted(set(heights))},
    )


def paused(rows: Rows) -> NDArray[np.bool_]:
    """Whether the picture is off: from the server's word until the first frame after it is on again."""
    off, frames, found = True, rows[0]["frames"], []
    for row in rows:
        if not row["camera"]:
            off = True
        elif row["frames"] > frames:
            off = False
        frames = row["frames"]
        found.append(off)
    found[0] = not rows[0]["camera"]
    return np.array(found)


def _heard_after(rows: Rows, before_ms: float) -> float | None:
    """Mean time in ms from capture to play-out, of which `before_ms` before the buffer."""
    emitted = rows[-1]["sound_emitted"] - rows[0]["sound_emitted"]
    waited_s = rows[-1]["sound_waited_s"] - rows[0]["sound_waited_s"]
    return before_ms + 1000 * float(waited_s) / emitted if emitted > 0 else None


def _shown_after(rows: Rows, least_ms: float) -> float | None:
    """Mean time in ms from capture to the screen, where the fastest frame's way took `least_ms`."""
    before, after = rows[0]["shown"], rows[-1]["shown"]
    frames = after["frames"] - before["frames"]
    if frames <= 0:
        return None
    return float((after["sum_ms"] - before["sum_ms"]) / frames - after["least_ms"] + least_ms)
