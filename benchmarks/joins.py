"""A storm: all classrooms come in at once, by HTTPS, WebSocket, ICE and DTLS, to a lesson under way."""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from pathlib import Path

from benchmarks.ends import attending
from benchmarks.processes import go_first
from benchmarks.report import parser, positive, progress, show
from benchmarks.traffic import lesson_traffic
from signaling.ends.client_core import ClientCore
from signaling.ends.publish_end import PublishEnd
from signaling.ends.receive_end import ReceiveEnd
from tests.support.server import Server

PATIENCE_S = 60.0  # who has nothing by then counts with this time
WARM_S = 3.0
MEDIA_S = 60
WORDS = {
    "joined": "classrooms that had media",
    "p50_s": "seconds from the word go to the first media: half of them had it",
    "p99_s": "the same: 99 of 100 had it",
}


async def measure(count: int) -> dict[str, float]:
    """All figures, on a server of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = lesson_traffic(folder / "media", MEDIA_S)
        with Server(folder) as server, ClientCore(["127.0.0.1"]) as teacher, ClientCore(["127.0.0.1"]) as hall:
            lesson = (await server.create_lesson())["id"]
            publisher = PublishEnd(server.plan("teacher", lesson), teacher, media)
            async with attending(publisher):
                await asyncio.wait_for(publisher.connected.wait(), PATIENCE_S)
                await asyncio.sleep(WARM_S)
                plans = [server.plan("classroom", lesson) for _ in range(count)]
                ends = [ReceiveEnd(plan, hall, ("microphone", "camera")) for plan in plans]
                progress(f"{count} classrooms join at once")
                times = await _storm(ends)
    return {
        "joined": sum(time_s < PATIENCE_S for time_s in times),
        "p50_s": round(_percentile(times, 0.50), 3),
        "p99_s": round(_percentile(times, 0.99), 3),
    }


async def _storm(ends: list[ReceiveEnd]) -> list[float]:
    """Everybody at once; seconds to each one's first media, sorted. All stay until the last one is in."""
    leave = asyncio.Event()

    async def join(end: ReceiveEnd) -> None:
        async with attending(end):
            await leave.wait()

    began_s = time.monotonic()
    joining = [asyncio.create_task(join(end)) for end in ends]
    waiting = [asyncio.create_task(end.first_media.wait()) for end in ends]
    _, late = await asyncio.wait(waiting, timeout=PATIENCE_S)
    for task in late:
        task.cancel()
    leave.set()
    await asyncio.gather(*joining)
    return sorted(PATIENCE_S if end.first_media_s is None else end.first_media_s - began_s for end in ends)


def _percentile(times: list[float], share: float) -> float:
    """The smallest time within which this share of them came."""
    return times[math.ceil(share * len(times)) - 1]


def main() -> None:
    """The command line."""
    arguments = parser("joins", "How long classrooms that all come at once wait for media.", ("--count 200 --json",))
    arguments.add_argument("--count", type=positive, default=200, help="classrooms (default 200)")
    given = arguments.parse_args()
    go_first()
    show(asyncio.run(measure(given.count)), as_json=given.json, words=WORDS)


if __name__ == "__main__":
    main()
