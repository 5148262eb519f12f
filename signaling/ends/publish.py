"""`zhuandi publish`: a file or a live address becomes a lesson's camera and microphone, over WHIP."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiortc import RTCPeerConnection, RTCRtpSender

from signaling.ends.door import DoorPlan
from signaling.ends.file_source import FileSource, FileTrack
from signaling.ends.peer import http_session

CONNECT_S = 15.0


async def publish(plan: DoorPlan, lesson: str, address: str, seconds: float | None = None) -> dict[str, Any]:
    """Send until the media ends (or `seconds` pass); what was sent. Raises `Unreadable`, `Refused`, `OSError`."""
    source = FileSource(address)
    pc = RTCPeerConnection()
    connection = _Connection(pc)
    try:
        for track in source.tracks:
            _add(pc, track)
        async with http_session(plan, f"/whip/{lesson}", pc):
            try:
                await asyncio.wait_for(connection.up.wait(), CONNECT_S)
            except TimeoutError:
                raise ConnectionError("no media connection: is the server's UDP port reachable from here?") from None
            source.start()
            await _until_end(source, connection, seconds)
            if connection.gone.is_set():
                raise ConnectionError("the server ended the session")
            return await _sent(pc, source)
    finally:
        source.stop()
        await pc.close()


def _add(pc: RTCPeerConnection, track: FileTrack) -> None:
    transceiver = pc.addTransceiver(track, direction="sendonly")
    if track.kind == "video":
        wanted = "video/H264" if track.passed_through else "video/VP8"
        codecs = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType in {wanted, "video/rtx"}])


class _Connection:
    """The two moments of a PeerConnection that matter here."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        self.up, self.gone = asyncio.Event(), asyncio.Event()

        @pc.on("connectionstatechange")
        def changed() -> None:
            if pc.connectionState == "connected":
                self.up.set()
            elif pc.connectionState in {"failed", "closed"}:
                self.gone.set()


async def _until_end(source: FileSource, connection: _Connection, seconds: float | None) -> None:
    waits = [*(track.ended.wait() for track in source.tracks)]
    ended = asyncio.create_task(_all(waits))
    gone = asyncio.create_task(_all([connection.gone.wait()]))
    await asyncio.wait({ended, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    gone.cancel()
    await asyncio.gather(ended, gone, return_exceptions=True)


async def _all(waits: list[Coroutine[Any, Any, Any]]) -> None:
    await asyncio.gather(*waits)


async def _sent(pc: RTCPeerConnection, source: FileSource) -> dict[str, Any]:
    result: dict[str, Any] = {track.kind: {"passed_through": track.passed_through} for track in source.tracks}
    for stats in (await pc.getStats()).values():
        if stats.type == "outbound-rtp":
            result[stats.kind] |= {"packets": stats.packetsSent, "bytes": stats.bytesSent}
    return result
