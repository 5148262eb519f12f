"""The simulator held against a real Chromium: the same links, teacher and policy, figure by figure."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.links import films
from benchmarks.links.catalogue import Scenario
from benchmarks.links.chromium import WARM_S, Comparable, Watched, watch
from benchmarks.links.lesson import Table, World
from benchmarks.links.short_list import short_list
from benchmarks.links.stand_in import stand_in
from benchmarks.links.stand_in_media import Media, make_media
from benchmarks.report import progress
from streaming.node import load_policy
from tests.support.browser import chromium as launch
from tests.support.server import Server, free_port, make_token

if TYPE_CHECKING:
    from benchmarks.links.run import Options

SECONDS = 60
# How far apart both may be.
POINTS, SHARE = 0.01, 0.25
DELAY_MS = 50.0
RUNG = 0.10
# The model is run this often with other chances: on a line that loses, which probe finds its rate is luck.
CHANCES = 3
SIDES = ("chromium", "simulator")
COLUMNS = {
    "audio_concealed": ("made up %", 100),
    "freeze_ratio": ("frozen %", 100),
    "own_delay_p50_ms": ("queue ms", 1),
    "own_delay_p95_ms": ("p95 ms", 1),
    "sound_delay_ms": ("sound ms", 1),
    "picture_delay_ms": ("picture ms", 1),
}
WIDE = 16


def compare(options: Options) -> dict[str, dict[str, Any]]:
    """By link: both runs, and on what they agree."""
    links = [one for one in short_list(options.folder, options.seconds or SECONDS) if (options.only or "") in one.name]
    progress("makes what the teacher sends")
    media = make_media(films.recorded())
    watched = asyncio.run(_watch_all(links, media))
    progress("the same in the simulator")  # only now: it takes a whole core
    pairs = zip(links, watched, strict=True)
    return {
        link.name: row_of(seen, [simulate(link, seen, media.source, options, chance) for chance in range(CHANCES)])
        for link, seen in pairs
    }


async def _watch_all(links: list[Scenario], media: Media) -> list[Watched]:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        with Server(folder, settings={"ZHUANDI_LINKS": str(port)}) as server:
            lesson = await server.create_lesson()
            async with launch() as browser, stand_in(server.plan("teacher", lesson["id"]), media) as teacher:
                made = []
                for link in links:
                    progress(f"{link.name}: {link.seconds} s in Chromium")
                    url = f"https://{server.host}:{port}/classroom#token={make_token('classroom', lesson['id'])}"
                    made.append(await watch(browser, server, port, url, teacher, link))
                return made


def simulate(link: Scenario, seen: Watched, source: films.Recording, options: Options, chance: int) -> Comparable:
    """The same link with the teacher that Chromium had, joined at the same time."""
    world = World(load_policy(options.policy), seed=options.seed + chance, two_voices=True, source=source)
    bottleneck = world.sim.add_bottleneck(link.down)
    lesson, *sources = world.add_lesson()
    world.run(seen.joined_s, 1.0, lambda _: None)
    room = world.add_room(lesson, sources, bottleneck, link.up)
    world.run(WARM_S, 1.0, lambda _: None)
    world.sim.clear_delays()
    before = world.sim.metrics()
    world.run(link.seconds, 1.0, lambda _: None)
    after = world.sim.metrics()
    links, sounds, pictures = (
        (_one(before[table], key, handle), _one(after[table], key, handle))
        for table, key, handle in (
            ("links", "transport", room.transport),
            ("sounds", "subscription", room.microphone),
            ("pictures", "subscription", room.camera),
        )
    )
    played = [one["played_us"] - one["concealed_us"] for one in sounds]
    rungs = [_rungs(one["rungs"], room.camera) for one in (before, after)]
    spent = {height: us - rungs[0].get(height, 0) for height, us in rungs[1].items()}
    return Comparable(
        audio_concealed=_grown(sounds, "concealed_us") / max(_grown(sounds, "played_us"), 1.0),
        freeze_ratio=_grown(pictures, "frozen_us") / 1e6 / link.seconds,
        own_delay_p50_ms=links[1]["own_delay_p50_ms"],
        own_delay_p95_ms=links[1]["own_delay_p95_ms"],
        sound_delay_ms=_between(sounds, played),
        picture_delay_ms=_between(pictures, [one["frames"] for one in pictures]),
        rungs={height: us / 1e6 / link.seconds for height, us in sorted(spent.items()) if us > 0},
    )


def _one(table: Table, key: str, handle: int) -> dict[str, float]:
    row = int(np.flatnonzero(table[key] == handle)[0])
    return {name: float(column[row]) for name, column in table.items()}


def _rungs(table: Table, handle: int) -> dict[int, float]:
    mine = table["subscription"] == handle
    return dict(zip(table["height"][mine].tolist(), table["us"][mine].tolist(), strict=True))


def _grown(pair: tuple[dict[str, float], dict[str, float]], name: str) -> float:
    return pair[1][name] - pair[0][name]


def _between(pair: tuple[dict[str, float], dict[str, float]], weights: list[float]) -> float | None:
    """The mean delay of the span in ms, from the means since the beginning at both its ends."""
    more = weights[1] - weights[0]
    if more <= 0:
        return None
    return (pair[1]["delay_us"] * weights[1] - pair[0]["delay_us"] * weights[0]) / more / 1000


def row_of(seen: Watched, models: list[Comparable]) -> dict[str, Any]:
    """Chromium, the mean of the model's runs, and on what they agree; on nothing where the machine had a part in it."""
    return {
        "chromium": asdict(seen.figures),
        "simulator": asdict(mean_of(models)),
        "valid": seen.valid,
        "agrees": agreement(seen.figures, models) if seen.valid else {},
        "load": seen.load,
        "late_ms": seen.late_ms,
    }


def mean_of(models: list[Comparable]) -> Comparable:
    """Figure by figure; of delays, over the runs that had one."""

    def mean(name: str) -> Any:
        values = [getattr(one, name) for one in models if getattr(one, name) is not None]
        return sum(values) / len(values) if values else None

    heights = sorted({height for one in models for height in one.rungs})
    rungs = {height: sum(one.rungs.get(height, 0.0) for one in models) / len(models) for height in heights}
    return Comparable(**{name: mean(name) for name in COLUMNS}, rungs=rungs)


def agreement(real: Comparable, models: list[Comparable]) -> dict[str, bool]:
    """On which figures Chromium is near enough to what the model's runs span."""

    def apart(first: float, values: list[float]) -> float:
        return max(min(values) - first, first - max(values), 0.0)

    def near(name: str) -> bool:
        first = getattr(real, name)
        return bool(apart(first, [getattr(one, name) for one in models]) <= max(POINTS, SHARE * first))

    def close(name: str) -> bool:
        first, values = getattr(real, name), [getattr(one, name) for one in models if getattr(one, name) is not None]
        return first is None or not values or bool(apart(first, values) <= DELAY_MS)

    heights = {height for one in (real, *models) for height in one.rungs}
    times = ((real.rungs.get(height, 0.0), [one.rungs.get(height, 0.0) for one in models]) for height in heights)
    return {
        **{name: near(name) if scale == 100 else close(name) for name, (_, scale) in COLUMNS.items()},
        "rungs": all(apart(first, values) <= RUNG for first, values in times),
    }


def lines(links: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A table: each figure as Chromium / simulator, with a star where they differ too much.

    A line of a machine that was too busy says so, and compares nothing.
    """
    width = max((len(name) for name in links), default=0)
    heads = "".join(f"{head:>{WIDE}} " for head, _ in COLUMNS.values())
    yield f"{'':<{width}}{heads}   load late ms  time on each height %"
    for name, row in links.items():
        cells = "".join(_cell(row, figure, scale) for figure, (_, scale) in COLUMNS.items())
        end = f"{_heights(row)}{_star(row, 'rungs')}" if row["valid"] else "machine too busy: not compared"
        yield f"{name:<{width}}{cells}{row['load']:7.1f} {row['late_ms']:7.0f}  {end}"


def _cell(row: dict[str, Any], figure: str, scale: int) -> str:
    pair = [row[side][figure] for side in SIDES]
    text = " / ".join("-" if value is None else f"{scale * value:.1f}" for value in pair)
    return f"{text:>{WIDE}}{_star(row, figure)}"


def _star(row: dict[str, Any], figure: str) -> str:
    return " " if row["agrees"].get(figure, True) else "*"


def _heights(row: dict[str, Any]) -> str:
    heights = sorted({height for side in SIDES for height in row[side]["rungs"]})
    shares = [[f"{100 * row[side]['rungs'].get(height, 0):.0f}" for side in SIDES] for height in heights]
    return ", ".join(f"{height}: {' / '.join(pair)}" for height, pair in zip(heights, shares, strict=True))
