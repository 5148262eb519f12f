"""Frames from packets: complete or not at all, and nothing that depends on what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from recorder.depayload import opus_packets, opus_ticks, red_blocks, video_frames
from recorder.packets import Track, load_epoch
from recorder.zwl import Kind, LogCodec, TrackHeader, ZwlWriter
from tests.recorder.lesson import Sending, packets
from tests.recorder.media import video

HEADER = TrackHeader("camera", "t", "video", (LogCodec(96, "VP8", 90_000), LogCodec(98, "H264", 90_000)), 7)
AUDIO = TrackHeader("microphone", "t", "audio", (LogCodec(111, "opus", 48_000), LogCodec(63, "red", 48_000)), 7)
STARTS = (0, 1, 127, 32767, 65534, 65535)


def rtp(seq: int, ts: int, payload: bytes, pt: int = 96, marker: bool = True) -> bytes:
    head = bytes([0x80, pt | (0x80 if marker else 0)]) + (seq & 0xFFFF).to_bytes(2, "big")
    return head + (ts & 0xFFFF_FFFF).to_bytes(4, "big") + bytes(4) + payload


def logged(folder: Path, rows: list[bytes], header: TrackHeader = HEADER) -> Track:
    with ZwlWriter(folder / "00001-000001.zwl", 1, header) as writer:
        for i, row in enumerate(rows):
            writer.rtp(1_000_000 + i, row)
    return load_epoch(folder)[0]


def layered(count: int) -> list[tuple[int, bytes]]:
    """(layer, payload) of an L1T3 stream, layers 0 2 1 2; the upper ones start anew from the base in every eighth."""
    out = []
    for n in range(count):
        layer = (0, 2, 1, 2)[n % 4]
        sync = n % 8 in (1, 2)
        descriptor = VpxPayloadDescriptor(1, 0, picture_id=n, tl0picidx=n // 4 % 256, tid=(layer, int(sync)))
        body = bytes([0 if n == 0 else 1, 0, 0]) + n.to_bytes(4, "big")
        out.append((layer, bytes(descriptor) + body))
    return out


def numbers(track: Track) -> list[int]:
    return [int.from_bytes(f.data[3:7], "big") for f in video_frames(track, "VP8")]


@pytest.mark.parametrize("start", STARTS)
def test_every_order_of_arrival_gives_the_same_frames(tmp_path: Path, start: int) -> None:
    rows = [p for _, p in packets(Sending("camera", "VP8", video("VP8", 50, size=(640, 480)), seq=start))]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    # Packets may be late by some hundreds, never by half the space of numbers.
    near = [row for _, row in sorted(enumerate(rows), key=lambda r: r[0] + (r[0] * 7919) % 200)]
    straight = list(video_frames(logged(tmp_path / "a", rows), "VP8"))
    assert straight == list(video_frames(logged(tmp_path / "b", near + rows[:30]), "VP8"))
    assert len(straight) == 50


def test_a_lost_upper_layer_costs_only_what_depends_on_it(tmp_path: Path) -> None:
    frames = layered(32)
    kept = [rtp(n, n * 3000, payload) for n, (_, payload) in enumerate(frames) if n != 9]
    shown = numbers(logged(tmp_path, kept))
    # Frame 9 is lost; from base frame 12 on the picture goes on, upper layers once they start anew.
    assert shown == [*range(9), 12, 16, *range(17, 32)]


def test_a_lost_base_frame_waits_for_the_next_key_frame(tmp_path: Path) -> None:
    frames = layered(32)
    kept = [rtp(n, n * 3000, payload) for n, (_, payload) in enumerate(frames) if n != 8]
    assert numbers(logged(tmp_path, kept)) == list(range(8))


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.parametrize("start", STARTS)
def test_a_frame_that_another_encoding_cut_short_is_left_out(tmp_path: Path, codec: str, start: int) -> None:
    small, large = (video(codec, 3, size=size, gop=30) for size in ((320, 180), (1280, 720)))
    payloads = [(-3000, p, i == len(small[0].payloads) - 1) for i, p in enumerate(small[0].payloads)]
    payloads.append((0, small[1].payloads[0], False))  # the rest of the second small frame never comes
    for n, unit in enumerate(large):
        payloads += [(90 + 3000 * n, p, i == len(unit.payloads) - 1) for i, p in enumerate(unit.payloads)]
    pt = 96 if codec == "VP8" else 98
    rows = [rtp(start + at, ts, payload, pt, marker) for at, (ts, payload, marker) in enumerate(payloads)]
    frames = list(video_frames(logged(tmp_path, rows), codec))
    assert [frame.ts - frames[0].ts for frame in frames] == [0, 3090, 6090, 9090]
    assert frames[1].key and not any(frame.after_hole for frame in frames)


def test_an_encoder_that_marks_no_end_is_recorded_all_the_same(tmp_path: Path) -> None:
    rows = [rtp(n, n * 3000, payload, marker=False) for n, (_, payload) in enumerate(layered(8))]
    assert numbers(logged(tmp_path, rows)) == list(range(7))


def test_padding_between_frames_is_no_hole(tmp_path: Path) -> None:
    rows = []
    for n, (_, payload) in enumerate(layered(8)):
        rows += [rtp(2 * n, n * 3000, payload), b"\xa0" + rtp(2 * n + 1, n * 3000, b"\0\0\0\4", marker=False)[1:]]
    assert numbers(logged(tmp_path, rows)) == list(range(8))


def test_the_first_frames_without_a_key_frame_are_left_out(tmp_path: Path) -> None:
    rows = [p for _, p in packets(Sending("camera", "H264", video("H264", 100, gop=50)))]
    frames = list(video_frames(logged(tmp_path, rows[5:]), "H264"))
    assert frames[0].key and not frames[0].after_hole
    assert len(frames) == 50


@given(blocks=st.lists(st.tuples(st.integers(1, 0x3FFF), st.binary(min_size=1, max_size=200)), max_size=4))
def test_redundant_blocks_come_back(blocks: list[tuple[int, bytes]]) -> None:
    primary = b"primary"
    heads = b"".join(((0x80 | 111) << 24 | off << 10 | len(data)).to_bytes(4, "big") for off, data in blocks)
    payload = heads + bytes([111]) + b"".join(data for _, data in blocks) + primary
    assert red_blocks(payload) == [*blocks, (0, primary)]


@pytest.mark.parametrize(
    ("first", "ticks"), [(0xF8, 960), (0xF0, 480), (0x08, 960), (0x18, 2880), (0x78, 960), (0x79, 1920), (0xE0, 120)]
)
def test_the_length_of_a_packet_is_in_its_first_byte(first: int, ticks: int) -> None:
    assert opus_ticks(bytes([first, 0xFF, 0xFE])) == ticks


@given(rows=st.lists(st.tuples(st.sampled_from([63, 96, 98, 111]), st.binary(max_size=80)), min_size=1, max_size=30))
def test_no_payload_ends_the_recorder(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, bytes]]) -> None:
    for header in (HEADER, AUDIO):
        folder = tmp_path_factory.mktemp("log")
        packets_ = [rtp(n, n * 960, payload, pt) for n, (pt, payload) in enumerate(rows)]
        track = logged(folder, packets_, header)
        list(video_frames(track, "VP8"))
        list(video_frames(track, "H264"))
        for packet in opus_packets(track):
            opus_ticks(packet.data)


@given(rows=st.lists(st.binary(max_size=40), min_size=1, max_size=30))
def test_no_packet_ends_the_recorder(tmp_path_factory: pytest.TempPathFactory, rows: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("log")
    with ZwlWriter(folder / "00001-000001.zwl", 1, HEADER) as writer:
        for row in rows:
            writer.rtp(5, row)
            writer.write(Kind.SR, 5, row)
            writer.write(Kind.EVENT, 5, row)
    for track in load_epoch(folder):
        list(video_frames(track, "VP8"))
