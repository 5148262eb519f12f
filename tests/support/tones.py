"""A page of the lesson spoken by aiortc: it sends a tone of its own and tells what it hears in each of its slots."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any, Self

import aiohttp
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from tests.support.server import Server, make_token

RATE, FRAME = 48_000, 960
WINDOW = RATE // 5  # samples that are looked at for a tone
PATIENCE_S = 120.0
QUIET = 200.0  # mean amplitude below which nothing is heard
WITHIN_HZ = 30.0


class Tone(MediaStreamTrack):
    """A sine in real time."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._sample = 0
        self._began_s: float | None = None

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        now_s = asyncio.get_running_loop().time()
        self._began_s = now_s if self._began_s is None else self._began_s
        await asyncio.sleep(max(0.0, self._began_s + self._sample / RATE - now_s))
        time = (self._sample + np.arange(FRAME)) / RATE
        wave = (9_000 * np.sin(2 * np.pi * self._hertz * time)).astype(np.int16)
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._sample, Fraction(1, RATE)
        self._sample += FRAME
        return frame


class Ear:
    """One slot: its packets as they arrive, and the tone in what was played last."""

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        self._receiver = receiver
        self._played = np.zeros(0, dtype=np.float64)

    async def packets(self) -> int:
        """How many packets arrived ever."""
        report = await self._receiver.getStats()
        return sum(one.packetsReceived for one in report.values() if one.type == "inbound-rtp")

    async def listen(self) -> None:
        """Play until the end."""
        try:
            while True:
                frame: Any = await self._receiver.track.recv()
                samples = frame.to_ndarray().astype(np.float64).reshape(-1, len(frame.layout.channels))[:, 0]
                self._played = np.concatenate([self._played, samples])[-WINDOW:]
        except MediaStreamError:
            return

    def tone(self) -> float | None:
        """The strongest frequency of the last fifth of a second in hertz, None: silence."""
        if self._played.size < WINDOW or np.abs(self._played).mean() < QUIET:
            return None
        spectrum = np.abs(np.fft.rfft(self._played * np.hanning(WINDOW)))
        return float(np.argmax(spectrum) * RATE / WINDOW)


class TonePage:
    """Use `tone_page(…)`; `ears` are its slots of sound in the order of PROTOCOL section 1."""

    def __init__(self, name: str, hertz: float, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.name, self.hertz = name, hertz
        self.ears: list[Ear] = []
        self.told: dict[str, dict[str, Any]] = defaultdict(dict)  # the last message of each kind
        self._pc = RTCPeerConnection()
        self._socket = socket
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def say(self, kind: str, **fields: Any) -> None:
        """One word."""
        await self._socket.send_json({"type": kind, **fields})

    async def hear(self, kind: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the last message of a kind is as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while not (kind in self.told and wanted(self.told[kind])):
                await self._news.wait()
                self._news.clear()
        return self.told[kind]

    async def start(self, *, token: str, page: str, slots: int, sent: int) -> Self:
        """Come in and connect: `slots` of sound, and the tone in `sent` sections."""
        hello = {"type": "hello", "protocol": 1, "token": token, "page": page, "tab": secrets.token_hex(8)}
        await self._socket.send_json(hello)
        self._tasks.append(asyncio.create_task(self._listen()))
        for _ in range(sent):
            self._pc.addTransceiver(Tone(self.hertz), direction="sendonly")
        receivers = [self._pc.addTransceiver("audio", direction="recvonly").receiver for _ in range(slots)]
        await self._pc.setLocalDescription(await self._pc.createOffer())
        await self.say("offer", id=1, sdp=self._pc.localDescription.sdp)
        answer = await self.hear("answer", lambda _: True)
        await self._pc.setRemoteDescription(RTCSessionDescription(_candidates_everywhere(answer["sdp"]), "answer"))
        self.ears = [Ear(receiver) for receiver in receivers]
        self._tasks += [asyncio.create_task(ear.listen()) for ear in self.ears]
        return self

    async def close(self) -> None:
        """Hang up."""
        await self._pc.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        async for frame in self._socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                message = frame.json()
                if message["type"] == "tiles":
                    known = self.told["tiles"].get("rows", [])
                    message["rows"] = [*message["rows"], *known]  # only what changed is told
                self.told[message["type"]] = message
                self._news.set()


def _candidates_everywhere(sdp: str) -> str:
    """Of sections of one kind aiortc takes the candidates of the last; ours stand in the first of the bundle."""
    head, *sections = sdp.split("m=")
    own = [line for line in sections[0].splitlines(keepends=True) if line.startswith("a=candidate")]
    others = [section + "".join(own) + "a=end-of-candidates\r\n" for section in sections[1:]]
    return "m=".join([head, sections[0], *others])


@asynccontextmanager
async def tone_page(server: Server, page: str, lesson: str, name: str, hertz: float) -> AsyncIterator[TonePage]:
    """A teacher or a classroom that sends a tone; both hear the stage in their last two ears."""
    token = make_token(page, lesson, name, canSubscribe=True)
    teaches = page == "teacher"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(server.url + "/ws", ssl=False, max_msg_size=1 << 20) as socket,
    ):
        here = TonePage(name, hertz, socket)
        try:
            yield await here.start(token=token, page=page, slots=2 if teaches else 4, sent=1)
        finally:
            await here.close()


async def hears(ear: Ear, hertz: float) -> None:
    """Wait until an ear hears a tone."""
    seen: list[float | None] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                seen.append(tone := ear.tone())
                if tone is not None and abs(tone - hertz) < WITHIN_HZ:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{hertz} Hz were never heard; lately {seen[-10:]}") from None
