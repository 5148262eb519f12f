"""`zhuandi attend`: a receiving end over WHEP that decodes everything and says how well it went."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.contrib.media import MediaRecorder, MediaRelay
from aiortc.mediastreams import MediaStreamError

from signaling.ends.door import DoorPlan
from signaling.ends.peer import http_session

FREEZE_S = 0.15  # beyond the mean interval, and at least three of them, as WebRTC's statistics count it
MEAN_OVER = 30  # frames


@dataclass
class Video:
    """What was seen."""

    frames: int = 0
    width: int = 0
    height: int = 0
    first_frame_s: float | None = None
    freezes: int = 0
    freeze_s: float = 0.0
    _last_s: float | None = field(default=None, repr=False)
    _mean_s: float = field(default=0.0, repr=False)

    def take(self, frame: Any, now_s: float, began_s: float) -> None:
        """Count one decoded frame that came at `now_s`."""
        self.frames += 1
        self.width, self.height = frame.width, frame.height
        if self._last_s is None:
            self.first_frame_s = round(now_s - began_s, 3)
        else:
            gap = now_s - self._last_s
            if self.frames > MEAN_OVER and gap > max(3 * self._mean_s, self._mean_s + FREEZE_S):
                self.freezes += 1
                self.freeze_s += gap - self._mean_s
            else:
                self._mean_s += (gap - self._mean_s) / min(self.frames, MEAN_OVER)
        self._last_s = now_s


@dataclass
class Audio:
    """What was heard; concealed is what the time stamps say was missing."""

    frames: int = 0
    samples: int = 0
    concealed_ratio: float = 0.0
    _first: int | None = field(default=None, repr=False)

    def take(self, frame: Any) -> None:
        """Count one decoded frame."""
        self.frames += 1
        self.samples += frame.samples
        if self._first is None:
            self._first = frame.pts
        expected = frame.pts - self._first + frame.samples
        self.concealed_ratio = round(max(0.0, 1 - self.samples / expected), 4) if expected > 0 else 0.0


async def attend(plan: DoorPlan, lesson: str, seconds: float, record: str | None = None) -> dict[str, Any]:
    """Attend for `seconds` and report. Raises `Refused`, `OSError`."""
    pc, video, audio = RTCPeerConnection(), Video(), Audio()
    relay, tasks, began_s = MediaRelay(), [], time.monotonic()
    recorder = MediaRecorder(record) if record else None

    @pc.on("track")
    def on_track(track: MediaStreamTrack) -> None:
        source = relay.subscribe(track) if recorder else track
        if recorder:
            recorder.addTrack(relay.subscribe(track))
        tasks.append(asyncio.create_task(_consume(source, video, audio, began_s)))

    pc.addTransceiver("audio", direction="recvonly")
    pc.addTransceiver("video", direction="recvonly")
    try:
        async with http_session(plan, f"/whep/{lesson}", pc):
            if recorder:
                await recorder.start()
            await asyncio.sleep(seconds)
            report = await _report(pc, video, audio, seconds)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if recorder:
            await recorder.stop()
        await pc.close()
    return report


async def _consume(track: MediaStreamTrack, video: Video, audio: Audio, began_s: float) -> None:
    try:
        while True:
            frame = await track.recv()
            if track.kind == "video":
                video.take(frame, time.monotonic(), began_s)
            else:
                audio.take(frame)
    except MediaStreamError:
        return


async def _report(pc: RTCPeerConnection, video: Video, audio: Audio, seconds: float) -> dict[str, Any]:
    received: dict[str, Any] = {"seconds": seconds, "bytes": 0}
    for value, name in ((video, "video"), (audio, "audio")):
        received[name] = {key: item for key, item in asdict(value).items() if not key.startswith("_")}
    received["video"]["freeze_s"] = round(video.freeze_s, 3)
    for stats in (await pc.getStats()).values():
        if stats.type == "transport":
            received["bytes"] = stats.bytesReceived
        elif stats.type == "inbound-rtp":
            received[stats.kind] |= {"packets": stats.packetsReceived, "lost": stats.packetsLost}
    return received
