"""Lessons in the simulator: one teacher and one classroom for each link, all under one policy, sampled as they go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.links import films
from benchmarks.links.catalogue import Scenario
from benchmarks.links.page import Page
from streaming._core import Core, Sim
from streaming.control_loop import TICK_S, ControlLoop, Policy
from streaming.model import Lesson, Model, Publication, Subscription, Transport
from streaming.params import Source
from streaming.seek_points import SeekPoints

if TYPE_CHECKING:
    from streaming._core import LinkDict

MAX_HANDLES = 4096
LOOK = 10  # ticks between two looks of a page at its counters
TICK_US = round(TICK_S * 1_000_000)
Table = dict[str, NDArray[Any]]
# The simulator writes no log, but a lesson that is recorded is asked for key frames now and then.
RECORDED = "log"
TEACHER_LINK: LinkDict = {"delay_us": 10_000}


@dataclass
class Room:
    """One classroom and the handles that it is known by."""

    transport: int
    camera: int
    microphone: int
    publication: int  # of its teacher's camera
    page: Page


@dataclass
class Samples:
    """One row a sample, one column a classroom, in the order in which they were added; counters grow."""

    at_us: list[int] = field(default_factory=list)
    columns: dict[str, list[NDArray[Any]]] = field(default_factory=dict)

    def add(self, at_us: int, metrics: dict[str, Table], rooms: Sequence[Room]) -> None:
        """What stands now."""
        self.at_us.append(at_us)
        for table, key, handles in (
            ("links", "transport", [room.transport for room in rooms]),
            ("sounds", "subscription", [room.microphone for room in rooms]),
            ("pictures", "subscription", [room.camera for room in rooms]),
            ("subscriptions", "subscription", [room.camera for room in rooms]),
        ):
            columns = metrics[table]
            order = np.argsort(columns[key])
            rows = order[np.searchsorted(columns[key], handles, sorter=order)]
            for name, column in columns.items():
                self.columns.setdefault(f"{table}.{name}", []).append(column[rows])

    def series(self, name: str, room: int) -> NDArray[Any]:
        """One column of one classroom over time."""
        return np.array([row[room] for row in self.columns[name]])


class World:
    """A simulator with the real control loop over it."""

    def __init__(self, policy: Policy, *, seed: int, two_voices: bool, source: films.Recording | None = None) -> None:
        self.sim = Sim(seed=seed)
        self.rooms: list[Room] = []
        self.sound_waits_us: list[NDArray[Any]] = []
        # By handle of the transport.
        self.padding = np.zeros(MAX_HANDLES, dtype=np.int64)
        self.sent = np.zeros(MAX_HANDLES, dtype=np.int64)
        self._model = Model()
        self._two_voices = two_voices
        self._source = source
        core = cast(Core, _Counting(self.sim, self))
        self._loop = ControlLoop(core, self._model, policy, recorded="watched")
        self._seek_points = SeekPoints()

    def add_lesson(self) -> tuple[Lesson, Publication, Publication]:
        """A lesson with a teacher who speaks and is seen."""
        handle = self.sim.open_lesson()
        lesson = Lesson(str(handle), handle, RECORDED, None)
        self._model.add_lesson(lesson)
        teacher = Transport(self.sim.add_teacher(handle, TEACHER_LINK), lesson, None, True)
        self._model.add_transport(teacher)
        camera = self._publish(teacher, "camera", films.camera(self._source))
        return lesson, camera, self._publish(teacher, "microphone", films.microphone(self._two_voices, self._source))

    def add_room(
        self,
        lesson: Lesson,
        sources: Sequence[Publication],
        bottleneck: int,
        up: LinkDict,
        *,
        speaks: bool = False,
    ) -> Room:
        """A classroom of that lesson behind a link; how deep its play-out buffer is, its page says."""
        transport = Transport(self.sim.add_receiver(lesson.handle, bottleneck, up), lesson, None, True)
        self._model.add_transport(transport)
        handles = [self._subscribe(transport, source) for source in sources]
        page = Page(speaks)
        self.sim.set_target(transport.handle, page.target_us)
        self._model.play_out(transport, page.target_us // 1000)
        room = Room(transport.handle, handles[0], handles[1], sources[0].handle, page)
        self.rooms.append(room)
        return room

    def add_scenario(self, scenario: Scenario) -> Room:
        """A lesson of its own with one classroom behind this link."""
        lesson, *sources = self.add_lesson()
        bottleneck = self.sim.add_bottleneck(scenario.down)
        return self.add_room(lesson, sources, bottleneck, scenario.up, speaks=scenario.speaks)

    def probe_share(self, room: Room) -> float:
        """Share of all bytes to a classroom that were padding of probes."""
        return float(self.padding[room.transport]) / max(float(self.sent[room.transport]), 1.0)

    def _look(self, metrics: dict[str, Table]) -> None:
        """What the pages do once a second: see how their lines are, and how deep to buffer."""
        for room in self.rooms:
            target_us = room.page.look(self.sim.now_us, metrics["sounds"], room.microphone)
            if target_us is not None:
                self.sim.set_target(room.transport, target_us)
            if room.page.reports(self.sim.now_us):
                self._model.play_out(self._model.transport(room.transport), room.page.target_us // 1000)

    def run(
        self, seconds: float, every_s: float, progress: Callable[[float], None], *, clear_s: float | None = None
    ) -> Samples:
        """Let this much time pass; a sample every so often, one at the beginning. Delays count from `clear_s` on."""
        samples, every, stats = Samples(), round(every_s / TICK_S), self.sim.take_stats()
        ticks = round(seconds / TICK_S)
        for tick in range(ticks + 1):
            look = tick % LOOK == 0
            metrics = self.sim.metrics() if look or tick % every == 0 else {}
            if look:
                self._look(metrics)
                for publication in self._seek_points.due(stats["encodings"], self._model.publications, self.sim.now_us):
                    self.sim.request_keyframe(publication)
                progress(TICK_S * tick)
            if tick % every == 0:
                samples.add(self.sim.now_us, metrics | {"subscriptions": stats["subscriptions"]}, self.rooms)
            if clear_s is not None and tick == round(clear_s / TICK_S):
                self.sim.clear_delays()
            if tick < ticks:
                self.sim.step(TICK_US)
                stats = self.sim.take_stats()
                self._loop.tick(self.sim.now_us, stats)
        return samples

    def _publish(self, teacher: Transport, source: Source, film: films.Film) -> Publication:
        columns = (film.at_us, film.encoding, film.temporal, film.sync, film.bytes)
        handle = self.sim.publish(teacher.handle, film.kind, film.mid, *columns, film.loop_us, film.encodings)
        publication = Publication(handle, teacher.lesson, source, None)
        self._model.add_publication(teacher, publication)
        return publication

    def _subscribe(self, transport: Transport, source: Publication) -> int:
        kind = "audio" if source.source == "microphone" else "video"
        handle = self.sim.add_subscription(transport.handle, kind)
        self.sim.connect(handle, source.handle)
        self._model.add_subscription(transport, Subscription(handle, transport.handle, kind, None, source))
        return handle


class _Counting:
    """The simulator as the control loop sees it; what passes by is counted."""

    def __init__(self, sim: Sim, world: World) -> None:
        self._world = world
        self.apply = sim.apply
        self._take = sim.take_feedback

    def take_feedback(self) -> Table:
        """As the core's."""
        table = self._take()
        self._world.sound_waits_us.append(table["sound_wait_us"])
        self._world.padding[table["transport"]] += table["padding_bytes"].astype(np.int64)
        self._world.sent[table["transport"]] += table["sent_bytes"].astype(np.int64)
        return table
