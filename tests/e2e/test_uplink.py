"""What leaves the teacher's page: the voice twice, and before all else when the line is short."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page

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
CONCEALED = """async () => {
  const all = [...(await window.zhuandi.pc.getStats()).values()]
  const sound = all.filter((one) => one.type === 'inbound-rtp' && one.kind === 'audio' && one.totalSamplesReceived > 0)
  return {
    concealed: sound.reduce((sum, one) => sum + one.concealedSamples - one.silentConcealedSamples, 0),
    samples: sound.reduce((sum, one) => sum + one.totalSamplesReceived, 0),
  }
}"""


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


async def test_a_short_uplink_keeps_the_voice_sheds_pictures_and_says_so(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    async with Relay(server.media_port, {"delay_us": 20_000}, {"delay_us": 20_000}) as relay:
        teacher = await open_page(browser, server.link("teacher", lesson["token"]), relay_port=relay.port)
        await start_teaching(teacher)
        classroom = await open_page(browser, server.link("classroom", make_token("classroom", lesson["id"])))
        await sees_numbers(classroom, within_s=20)
        await hears_tone(classroom, TONE_HZ)
        relay.up.set_profile({"capacity_bps": 300_000, "delay_us": 20_000, "queue_ms": 500})
        await eventually(lambda: teacher.get_by_test_id("shortage").is_visible(), bool, 40)
        before, early = await classroom.evaluate(CONCEALED), await sent(teacher, "2")
        await asyncio.sleep(8)  # sound to play, not a wait for something to happen
        after, late = await classroom.evaluate(CONCEALED), await sent(teacher, "2")
        made_up = (after["concealed"] - before["concealed"]) / (after["samples"] - before["samples"])
        assert made_up < 0.05, "the voice is whole"
        assert "bandwidth" in late["reasons"], late
        assert late["frames"]["h"] - early["frames"]["h"] < 8, "the best picture is given up"
        words = await teacher.get_by_test_id("shortage").text_content()
        assert "kbit/s" in (words or ""), words
        await hears_tone(classroom, TONE_HZ)
