"""The links: synthetic ones of every kind, and one for every CSV of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from streaming._core import read_trace

if TYPE_CHECKING:
    from streaming._core import LinkDict

DELAY_US = 50_000  # one way
QUEUE_MS = 300
WARM_S = 10  # not counted
SWEEP_BPS = (60_000, 2_000_000)
SWEEP_STEP = 1.08
OUTAGE_S = 0.2  # capacity under the voice for longer is an outage
WEAK_BPS = 2_000_000  # traces up to this mean count


def _near() -> LinkDict:
    return {"delay_us": DELAY_US}


@dataclass(frozen=True)
class Scenario:
    """One classroom behind one link."""

    name: str
    group: str
    down: LinkDict
    seconds: int
    up: LinkDict = field(default_factory=_near)
    speaks: bool = False  # a room that is heard waits less long for sound

    @property
    def loss(self) -> float:
        """Share of packets lost by chance."""
        return self.down.get("loss", 0.0)


def link(
    bps: int, *, delay_us: int = DELAY_US, queue_ms: int = QUEUE_MS, loss: float = 0.0, burst: float = 1.0
) -> LinkDict:
    """A link of constant capacity."""
    return {"capacity_bps": bps, "delay_us": delay_us, "queue_ms": queue_ms, "loss": loss, "burst": burst}


def constant(name: str, group: str, seconds: int, down: LinkDict, *, speaks: bool = False) -> Scenario:
    """A scenario whose uplink has the same delay and loss, and room enough."""
    up: LinkDict = {"delay_us": down["delay_us"], "loss": down["loss"], "burst": down["burst"]}
    return Scenario(name, group, down, seconds, up, speaks)


def sweep(seconds: int) -> Iterator[Scenario]:
    """Constant capacity from 60 to 2,000 kbit/s in steps of 8 %."""
    bps = float(SWEEP_BPS[0])
    while bps <= SWEEP_BPS[1]:
        yield constant(f"constant {bps / 1000:.0f}k", "constant", seconds, link(round(bps)))
        bps *= SWEEP_STEP


def lossy(seconds: int) -> Iterator[Scenario]:
    """Random loss at random and in bursts of three."""
    for kbps in (50, 64, 100, 200, 500, 1000):
        for percent in (5, 10, 20):
            down = link(kbps * 1000, loss=percent / 100)
            yield constant(f"{kbps}k loss {percent}%", "loss", seconds, down)
        bursts = link(kbps * 1000, loss=0.2, burst=3.0)
        yield constant(f"{kbps}k bursts 20%", "bursts", seconds, bursts, speaks=True)
        yield constant(f"{kbps}k bursts 20% listening", "listening", seconds, bursts)


def varied(seconds: int) -> Iterator[Scenario]:
    """Round trips and queues other than those of the sweep."""
    for kbps in (100, 200, 500):
        for rtt_ms in (200, 600):
            down = link(kbps * 1000, delay_us=rtt_ms * 500)
            yield constant(f"{kbps}k rtt {rtt_ms}ms", "rtt", seconds, down)
        for queue_ms in (50, 1000, 3000):
            yield constant(f"{kbps}k queue {queue_ms}ms", "queue", seconds, link(kbps * 1000, queue_ms=queue_ms))


def traces(folder: Path, seconds: int) -> Iterator[Scenario]:
    """One for each CSV, repeated when it is shorter."""
    for path in sorted(folder.glob("*.csv")):
        rows = read_trace(path.name, path.read_text())
        down: LinkDict = {"trace": rows, "delay_us": DELAY_US, "queue_ms": 1000, "loss": 0.0, "burst": 1.0}
        yield Scenario(path.stem, "trace", down, seconds)


def steps(first_bps: int, then: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Rows of a capacity that changes at some seconds and then stays for a day."""
    rows = [(0, first_bps), *((second * 1_000_000, bps) for second, bps in then)]
    return [*rows, (86_400_000_000, rows[-1][1])]


STEP_S = 60  # when capacity changes in `changing`
CHANGING_S = 120
OUTAGE_LONG_S = 15
OUTAGE_SHORT_S = 5


def changing() -> Iterator[Scenario]:
    """A fall, a rise near and far, outages that drop and that hold."""
    queue = QUEUE_MS * 250_000 // 8_000
    fall: LinkDict = {"trace": steps(1_000_000, [(STEP_S, 250_000)]), "delay_us": DELAY_US, "queue_bytes": 4 * queue}
    yield Scenario("fall 1000k to 250k", "change", fall, CHANGING_S)
    for rtt_ms in (100, 600):
        half = rtt_ms * 500
        rise: LinkDict = {"trace": steps(250_000, [(STEP_S, 1_000_000)]), "delay_us": half, "queue_bytes": 4 * queue}
        yield Scenario(f"rise 250k to 1000k rtt {rtt_ms}ms", "change", rise, CHANGING_S, {"delay_us": half})
    for length_s in (OUTAGE_SHORT_S, OUTAGE_LONG_S):
        for kind in ("drop", "hold"):
            outage = [(STEP_S * 1_000_000, (STEP_S + length_s) * 1_000_000, kind)]
            down = link(500_000)
            up: LinkDict = {"delay_us": DELAY_US}
            down["outages"] = up["outages"] = outage
            yield Scenario(f"outage {length_s}s {kind}", "change", down, CHANGING_S, up)
    rfc8867 = steps(1_000_000, [(40, 2_500_000), (60, 600_000), (100, 1_000_000)])
    queue_bytes = QUEUE_MS * 1_000_000 // 8_000
    near: LinkDict = {"trace": rfc8867, "delay_us": DELAY_US, "jitter_us": 30_000, "queue_bytes": queue_bytes}
    yield Scenario("rfc8867 one flow", "change", near, CHANGING_S)
