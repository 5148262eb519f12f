"""What a forwarded packet costs: one publisher, many receivers, recording on, the media process on one core.

The publisher is silent at the beginning and at the end of the measured window, so that every packet is accounted for.
The limit (a bare loop, streaming/core/net/examples/limit.rs) runs before and after on the same core.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.media_process import MediaProcess, Publisher, receive, running
from benchmarks.processes import OTHER_CORES, cpu_ns, go_first, on_cores, part_threads, rss_kb
from benchmarks.report import parser, positive, progress, show
from benchmarks.traffic import LEAD_US, make_traffic
from signaling.ends.client_core import ClientCore
from streaming.params import NodeConfig

CORE = Path(__file__).resolve().parent.parent / "streaming" / "core"
UNPACED = "benchmarks.unpaced:Unpaced"
# Until all receivers have climbed to the picture.
WARM_S = 8.0
JOIN_AT_ONCE = 20
SETTLE_S = 0.5
WORDS = {
    "delivered_ratio": "packets received / (packets published x receivers)",
    "cpu_us_per_packet": "user + system time of the media process, a forwarded packet",
    "rss_kb_per_receiver": "resident memory that a receiver adds",
    "limit_cpu_us_per_packet": "the same of a bare loop: rewrite, AES-128-GCM, batched send",
    "ratio": "of the two",
}


async def measure(receivers: int, seconds: float, policy: str, warm_s: float = WARM_S) -> dict[str, float]:
    """All figures but those of the limit; `warm_s` of media before and after the receivers join."""
    with tempfile.TemporaryDirectory() as name, on_cores(OTHER_CORES):
        folder = Path(name)
        warm, window = make_traffic(folder / "warm", 600), make_traffic(folder / "window", seconds)
        with ClientCore(["127.0.0.1"]) as teacher, ClientCore(["127.0.0.1"]) as hall:
            async with running(folder, policy) as media:
                publisher = Publisher(teacher)
                await publisher.publish(media)
                publisher.play(warm)
                await asyncio.sleep(warm_s)
                empty_kb = rss_kb(media.pid)
                progress(f"{receivers} receivers join")
                await _join_all(media, hall, receivers)
                await asyncio.sleep(warm_s)
                publisher.silence()
                await _quiet(hall)
                progress(f"measuring for {seconds:g} s")
                before, cpu_before = _received(hall), cpu_ns(media.pid)
                publisher.play(window)
                await asyncio.sleep(seconds + LEAD_US / 1e6)
                delivered = await _quiet(hall) - before
                cpu = cpu_ns(media.pid) - cpu_before
                full_kb = rss_kb(media.pid)
    return {
        "delivered_ratio": delivered / (window.packets * receivers),
        "cpu_us_per_packet": round(cpu / 1000 / max(delivered, 1), 3),
        "rss_kb_per_receiver": round((full_kb - empty_kb) / receivers, 1),
    }


async def _join_all(media: MediaProcess, hall: ClientCore, receivers: int) -> None:
    gate = asyncio.Semaphore(JOIN_AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await receive(media, hall, number)

    await asyncio.gather(*(one(number) for number in range(receivers)))


def _received(hall: ClientCore) -> int:
    """Different media packets that all receivers have had."""
    return int(hall.core.take_stats()["encodings"]["packets"].sum())


async def _quiet(hall: ClientCore) -> int:
    """Wait until nothing arrives any more; what `_received` says then."""
    last = -1
    while (now := _received(hall)) != last:
        last = now
        await asyncio.sleep(SETTLE_S)
    return now


def build_limit() -> Path:
    """The limit's program, built where it is not."""
    progress("building the limit (once)")
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "zhuandi-net", "--example", "limit"]
    subprocess.run(command, cwd=CORE, check=True)
    return CORE / "target" / "release" / "examples" / "limit"


def limit_us(program: Path, receivers: int, seconds: int) -> float:
    """Processor time of the bare loop, a packet, in microseconds."""
    progress(f"the limit, {seconds} s")
    with subprocess.Popen([program, str(receivers), str(seconds)], stdout=subprocess.PIPE) as process:
        time.sleep(min(0.2, seconds / 4))  # its receiving thread stands
        part_threads(process.pid)
        words, _ = process.communicate(timeout=seconds + 30)
    return float(json.loads(words)["cpu_us_per_packet"])


def run(receivers: int, seconds: int, policy: str) -> dict[str, float]:
    """All figures."""
    program = build_limit()
    first = limit_us(program, receivers, seconds)
    figures = asyncio.run(measure(receivers, seconds, policy))
    limit = (first + limit_us(program, receivers, seconds)) / 2
    ratio = figures["cpu_us_per_packet"] / limit
    return {**figures, "limit_cpu_us_per_packet": round(limit, 3), "ratio": round(ratio, 2)}


def main() -> None:
    """The command line."""
    examples = ("--receivers 200 --seconds 10 --json", "--receivers 20 --seconds 3")
    arguments = parser("forward", "What a forwarded packet costs.", examples)
    arguments.add_argument("--receivers", type=positive, default=200, help="how many (default 200)")
    arguments.add_argument("--seconds", type=positive, default=10, help="length of the window (default 10)")
    words = "give everybody everything at once: the price of the packet path without the policy and its pacer"
    arguments.add_argument("--unpaced", action="store_true", help=words)
    given = arguments.parse_args()
    go_first()
    policy = UNPACED if given.unpaced else NodeConfig("").policy
    show(run(given.receivers, given.seconds, policy), as_json=given.json, words=WORDS)


if __name__ == "__main__":
    main()
