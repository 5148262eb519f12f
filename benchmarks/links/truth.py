"""The simulator held against a real Chromium: the same links, teacher and policy, figure by figure."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.links import scene
from benchmarks.links.catalogue import Scenario
from benchmarks.links.chromium import WARM_S, Comparable, Watched, watch
from benchmarks.links.lesson import Table, World
from benchmarks.links.publisher import publisher
from benchmarks.links.short_list import short_list
from benchmarks.report import progress
from streaming.node import load_policy
from tests.support.browser import chromium as launch
from tests.support.server import Server, free_port, make_token

if TYPE_CHECKING:
    from benchmarks.links.run import Options

SECONDS = 60
SETTLE_S = 20  # until the teacher's page sends all that it may
# How far apart both may be.
POINTS, SHARE = 0.01, 0.25
DELAY_MS = 50.0
RUNG = 0.10


def compare(options: Options) -> dict[str, dict[str, Any]]:
    """By link: both runs, and on what they agree."""
    links = [one for one in short_list(options.folder, options.seconds or SECONDS) if (options.only or "") in one.name]
    return dict(asyncio.run(_watch_all(links, options)))


async def _watch_all(links: list[Scenario], options: Options) -> list[tuple[str, dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        camera, voice = folder / "camera.y4m", folder / "voice.wav"
        scene.make_camera(camera)
        scene.make_microphone(voice, SECONDS)
        with Server(folder, settings={"ZHUANDI_LINKS": str(port)}) as server:
            lesson = await server.create_lesson()
            async with (
                launch(camera, voice) as browser,
                publisher(browser, server.link("teacher", lesson["token"])) as teacher,
            ):
                await asyncio.sleep(SETTLE_S)
                made = []
                for link in links:
                    progress(f"{link.name}: {link.seconds} s in Chromium")
                    url = f"https://{server.host}:{port}/classroom#token={make_token('classroom', lesson['id'])}"
                    seen = await watch(browser, server, port, url, teacher, link)
                    made.append((link.name, _row(seen, simulate(link, seen, options))))
                return made


def simulate(link: Scenario, seen: Watched, options: Options) -> Comparable:
    """The same link with the teacher that Chromium had, joined at the same time."""
    world = World(load_policy(options.policy), seed=options.seed, two_voices=True, source=seen.source)
    bottleneck = world.sim.add_bottleneck(link.down)
    lesson, *sources = world.add_lesson()
    world.run(seen.joined_s, 1.0, lambda _: None)
    room = world.add_room(lesson, sources, bottleneck, link.up, link.target_us)
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


def _row(seen: Watched, simulated: Comparable) -> dict[str, Any]:
    return {
        "chromium": asdict(seen.figures),
        "simulator": asdict(simulated),
        "agrees": agreement(seen.figures, simulated),
        "load": seen.load,
        "late_ms": seen.late_ms,
    }


def agreement(real: Comparable, model: Comparable) -> dict[str, bool]:
    """On which figures the model is near enough."""

    def near(name: str) -> bool:
        first, second = getattr(real, name), getattr(model, name)
        return bool(abs(first - second) <= max(POINTS, SHARE * first))

    def close(name: str) -> bool:
        first, second = getattr(real, name), getattr(model, name)
        return first is None or second is None or bool(abs(first - second) <= DELAY_MS)

    heights = {*real.rungs, *model.rungs}
    rungs = all(abs(real.rungs.get(height, 0.0) - model.rungs.get(height, 0.0)) <= RUNG for height in heights)
    delays = ("own_delay_p50_ms", "own_delay_p95_ms", "sound_delay_ms", "picture_delay_ms")
    return {
        **{name: near(name) for name in ("audio_concealed", "freeze_ratio")},
        **{name: close(name) for name in delays},
        "rungs": rungs,
    }


def lines(links: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A table: each figure as Chromium / simulator, with a star where they differ too much."""
    names = (
        "audio_concealed",
        "freeze_ratio",
        "own_delay_p50_ms",
        "own_delay_p95_ms",
        "sound_delay_ms",
        "picture_delay_ms",
    )
    heads = ("made up %", "frozen %", "queue ms", "p95 ms", "sound ms", "picture ms")
    width = max(len(name) for name in links)
    yield " " * width + "".join(f"{head:>17}" for head in heads) + f"{'load':>7}  time on each height %"
    for name, row in links.items():
        cells = []
        for figure in names:
            scale = 100 if figure in {"audio_concealed", "freeze_ratio"} else 1
            pair = [row[side][figure] for side in ("chromium", "simulator")]
            text = " / ".join("-" if value is None else f"{scale * value:.1f}" for value in pair)
            cells.append(f"{text + (' ' if row['agrees'][figure] else '*'):>17}")
        heights = sorted({*row["chromium"]["rungs"], *row["simulator"]["rungs"]})
        shares = ", ".join(
            f"{height}: "
            + " / ".join(f"{100 * row[side]['rungs'].get(height, 0):.0f}" for side in ("chromium", "simulator"))
            for height in heights
        )
        yield (
            f"{name:<{width}}"
            + "".join(cells)
            + f"{row['load']:7.1f}  {shares}{'' if row['agrees']['rungs'] else ' *'}"
        )
