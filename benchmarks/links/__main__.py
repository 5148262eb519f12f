"""`python -m benchmarks.links`: see the package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.links.figures import Figures
from benchmarks.links.run import Options, run
from benchmarks.links.summary import summary
from benchmarks.report import parser, positive
from streaming.params import NodeConfig

COLUMNS = {
    "audio_concealed": ("sound made up %", 100),
    "audio_longest_gap_ms": ("gap ms", 1),
    "freeze_ratio": ("frozen %", 100),
    "freeze_bound": ("at least %", 100),
    "video_off_ratio": ("off %", 100),
    "video_off_oracle": ("oracle off %", 100),
    "utilisation": ("of best %", 100),
    "self_delay_p95_ms": ("own delay ms", 1),
    "recovery_s": ("back s", 1),
    "switches_per_min": ("switches/min", 1),
    "probe_share": ("probes %", 100),
}
BAR = 40


def main() -> None:
    """Run and print."""
    commands = parser(
        "links",
        "What a classroom hears and sees over weak links, in the simulator.",
        ("--traces DIR --json", "--only 'fall'", "--only constant --seconds 60", "--chromium --traces DIR"),
    )
    commands.add_argument("--traces", type=Path, metavar="DIR", help="every CSV of this folder is a link, too")
    commands.add_argument("--seconds", type=positive, help="length of every run (default 120, traces 300)")
    commands.add_argument("--only", metavar="NAME", help="links of this group, or whose names hold this")
    commands.add_argument("--policy", default=NodeConfig("").policy, help="module:class (default %(default)s)")
    commands.add_argument("--one-voice", action="store_true", help="the teacher sends no low-rate microphone")
    commands.add_argument("--seed", type=positive, default=20_261_122, help="the same seed gives the same figures")
    commands.add_argument(
        "--chromium", action="store_true", help="a short list in a real Chromium as well, a minute each"
    )
    given = commands.parse_args()
    if given.traces is not None and not any(given.traces.glob("*.csv")):
        commands.error(f"{given.traces}: no CSV there")
    options = Options(given.policy, given.traces, given.seconds, given.only, not given.one_voice, given.seed)
    if given.chromium:
        _compare(options, as_json=given.json)
        return
    results = run(options, _bar)
    if not results.links and results.slides_legible is None:
        commands.error(f"no link is called like {given.only!r}")
    whole = summary(results)
    if given.json:
        print(json.dumps({"links": results.links, "summary": whole}))
    else:
        _table(results.links, whole)


def _compare(options: Options, *, as_json: bool) -> None:
    from benchmarks.links import truth  # needs a browser

    links = truth.compare(options)
    if as_json:
        print(json.dumps({"chromium": links}))
    else:
        print(*truth.lines(links), sep="\n")


def _bar(share: float) -> None:
    if sys.stderr.isatty():
        filled = round(BAR * share)
        print(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {share:4.0%}", end="", file=sys.stderr, flush=True)
        if share >= 1:
            print(file=sys.stderr)


def _table(links: dict[str, Figures], whole: Figures) -> None:
    width = max((len(name) for name in links), default=0)
    print(" " * width, *(f"{head:>{max(len(head), 7)}}" for head, _ in COLUMNS.values()), sep="  ")
    for name, figures in links.items():
        cells = []
        for column, (head, scale) in COLUMNS.items():
            value = figures[column]
            text = "-" if value is None else f"{value * scale:.1f}"
            cells.append(f"{text:>{max(len(head), 7)}}")
        print(f"{name:<{width}}", *cells, sep="  ")
    print()
    width = max(len(name) for name in whole)
    for name, value in whole.items():
        print(f"{name:<{width}}  {'-' if value is None else f'{value:.4g}'}")


if __name__ == "__main__":
    main()
