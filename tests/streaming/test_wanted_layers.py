"""Which encodings a teacher is asked for, tick by tick, under a policy that does as it is told."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from bandwidth.columns import NO_TRANSPORT, Decision, Demand, Feedback
from streaming._core import Core
from streaming.control_loop import ControlLoop
from streaming.model import Lesson, Model, Publication, Subscription, Transport
from streaming.wanted_layers import OFF_US, VAIN_US, Recorded

TICK_US = 100_000
CAMERA, SCREEN, LEG, SCREEN_LEG = 2, 3, 10, 11
RATES_BPS = (80_000, 300_000, 1_000_000)


class Told:
    """The policy: gives `spatial` to the camera's leg and 0 to the screen's."""

    def __init__(self) -> None:
        self.spatial = 2
        self.estimate_bps = 0
        self.demand: Demand | None = None

    def decide(self, now_us: int, feedback: Feedback, demand: Demand) -> Decision:
        """As the adaptive one."""
        self.demand = demand
        spatial = np.where(demand.subscription == LEG, self.spatial, 0)
        transport = np.unique(demand.transport)
        per = {name: np.zeros(transport.size, dtype=np.uint64) for name in ("pacing_bps", "probe_bps", "repair_bps")}
        return Decision(
            subscription=demand.subscription,
            spatial=spatial.astype(np.int8),
            temporal=np.full(spatial.size, -1, dtype=np.int8),
            reason=np.zeros(spatial.size, dtype=np.int8),
            transport=transport,
            probe_us=np.zeros(transport.size, dtype=np.uint32),
            redundancy=np.zeros(transport.size, dtype=np.uint16),
            estimate_bps=np.full(transport.size, self.estimate_bps, dtype=np.uint64),
            **per,
        )


class _Core:
    """No feedback, and nothing is sent."""

    def take_feedback(self) -> dict[str, Any]:
        return vars(Feedback.quiet(NO_TRANSPORT[0]))

    def apply(self, *_: Any) -> None:
        """Nobody looks."""


class Lesson3:
    """A camera in three layers and a screen with one classroom; the teacher obeys unless `deaf`."""

    def __init__(self, recorded: Recorded = "best", log_dir: str | None = None) -> None:
        self.model, self.policy = Model(), Told()
        lesson = Lesson("1", 1, log_dir, None)
        self.model.add_lesson(lesson)
        teacher, classroom = Transport(1, lesson, None), Transport(5, lesson, None)
        self.model.add_transport(teacher)
        self.model.add_transport(classroom)
        self.camera, self.screen = (
            Publication(CAMERA, lesson, "camera", None),
            Publication(SCREEN, lesson, "screen", None),
        )
        for publication, handle in ((self.camera, LEG), (self.screen, SCREEN_LEG)):
            self.model.add_publication(teacher, publication)
            self.model.add_subscription(classroom, Subscription(handle, 5, "video", None, publication))
        self.loop = ControlLoop(cast(Core, _Core()), self.model, self.policy, recorded)
        self.now_us = 0
        self.room = 3  # encodings for which the uplink has room
        self.packets = np.zeros(4, dtype=np.uint64)
        self.told: list[tuple[int, int, int]] = []

    def passes(self, us: int) -> list[tuple[int, int, int]]:
        """Let time pass; (publication, watched, recorded) as they were asked for meanwhile."""
        self.told = []
        for _ in range(us // TICK_US):
            self.now_us += TICK_US
            events = self.loop.tick(self.now_us, self._tables())
            wanted = [event for event in events if event["event"] == "wanted"]
            self.told += [(event["publication"], event["watched"], event["recorded"]) for event in wanted]
        return self.told

    def _tables(self) -> dict[str, dict[str, Any]]:
        camera = self._runs(self.camera, 3)
        running = np.array([layer < min(camera, self.room) for layer in range(3)] + [self._runs(self.screen, 1) > 0])
        self.packets += np.where(running, 10, 0).astype(np.uint64)
        rates = np.where(running, [*RATES_BPS, 200_000], 0)
        return {
            "encodings": {
                "publication": np.array([CAMERA] * 3 + [SCREEN], dtype=np.uint32),
                "encoding": np.array([0, 1, 2, 0], dtype=np.uint8),
                "packets": self.packets.copy(),
                "temporal_bps": (rates[:, None] * np.array([0.4, 0.6, 1.0, 1.0])).astype(np.uint64),
                "height": np.array([180, 360, 720, 1080], dtype=np.uint16),
            },
            "subscriptions": {
                "subscription": np.array([LEG, SCREEN_LEG], dtype=np.uint32),
                "publication": np.array([CAMERA, SCREEN], dtype=np.uint32),
                "spatial": np.zeros(2, dtype=np.int8),
            },
        }

    @staticmethod
    def _runs(publication: Publication, total: int) -> int:
        wanted = publication.wanted
        return total if wanted is None else max(wanted["watched"], wanted["recorded"])

    def camera_bps(self) -> list[int]:
        """What the policy was told that the camera's layers cost."""
        assert self.policy.demand is not None
        row = int(np.flatnonzero(self.policy.demand.subscription == LEG)[0])
        return [int(rate) for rate in self.policy.demand.rates_bps[row, :, -1]]


def test_what_nobody_watches_goes_off_after_a_while_and_comes_on_at_once() -> None:
    lesson = Lesson3()
    assert lesson.passes(5_000_000) == []
    lesson.policy.spatial = 0
    assert lesson.passes(OFF_US - TICK_US) == []
    assert lesson.passes(2 * TICK_US) == [(CAMERA, 1, 0)]
    lesson.policy.spatial = 1
    assert lesson.passes(TICK_US) == [(CAMERA, 2, 0)]
    assert lesson.passes(60_000_000) == []


def test_a_layer_that_is_wanted_now_and_then_stays_on() -> None:
    lesson = Lesson3()
    for spatial in (2, 0, 2, 0, 2):
        lesson.policy.spatial = spatial
        assert lesson.passes(OFF_US - 2 * TICK_US) == []


def test_a_layer_that_is_off_is_offered_to_the_policy_at_its_last_rate() -> None:
    lesson = Lesson3()
    lesson.passes(5_000_000)
    before = lesson.camera_bps()
    lesson.policy.spatial = 0
    lesson.passes(OFF_US + 30_000_000)
    after = lesson.camera_bps()
    assert all(abs(a - b) <= 0.1 * b for a, b in zip(after, before, strict=True)), (before, after)
    lesson.policy.spatial = 2
    lesson.passes(1_000_000)
    assert all(rate > 0 for rate in lesson.camera_bps()), "while it starts it is still there to be had"


def test_a_layer_that_the_uplink_has_no_room_for_is_not_offered_for_long_and_tried_seldom() -> None:
    lesson = Lesson3()
    lesson.room = 1
    lesson.passes(5_000_000)
    assert lesson.camera_bps()[1:] == [0, 0]
    lesson.policy.spatial = 0  # as the adaptive one does without the layers
    asked = lesson.passes(VAIN_US + OFF_US)
    assert asked == [(CAMERA, 1, 0)]
    assert lesson.camera_bps()[2] > 0, "now somebody may try again"


def test_a_climb_finds_its_layer_running() -> None:
    lesson = Lesson3()
    lesson.passes(5_000_000)
    lesson.policy.spatial = 0
    lesson.passes(OFF_US + TICK_US)
    lesson.policy.estimate_bps = (
        500_000  # more than the middle layer at a quarter of its frames needs beside the screen
    )
    assert lesson.passes(TICK_US) == [(CAMERA, 2, 0)]


def test_the_recording_keeps_the_best_or_takes_what_is_watched() -> None:
    best, watched = Lesson3("best", "/log"), Lesson3("watched", "/log")
    for lesson in (best, watched):
        lesson.passes(1_000_000)
        lesson.policy.spatial = 0
    assert best.passes(OFF_US + TICK_US) == [(CAMERA, 1, 3)]
    assert watched.passes(OFF_US + TICK_US) == [(CAMERA, 1, 1)]


def test_a_picture_without_a_classroom_is_switched_off_whole() -> None:
    lesson = Lesson3()
    lesson.passes(1_000_000)
    lesson.model.connect(lesson.model.subscription(SCREEN_LEG), None)
    assert lesson.passes(OFF_US + 2 * TICK_US) == [(SCREEN, 0, 0)]
    lesson.model.connect(lesson.model.subscription(SCREEN_LEG), lesson.screen)
    assert lesson.passes(TICK_US) == [(SCREEN, 1, 0)]
