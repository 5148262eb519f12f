"""Pictures and sound -> track files (`.zwl`) that the packet core plays as if a camera had made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from recorder.zwl import LogCodec, TrackHeader, ZwlWriter
from signaling.ends.rtp_packets import RtpStream, vp8_payloads
from signaling.ends.voice import RATE, Samples

VIDEO_CLOCK = 90_000
VP8_PT, OPUS_PT = 96, 111
SPREAD_US = 300  # between the packets of one frame, as a pacer would
SPREAD_MOST_US = 20_000


@dataclass(frozen=True)
class Encoding:
    """One simulcast stream: every `fps / source fps`-th frame at `width` x `height`."""

    rid: str
    width: int
    height: int
    fps: int
    bps: int


class VideoTrack:
    """Encodes one stream to VP8 as a live sender would: no look-ahead, constant rate, a key frame each `keyframe_s`."""

    def __init__(self, file: Path, source: str, encoding: Encoding, source_fps: int, keyframe_s: int = 4) -> None:
        self._encoding = encoding
        self._source_fps = source_fps
        ssrc = 0x5A440000 + encoding.height
        header = TrackHeader(source, "demo", "video", (LogCodec(VP8_PT, "VP8", VIDEO_CLOCK),), ssrc)
        self._writer = ZwlWriter(file, 1, header)
        self._rtp = RtpStream(ssrc, VP8_PT)
        self._frames = 0
        self._encoder = av.CodecContext.create("libvpx", "w")
        assert isinstance(self._encoder, av.VideoCodecContext)
        self._encoder.width, self._encoder.height = encoding.width, encoding.height
        self._encoder.pix_fmt = "yuv420p"
        self._encoder.time_base = Fraction(1, VIDEO_CLOCK)
        self._encoder.framerate = Fraction(encoding.fps)
        self._encoder.bit_rate = encoding.bps
        self._encoder.gop_size = keyframe_s * encoding.fps
        self._encoder.thread_count = 1
        self._encoder.options = {
            "deadline": "realtime",
            "cpu-used": "8",
            "error-resilient": "1",
            "lag-in-frames": "0",
            "keyint_min": "0",
            "minrate": str(encoding.bps),
            "maxrate": str(encoding.bps),
            "bufsize": str(encoding.bps),
            "static-thresh": "100",
        }

    def add(self, number: int, frame: av.VideoFrame) -> None:
        """Frame `number` of the source (only those that this encoding's frame rate wants are kept)."""
        before = (number - 1) * self._encoding.fps // self._source_fps
        if number * self._encoding.fps // self._source_fps == before:
            return
        small = frame.reformat(self._encoding.width, self._encoding.height, "yuv420p")
        small.pts = number * VIDEO_CLOCK // self._source_fps
        small.time_base = Fraction(1, VIDEO_CLOCK)
        small.pict_type = av.video.frame.PictureType.NONE
        self._write(self._encoder.encode(small))

    def close(self) -> None:
        """Write what the encoder still holds."""
        self._write(self._encoder.encode(None))
        self._writer.close()

    def _write(self, packets: Iterable[av.Packet[Any]]) -> None:
        for packet in packets:
            timestamp = packet.pts or 0
            payloads = list(vp8_payloads(bytes(packet), self._frames))
            step = min(SPREAD_US, SPREAD_MOST_US // len(payloads))
            for place, (payload, last) in enumerate(payloads):
                at_us = timestamp * 1_000_000 // VIDEO_CLOCK + place * step
                self._writer.rtp(at_us, self._rtp.packet(timestamp, payload, marker=last))
            self._frames += 1


def encode_video(
    folder: Path,
    source: str,
    pictures: Iterable[Image.Image],
    fps: int,
    encodings: Sequence[Encoding],
    keyframe_s: int = 4,
) -> list[str]:
    """Write one track file an encoding and return their paths, in the encodings' order."""
    files = [folder / f"{source}-{encoding.rid}.zwl" for encoding in encodings]
    pairs = zip(files, encodings, strict=True)
    tracks = [VideoTrack(file, source, encoding, fps, keyframe_s) for file, encoding in pairs]
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
        for track in tracks:
            track.add(number, frame)
    for track in tracks:
        track.close()
    return [str(file) for file in files]


@dataclass(frozen=True)
class Speech:
    """How a voice is encoded: packets of `frame_ms`, and whether each also carries the one before (RFC 6716 2.1.7)."""

    file: str
    bps: int
    frame_ms: int
    fec: bool


VOICE = Speech("microphone.zwl", 32_000, 20, fec=True)
# As a page's second voice (PROTOCOL 1): headers are dear where little else fits, and copies are made for each receiver.
LOW_VOICE = Speech("low-voice.zwl", 12_000, 60, fec=False)


def encode_voice(folder: Path, samples: Samples, speech: Speech = VOICE) -> list[str]:
    """Write the sound as Opus and return the file's path in a list."""
    file, size = folder / speech.file, RATE * speech.frame_ms // 1000
    ssrc = 0x5A440000 + speech.frame_ms
    header = TrackHeader("microphone", "demo", "audio", (LogCodec(OPUS_PT, "opus", RATE),), ssrc)
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "flt"
    encoder.bit_rate = speech.bps
    options = {"application": "voip", "frame_duration": str(speech.frame_ms)}
    encoder.options = options | ({"fec": "1", "packet_loss": "10"} if speech.fec else {})
    writer, rtp = ZwlWriter(file, 1, header), RtpStream(ssrc, OPUS_PT)
    frames = len(samples) // size
    written = 0
    for index in range(frames + 1):
        packets: Iterable[av.Packet[Any]]
        if index < frames:
            part = samples[index * size : (index + 1) * size]
            frame = av.AudioFrame.from_ndarray(part[np.newaxis, :], format="flt", layout="mono")
            frame.sample_rate, frame.pts = RATE, index * size
            packets = encoder.encode(frame)
        else:
            packets = encoder.encode(None)
        for packet in packets:
            if written < frames:  # the encoder's look-ahead would make the loop longer than the sound
                at_us = written * speech.frame_ms * 1000
                writer.rtp(at_us, rtp.packet(written * size, bytes(packet), marker=written == 0))
                written += 1
    writer.close()
    return [str(file)]
