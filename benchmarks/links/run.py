"""Runs the groups of links, each in a world of its own, and puts their figures together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.links import catalogue, figures
from benchmarks.links.catalogue import Scenario
from benchmarks.links.figures import Figures, Seen
from benchmarks.links.lesson import World
from streaming.node import load_policy

if TYPE_CHECKING:
    from streaming._core import LinkDict

SEED = 20_261_122
SECONDS = 120
TRACE_SECONDS = 300
SHARED_BPS = 1_000_000
SHARED_ROOMS = 4
SHARED_S = 120
DOWNLOAD_FROM_S = 20
DOWNLOAD_QUEUES_MS = (300, 1000)
FINE_S = 0.1
# Lossless pictures of text and of charts at 1280x720, and pages are turned this often.
SLIDE_BYTES = (15_000, 10_000, 12_000)
SLIDE_KBPS = (50, 64, 80, 100)
SLIDE_LOSS = 0.1
SLIDE_EVERY_S = 15
SLIDE_TURNS = 8
SLIDE_PATIENCE_US = 8_000_000


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    policy: str
    folder: Path | None
    seconds: int | None
    only: str | None
    two_voices: bool
    seed: int = SEED


@dataclass
class Results:
    """What all runs gave."""

    links: dict[str, Figures] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    sound_waits_us: list[Any] = field(default_factory=list)
    padding: int = 0
    sent: int = 0
    keyframes_per_min: float = 0.0
    shares_bps: list[float] = field(default_factory=list)  # of classrooms that share a link
    tcp_shares: list[float] = field(default_factory=list)
    slides_legible: float | None = None

    def named(self, group: str) -> list[Figures]:
        """The figures of a group's links."""
        return [self.links[name] for name in self.groups.get(group, [])]


def all_scenarios(options: Options) -> list[list[Scenario]]:
    """The groups; those of one list run together: the policy decides for all of them in one pass."""
    length = options.seconds or SECONDS
    traces = catalogue.traces(options.folder, options.seconds or TRACE_SECONDS) if options.folder else ()
    groups = [
        [*catalogue.sweep(length), *catalogue.lossy(length), *catalogue.varied(length)],
        list(catalogue.changing()),
        list(traces),
    ]
    wanted = options.only
    chosen = [[one for one in group if wanted is None or wanted in one.name or wanted == one.group] for group in groups]
    return [group for group in chosen if group]


def run(options: Options, progress: Callable[[float], None]) -> Results:
    """Everything; `progress` is told the share that is done."""
    groups, results = all_scenarios(options), Results()
    whole = float(sum(group[0].seconds for group in groups) + _rest_s(options))
    done = 0.0
    for group in groups:
        _run_group(group, options, results, partial(_tell, progress, done, whole))
        done += group[0].seconds
    if options.only is None:
        _run_shared(options, results, partial(_tell, progress, done, whole))
    if options.only in (None, "slides"):
        _run_slides(options, results, partial(_tell, progress, done + SHARED_S, whole))
    progress(1.0)
    return results


def _rest_s(options: Options) -> int:
    """How long what is no group of links takes."""
    return SHARED_S + catalogue.WARM_S + SLIDE_TURNS * SLIDE_EVERY_S if options.only in (None, "slides") else 0


def _tell(progress: Callable[[float], None], done: float, whole: float, now_s: float) -> None:
    progress((done + now_s) / whole)


def _world(options: Options) -> World:
    return World(load_policy(options.policy), seed=options.seed, two_voices=options.two_voices)


def _run_group(
    group: Sequence[Scenario], options: Options, results: Results, progress: Callable[[float], None]
) -> None:
    world = _world(options)
    for scenario in group:
        world.add_scenario(scenario)
    every_s = FINE_S if group[0].group == "change" else 1.0
    samples = world.run(group[0].seconds, every_s, progress, clear_s=catalogue.WARM_S)
    for seen in figures.look(world, samples, list(group), two_voices=options.two_voices):
        name = seen.scenario.name
        results.links[name] = figures.figures(seen, world, two_voices=options.two_voices)
        results.seen[name] = seen
        results.groups.setdefault(seen.scenario.group, []).append(name)
    _count(world, results, group[0].seconds)


def _count(world: World, results: Results, seconds: int) -> None:
    results.sound_waits_us += world.sound_waits_us
    results.padding += int(world.padding.sum())
    results.sent += int(world.sent.sum())
    plis = world.sim.take_stats()["encodings"]["plis"]
    results.keyframes_per_min = max(results.keyframes_per_min, float(plis.max()) * 60 / seconds)


def _run_shared(options: Options, results: Results, progress: Callable[[float], None]) -> None:
    """Four classrooms of one lesson behind one link, and classrooms whose link carries a TCP download, too."""
    world = _world(options)
    near: LinkDict = {"delay_us": catalogue.DELAY_US}
    lesson, *sources = world.add_lesson()
    bottleneck = world.sim.add_bottleneck(catalogue.link(SHARED_BPS))
    for _ in range(SHARED_ROOMS):
        world.add_room(lesson, sources, bottleneck, near)
    busy = []
    for queue_ms in DOWNLOAD_QUEUES_MS:
        lesson, *sources = world.add_lesson()
        busy.append(world.sim.add_bottleneck(catalogue.link(SHARED_BPS, queue_ms=queue_ms)))
        world.add_room(lesson, sources, busy[-1], near)
    world.run(DOWNLOAD_FROM_S, 1.0, progress)
    for bottleneck in busy:
        world.sim.add_download(bottleneck, catalogue.DELAY_US)
    samples = world.run(SHARED_S - DOWNLOAD_FROM_S, 1.0, lambda now_s: progress(DOWNLOAD_FROM_S + now_s))
    results.shares_bps = [figures.delivered_bps(samples, room, SHARED_S / 2) for room in range(SHARED_ROOMS)]
    results.tcp_shares = [
        figures.delivered_bps(samples, SHARED_ROOMS + number, DOWNLOAD_FROM_S + 10.0) / SHARED_BPS
        for number in range(len(busy))
    ]
    _count(world, results, SHARED_S)


def _run_slides(options: Options, results: Results, progress: Callable[[float], None]) -> None:
    """Pages are turned in lessons over thin lines that lose; who can read them in time?"""
    world = _world(options)
    lessons = []
    for kbps in SLIDE_KBPS:
        scenario = catalogue.constant(f"slides {kbps}k", "slides", 0, catalogue.link(kbps * 1000, loss=SLIDE_LOSS))
        lesson, *sources = world.add_lesson()
        bottleneck = world.sim.add_bottleneck(scenario.down)
        world.add_room(lesson, sources, bottleneck, scenario.up)
        lessons.append(lesson.handle)
    world.run(catalogue.WARM_S, 1.0, progress)
    turned: dict[int, int] = {}
    for turn in range(SLIDE_TURNS):
        for lesson_handle in lessons:
            size = SLIDE_BYTES[turn % len(SLIDE_BYTES)]
            turned[world.sim.put_still(lesson_handle, size)] = world.sim.now_us
        done_s = catalogue.WARM_S + turn * SLIDE_EVERY_S
        world.run(SLIDE_EVERY_S, 1.0, partial(_later, progress, float(done_s)))
    seen = world.sim.take_slides()
    waits = [at - turned[number] for number, at in zip(seen["number"].tolist(), seen["at_us"].tolist(), strict=True)]
    results.slides_legible = sum(wait <= SLIDE_PATIENCE_US for wait in waits) / len(turned)
    _count(world, results, catalogue.WARM_S + SLIDE_TURNS * SLIDE_EVERY_S)


def _later(progress: Callable[[float], None], done_s: float, now_s: float) -> None:
    progress(done_s + now_s)


def jain(shares: Sequence[float]) -> float:
    """Jain's index of fairness: 1 when all have the same."""
    values = np.array(shares)
    return float(values.sum() ** 2 / max(values.size * (values**2).sum(), 1e-9))


def weak_traces(results: Results) -> list[Figures]:
    """Traces whose mean is no more than 2 Mbit/s."""
    return [one for one in results.named("trace") if (one["mean_kbps"] or 0) <= catalogue.WEAK_BPS / 1000]
