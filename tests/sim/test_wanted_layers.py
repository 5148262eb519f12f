"""What nobody watches is switched off at the teacher, and is there again when somebody can use it."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.links.catalogue import DELAY_US, link, steps
from tests.sim.told import Told

pytestmark = pytest.mark.timeout(900)


class Obedient(Told):
    """A lesson whose teacher's page does what `wanted` asks; `asked` is (second, encodings)."""

    def __init__(self, *links: Any) -> None:
        super().__init__(*links)
        self.asked: list[tuple[float, int]] = []
        loop, sim = self.world._loop, self.world.sim
        tick = loop.tick

        def obeying(now_us: int, stats: Any) -> list[dict[str, Any]]:
            events = tick(now_us, stats)
            for event in events:
                if event["event"] == "wanted":
                    count = max(event["watched"], event["recorded"])
                    self.asked.append((now_us / 1e6, count))
                    sim.set_active(event["publication"], count)
            return events

        loop.tick = obeying  # type: ignore[method-assign]


def test_a_narrow_line_has_the_layers_above_it_switched_off_and_climbs_to_them_when_it_widens() -> None:
    line = {"trace": steps(200_000, [(30, 3_000_000), (70, 3_000_000)]), "delay_us": DELAY_US, "queue_bytes": 40_000}
    obedient, always = Obedient(line), Told(line)  # type: ignore[arg-type]
    obedient.passes(65)
    always.passes(65)
    assert obedient.asked, "something was switched off"
    second, count = obedient.asked[0]
    assert second < 30 and count < 3
    assert obedient.asked[-1][1] == 3
    # Off and on cost a climb little.
    seen = [top(lesson, 30) for lesson in (obedient, always)]
    assert seen[0] <= seen[1] + 2.0, seen
    assert obedient.grown("pictures.frozen_us", 30, 65) <= always.grown("pictures.frozen_us", 30, 65) + 500_000


def top(lesson: Told, after_s: float) -> float:
    """When the best picture's rate was seen, in seconds since then."""
    return next(s for s in range(1, 35) if lesson.media_bps(after_s + s - 1, after_s + s) > 900_000)


def test_what_is_used_is_never_switched_off() -> None:
    lesson = Obedient(link(3_000_000))
    lesson.passes(40)
    assert lesson.asked == []


def test_a_policy_that_says_nothing_of_the_links_switches_nothing_off_that_is_used() -> None:
    lesson = Told(link(3_000_000), policy="benchmarks.unpaced:Unpaced")
    lesson.passes(10)
    assert lesson.media_bps(5, 10) > 900_000
