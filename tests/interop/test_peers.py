"""Independent implementations publish and play through WHIP and WHEP."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from signaling.ends.attend import attend
from signaling.ends.client_core import ClientCore
from signaling.ends.demo_media import LessonMedia
from signaling.ends.publish_end import PublishEnd
from signaling.ends.receive_end import ReceiveEnd
from tests.support.browser import eventually, hears_tone, open_page, picture
from tests.support.ip_camera import rtmp_camera, rtsp_camera
from tests.support.server import Server, make_token, zhuandi

pytestmark = pytest.mark.e2e
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SINE_HZ = 500


@pytest_asyncio.fixture(loop_scope="session")
async def published_lesson(server: Server, lesson: dict[str, Any], media: LessonMedia) -> AsyncIterator[dict[str, Any]]:
    """A lesson with our own headless teacher."""
    with ClientCore() as client:
        end = PublishEnd(server.plan("teacher", lesson["id"]), client, media)
        teaching = asyncio.create_task(end.run())
        try:
            await asyncio.wait_for(end.connected.wait(), 60)
            yield lesson
        finally:
            teaching.cancel()
            await asyncio.gather(teaching, return_exceptions=True)


def moving_picture() -> list[str]:
    """FFmpeg's arguments for a moving picture and a tone in real time."""
    return [
        *("-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25"),
        *("-re", "-f", "lavfi", "-i", f"sine=frequency={SINE_HZ}:sample_rate=48000"),
        *("-c:v", "libx264", "-profile:v", "baseline", "-bf", "0", "-g", "50", "-tune", "zerolatency"),
        *("-preset", "ultrafast", "-b:v", "600k", "-c:a", "libopus", "-ar", "48000", "-ac", "2"),
    ]


def make_file(file: Path, seconds: int) -> None:
    """The same as a file: H.264 without reordering, and Opus."""
    at_once = [argument for argument in moving_picture() if argument != "-re"]
    subprocess.run([FFMPEG, *at_once, "-t", str(seconds), str(file)], check=True, stdin=subprocess.DEVNULL)


@contextmanager
def ffmpeg(server: Server, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """FFmpeg while the block runs; it trusts the server's own certificate authority."""
    trust = {**os.environ, "SSL_CERT_FILE": str(server.data / "secrets" / "ca.crt")}
    process = subprocess.Popen([FFMPEG, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=trust)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def test_aiortc_plays_what_our_own_end_publishes(server: Server, published_lesson: dict[str, Any]) -> None:
    report = await attend(server.plan("classroom", published_lesson["id"]), published_lesson["id"], 6)
    assert report["video"]["frames"] > 40, report
    assert report["audio"]["frames"] > 200, report
    assert report["audio"]["concealed_ratio"] < 0.02, report


async def test_ffmpeg_publishes_by_whip_and_aiortc_and_a_browser_play_it(
    server: Server, lesson: dict[str, Any], browser: Browser
) -> None:
    token = make_token("teacher", lesson["id"])
    target = ["-f", "whip", "-authorization", token, f"{server.url}/whip/{lesson['id']}"]
    with ffmpeg(server, *moving_picture(), *target) as process:
        classroom = await open_page(browser, server.link("classroom", make_token("classroom", lesson["id"])))
        seen = await eventually(lambda: picture(classroom), lambda p: p is not None and p["mean"] > 1, 40)
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert seen is not None
        assert (seen["width"], seen["height"]) == (640, 360)
        await hears_tone(classroom, SINE_HZ)
        report = await attend(server.plan("classroom", lesson["id"]), lesson["id"], 8)
    assert report["video"]["frames"] > 50, report
    assert report["audio"]["frames"] > 150, report


async def test_zhuandi_publish_passes_h264_through_and_zhuandi_attend_reports(
    server: Server, lesson: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "lesson.mp4"
    make_file(file, 15)
    common = ["--url", server.url, "--lesson", lesson["id"], "--insecure"]
    publishing = await command("publish", *common, "--token", make_token("teacher", lesson["id"]), "--file", str(file))
    await published(server, lesson["id"])
    recorded = tmp_path / "out.mkv"
    token = make_token("classroom", lesson["id"])
    attending = await command(
        "attend", *common, "--token", token, "--seconds", "8", "--json", "--record", str(recorded)
    )
    said, complaint = await attending.communicate()
    assert attending.returncode == 0, complaint.decode()
    report = json.loads(said)
    assert report["video"]["frames"] > 60, report
    assert report["audio"]["frames"] > 150, report
    assert recorded.stat().st_size > 10_000
    sent, complaint = await publishing.communicate()
    assert publishing.returncode == 0, complaint.decode()
    assert json.loads(sent)["video"]["passed_through"] is True


@pytest.mark.parametrize("scheme", ["rtmp", "rtsp"])
async def test_zhuandi_publish_takes_an_ip_camera_into_a_lesson(
    server: Server, lesson: dict[str, Any], tmp_path: Path, scheme: str
) -> None:
    async with rtmp_camera() if scheme == "rtmp" else rtsp_camera(tmp_path) as address:
        common = ["--url", server.url, "--lesson", lesson["id"], "--insecure", "--file", address]
        publishing = await command("publish", *common, "--token", make_token("teacher", lesson["id"]))
        await published(server, lesson["id"])
        report = await attend(server.plan("classroom", lesson["id"]), lesson["id"], 8)
    sent, complaint = await publishing.communicate()
    assert publishing.returncode == 0, complaint.decode()
    assert json.loads(sent)["video"]["passed_through"] is True
    assert report["video"]["frames"] > 50, report
    assert (report["video"]["width"], report["video"]["height"]) == (640, 360)
    assert report["audio"]["frames"] > 150, report


async def test_our_own_ends_meet_over_ipv6(tmp_path: Path, media: LessonMedia) -> None:
    settings = {"ZHUANDI_RTC__ADDRESSES": '["::1"]'}
    with Server(tmp_path, host="[::1]", settings=settings) as server, ClientCore() as client:
        lesson = (await server.create_lesson())["id"]
        teacher = PublishEnd(server.plan("teacher", lesson), client, media)
        classroom = ReceiveEnd(server.plan("classroom", lesson), client)
        running = [asyncio.create_task(end.run()) for end in (teacher, classroom)]
        try:
            await asyncio.wait_for(classroom.first_media.wait(), 60)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["publish", "--file", "/nowhere.mp4", "--token", "TEACHER"], "cannot be opened"),
        (["publish", "--file", "FILE", "--token", "nonsense"], "token"),
        (["attend", "--seconds", "1", "--token", "nonsense"], "token"),
        (["attend", "--seconds", "1", "--token", "OTHER"], "lesson"),
    ],
)
async def test_a_refused_end_says_why_in_one_line(
    server: Server, lesson: dict[str, Any], tmp_path: Path, arguments: list[str], words: str
) -> None:
    file = tmp_path / "second.mp4"
    make_file(file, 1)
    known = {
        "TEACHER": make_token("teacher", lesson["id"]),
        "OTHER": make_token("classroom", "999999"),
        "FILE": str(file),
    }
    where = ["--url", server.url, "--lesson", "999999" if "OTHER" in arguments else lesson["id"], "--insecure"]
    process = await command(arguments[0], *where, *(known.get(word, word) for word in arguments[1:]))
    _, complaint = await process.communicate()
    assert process.returncode == 1
    lines = complaint.decode().strip().splitlines()
    assert len(lines) == 1, lines
    assert words in lines[0].lower()


async def command(*arguments: str) -> asyncio.subprocess.Process:
    """Start our own program."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *zhuandi(*arguments), stdout=pipe, stderr=pipe, stdin=asyncio.subprocess.DEVNULL
    )


async def published(server: Server, lesson: str) -> None:
    """Wait until somebody publishes in the lesson."""
    token = make_token("operator", None)

    async def state() -> str:
        rows = (await server.fetch("/api/lessons", token))["lessons"]
        return str(next(row["state"] for row in rows if row["id"] == lesson))

    await eventually(state, lambda word: word == "live", 40)
