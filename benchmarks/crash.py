"""What a lesson loses when everything is killed (kill -9) at a random moment while it is being recorded.

The teacher's end comes back by itself after the restart; the lesson is then closed and read back from the library.
Frame numbers and tones burnt into the media say what is missing, beyond the time without a server.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.burnt import Part, burnt_lesson, picture_parts, tone_parts
from benchmarks.ends import attending
from benchmarks.report import parser, positive, progress, show
from signaling.ends.client_core import ClientCore
from signaling.ends.demo_media import LessonMedia
from signaling.ends.door import Door, DoorPlan, post
from signaling.ends.publish_end import PublishEnd
from tests.support.server import Server

PATIENCE_S = 30.0
PUBLISHED_S = 45.0
MEDIA_S = 20
KILL_AFTER_S = (2.0, 7.0)
GO_ON_S = 2.0
WORDS = {
    "lost_s": "seconds of media that the worst lesson lost, beyond the outage",
    "published": "lessons that the library has, of those that were killed",
}


class NotedEnd(PublishEnd):
    """A publishing end that tells when its media begins, each time (monotonic seconds)."""

    def __init__(self, plan: DoorPlan, client: ClientCore, media: LessonMedia) -> None:
        super().__init__(plan, client, media)
        self._starts: asyncio.Queue[float] = asyncio.Queue()

    async def started(self, door: Door) -> None:
        """Note the moment."""
        self._starts.put_nowait(time.monotonic())
        await super().started(door)

    async def began_s(self) -> float:
        """Wait for the next beginning."""
        return await asyncio.wait_for(self._starts.get(), PATIENCE_S)


@dataclass(frozen=True)
class Killed:
    """One lesson that was killed after `sent_s` of media and went on."""

    lesson: str
    sent_s: float
    outage_s: float


async def measure(kills: int, seed: int | None = None) -> dict[str, float]:
    """Both figures over so many kills of one server."""
    chance = random.Random(seed)
    worst, published = 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = burnt_lesson(folder, MEDIA_S)
        with Server(folder) as server:
            for number in range(kills):
                killed = await _kill_a_lesson(server, media, chance.uniform(*KILL_AFTER_S))
                lost_s = await _lost_s(server, killed)
                if lost_s is None:
                    progress(f"kill {number + 1}: NOT published")
                    worst = max(worst, killed.sent_s)
                    continue
                published += 1
                worst = max(worst, lost_s)
                progress(
                    f"kill {number + 1} after {killed.sent_s:.2f} s, "
                    f"away for {killed.outage_s:.2f} s: lost {lost_s:.3f} s"
                )
    return {"lost_s": round(worst, 3), "published": published}


async def _kill_a_lesson(server: Server, media: LessonMedia, after_s: float) -> Killed:
    lesson = (await server.create_lesson())["id"]
    with ClientCore(["127.0.0.1"]) as client:
        end = NotedEnd(server.plan("teacher", lesson), client, media)
        async with attending(end):
            began_s = await end.began_s()
            await asyncio.sleep(after_s)
            killed_s = time.monotonic()
            server.kill()
            await asyncio.to_thread(server.start)
            back_s = await end.began_s()
            await asyncio.sleep(GO_ON_S)
            async with aiohttp.ClientSession() as http:
                await post(http, server.plan("operator", None), f"/api/lessons/{lesson}/close")
    return Killed(lesson, killed_s - began_s, back_s - killed_s)


async def _lost_s(server: Server, killed: Killed) -> float | None:
    """Seconds of picture or sound, whichever lost more; None when the lesson was not published."""
    try:
        manifest = await server.published(killed.lesson, PUBLISHED_S)
    except AssertionError:
        return None
    folder = server.data / "library" / killed.lesson
    pictures = await asyncio.to_thread(picture_parts, _files(folder, manifest, "camera"))
    tones = await asyncio.to_thread(tone_parts, _files(folder, manifest, manifest["voice_in"]))
    return max(missing_s(pictures, killed.sent_s), missing_s(tones, killed.sent_s))


def _files(folder: Path, manifest: dict[str, Any], source: str) -> list[Path]:
    tracks = sorted(manifest["tracks"], key=lambda track: track["start_s"])
    return [folder / track["file"] for track in tracks if track["source"] == source]


def missing_s(parts: list[Part], sent_s: float) -> float:
    """What is not there: beginnings and insides of all parts, and the end of the first, of which `sent_s` were sent."""
    if len(parts) < 2:  # one of the two sides of the outage is missing altogether
        return sent_s
    return sum(part.first_s + part.missing_s for part in parts) + max(0.0, sent_s - parts[0].end_s)


def main() -> None:
    """The command line."""
    examples = ("--json", "--kills 3 --seed 7")
    arguments = parser("crash", "What a lesson loses when its server is killed.", examples)
    arguments.add_argument("--kills", type=positive, default=10, help="how many (default 10)")
    arguments.add_argument("--seed", type=int, help="repeat these moments")
    given = arguments.parse_args()
    show(asyncio.run(measure(given.kills, given.seed)), as_json=given.json, words=WORDS)


if __name__ == "__main__":
    main()
