"""Stands in for the teacher's page: sends a film's frames through the real door, and key frames to who asks.

Chromium's encoders need a core for themselves; this needs a thirtieth of one, and sends in reality what the simulator's
teacher sends in the model (`streaming/core/sim/src/teacher`), frame by frame.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from struct import pack

import aiohttp
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceCandidate, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpSenderInfo, RtcpSrPacket

from benchmarks.links import films
from benchmarks.links.stand_in_media import Media
from signaling.ends.door import Door, DoorPlan, open_door
from signaling.ends.encode import VIDEO_CLOCK
from signaling.sdp import Offer, parse_offer
from signaling.sdp.client import AUDIO_CODECS, AUDIO_IDS, IDS, URIS, VIDEO_CODECS, VIDEO_IDS

# Order of the page's sending m-lines (PROTOCOL 1); films name encodings of the voice from the lowest rate.
VOICE_MIDS = (1, 0)
CAMERA_MID = 2
RIDS = ("l", "m", "h")
VP8_PT, OPUS_PT = 96, 111
VOICE_HZ = 48_000
# As in the model: a request is answered with the first base frame this much later.
KEY_ANSWER_US = 100_000
REPORT_US = 1_000_000
PLI = 1
NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970
CONNECT_S = 15.0


class Association(RTCDtlsTransport):
    """An encrypted way to the server that hears requests for key frames."""

    def __init__(self) -> None:
        self.gatherer = RTCIceGatherer(iceServers=[])
        self.gatherer._connection.ice_controlling = True  # ICE-lite answers
        self.certificate = RTCCertificate.generateCertificate()
        super().__init__(RTCIceTransport(self.gatherer), [self.certificate])
        self._set_role("client")
        self.key_wanted = asyncio.Event()

    async def connect(self, answer: Offer) -> None:
        """Raises `ConnectionError`."""
        for protocol, address, port in answer.candidates:
            if protocol == "udp":
                await self.transport.addRemoteCandidate(RTCIceCandidate(1, str(port), address, port, 1, "udp", "host"))
        await self.transport.addRemoteCandidate(None)
        await self.transport.start(RTCIceParameters(answer.ufrag, answer.pwd, iceLite=True))
        await self.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", answer.fingerprint)]))
        if self.state != "connected":
            raise ConnectionError("the stand-in could not reach the server")

    async def send(self, packet: bytes) -> None:
        """A plain RTP or RTCP packet."""
        await self._send_rtp(packet)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        for packet in RtcpPacket.parse(data):
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == PLI:
                self.key_wanted.set()


@dataclass
class Stream:
    """One SSRC: a layer of the camera, or an encoding of the voice."""

    mid: int
    rid: str
    hz: int
    whole_us: int = 0  # how old the beginning of a frame is when it is sent
    ssrc: int = field(default_factory=lambda: secrets.randbelow(0xFFFFFFFE) + 1)
    sequence: int = field(default_factory=lambda: secrets.randbelow(1 << 16))
    packets: int = 0
    octets: int = 0

    def ticks(self, at_us: int) -> int:
        """RTP time of what is sent then."""
        return (at_us - self.whole_us) * self.hz // 1_000_000 % (1 << 32)

    def packet(self, ticks: int, payload: bytes, twcc: int, *, marker: bool) -> bytes:
        """The next packet, with its extensions (RFC 8285 4.2)."""
        texts = (("mid", str(self.mid).encode()), ("rid", self.rid.encode()), ("twcc", pack("!H", twcc)))
        parts = [bytes([IDS[name] << 4 | len(text) - 1]) + text for name, text in texts if text]
        elements = b"".join(parts)
        elements += bytes(-len(elements) % 4)
        second = (0x80 if marker else 0) | (VP8_PT if self.rid else OPUS_PT)
        fixed = pack("!BBHII", 0x90, second, self.sequence, ticks, self.ssrc)
        self.sequence = (self.sequence + 1) % (1 << 16)
        self.packets += 1
        self.octets += len(payload)
        return fixed + pack("!HH", 0xBEDE, len(elements) // 4) + elements + payload

    def report(self, at_us: int) -> bytes:
        """A sender report (RFC 3550 6.4.1)."""
        now = time.time() + NTP_EPOCH_S
        ntp = int(now) << 32 | int(now % 1 * (1 << 32))
        return bytes(RtcpSrPacket(self.ssrc, RtcpSenderInfo(ntp, self.ticks(at_us), self.packets, self.octets)))


@dataclass
class Layer(Stream):
    """Of the camera."""

    picture: int = field(default_factory=lambda: secrets.randbelow(1 << 15))
    base: int = 0
    keys: Iterator[int] = field(default_factory=lambda: iter(()))  # sizes of key frames
    key_due_us: int | None = 0  # a key frame was asked for, and comes from then on


def pieces(frame: bytes, layer: Layer, row: films.Row) -> Iterator[tuple[bytes, bool]]:
    """Payloads of one frame (RFC 7741 4.2), as even as browsers make them, and whether each is the last."""
    names = pack("!HBB", layer.picture | 0x8000, layer.base, row.temporal << 6 | row.sync << 5)
    room = films.PACKET_BYTES - 6
    count = -(-len(frame) // room)
    ends = [len(frame) * (number + 1) // count for number in range(count)]
    for number, (start, end) in enumerate(itertools.pairwise([0, *ends])):
        first = 0x80 | (0x10 if number == 0 else 0)
        yield bytes([first, 0xE0]) + names + frame[start:end], number == count - 1


class StandIn:
    """Plays `media` over an association that stands, again and again."""

    def __init__(self, media: Media, way: Association) -> None:
        self.media = media
        self.layers = [
            Layer(CAMERA_MID, rid, VIDEO_CLOCK, keys=itertools.cycle(keys))
            for rid, (_, _, keys) in zip(RIDS, media.source.layers, strict=True)
        ]
        self.voices = [
            Stream(mid, "", VOICE_HZ, length_us) for mid, length_us in zip(VOICE_MIDS, films.VOICES_US, strict=True)
        ]
        self._way = way
        self._twcc = 0
        self._late_us = 0
        self._again = False

    def rewind(self) -> None:
        """Play from the beginning, as the simulator's teacher does when its link begins."""
        self._again = True

    def take_late_us(self) -> int:
        """How far behind its time a frame left at worst, since the last call."""
        late_us, self._late_us = self._late_us, 0
        return late_us

    def offer(self) -> str:
        """The sending half of a teacher's page, without a screen."""
        lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2"]
        for voice in sorted(self.voices, key=lambda one: one.mid):
            lines += [*self._section(voice.mid, audio=True), f"a=ssrc:{voice.ssrc} cname:stand-in"]
        lines += [*self._section(CAMERA_MID, audio=False), *(f"a=rid:{rid} send" for rid in RIDS)]
        return "\r\n".join([*lines, "a=simulcast:send " + ";".join(RIDS), ""])

    def _section(self, mid: int, *, audio: bool) -> Iterator[str]:
        ours = self._way.gatherer.getLocalParameters()
        digest = next(one for one in self._way.certificate.getFingerprints() if one.algorithm == "sha-256")
        pt, codecs = (OPUS_PT, AUDIO_CODECS) if audio else (VP8_PT, VIDEO_CODECS)
        name, fmtp, feedback = codecs[pt]
        yield f"m={'audio' if audio else 'video'} 9 UDP/TLS/RTP/SAVPF {pt}"
        yield "c=IN IP4 0.0.0.0"
        yield f"a=ice-ufrag:{ours.usernameFragment}"
        yield f"a=ice-pwd:{ours.password}"
        yield f"a=fingerprint:sha-256 {digest.value}"
        yield from ("a=setup:actpass", f"a=mid:{mid}", "a=sendonly", "a=rtcp-mux", "a=rtcp-rsize")
        yield from (f"a=extmap:{IDS[one]} {URIS[one]}" for one in (AUDIO_IDS if audio else VIDEO_IDS))
        yield f"a=rtpmap:{pt} {name}"
        yield from (f"a=rtcp-fb:{pt} {one}" for one in feedback)
        yield from (f"a=fmtp:{pt} {one}" for one in (fmtp,) if one)

    async def play(self) -> None:
        """Until it is cancelled."""
        rows: list[tuple[int, films.Row | tuple[int, int]]] = [(row.at_us, row) for row in self.media.source.camera]
        for number, length_us in enumerate(films.VOICES_US):
            count = len(self.media.voices[number])
            rows += [(at * length_us, (number, at)) for at in range(count)]
        rows.sort(key=lambda row: row[0])
        start_us = _now_us()
        reported_us = passed_us = 0
        while True:
            self._again = False
            for at_us, frame in rows:
                due_us = passed_us + at_us
                if (wait_us := start_us + due_us - _now_us()) > 0:
                    await asyncio.sleep(wait_us / 1e6)
                self._late_us = max(self._late_us, _now_us() - start_us - due_us)
                if due_us >= reported_us + REPORT_US:
                    reported_us = due_us
                    for stream in (*self.voices, *self.layers):
                        await self._way.send(stream.report(due_us))
                if self._again:
                    break
                if isinstance(frame, films.Row):
                    await self.picture(due_us, frame)
                else:
                    voice = self.voices[frame[0]]
                    await self._send(voice, due_us, self.media.voices[frame[0]][frame[1]], marker=False)
            passed_us = due_us if self._again else passed_us + self.media.source.loop_us

    async def picture(self, now_us: int, row: films.Row) -> None:
        """Send this frame of the film, or a key frame in its place where one was asked for."""
        if self._way.key_wanted.is_set():
            self._way.key_wanted.clear()
            for layer in self.layers:
                layer.key_due_us = now_us + KEY_ANSWER_US if layer.key_due_us is None else layer.key_due_us
        layer = self.layers[row.encoding]
        key = row.temporal == 0 and layer.key_due_us is not None and layer.key_due_us <= now_us
        if key:
            layer.key_due_us = None
        elif layer.packets == 0:
            return  # a stream begins with a key frame
        layer.picture = (layer.picture + 1) % (1 << 15)
        layer.base = (layer.base + (row.temporal == 0)) % (1 << 8)
        frame = self.media.frame(row.encoding, next(layer.keys) if key else row.bytes, key=key)
        for payload, last in pieces(frame, layer, row):
            await self._send(layer, now_us, payload, marker=last)

    async def _send(self, stream: Stream, now_us: int, payload: bytes, *, marker: bool) -> None:
        await self._way.send(stream.packet(stream.ticks(now_us), payload, self._twcc, marker=marker))
        self._twcc = (self._twcc + 1) % (1 << 16)


@asynccontextmanager
async def stand_in(plan: DoorPlan, media: Media) -> AsyncIterator[StandIn]:
    """A lesson's teacher while the context lasts; raises `Refused`, `ConnectionError`."""
    way = Association()
    await way.gatherer.gather()
    teacher = StandIn(media, way)
    async with aiohttp.ClientSession() as http, open_door(http, plan) as door:
        await door.hello(plan, None)
        listening = asyncio.create_task(_listen(door))
        playing: asyncio.Task[None] | None = None
        try:
            await asyncio.wait_for(way.connect(parse_offer(await door.offer(teacher.offer()))), CONNECT_S)
            await door.sources(microphone=True, camera=True)
            playing = asyncio.create_task(teacher.play())
            yield teacher
            if playing.done():
                playing.result()
        finally:
            for task in (listening, playing):
                if task is not None:
                    task.cancel()
            await way.stop()
            await way.transport.stop()


async def _listen(door: Door) -> None:
    """Answers are handed to who waits for them; which layers are watched is nothing to us: all are sent."""
    async for _ in door.messages():
        pass


def _now_us() -> int:
    return time.monotonic_ns() // 1000
