"""One classroom's lesson told in steps: let time pass, then look at what was heard and seen since a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.links.lesson import Samples, World
from streaming.node import load_policy
from streaming.params import NodeConfig

if TYPE_CHECKING:
    from streaming._core import LinkDict

EVERY_S = 0.1


class Told:
    """A teacher with a camera and a voice, and one classroom."""

    def __init__(
        self, down: LinkDict, up: LinkDict | None = None, *, seed: int = 1, policy: str = NodeConfig("").policy
    ) -> None:
        self.world = World(load_policy(policy), seed=seed, two_voices=True)
        lesson, *sources = self.world.add_lesson()
        bottleneck = self.world.sim.add_bottleneck(down)
        self.world.add_room(lesson, sources, bottleneck, up or {"delay_us": 50_000})
        self.samples = Samples()

    def passes(self, seconds: int) -> Told:
        """Let this much time pass."""
        more = self.world.run(seconds, EVERY_S, lambda _: None)
        self.samples.at_us += more.at_us
        for name, rows in more.columns.items():
            self.samples.columns.setdefault(name, []).extend(rows)
        return self

    def at(self, name: str, second: float) -> float:
        """A counter as it stood at a second."""
        index = next(i for i, at_us in enumerate(self.samples.at_us) if at_us >= 1e6 * second)
        return float(self.samples.columns[name][index][0])

    def grown(self, name: str, first: float, last: float) -> float:
        """How much a counter grew between two seconds."""
        return self.at(name, last) - self.at(name, first)

    def concealed(self, first: float, last: float) -> float:
        """Share of made-up sound."""
        return self.grown("sounds.concealed_us", first, last) / self.grown("sounds.played_us", first, last)

    def media_bps(self, first: float, last: float) -> float:
        """What was heard and seen."""
        grown = self.grown("sounds.bytes", first, last) + self.grown("pictures.bytes", first, last)
        return 8 * grown / (last - first)

    def sent_bps(self, first: float, last: float) -> float:
        """What was sent into the link."""
        return 8 * self.grown("links.sent_bytes", first, last) / (last - first)

    def everything(self) -> dict[str, list[list[Any]]]:
        """All samples, to compare two tellings."""
        return {name: [row.tolist() for row in rows] for name, rows in self.samples.columns.items()}
