"""Synthetic media of a known size: VP8-shaped video at 1 Mbit/s and Opus-shaped sound at 50 packets a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recorder.zwl import LogCodec, TrackHeader, ZwlWriter
from signaling.ends.demo_media import LessonMedia, PlayedSource
from signaling.ends.rtp_packets import RtpStream

if TYPE_CHECKING:
    from streaming._core import RtpParameters

FPS = 25
VIDEO_PAYLOAD, AUDIO_PAYLOAD = 1150, 80  # bytes
FRAMES = (4, 4, 5)  # packets of successive frames, as in the limit example: 1 Mbit/s
KEYFRAME_EVERY = 25  # frames
LEAD_US = 200_000  # of silence, while the player is being connected
LEAD_PT = 0  # of no codec of ours: a player leaves it out, but its time is the beginning
AUDIO_PHASE_US = 10_000  # the two sources of a browser do not tick together
EXTENSIONS = {"abs_send_time": 2, "twcc": 3, "mid": 4}


@dataclass(frozen=True)
class Traffic:
    """One track file each, and the packets in both."""

    video: str
    audio: str
    packets: int


def make_traffic(folder: Path, seconds: float) -> Traffic:
    """Write `seconds` of both tracks."""
    folder.mkdir(parents=True, exist_ok=True)
    video, audio = folder / "video.zwl", folder / "audio.zwl"
    return Traffic(str(video), str(audio), _video(video, seconds) + _audio(audio, seconds))


def section(kind: str, *, ssrc: int | None = None, played: bool = False) -> RtpParameters:
    """The m-section of one source; `played` for the player, with an SSRC for a transport."""
    video = kind == "video"
    encoding: dict[str, int] = {}
    if ssrc is not None:
        encoding = {"ssrc": ssrc, "rtx_ssrc": ssrc + 1} if video else {"ssrc": ssrc}
    rtp: RtpParameters = {
        "mid": kind,
        "kind": kind,
        "codecs": [{"pt": 96, "codec": "VP8", "clock_rate": 90_000}]
        if video
        else [{"pt": 111, "codec": "opus", "clock_rate": 48_000}],
        "extensions": {} if played else EXTENSIONS,
        "encodings": [encoding],  # type: ignore[list-item]
        "nack": not played,
        "twcc": not played,
    }
    if video and not played:
        rtp["codecs"].append({"pt": 97, "codec": "rtx", "clock_rate": 90_000, "apt": 96})
    return rtp


def _video(file: Path, seconds: float) -> int:
    header = TrackHeader("camera", "benchmark", "video", (LogCodec(96, "VP8", 90_000),), 1)
    stream, packets = RtpStream(1, 96), 0
    with ZwlWriter(file, 1, header) as writer:
        writer.rtp(0, RtpStream(1, LEAD_PT).packet(0, b"", marker=False))
        for frame in range(round(seconds * FPS)):
            count = FRAMES[frame % len(FRAMES)]
            for place in range(count):
                payload = _vp8(frame, first=place == 0).ljust(VIDEO_PAYLOAD, b"\x5a")
                packet = stream.packet(frame * 90_000 // FPS, payload, marker=place == count - 1)
                # A frame's packets come at once, as from a browser whose pacer sends in bursts.
                writer.rtp(LEAD_US + frame * 1_000_000 // FPS, packet)
            packets += count
    return packets


def _vp8(frame: int, *, first: bool) -> bytes:
    """Descriptor with a 15-bit picture id (RFC 7741 4.2) and, first in a frame, the frame's header (RFC 6386 9.1)."""
    descriptor = bytes([0x90 if first else 0x80, 0x80, 0x80 | frame >> 8 & 0x7F, frame & 0xFF])
    if not first:
        return descriptor
    if frame % KEYFRAME_EVERY:
        return descriptor + bytes([0x11, 0, 0])
    size = (1280).to_bytes(2, "little") + (720).to_bytes(2, "little")
    return descriptor + bytes([0x10, 0, 0, 0x9D, 0x01, 0x2A]) + size


def _audio(file: Path, seconds: float) -> int:
    header = TrackHeader("microphone", "benchmark", "audio", (LogCodec(111, "opus", 48_000),), 2)
    stream, packets = RtpStream(2, 111), round(seconds * 50)
    with ZwlWriter(file, 2, header) as writer:
        writer.rtp(0, RtpStream(2, LEAD_PT).packet(0, b"", marker=False))
        for number in range(packets):
            packet = stream.packet(number * 960, bytes([0xFC]).ljust(AUDIO_PAYLOAD, b"\x5a"), marker=number == 0)
            writer.rtp(LEAD_US + AUDIO_PHASE_US + number * 20_000, packet)
    return packets


def lesson_traffic(folder: Path, seconds: int) -> LessonMedia:
    """The same as the camera and microphone of a publishing end, repeated."""
    traffic = make_traffic(folder, seconds)
    loop_us = seconds * 1_000_000 + LEAD_US
    camera = PlayedSource([traffic.video], ["one"], "VP8", 96, loop_us)
    microphone = PlayedSource([traffic.audio], ["one"], "opus", 111, loop_us)
    return LessonMedia("benchmark", float(seconds), {"microphone": microphone, "camera": camera})
