"""What people feel in a real browser: late joining, a change of quality, coming back after a break, the library."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from benchmarks.late_join import WORDS as LATE_WORDS
from benchmarks.late_join import late_joins
from benchmarks.report import parser, progress, show
from tests.support.browser import chromium, eventually, open_page, picture, sees_numbers, start_teaching
from tests.support.media import make_camera, make_microphone
from tests.support.server import Server, make_token

PATIENCE_S = 30.0
CHOICES = (("high", 720), ("low", 180), ("medium", 360), ("high", 720))
LOOK_S = 3.0  # a person looks at the picture before the next choice
WORDS = LATE_WORDS | {
    "quality_s": "the slowest change of quality, to the new decoded height",
    "quality_hurried_s": "the same, each choice right on the heels of the one before",
    "quality_freeze_ms": "the longest time without a new picture around such a change",
    "back_after_media_kill_s": "kill -9 of the media process, to the next picture in the classroom",
    "back_after_server_kill_s": "kill -9 of everything: from the server's being up again to the next picture",
    "back_after_reload_s": "F5 by the teacher, to the next picture in the classroom",
    "library_s": "from the end of the lesson to its place in the library",
}


async def measure() -> dict[str, float]:
    """All figures, on a server and browsers of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        camera, microphone = make_camera(folder / "camera.mjpeg"), make_microphone(folder / "microphone.wav")
        with Server(folder) as server:
            async with chromium(camera, microphone) as browser:
                return await _lesson(browser, server)


async def _lesson(browser: Browser, server: Server) -> dict[str, float]:
    lesson = await server.create_lesson()
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    classroom = await _classroom(browser, server, lesson)
    await sees_numbers(classroom, within_s=PATIENCE_S)
    figures: dict[str, float] = {}
    progress("late joiners")
    figures |= await late_joins(browser, lambda: server.link("classroom", make_token("classroom", lesson["id"])))
    progress("changes of quality")
    figures |= await _qualities(classroom)
    progress("breaks")
    await _note_connection(classroom)
    server.kill_one("streaming.node")
    figures["back_after_media_kill_s"] = await _back(classroom)
    await _note_connection(classroom)
    server.kill()
    server.start()
    figures["back_after_server_kill_s"] = await _back(classroom)
    await eventually(lambda: teacher.get_by_test_id("state").text_content(), lambda text: "connected" in (text or ""))
    began_s = time.monotonic()
    await teacher.reload()
    await asyncio.sleep(0.5)  # what was under way has been shown
    await sees_numbers(classroom, within_s=PATIENCE_S)
    figures["back_after_reload_s"] = time.monotonic() - began_s
    progress("the library")
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("confirm-yes").click()
    began_s = time.monotonic()
    await server.published(lesson["id"], within_s=PATIENCE_S)
    figures["library_s"] = time.monotonic() - began_s
    return {name: round(value, 2) for name, value in figures.items()}


async def _classroom(browser: Browser, server: Server, lesson: dict[str, Any]) -> Page:
    return await open_page(browser, server.link("classroom", make_token("classroom", lesson["id"])))


async def _qualities(classroom: Page) -> dict[str, float]:
    took_s, longest_ms = await _change(classroom, LOOK_S)
    hurried_s, longest_hurried_ms = await _change(classroom, 0.0)
    longest_ms = max(longest_ms, longest_hurried_ms)
    return {"quality_s": took_s, "quality_hurried_s": hurried_s, "quality_freeze_ms": longest_ms}


async def _change(classroom: Page, pause_s: float) -> tuple[float, float]:
    """All choices: seconds that the slowest took, longest ms without a new picture."""
    slowest_s, longest_ms = 0.0, 0.0
    for number, (choice, height) in enumerate(CHOICES):
        await asyncio.sleep(pause_s)

        def reached(seen: dict[str, Any] | None, height: int = height) -> bool:
            return seen is not None and seen["height"] == height

        await classroom.mouse.move(640, 360)
        await classroom.evaluate("() => window.probe.watch('video-camera')")
        began_s = time.monotonic()
        await classroom.get_by_test_id(f"quality-{choice}").click()
        await eventually(lambda: picture(classroom), reached, PATIENCE_S)
        took_s = time.monotonic() - began_s
        watched = await classroom.evaluate("() => ((window.probe.watched.stopped = true), window.probe.watched)")
        if number:  # the first only brings the lesson to the height that the others start from
            slowest_s, longest_ms = max(slowest_s, took_s), max(longest_ms, watched["longest_ms"])
    return slowest_s, longest_ms


async def _note_connection(page: Page) -> None:
    await page.evaluate("() => { window.before = window.zhuandi.pc }")


async def _back(page: Page) -> float:
    """Seconds from now until a new connection shows a picture that moves."""
    began_s = time.monotonic()
    await eventually(lambda: page.evaluate("() => window.zhuandi.pc !== window.before"), bool, PATIENCE_S)
    await sees_numbers(page, within_s=PATIENCE_S)
    return time.monotonic() - began_s


def main() -> None:
    """The command line."""
    summary = "What people feel in a real browser: joining late, changing the quality, coming back, the library."
    given = parser("lesson", summary, ("--json",)).parse_args()
    show(asyncio.run(measure()), as_json=given.json, words=WORDS)


if __name__ == "__main__":
    main()
