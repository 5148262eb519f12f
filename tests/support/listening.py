"""A browser that only listens to a played voice, over an emulated link: how much of what it plays was made up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from playwright.async_api import Browser, Page

from signaling.ends.encode import OPUS_PT, encode_voice
from signaling.sdp import Offer, accept_slot, build_answer, parse_offer, transport_params
from streaming._core import Core
from tests.support.browser import eventually
from tests.support.relay import Relay

if TYPE_CHECKING:
    from streaming._core import LinkDict, LocalTransport, RtpParameters

RATE = 48_000
VOICE_S = 4
SSRC = 77

OFFER = """async (target_ms) => {
  const pc = window.pc = new RTCPeerConnection()
  const transceiver = pc.addTransceiver('audio', { direction: 'recvonly' })
  if (target_ms !== null) transceiver.receiver.jitterBufferTarget = target_ms
  const audio = document.body.appendChild(new Audio())
  audio.autoplay = true
  audio.srcObject = new MediaStream([transceiver.receiver.track])
  await pc.setLocalDescription(await pc.createOffer())
  return pc.localDescription.sdp
}"""
ANSWER = "(sdp) => window.pc.setRemoteDescription({ type: 'answer', sdp })"
STATS = """async () => {
  const all = [...(await window.pc.getStats()).values()]
  return all.find((one) => one.type === 'inbound-rtp' && one.kind === 'audio') ?? null
}"""


@dataclass(frozen=True)
class Heard:
    """What a browser tells of a span of time."""

    concealed: float  # share of the samples
    events: int  # how many times concealment began
    lost: float  # share of the packets that came neither at once nor by repair
    delay_ms: float  # mean time in the jitter buffer
    stretched: float  # share of the samples that were added or taken away to change the delay


def make_voice(folder: Path) -> list[str]:
    """A few seconds of changing tones that repeat."""
    time = np.arange(VOICE_S * RATE) / RATE
    wave = 0.3 * np.sin(2 * np.pi * (300 + 200 * np.sin(2 * np.pi * time / VOICE_S)) * time)
    return encode_voice(folder, wave.astype(np.float32))


async def listen(
    browser: Browser,
    voice: list[str],
    link: LinkDict,
    *,
    copies: int = 0,
    nack: bool = True,
    target_ms: int | None = None,
    span_s: float = 20.0,
    seed: int = 1,
) -> Heard:
    """One browser behind a link, with these copies of older frames in each packet and this play-out target."""
    core = Core(addresses=["127.0.0.1"])
    try:
        async with Relay(core.port, link, _back(link), seed) as relay:
            page = await (await browser.new_context()).new_page()
            await _connect(core, page, voice, relay.port, copies, nack=nack, target_ms=target_ms)
            await eventually(lambda: page.evaluate(STATS), lambda seen: bool(seen) and seen["totalSamplesReceived"] > 0)
            await asyncio.sleep(3)  # the jitter buffer finds its depth
            before = await page.evaluate(STATS)
            await asyncio.sleep(span_s)  # sound to play, not a wait for something to happen
            after = await page.evaluate(STATS)
            await page.context.close()
            return _heard(before, after)
    finally:
        core.close()


def _back(link: LinkDict) -> LinkDict:
    """The way back has the delay and no loss: what a browser asks for is asked for."""
    return {"delay_us": link.get("delay_us", 0)}


async def _connect(
    core: Core, page: Page, voice: list[str], port: int, copies: int, *, nack: bool, target_ms: int | None
) -> None:
    offer: Offer = parse_offer(await page.evaluate(OFFER, target_ms))
    lesson = core.open_lesson(None)
    local: LocalTransport = core.open_transport(lesson, transport_params(offer))
    section = accept_slot(offer.media[0], SSRC, None)
    slot = core.add_subscription(local["transport"], section.rtp)
    played: RtpParameters = {
        "mid": "",
        "kind": "audio",
        "codecs": [{"pt": OPUS_PT, "codec": "opus", "clock_rate": RATE}],
        "extensions": {},
        "encodings": [{}],
        "nack": False,
        "twcc": False,
    }
    core.connect(slot, core.add_player(lesson, voice, played, VOICE_S * 1_000_000))
    _want_copies(core, local["transport"], copies)
    through: LocalTransport = {
        **local,
        "candidates": [{"protocol": "udp", "address": "127.0.0.1", "port": port}],
    }
    answer = build_answer(offer, [section], through)
    if not nack:
        answer = "".join(line for line in answer.splitlines(keepends=True) if not line.endswith(" nack\r\n"))
    await page.evaluate(ANSWER, answer)


def _want_copies(core: Core, transport: int, copies: int) -> None:
    legs, layers = np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int8)
    unpaced = np.zeros(1, dtype=np.uint64)
    one, mask = np.array([transport], dtype=np.uint32), np.array([copies], dtype=np.uint16)
    core.apply(legs, layers, layers, one, unpaced, unpaced, np.zeros(1, dtype=np.uint32), mask, unpaced)


def _heard(before: dict[str, Any], after: dict[str, Any]) -> Heard:
    def grown(name: str) -> float:
        return float(after.get(name, 0)) - float(before.get(name, 0))

    samples = max(1.0, grown("totalSamplesReceived"))
    packets = max(1.0, grown("packetsReceived") + grown("packetsLost"))
    return Heard(
        concealed=grown("concealedSamples") / samples,
        events=int(grown("concealmentEvents")),
        lost=grown("packetsLost") / packets,
        delay_ms=1000 * grown("jitterBufferDelay") / max(1.0, grown("jitterBufferEmittedCount")),
        stretched=(grown("insertedSamplesForDeceleration") + grown("removedSamplesForAcceleration")) / samples,
    )
