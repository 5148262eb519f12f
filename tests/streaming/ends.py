"""A server core and client cores in one process, connected over loopback as SDP would connect them."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from recorder.zwl import Kind, LogCodec, TrackHeader, ZwlWriter
from streaming._core import Core

if TYPE_CHECKING:
    from streaming._core import CodecDict, EncodingDict, LocalTransport, RtpParameters, TransportParams

PATIENCE_S = 60.0  # nothing waits so long on a free machine
FPS = 25
RIDS = ("l", "m", "h")
FRAME_BYTES = (300, 1_000, 2_600)
EXTENSIONS = {"abs_send_time": 2, "twcc": 3, "mid": 4, "rid": 10, "repaired_rid": 11}


def until(condition: Callable[[], Any], what: str) -> Any:
    """Poll until `condition` holds; its value."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if value := condition():
            return value
        select.select([], [], [], 0.01)
    raise AssertionError(f"not in {PATIENCE_S} s: {what}")


class End:
    """A core with one lesson on an address of the loopback; its events are kept in order."""

    def __init__(self, log_dir: Path | None = None, workers: int = 1, address: str = "127.0.0.1") -> None:
        self.core = Core(addresses=[address], workers=workers)
        self.lesson = self.core.open_lesson(str(log_dir) if log_dir else None)
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.core.close()

    def wait(self, name: str, **fields: Any) -> dict[str, Any]:
        """Wait for an event, sleeping on the core's descriptor."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for event in self.events:
                if event["event"] == name and all(event.get(key) == value for key, value in fields.items()):
                    return event
            left = deadline - time.monotonic()
            assert left > 0, f"no {name} {fields} among {self.events}"
            select.select([self.core.fileno()], [], [], left)
            self.events += self.core.take_events()

    def column(self, table: str, name: str, **where: int) -> int:
        """One number of the statistics; 0 while there is no such row."""
        columns = self.core.take_stats()[table]
        for row in range(len(columns[name])):
            if all(columns[key][row] == value for key, value in where.items()):
                return int(columns[name][row])
        return 0


def connect(
    server: End,
    client: End,
    protocol: str = "udp",
    port_offset: int = 0,
    stills: tuple[str, str] = ("none", "none"),
) -> tuple[int, int]:
    """An association between the two; its handles at the server and at the client."""
    ufrag, pwd = client.core.new_credentials()
    offered: TransportParams = {
        "role": "server",
        "ufrag": ufrag,
        "pwd": pwd,
        "fingerprint": client.core.fingerprint,
        "dtls": "passive",
        "stills": stills[0],
    }
    local: LocalTransport = server.core.open_transport(server.lesson, offered)
    candidates = [one for one in local["candidates"] if one["protocol"] == protocol]
    for candidate in candidates:
        candidate["port"] += port_offset
    answered: TransportParams = {
        "role": "client",
        "ufrag": local["ufrag"],
        "pwd": local["pwd"],
        "fingerprint": local["fingerprint"],
        "dtls": "active",
        "candidates": candidates,
        "local_ufrag": ufrag,
        "local_pwd": pwd,
        "stills": stills[1],
    }
    there = client.core.open_transport(client.lesson, answered)["transport"]
    server.wait("connected", transport=local["transport"])
    client.wait("connected", transport=there)
    return local["transport"], there


def video(mid: str, encodings: list[EncodingDict]) -> RtpParameters:
    """A VP8 section with RTX."""
    codecs: list[CodecDict] = [
        {"pt": 96, "codec": "VP8", "clock_rate": 90_000},
        {"pt": 97, "codec": "rtx", "clock_rate": 90_000, "apt": 96},
    ]
    return {
        "mid": mid,
        "kind": "video",
        "codecs": codecs,
        "extensions": EXTENSIONS,
        "encodings": encodings,
        "nack": True,
        "twcc": True,
    }


def rid_encodings() -> list[EncodingDict]:
    """Three simulcast streams as a client's offer names them."""
    return [{"rid": rid, "ssrc": 1000 + n, "rtx_ssrc": 2000 + n} for n, rid in enumerate(RIDS)]


def vp8_payload(frame: int, size: int, key: bool, height: int) -> bytes:
    """A descriptor with a 15-bit picture id and a frame header (RFC 7741, RFC 6386 9.1)."""
    descriptor = bytes([0x90, 0x80, 0x80 | (frame >> 8 & 0x7F), frame & 0xFF])
    width = height * 16 // 9
    header = bytes([0x10, 0, 0, 0x9D, 0x01, 0x2A]) + width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return (descriptor + (header if key else bytes([0x11, 0, 0]))).ljust(size, b"\xaa")


def write_camera(folder: Path, seconds: int = 2, keyframe_every: int = 10) -> list[str]:
    """Track files of three layers, lowest first, that repeat after `seconds`."""
    paths = []
    for layer, size in enumerate(FRAME_BYTES):
        path = folder / f"{RIDS[layer]}.zwl"
        header = TrackHeader("camera", "test", "video", (LogCodec(96, "VP8", 90_000),), 1000 + layer)
        writer = ZwlWriter(path, 1, header)
        sequence = 65_000
        for frame in range(seconds * FPS):
            arrival_us = 1_000_000 + frame * 1_000_000 // FPS
            payload = vp8_payload(frame, size, frame % keyframe_every == 0, 180 << layer)
            cuts = range(0, len(payload), 1_100)
            for cut in cuts:
                marker = 0x80 if cut == cuts[-1] else 0
                # Only the first packet of a frame starts a partition.
                start = payload[cut : cut + 1_100] if cut == 0 else b"\x80" + payload[1:4] + payload[cut : cut + 1_100]
                rtp = bytes([0x80, 96 | marker]) + (sequence & 0xFFFF).to_bytes(2, "big")
                rtp += (frame * 90_000 // FPS).to_bytes(4, "big") + (1000 + layer).to_bytes(4, "big")
                writer.write(Kind.RTP, arrival_us, rtp + start)
                sequence += 1
        writer.close()
        paths.append(str(path))
    return paths
