"""How quick the simulator is: a lesson of ten minutes for fifty classrooms on lines of all kinds, policy included."""

from __future__ import annotations

import time

from benchmarks.links import catalogue
from benchmarks.links.lesson import World
from benchmarks.report import parser, positive, progress, show
from streaming.node import load_policy
from streaming.params import NodeConfig

WORDS = {
    "cpu_s": "seconds of one core for the whole lesson",
    "receivers": "classrooms",
    "lesson_s": "seconds of the lesson",
}


def measure(receivers: int, seconds: int) -> dict[str, float]:
    """All figures."""
    world = World(load_policy(NodeConfig("").policy), seed=1, two_voices=True)
    lesson, *sources = world.add_lesson()
    lines = list(catalogue.sweep(seconds)) + list(catalogue.lossy(seconds))
    for number in range(receivers):
        line = lines[number % len(lines)]
        world.add_room(lesson, sources, world.sim.add_bottleneck(line.down), line.up)
    began = time.process_time()
    world.run(seconds, 1.0, lambda _: None)
    return {"cpu_s": time.process_time() - began, "receivers": receivers, "lesson_s": seconds}


def main() -> None:
    """Run and print."""
    commands = parser("simulator", "How quick the simulator is.", ("--json", "--receivers 200 --seconds 60"))
    commands.add_argument("--receivers", type=positive, default=50)
    commands.add_argument("--seconds", type=positive, default=600)
    given = commands.parse_args()
    progress(f"{given.receivers} classrooms, {given.seconds} s")
    show(measure(given.receivers, given.seconds), as_json=given.json, words=WORDS)


if __name__ == "__main__":
    main()
