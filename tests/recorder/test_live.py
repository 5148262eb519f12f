"""Stills of live screens whose teacher's page makes none."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import io
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from PIL import Image, ImageDraw

from recorder import slides
from recorder.keyframes import KeyFrames, decode
from recorder.live import ASK_S, Live
from recorder.slides import PAGE_AFTER_S, SOME_AFTER_S, Pages
from tests.recorder.lesson import Sending, packets, write_epoch
from tests.recorder.media import video

SCREEN = (640, 360)


def wire(codec: str, seq: int = 1000, gop: int = 10) -> list[bytes]:
    """Thirty pictures of a screen as RTP."""
    units = video(codec, 30, size=SCREEN, gop=gop)
    return [packet for _, packet in packets(Sending("screen", codec, units, seq=seq))]


def keys_of(codec: str, sent: list[bytes]) -> list[Image.Image]:
    keys = KeyFrames(Sending("screen", codec, ()).header)
    found = [frame for packet in sent if (frame := keys.take(packet)) is not None]
    return [picture for frame in found if (picture := decode(frame)) is not None]


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.parametrize("seq", [0, 1, 127, 32767, 65534, 65535])
def test_key_frames_are_found_whole_whatever_their_numbers_and_order(codec: str, seq: int) -> None:
    sent = wire(codec, seq)
    swapped = [sent[at ^ 1] if at ^ 1 < len(sent) else sent[at] for at in range(len(sent))]
    for order in (sent, swapped):
        pictures = keys_of(codec, order)
        assert [picture.size for picture in pictures] == [SCREEN] * 3


def test_a_key_frame_with_a_hole_is_passed_over() -> None:
    sent = wire("VP8")
    assert len(keys_of("VP8", sent[1:])) == 2


def test_what_is_no_packet_is_no_key_frame() -> None:
    keys = KeyFrames(Sending("screen", "VP8", ()).header)
    assert all(keys.take(packet) is None for packet in (b"", b"\x80", bytes(40), os.urandom(200)))


def page(words: str) -> Image.Image:
    """A page of a lesson."""
    picture = Image.new("RGB", (1280, 720), "#fffdf5")
    paper = ImageDraw.Draw(picture)
    for line in range(18):
        paper.text((40, 30 + 38 * line), f"{words} {line * 37} " * 6, fill="#1c2430", font_size=24)
    return picture


def test_another_page_is_shown_soon_a_small_change_seldom_and_the_same_page_once() -> None:
    pages, first, second = Pages(), page("the leaf"), page("water and light")
    clock = first.copy()
    ImageDraw.Draw(clock).rectangle((1100, 20, 1220, 80), fill="black")
    assert pages.see(first, 0.0)
    assert not pages.see(first, 60.0)
    assert pages.see(clock, 61.0)
    assert not pages.see(first, 61.0 + SOME_AFTER_S / 2)
    assert not pages.see(second, 61.0 + PAGE_AFTER_S / 2)
    assert pages.see(second, 61.0 + PAGE_AFTER_S)
    assert pages.see(first, 61.0 + 2 * PAGE_AFTER_S)


def test_the_file_of_a_page_is_small_and_legible() -> None:
    shown = page("the leaf").resize((1920, 1080))
    slide = slides.encode(shown)
    assert slide is not None and slide.size == (1280, 720) and len(slide.file) < 60_000
    again = Image.open(io.BytesIO(slide.file)).convert("L")
    wanted = shown.resize((1280, 720)).convert("L")
    apart = [abs(a - b) for a, b in zip(again.tobytes(), wanted.tobytes(), strict=True)]
    assert sum(apart) / len(apart) < 6


class FakeMedia:
    """Says what stands, and remembers the stills that it is given."""

    def __init__(self, stills: str) -> None:
        self.put: list[dict[str, Any]] = []
        self.asked = 0
        self.teacher = 7  # the transport that it knows
        self._stills = stills

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        transport = {"transport": self.teacher, "connected": True, "label": None, "stills": self._stills}
        lesson = {"lesson": "a", "log_dir": None, "label": None}
        teacher: dict[str, Any] = {**transport, "publications": [], "subscriptions": []}
        state: list[dict[str, Any]] = [{**lesson, "transports": [teacher]}]
        writer.write(json.dumps({"event": "hello", "epoch": "e", "state": state}).encode() + b"\n")
        async for line in reader:
            asked = json.loads(line)
            self.put.append(asked)
            writer.write(json.dumps({"id": asked["id"], "ok": {"hash": "00"}}).encode() + b"\n")
        writer.close()


@asynccontextmanager
async def media(data: Path, stills: str = "none") -> AsyncIterator[FakeMedia]:
    fake = FakeMedia(stills)
    (data / "run").mkdir(exist_ok=True)
    server = await asyncio.start_unix_server(fake.serve, str(data / "run" / "media.sock"))
    try:
        yield fake
    finally:
        server.close()


@pytest.fixture
def epoch(tmp_path: Path) -> Iterator[Path]:
    """A run that is being written: a camera and a screen."""
    folder = tmp_path / "recordings" / "a" / "run-1"
    streams = [
        Sending("camera", "VP8", video("VP8", 30), participant="7"),
        Sending("screen", "VP8", video("VP8", 30, size=SCREEN, gop=10), participant="7"),
    ]
    write_epoch(folder, streams)
    lock: IO[bytes]
    with (folder / "writer.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


async def test_the_newest_page_of_a_live_screen_is_handed_on_once(tmp_path: Path, epoch: Path) -> None:
    live = Live(tmp_path)
    async with media(tmp_path) as fake:
        for now_s in (0.0, 5.0, 10.0):
            await live.step(now_s)
    assert [one["do"] for one in fake.put] == ["put_still"]
    (still,) = fake.put
    assert (still["lesson"], still["source"], still["format"]) == ("a", "screen", "webp")
    assert (still["width"], still["height"]) == SCREEN
    picture = Image.open(io.BytesIO(base64.b64decode(still["data"])))
    assert picture.size == SCREEN


async def test_a_screen_whose_page_makes_stills_is_left_alone(tmp_path: Path, epoch: Path) -> None:
    live = Live(tmp_path)
    async with media(tmp_path, stills="from_peer") as fake:
        await live.step(0.0)
        await live.step(5.0)
    assert fake.put == []


async def test_a_screen_whose_sender_is_not_known_yet_is_asked_about_now_and_then_and_loses_no_page(
    tmp_path: Path, epoch: Path
) -> None:
    live = Live(tmp_path)
    async with media(tmp_path) as fake:
        fake.teacher = 8
        for step in range(4):
            await live.step(step * ASK_S / 4)
        assert (fake.asked, fake.put) == (1, [])
        fake.teacher = 7
        await live.step(ASK_S)
    assert [one["do"] for one in fake.put] == ["put_still"]


async def test_a_lesson_that_nobody_writes_any_more_gets_no_stills(tmp_path: Path, epoch: Path) -> None:
    (epoch / "writer.lock").unlink()
    live = Live(tmp_path)
    async with media(tmp_path) as fake:
        await live.step(0.0)
    assert fake.put == []
