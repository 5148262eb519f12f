"""`python -m benchmarks.links.plots`: the curves of the weak-link guide as SVG, from a run of the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.links import films, oracle
from benchmarks.links.figures import Seen, media_bps, rate_bps
from benchmarks.links.run import Options, Results, run
from benchmarks.links.short_list import short_list
from benchmarks.report import parser, positive, progress
from streaming.params import NodeConfig

SIZE_INCHES = (8.0, 4.0)
PERCENTS = (5, 10, 20)
LOSSY_KBPS = (50, 64, 100, 200, 500, 1000)
FALL, OUTAGE = "fall 1000k to 250k", "outage 5s hold"
AROUND_S = (50, 90)  # of the change, which is at 60 s
SMOOTH_S = 1.0
GROUPS = ("constant", "loss", "bursts", "listening", FALL, OUTAGE)
CAPACITY, SENT, SHOWN, BEST = "0.6", "tab:orange", "tab:blue", "tab:green"


def main() -> None:
    """Run what is drawn, and draw it."""
    commands = parser("links.plots", str(__doc__), ("--traces DIR", "--seconds 60 --out /tmp/plots"))
    commands.add_argument("--traces", type=Path, metavar="DIR", help="three CSVs of this folder are drawn, too")
    commands.add_argument("--seconds", type=positive, help="length of every run (default 120, traces 300)")
    commands.add_argument("--out", type=Path, default=Path("docs/weak-links"), metavar="DIR")
    given = commands.parse_args()
    options = Options(NodeConfig("").policy, given.traces, given.seconds, None, True)
    traces = [one.name for one in short_list(given.traces, 1) if one.group == "trace"] if given.traces else []
    results = Results()
    for name in (*GROUPS, *traces):
        progress(name)
        some = run(replace(options, only=name), lambda _: None)
        results.links |= some.links
        results.seen |= some.seen
        results.groups |= some.groups
    given.out.mkdir(parents=True, exist_ok=True)
    draw(results, given.out, traces)


def draw(results: Results, folder: Path, traces: list[str]) -> None:
    """All plots of the guide."""
    mpl.rcParams |= {"svg.hashsalt": "zhuandi", "svg.fonttype": "none", "font.size": 9}
    with _figure(folder / "utilisation.svg") as (axes,):
        _utilisation(axes, [results.seen[name] for name in results.groups["constant"]], results)
    with _figure(folder / "loss.svg") as (axes,):
        _loss(axes, results)
    for name, file in ((FALL, "fall.svg"), (OUTAGE, "outage.svg")):
        with _figure(folder / file, rows=2) as (rates, below):
            _over_time(rates, results.seen[name], AROUND_S)
            _heights(below, results.seen[name], AROUND_S)
    for number, name in enumerate(traces, start=1):
        with _figure(folder / f"trace-{number}.svg", rows=2) as (rates, below):
            seen = results.seen[name]
            rates.set_title(name)
            _over_time(rates, seen, (0, seen.scenario.seconds))
            _heights(below, seen, (0, seen.scenario.seconds))


@contextmanager
def _figure(file: Path, rows: int = 1) -> Iterator[list[Axes]]:
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    heights = [1.0] if rows == 1 else [3.0, 1.0]
    yield figure.subplots(rows, 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0].tolist()
    # Without a date, so that the same figures give the same file.
    figure.savefig(file, format="svg", metadata={"Date": None})


def _utilisation(axes: Axes, seen: list[Seen], results: Results) -> None:
    capacity = [float(one.capacity.mean()) / 1000 for one in seen]
    best = [float(one.best.media_bps.mean()) / 1000 for one in seen]
    delivered = [one["delivered_share"] or 0 for one in (results.links[one.scenario.name] for one in seen)]
    axes.loglog(capacity, capacity, color=CAPACITY, linestyle=":", label="capacity")
    axes.step(capacity, best, where="post", color=BEST, label="the best of the ladder that fits into 90 %")
    axes.loglog(capacity, np.array(delivered) * capacity, "o-", color=SHOWN, markersize=3, label="heard and seen")
    ticks = [60, 100, 200, 500, 1000, 2000]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter("")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_yticks([20, *ticks], [str(tick) for tick in (20, *ticks)])
    axes.set(xlabel="capacity, kbit/s", ylabel="media, kbit/s")
    axes.legend()


def _loss(axes: Axes, results: Results) -> None:
    kinds = [*((f"{percent} %", f"loss {percent}%") for percent in PERCENTS)]
    kinds += [
        ("20 % in bursts of 3, speaking", "bursts 20%"),
        ("20 % in bursts of 3, listening", "bursts 20% listening"),
    ]
    width = 0.8 / len(kinds)
    at = np.arange(len(LOSSY_KBPS))
    for number, (label, kind) in enumerate(kinds):
        made_up = [100 * (results.links[f"{kbps}k {kind}"]["audio_concealed"] or 0) for kbps in LOSSY_KBPS]
        axes.bar(at + (number - (len(kinds) - 1) / 2) * width, made_up, width, label=label)
    axes.set_xticks(at, [str(kbps) for kbps in LOSSY_KBPS])
    axes.set(xlabel="capacity, kbit/s", ylabel="made-up sound, %")
    axes.legend(title="packets lost")


def _over_time(axes: Axes, seen: Seen, span_s: tuple[float, float]) -> None:
    inside = (seen.at_s >= span_s[0]) & (seen.at_s <= span_s[1])
    slots = np.arange(seen.capacity.size) * oracle.SLOT_S
    every = max(1, round((span_s[1] - span_s[0]) / 400 / oracle.SLOT_S))
    shown = (slots >= span_s[0]) & (slots <= span_s[1])
    axes.step(
        slots[shown][::every], seen.capacity[shown][::every] / 1000, color=CAPACITY, where="post", label="capacity"
    )
    for values, colour, label in (
        (rate_bps(seen, "links.sent_bytes", SMOOTH_S), SENT, "sent"),
        (media_bps(seen, SMOOTH_S), SHOWN, "heard and seen"),
    ):
        axes.plot(seen.at_s[inside], values[inside] / 1000, color=colour, linewidth=1, label=label)
    axes.set_ylabel("kbit/s")
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    axes.legend(loc="upper right", ncols=3)


def _heights(axes: Axes, seen: Seen, span_s: tuple[float, float]) -> None:
    lines = [0, *(height for height, _, _ in films.camera().encodings)]
    inside = (seen.at_s >= span_s[0]) & (seen.at_s <= span_s[1])
    spatial = seen.series("subscriptions.spatial").clip(-1, len(lines) - 2) + 1
    axes.step(seen.at_s[inside], spatial[inside], where="post", color=SHOWN)
    axes.set_yticks(range(len(lines)), ["off", *(f"{height}p" for height in lines[1:])])
    axes.set_ylim(-0.3, len(lines) - 0.7)
    axes.set_xlabel("seconds")


if __name__ == "__main__":
    main()
