"""Records the teacher of the simulator: `python -m benchmarks.links.record` writes `teacher.csv` anew.

A machine that stands still for a moment has the encoders catch up with frames of many times the size, which no camera
asks for: such a recording is not written.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.links import films, scene
from benchmarks.links.publisher import CAMERA_LINE, Publisher, publisher, recording
from benchmarks.report import parser, positive, progress
from tests.support.browser import chromium
from tests.support.server import Server

LOOP_S = 48
SETTLE_S = 20  # until Chromium's own estimate lets all layers have their rate
MORE_S = 2
KEY_FRAMES = 6
KEY_EVERY_S = 2.0
# So long no camera is silent: at least two frames of its slowest layer.
STALL_US = 150_000


async def record(seconds: int) -> films.Recording:
    """A lesson of one teacher whom nobody asks for anything, then some key frames."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        camera, microphone = folder / "camera.y4m", folder / "voice.wav"
        progress("draws what the camera sees")
        scene.make_camera(camera)
        scene.make_microphone(microphone, seconds)
        # A recording would ask for key frames, which are the simulator's to ask.
        with Server(folder, settings={"ZHUANDI_RECORDING__ENABLED": "false"}) as server:
            lesson = await server.create_lesson()
            async with (
                chromium(camera, microphone) as browser,
                publisher(browser, server.link("teacher", lesson["token"])) as teacher,
            ):
                return await _listen(teacher, seconds)


async def _listen(teacher: Publisher, seconds: int) -> films.Recording:
    progress(f"the teacher's page settles for {SETTLE_S} s")
    await asyncio.sleep(SETTLE_S)
    await teacher.take()
    progress(f"records for {seconds} s")
    await asyncio.sleep(seconds + MORE_S)
    frames = await teacher.take()
    keys = []
    for _ in range(KEY_FRAMES):
        await teacher.ask_for_key_frames()
        await asyncio.sleep(KEY_EVERY_S)
        keys += [frame for frame in await teacher.take() if frame["key"] and frame["line"] == CAMERA_LINE]
    return recording(frames, keys, seconds * 1_000_000)


def stalls(made: films.Recording) -> list[float]:
    """When the recording machine stood still, in seconds."""
    found: set[float] = set()
    for number in range(len(made.layers)):
        times = [row.at_us for row in made.camera if row.encoding == number]
        found |= {before / 1e6 for before, after in itertools.pairwise(times) if after - before > STALL_US}
    return sorted(found)


def evenly(made: films.Recording) -> films.Recording:
    """The same frames at even distances: a camera is regular, and stalls of the recording machine not the teacher's."""
    rows: list[films.Row] = []
    for number in range(len(made.layers)):
        mine = [row for row in made.camera if row.encoding == number]
        rows += [row._replace(at_us=at * made.loop_us // len(mine)) for at, row in enumerate(mine)]
    return replace(made, camera=sorted(rows))


def main() -> None:
    """Record, write, and say what it is."""
    commands = parser(
        "links.record", "Records what a real teacher's page sends.", ("", "--seconds 24 --out /tmp/a.csv")
    )
    commands.add_argument("--seconds", type=positive, default=LOOP_S, help="length of the loop (default %(default)s)")
    commands.add_argument("--out", type=Path, default=films.RECORDED, help="default: the one that the simulator plays")
    given = commands.parse_args()
    seen = asyncio.run(record(given.seconds))
    if stood := stalls(seen):
        at = ", ".join(f"{second:.1f}" for second in stood)
        sys.exit(f"not written: the machine stood still after {at} s; record again while nothing else runs")
    made = evenly(seen)
    made.write(given.out)
    camera, voice = films.camera(made), films.microphone(True, made)
    for number, (height, width, keys) in enumerate(made.layers):
        rates = " ".join(f"{camera.media_bps(number, temporal) / 1000:.0f}" for temporal in range(3))
        pace = sum(row.encoding == number for row in made.camera) / given.seconds
        progress(f"{width}x{height}: {rates} kbit/s by temporal layer, {pace:.1f} frames/s, key frames of {keys} bytes")
    progress("voices: " + " and ".join(f"{voice.media_bps(number, 0) / 1000:.1f} kbit/s" for number in range(2)))


if __name__ == "__main__":
    main()
