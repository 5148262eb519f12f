"""Cameras as schools have them, made of FFmpeg: one that is asked by RTSP (RFC 2326), one that is asked by RTMP."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import imageio_ffmpeg

from tests.support.server import free_port

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
PICTURE = [
    *("-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25"),
    *("-re", "-f", "lavfi", "-i", "sine=frequency=500:sample_rate=48000"),
]
H264 = ["-c:v", "libx264", "-profile:v", "baseline", "-g", "25", "-tune", "zerolatency", "-preset", "ultrafast"]
PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"


@asynccontextmanager
async def _ffmpeg(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        FFMPEG, "-v", "error", *PICTURE, *arguments, stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def rtmp_camera() -> AsyncIterator[str]:
    """The address of a camera with H.264 and AAC; it serves one viewer, who may come before it listens."""
    url = f"rtmp://127.0.0.1:{(port := free_port())}/live/camera"
    async with _ffmpeg(*H264, "-c:a", "aac", "-f", "flv", "-listen", "1", url) as process:
        while not _listens(port):
            assert process.returncode is None, "FFmpeg ended before it listened"
            await asyncio.sleep(0.02)
        yield url


def _listens(port: int) -> bool:
    """Whether a socket of this machine listens there; a connection would be taken for the viewer."""
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines[1:])


@asynccontextmanager
async def rtsp_camera(folder: Path) -> AsyncIterator[str]:
    """The address of a camera with H.264 and G.711, sent inside its TCP connection (RFC 2326 10.12)."""
    camera, loop = _RtspCamera(), asyncio.get_running_loop()
    ways = [await loop.create_datagram_endpoint(partial(_Tap, camera, n), ("127.0.0.1", 0)) for n in (0, 1)]
    video, audio = (f"rtp://127.0.0.1:{way.get_extra_info('sockname')[1]}?pkt_size=1200" for way, _ in ways)
    sdp = folder / "camera.sdp"
    sound = ["-map", "1:a", "-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1", "-f", "rtp", "-sdp_file", str(sdp), audio]
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    try:
        async with _ffmpeg("-map", "0:v", *H264, "-f", "rtp", video, *sound) as process:
            while not sdp.exists() or sdp.read_text().count("m=") < 2:
                assert process.returncode is None, "FFmpeg ended before it described itself"
                await asyncio.sleep(0.02)
            camera.describe(sdp.read_text())
            yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/camera"
    finally:
        server.close()
        camera.hang_up()
        for way, _ in ways:
            way.close()


class _Tap(asyncio.DatagramProtocol):
    """Hands FFmpeg's RTP of one stream to the camera."""

    def __init__(self, camera: _RtspCamera, number: int) -> None:
        self._camera, self._number = camera, number

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._camera.forward(self._number, data)


class _RtspCamera:
    def __init__(self) -> None:
        self._sdp = ""
        self._viewer: asyncio.StreamWriter | None = None

    def describe(self, sdp: str) -> None:
        """Give each stream the address at which it is set up."""
        head, *streams = sdp.split("m=")
        head = "".join(line for line in head.splitlines(keepends=True) if line.startswith(("v=", "o=", "s=", "t=")))
        self._sdp = head + "".join(f"m={s.rstrip()}\r\na=control:track{n}\r\n" for n, s in enumerate(streams))

    def forward(self, stream: int, packet: bytes) -> None:
        """One RTP packet to whoever watches."""
        if self._viewer is not None and not self._viewer.is_closing():
            self._viewer.write(b"$" + bytes([2 * stream]) + len(packet).to_bytes(2, "big") + packet)

    def hang_up(self) -> None:
        """Switched off: whoever watches need not wait for a picture that does not come."""
        if self._viewer is not None:
            self._viewer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the viewer hangs up."""
        try:
            while first := await reader.read(1):
                if first == b"$":  # the viewer's receiver reports
                    await reader.readexactly(int.from_bytes((await reader.readexactly(3))[1:], "big"))
                    continue
                request = (first + await reader.readuntil(b"\r\n\r\n")).decode()
                writer.write(self._answer(request).encode())
                if request.startswith("PLAY"):
                    self._viewer = writer
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._viewer = None
            writer.close()

    def _answer(self, request: str) -> str:
        line, *fields = request.strip().split("\r\n")
        method, url, _ = line.split()
        said = dict(field.split(": ", 1) for field in fields)
        answer = ["RTSP/1.0 200 OK", f"CSeq: {said['CSeq']}", "Session: 1"]
        body = ""
        match method:
            case "OPTIONS":
                answer.append(f"Public: {PUBLIC}")
            case "DESCRIBE":
                body = self._sdp
                answer += [f"Content-Base: {url}/", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            case "SETUP":
                stream = int(url[-1])
                answer.append(f"Transport: RTP/AVP/TCP;unicast;interleaved={2 * stream}-{2 * stream + 1}")
        return "\r\n".join(answer) + "\r\n\r\n" + body
