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
POLL_S = 0.005
COUNTED_EVERY_S = 0.25  # the packet core's statistics
SOUND_PACKET_S = 0.02
WORDS = {
    "lost_s": "seconds of media that the worst lesson lost, beyond the outage",
    "published": "lessons that the library has, of those that were killed",
}


class NotedEnd(PublishEnd):
    """A publishing end that tells when its media begins and how far it is."""

    def __init__(self, plan: DoorPlan, client: ClientCore, media: LessonMedia) -> None:
        super().__init__(plan, client, media)
        self._starts: asyncio.Queue[float] = asyncio.Queue()

    async def started(self, door: Door) -> None:
        """Note the moment."""
        self._starts.put_nowait(time.monotonic())
        await super().started(door)

    async def began_s(self) -> float:
        """Wait for the next beginning (monotonic seconds)."""
        return await asyncio.wait_for(self._starts.get(), PATIENCE_S)

    async def sent_s(self) -> float:
        """Seconds of sound sent at the moment of the return: right after a fresh count."""
        before = self._sound_packets()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await asyncio.sleep(POLL_S)
                if (now := self._sound_packets()) != before:
                    return now * SOUND_PACKET_S

    def _sound_packets(self) -> int:
        table = self.client.core.take_stats()["subscriptions"]
        return int(table["packets"][table["subscription"] == self.legs["microphone"]].sum())


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
                killed = await _kill_a_lesson(server, media, chance)
                parts = await _read_back(server, killed.lesson)
                if parts is None:
                    progress(f"kill {number + 1}: NOT published")
                    worst = max(worst, killed.sent_s)
                    continue
                published += 1
                lost_s = [missing_s(track, killed.sent_s) for track in parts]
                worst = max(worst, *lost_s)
                words = f"kill {number + 1} after {killed.sent_s:.2f} s, away for {killed.outage_s:.2f} s"
                progress(f"{words}: lost {lost_s[0]:.3f} s of the picture, {lost_s[1]:.3f} s of the sound")
    return {"lost_s": round(worst, 3), "published": published}


async def _kill_a_lesson(server: Server, media: LessonMedia, chance: random.Random) -> Killed:
    after_s, later_s = chance.uniform(*KILL_AFTER_S), chance.uniform(0, COUNTED_EVERY_S)
    lesson = (await server.create_lesson())["id"]
    with ClientCore(["127.0.0.1"]) as client:
        end = NotedEnd(server.plan("teacher", lesson), client, media)
        async with attending(end):
            await end.began_s()
            await asyncio.sleep(after_s)
            # On a busy machine media may lag behind the clock: what was really sent is counted just before.
            sent_s, counted_s = await end.sent_s(), time.monotonic()
            await asyncio.sleep(later_s)
            killed_s = time.monotonic()
            server.kill()
            await asyncio.to_thread(server.start)
            back_s = await end.began_s()
            await asyncio.sleep(GO_ON_S)
            async with aiohttp.ClientSession() as http:
                await post(http, server.plan("operator", None), f"/api/lessons/{lesson}/close")
    return Killed(lesson, sent_s + killed_s - counted_s, back_s - killed_s)


async def _read_back(server: Server, lesson: str) -> tuple[list[Part], list[Part]] | None:
    """Picture and sound as the library has them; None when the lesson was not published."""
    try:
        manifest = await server.published(lesson, PUBLISHED_S)
    except AssertionError:
        return None
    folder = server.data / "library" / lesson
    pictures = await asyncio.to_thread(picture_parts, _files(folder, manifest, "camera"))
    tones = await asyncio.to_thread(tone_parts, _files(folder, manifest, manifest["voice_in"]))
    return pictures, tones


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
