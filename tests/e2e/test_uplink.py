"""What leaves the teacher's page: the voice twice, and before all else when the line is short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.test_stills import SCREEN
from tests.support.browser import eventually, hears_tone, open_page, sees_numbers, start_teaching
from tests.support.media import TONE_HZ
from tests.support.relay import Relay
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e

SENT = """async () => {
  const all = [...(await window.zhuandi.pc.getStats()).values()]
  return all.filter((one) => one.type === 'outbound-rtp').map((one) => ({
    mid: one.mid, kind: one.kind, rid: one.rid ?? null, packets: one.packetsSent, bytes: one.bytesSent,
    frames: one.framesSent ?? 0, height: one.frameHeight ?? 0, reason: one.qualityLimitationReason ?? null,
    heard: all.some((other) => other.type === 'remote-inbound-rtp' && other.ssrc === one.ssrc),
  }))
}"""
ALLOWED = """() => Object.fromEntries(window.zhuandi.pc.getSenders().slice(0, 4).flatMap((sender, place) =>
  sender.getParameters().encodings.map((one) => [one.rid ?? ['voice', 'low', '', 'screen'][place], one.active])))"""
NOTHING_BUT_THE_VOICE = {"voice": False, "low": True, "l": False, "m": False, "h": False, "screen": False}
CONCEALED = """async () => {
  const all = [...(await window.zhuandi.pc.getStats()).values()]
  const sound = all.filter((one) => one.type === 'inbound-rtp' && one.kind === 'audio' && one.totalSamplesReceived > 0)
  return {
    concealed: sound.reduce((sum, one) => sum + one.concealedSamples - one.silentConcealedSamples, 0),
    samples: sound.reduce((sum, one) => sum + one.totalSamplesReceived, 0),
  }
}"""


async def allowed(page: Page) -> dict[str, bool]:
    """Which encodings are switched on."""
    found: dict[str, bool] = await page.evaluate(ALLOWED)
    return found


async def sent(page: Page, mid: str) -> dict[str, Any]:
    """What went out on an m-line so far, all its layers together."""
    rows = [row for row in await page.evaluate(SENT) if row["mid"] == mid]
    return {
        "packets": sum(row["packets"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
        "heard": all(row["heard"] for row in rows),
        "frames": {row["rid"]: row["frames"] for row in rows},
        "reasons": {row["reason"] for row in rows},
    }


async def test_the_voice_goes_out_a_second_time_at_a_low_rate_in_long_packets(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    await eventually(lambda: sent(teacher, "1"), lambda low: low["packets"] > 0 and low["heard"], 20)
    before = [await sent(teacher, mid) for mid in ("0", "1")]
    await asyncio.sleep(4)  # sound to send, not a wait for something to happen
    after = [await sent(teacher, mid) for mid in ("0", "1")]
    packets = [late["packets"] - early["packets"] for early, late in zip(before, after, strict=True)]
    low_bps = (after[1]["bytes"] - before[1]["bytes"]) * 8 / (packets[1] * 0.06)
    assert 2.5 < packets[0] / packets[1] < 3.5, packets
    assert low_bps < 16_000, low_bps


async def made_up(classroom: Page, seconds: float) -> float:
    """Share of the sound that had to be made up while so much time passed."""
    before = await classroom.evaluate(CONCEALED)
    await asyncio.sleep(seconds)  # sound to play, not a wait for something to happen
    after = await classroom.evaluate(CONCEALED)
    return float(after["concealed"] - before["concealed"]) / float(after["samples"] - before["samples"])


@asynccontextmanager
async def behind_a_relay(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> AsyncIterator[tuple[Relay, Page, Page]]:
    """A teacher whose line can be made short, with a shared screen, and a classroom that sees her."""
    async with Relay(server.media_port, {"delay_us": 20_000}, {"delay_us": 20_000}) as relay:
        teacher = await open_page(browser, "about:blank", relay_port=relay.port)
        await teacher.add_init_script(f"({SCREEN})()")
        await teacher.goto(server.link("teacher", lesson["token"]))
        await start_teaching(teacher)
        await teacher.get_by_test_id("share").click()
        classroom = await open_page(browser, server.link("classroom", make_token("classroom", lesson["id"])))
        await sees_numbers(classroom)
        await hears_tone(classroom, TONE_HZ)
        # What a line carries is judged when the browser has had its time to find that out.
        await asyncio.sleep(8)
        yield relay, teacher, classroom


@pytest.mark.timeout(300)
async def test_a_short_uplink_keeps_the_voice_sheds_pictures_and_says_so(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    async with behind_a_relay(browser, server, lesson) as (relay, teacher, classroom):
        relay.up.set_profile({"capacity_bps": 300_000, "delay_us": 20_000, "queue_ms": 500})
        await eventually(lambda: allowed(teacher), lambda on: not on["screen"] and not on["h"] and not on["m"], 60)
        early = await sent(teacher, "2")
        assert await made_up(classroom, 8) < 0.02, "the voice is whole"
        late = await sent(teacher, "2")
        assert late["frames"]["h"] == early["frames"]["h"] and late["frames"]["l"] > early["frames"]["l"], (
            "from the top"
        )
        await sees_numbers(classroom)
        words = await teacher.get_by_test_id("shortage").text_content() or ""
        assert "kbit/s" in words and "180p" in words and "图片" in words, words
        await hears_tone(classroom, TONE_HZ)


@pytest.mark.timeout(300)
async def test_64_kbit_of_uplink_carry_the_voice_and_the_slides_as_stills(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    async with behind_a_relay(browser, server, lesson) as (relay, teacher, classroom):
        relay.up.set_profile({"capacity_bps": 64_000, "delay_us": 20_000, "queue_ms": 500})
        await eventually(lambda: allowed(teacher), lambda on: on == NOTHING_BUT_THE_VOICE, 60)
        await teacher.evaluate("() => window.turn(2)")
        normal = (await sent(teacher, "0"))["packets"]
        # What waited in the line drains first, and the classroom's page goes deep for what it made up meanwhile.
        shares = [await made_up(classroom, 5) for _ in range(5)]
        assert min(shares) < 0.03, shares
        assert (await sent(teacher, "0"))["packets"] == normal, "the low-rate voice goes alone"
        await hears_tone(classroom, TONE_HZ)
        await eventually(lambda: classroom.get_by_test_id("still-picture").is_visible(), bool, 60)
