"""The teacher that sends a film's frames in reality."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

import av
import pytest
from aiortc.rtp import RtpPacket

from benchmarks.links import films
from benchmarks.links.films import Row
from benchmarks.links.stand_in import Association, Layer, StandIn, Stream, pieces, stand_in
from benchmarks.links.stand_in_media import Media, make_media
from signaling.ends.attend import attend
from tests.support.server import Server


@cache
def short_media() -> Media:
    """Six seconds of the recorded teacher."""
    source = films.recorded()
    camera = [row for row in source.camera if row.at_us < 6_000_000]
    return make_media(replace(source, loop_us=6_000_000, camera=camera))


def test_frames_of_every_size_are_decoded_whichever_are_left_out() -> None:
    media = short_media()
    for number, (height, width, keys) in enumerate(media.source.layers):
        decoder = av.CodecContext.create("vp8", "r")
        sizes = [row.bytes for row in media.source.camera if row.encoding == number][::3]
        frames = [media.frame(number, keys[0], key=True), *(media.frame(number, size, key=False) for size in sizes)]
        assert [len(frame) for frame in frames] == [keys[0], *sizes]
        shown = [picture for frame in frames for picture in decoder.decode(av.Packet(frame))]
        assert len(shown) == len(frames)
        assert {(one.height, one.width) for one in shown} == {(height, width)}


def test_voices_last_as_long_as_the_film_and_are_no_more_than_the_page_sends() -> None:
    media = short_media()
    for frames, length_us, most_bps in zip(media.voices, films.VOICES_US, (14_000, 40_000), strict=True):
        assert len(frames) * length_us == media.source.loop_us
        assert 8e6 * sum(map(len, frames)) / media.source.loop_us < most_bps
    assert media.source.voices == [[len(frame) for frame in frames] for frames in media.voices]


def test_a_film_with_frames_too_small_to_be_pictures_is_refused() -> None:
    source = films.recorded()
    with pytest.raises(ValueError, match="layer 2"):
        make_media(replace(source, loop_us=1_000_000, camera=[*source.camera, Row(47_999_999, 2, 0, 0, 20)]))


@pytest.mark.parametrize("size", [100, 1124, 1125, 9000, 69_450])
def test_a_frame_is_cut_evenly_and_names_its_layers(size: int) -> None:
    layer, frame = Layer(2, "h", 90_000, picture=0x1234, base=255), bytes(range(256)) * (size // 256 + 1)
    cut = list(pieces(frame[:size], layer, Row(0, 2, 1, 1, size)))
    assert b"".join(payload[6:] for payload, _ in cut) == frame[:size]
    assert [last for _, last in cut] == [False] * (len(cut) - 1) + [True]
    lengths = [len(payload) for payload, _ in cut]
    assert max(lengths) <= films.PACKET_BYTES and max(lengths) - min(lengths) <= 1
    assert cut[0][0][:6] == bytes([0x90, 0xE0, 0x92, 0x34, 255, 0x60])
    assert {payload[0] for payload, _ in cut[1:]} <= {0x80}


@pytest.mark.parametrize("start", [0, 1, 127, 32767, 65534, 65535])
def test_packets_are_numbered_on(start: int) -> None:
    stream = Stream(1, "", 48_000, ssrc=7, sequence=start)
    for number in range(3):
        packet = RtpPacket.parse(stream.packet(960 * number, b"voice", (start + number) % 65536, marker=False))
        assert (packet.sequence_number, packet.timestamp, packet.ssrc) == ((start + number) % 65536, 960 * number, 7)
        assert packet.payload == b"voice"
    assert (stream.packets, stream.octets) == (3, 15)


class Wire:
    """In place of an association: what would have been sent."""

    def __init__(self) -> None:
        self.key_wanted = asyncio.Event()
        self.sent: list[bytes] = []

    async def send(self, packet: bytes) -> None:
        self.sent.append(packet)

    def keys(self) -> int:
        """Key frames since the last call: first packets of a frame whose first byte says so."""
        packets, self.sent = self.sent, []
        payloads = [RtpPacket.parse(packet).payload for packet in packets]
        return sum(payload[0] & 0x10 != 0 and payload[6] & 1 == 0 for payload in payloads)


async def test_every_layer_begins_with_a_key_frame_and_gets_one_more_when_anybody_asks() -> None:
    wire = Wire()
    teacher = StandIn(short_media(), cast(Association, wire))
    rows = teacher.media.source.camera
    for row in rows:
        await teacher.picture(row.at_us, row)
    assert wire.keys() == 3
    wire.key_wanted.set()
    for row in itertools.islice(rows, 100):
        await teacher.picture(6_000_000 + row.at_us, row)
    assert wire.keys() == 3
    assert not wire.key_wanted.is_set()


async def test_a_player_decodes_the_picture_and_the_voice_of_the_stand_in(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        lesson = await server.create_lesson()
        async with stand_in(server.plan("teacher", lesson["id"]), short_media()):
            seen = await attend(server.plan("classroom", lesson["id"]), lesson["id"], 4.0)
    assert seen["video"]["frames"] > 10
    assert (seen["video"]["height"], seen["video"]["width"]) in {(180, 320), (360, 640), (720, 1280)}
    assert seen["audio"]["frames"] > 50
