"""Published files in a real browser: they open, know their length, and seek to the right picture."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page, async_playwright

from recorder.library import Manifest
from tests.recorder.lesson import Sending, write_epoch
from tests.recorder.media import video, voice
from tests.recorder.test_derive import camera, file_of, microphone, published, screen, track

PAGE = "<!doctype html><video id=v preload=auto muted></video><canvas id=c></canvas>"
# Opens the file and seeks; answers with what the picture there says.
PROBE = """
async ([url, times]) => {
  const v = document.getElementById('v');
  const event = (name) => new Promise((yes, no) => {
    v.addEventListener(name, yes, {once: true});
    v.addEventListener('error', () => no(new Error(v.error.message)), {once: true});
  });
  const loaded = event('loadeddata');
  v.src = url;
  await loaded;
  const first = v.currentTime;
  // Before the seeks: at the end of what it has read Chromium may correct its own idea of the length.
  const duration = v.duration;
  const out = [];
  for (const time of times) {
    const seeked = event('seeked');
    v.currentTime = time;
    await seeked;
    const c = document.getElementById('c');
    c.width = v.videoWidth; c.height = v.videoHeight;
    const g = c.getContext('2d');
    g.drawImage(v, 0, 0, c.width, c.height);
    let number = 0;
    for (let i = 0; i < 16; i++) {
      const x = Math.floor(c.width * (i % 4 + 0.5) / 4), y = Math.floor(c.height * (Math.floor(i / 4) + 0.5) / 4);
      if (g.getImageData(x, y, 1, 1).data[1] > 128) number |= 1 << i;
    }
    out.push([v.currentTime, number, v.videoWidth]);
  }
  return {duration, first, seekable: v.seekable.length ? v.seekable.end(0) : 0, out};
}
"""
SOUND = """
async (url) => {
  const v = document.getElementById('v');
  v.src = url; v.muted = false;
  await v.play();
  while (v.currentTime < 1.5) await new Promise((yes) => setTimeout(yes, 20));
  v.pause();
  return v.webkitAudioDecodedByteCount;
}
"""


async def blank(_: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


@pytest_asyncio.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    app = web.Application()
    app.router.add_get("/", blank)
    (tmp_path / "library/l").mkdir(parents=True)
    app.router.add_static("/media", tmp_path / "library/l")
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with async_playwright() as play:
        browser = await play.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        opened = await browser.new_page()
        await opened.goto(f"http://127.0.0.1:{port}/")
        yield opened
        await browser.close()
    await runner.cleanup()


async def probe(page: Page, manifest: Manifest, source: str, times: list[float]) -> dict[str, object]:
    value: dict[str, object] = await page.evaluate(PROBE, [f"/media/{track(manifest, source).file}", times])
    return value


def assert_pictures(seen: object, fps: int, begin_s: float = 0.0) -> None:
    assert isinstance(seen, list)
    for at, number, _ in seen:
        assert abs((at - begin_s) - number / fps) <= 1 / fps + 0.06


@pytest.mark.e2e
@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_browser_plays_and_seeks_on_the_lesson_s_timeline(tmp_path: Path, page: Page, codec: str) -> None:
    late = screen(codec, begin_s=3.0)
    write_epoch(tmp_path / "recordings/l/1", [camera(codec), late, microphone()])
    manifest = published(tmp_path)
    seen = await probe(page, manifest, "camera", [0.5, 7.3, 2.0, 5.51])
    assert abs(float(str(seen["duration"])) - 8.0) < 0.1
    assert abs(float(str(seen["seekable"])) - 8.0) < 0.1
    assert_pictures(seen["out"], 25)
    # Slides that came three seconds late stand three seconds late on the browser's own clock.
    seen = await probe(page, manifest, "screen", [3.5, 10.5, 7.2])
    assert abs(float(str(seen["duration"])) - 11.0) < 0.3
    assert_pictures(seen["out"], 5, begin_s=3.0)
    decoded = await page.evaluate(SOUND, f"/media/{track(manifest, 'camera').file}")
    assert decoded > 0


@pytest.mark.e2e
@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_browser_plays_through_a_change_of_resolution(tmp_path: Path, page: Page, codec: str) -> None:
    units = [
        *video(codec, 100),
        *video(codec, 50, size=(320, 256), first=100),
        *video(codec, 50, size=(96, 80), first=150),
    ]
    feeds = [Sending("camera", codec, units), Sending("microphone", "opus", voice(8.0))]
    write_epoch(tmp_path / "recordings/l/1", feeds)
    manifest = published(tmp_path)
    assert file_of(tmp_path, manifest, "camera").stat().st_size > 0
    seen = await probe(page, manifest, "camera", [1.0, 5.0, 7.0, 4.5, 0.2])
    assert_pictures(seen["out"], 25)
