"""Media that is made ahead: what goes into a track file comes out of a decoder."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from PIL import Image

from recorder.zwl import Kind, ZwlReader
from signaling.ends.counter import NUMBERS, read_counter
from signaling.ends.drawing import camera_frame, slide_frame
from signaling.ends.encode import LOW_VOICE, VOICE, Encoding, Speech, encode_video, encode_voice
from signaling.ends.rtp_packets import PAYLOAD_BYTES, RtpStream, vp8_payloads
from signaling.ends.voice import RATE

FPS = 10


def packets(path: str) -> Iterator[tuple[int, int, bool, bytes]]:
    """(arrival_us, RTP timestamp, marker, payload) of each packet in a track file."""
    for record in ZwlReader(Path(path)).read():
        if record.kind == Kind.RTP:
            (timestamp,) = struct.unpack_from("!I", record.body, 4)
            yield record.arrival_us, timestamp, bool(record.body[1] & 0x80), record.body[12:]


def decoded_counters(path: str) -> list[int | None]:
    """The numbers burnt into the frames of a VP8 track file."""
    decoder = av.CodecContext.create("libvpx", "r")
    counters, frame = [], b""
    for _, _, marker, payload in packets(path):
        _, rest = VpxPayloadDescriptor.parse(payload)
        frame += rest
        if marker:
            counters += [
                read_counter(picture.to_ndarray(format="gray")) for picture in decoder.decode(av.Packet(frame))
            ]
            frame = b""
    return counters


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (1280, 720)])
@pytest.mark.parametrize("number", [0, 1, 749, 2730, NUMBERS - 1])
def test_a_burnt_in_number_is_read_at_every_size(number: int, size: tuple[int, int]) -> None:
    picture = camera_frame(number, 25).resize(size).convert("L")
    assert read_counter(np.asarray(picture)) == number


def test_a_picture_without_a_number_reads_as_none() -> None:
    grey = np.full((180, 320), 128, np.uint8)
    assert read_counter(grey) is None


def test_frames_survive_encoding_and_packets(tmp_path: Path) -> None:
    encodings = (Encoding("l", 320, 180, 5, 90_000), Encoding("h", 640, 360, FPS, 350_000))
    low, high = encode_video(tmp_path, "camera", (camera_frame(n, FPS) for n in range(20)), FPS, encodings)
    assert decoded_counters(high) == list(range(20))
    assert decoded_counters(low) == list(range(0, 20, 2))


def test_arrival_follows_the_media_clock(tmp_path: Path) -> None:
    pictures: Iterator[Image.Image] = (slide_frame(n, FPS, 1) for n in range(12))
    (path,) = encode_video(tmp_path, "screen", pictures, FPS, (Encoding("s", 1280, 720, FPS, 300_000),))
    times = [(at, timestamp) for at, timestamp, _, _ in packets(path)]
    assert times == sorted(times)
    assert all(0 <= at - timestamp * 1000 // 90 <= 20_000 for at, timestamp in times)


def test_pieces_of_a_frame_are_equal_within_a_byte() -> None:
    for length in (1, 1146, 1147, 5000, 77_777):
        pieces = [payload for payload, _ in vp8_payloads(bytes(length), 0x7FFF)]
        sizes = {len(piece) for piece in pieces}
        assert max(sizes) <= PAYLOAD_BYTES
        assert max(sizes) - min(sizes) <= 1
        assert sum(len(piece) - 4 for piece in pieces) == length


def test_numbers_wrap_around() -> None:
    stream = RtpStream(1, 96)
    stream._sequence = 65_535
    numbers = [struct.unpack_from("!H", stream.packet(0, b"", marker=False), 2)[0] for _ in range(2)]
    assert numbers == [65_535, 0]


@pytest.mark.parametrize("speech", [VOICE, LOW_VOICE])
def test_sound_keeps_its_length_and_loudness(tmp_path: Path, speech: Speech) -> None:
    time = np.arange(3 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    (path,) = encode_voice(tmp_path, tone, speech)
    found = list(packets(path))
    size = RATE * speech.frame_ms // 1000
    assert [timestamp for _, timestamp, _, _ in found] == list(range(0, 3 * RATE, size))
    assert sum(len(payload) for _, _, _, payload in found) * 8 / 3 < 1.3 * speech.bps
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate = RATE
    heard = np.concatenate(
        [frame.to_ndarray().reshape(-1) for _, _, _, payload in found for frame in decoder.decode(av.Packet(payload))]
    )
    peak = np.abs(heard[len(heard) // 4 :]).max() / (1 if heard.dtype.kind == "f" else 32768)
    assert 0.3 < peak < 0.8
