"""The simple rule on model links: it climbs on good ones, steps down on bad ones, and screen goes before camera."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bandwidth.columns import REASONS, Decision, Demand, Feedback
from bandwidth.policy import SimplePolicy

TICK_US = 100_000
CAMERA = (90_000, 350_000, 1_200_000)
SCREEN = (250_000, 0, 0)
PACKET_BITS = 8_000


@dataclass
class Leg:
    """One leg of the only receiver of a model link."""

    subscription: int
    priority: int
    rates: tuple[int, int, int]
    cap: int = 2
    chosen_us: int = -1


@dataclass
class Link:
    """A link of fixed capacity without a queue: what is too much is lost and reported."""

    capacity_bps: int
    legs: list[Leg]
    reports: bool = True
    remb: bool = False
    rtt_us: int = 50_000
    policy: SimplePolicy = field(default_factory=SimplePolicy)
    now_us: int = 0
    sent_bps: int = 0
    decision: Decision | None = None

    def demand(self) -> Demand:
        return Demand(
            subscription=np.array([leg.subscription for leg in self.legs], dtype=np.uint32),
            transport=np.full(len(self.legs), 9, dtype=np.uint32),
            priority=np.array([leg.priority for leg in self.legs], dtype=np.int8),
            cap=np.array([leg.cap for leg in self.legs], dtype=np.int8),
            chosen_us=np.array([leg.chosen_us for leg in self.legs], dtype=np.int64),
            rates_bps=np.array([leg.rates for leg in self.legs], dtype=np.uint64).reshape(len(self.legs), 3),
        )

    def feedback(self) -> Feedback:
        audio = 40_000
        expected = int((self.sent_bps + audio) * TICK_US / 1e6 / PACKET_BITS) + 2
        share = min(1.0, self.capacity_bps / (self.sent_bps + audio))
        lost = round(expected * (1 - share))
        remb = min(self.capacity_bps, int(1.5 * self.sent_bps) + 50_000) if self.remb else 0
        return feedback(9, remb=remb, lost=lost * self.reports, expected=expected * self.reports, rtt_us=self.rtt_us)

    def run(self, seconds: float) -> list[int]:
        """Let time pass; the layers of all legs at its end."""
        for _ in range(int(seconds * 1e6 / TICK_US)):
            self.now_us += TICK_US
            self.decision = self.policy.decide(self.now_us, self.feedback(), self.demand())
            spatial = self.decision.spatial.tolist()
            self.sent_bps = sum(leg.rates[s] for leg, s in zip(self.legs, spatial, strict=True) if s >= 0)
        return self.layers()

    def layers(self) -> list[int]:
        assert self.decision is not None
        return [int(spatial) for spatial in self.decision.spatial]

    def reasons(self) -> list[str]:
        assert self.decision is not None
        return [REASONS[reason] for reason in self.decision.reason]


def feedback(transport: int, *, remb: int = 0, lost: int = 0, expected: int = 0, rtt_us: int = -1) -> Feedback:
    """One row."""
    return replace(
        Feedback.quiet(np.array([transport], dtype=np.uint32)),
        remb_bps=np.array([remb], dtype=np.uint64),
        lost=np.array([lost], dtype=np.uint32),
        expected=np.array([expected], dtype=np.uint32),
        rtt_us=np.array([rtt_us], dtype=np.int64),
    )


def camera(cap: int = 2) -> Leg:
    return Leg(1, 1, CAMERA, cap)


def screen() -> Leg:
    return Leg(2, 0, SCREEN)


def test_a_good_link_starts_at_the_base_and_is_climbed_within_two_seconds() -> None:
    link = Link(10_000_000, [camera()])
    assert link.run(0.1) == [0]
    assert link.run(1.9) == [2]
    assert link.reasons() == ["ok"]


def test_a_weak_link_settles_below_its_capacity_and_rarely_tries_more() -> None:
    link = Link(500_000, [camera()])
    link.run(60)
    tries = 0
    before = link.layers()
    for _ in range(600):
        after = link.run(0.1)
        tries += after > before
        before = after
    assert tries <= 2, "steps up that fail come later and later"
    assert before == [1] and link.reasons() == ["loss"]


def test_the_screen_goes_before_the_camera() -> None:
    link = Link(320_000, [camera(), screen()])
    link.run(30)
    assert link.layers() == [-1, 0]


def test_a_link_that_recovers_is_climbed_again() -> None:
    link = Link(200_000, [camera()])
    link.run(20)
    assert link.layers() == [0]
    link.capacity_bps = 10_000_000
    assert link.run(90) == [2]


def test_a_choice_is_obeyed_at_once_in_both_directions() -> None:
    link = Link(10_000_000, [camera()])
    link.run(3)
    link.legs[0].cap = 0
    assert link.run(0.1) == [0]
    assert link.reasons() == ["choice"]
    link.legs[0].cap, link.legs[0].chosen_us = 2, link.now_us
    assert link.run(0.1) == [2]


def test_a_fixed_choice_skips_the_climb_but_not_the_link() -> None:
    link = Link(500_000, [camera()])
    link.legs[0].chosen_us = 1
    assert link.run(0.1) == [2]
    assert link.run(7) == [1]


def test_a_pause_sends_nothing_and_says_why() -> None:
    link = Link(10_000_000, [camera(cap=-1)])
    assert link.run(3) == [-1]
    assert link.reasons() == ["choice"]


def test_a_low_estimate_steps_down_without_any_loss() -> None:
    link = Link(10_000_000, [camera()], remb=True)
    assert link.run(5) == [2]
    link.capacity_bps = 400_000
    link.reports = False
    assert link.run(5) == [1]
    assert link.reasons() == ["estimate"]


def test_a_standing_queue_steps_down_without_any_loss() -> None:
    link = Link(10_000_000, [camera()])
    assert link.run(3) == [2]
    link.rtt_us = 900_000
    assert link.run(4)[0] < 2
    assert link.reasons() == ["estimate"]


def test_a_round_trip_that_hiccups_costs_no_picture_but_a_queue_that_stays_does() -> None:
    link = Link(10_000_000, [camera()])
    link.rtt_us = 20_000
    assert link.run(5) == [2]
    link.rtt_us = 900_000
    assert all(link.run(0.1) != [-1] for _ in range(15)), "a busy computer answers late, too"
    link.rtt_us = 20_000
    assert all(link.run(0.1) != [-1] for _ in range(50))
    link.rtt_us = 900_000
    assert link.run(10) == [-1], "sound first: a full link carries no picture"


def test_a_player_that_never_reports_gets_the_middle_layer() -> None:
    link = Link(10_000_000, [camera()], reports=False, rtt_us=-1)
    assert link.run(20) == [1]


def test_a_source_whose_upper_layers_stop_is_followed_down_and_up() -> None:
    link = Link(10_000_000, [camera()])
    link.run(3)
    link.legs[0].rates = (90_000, 0, 0)
    assert link.run(0.1) == [0]
    link.legs[0].rates = CAMERA
    assert link.run(0.1) == [2]


def test_nobody_is_decided_for_when_nobody_is_there() -> None:
    policy = SimplePolicy()
    empty = Link(0, []).demand()
    decision = policy.decide(0, feedback(5, lost=3, expected=9), empty)
    assert decision.subscription.size == decision.spatial.size == 0


rates = st.tuples(*[st.sampled_from([0, 50_000, 300_000, 2_000_000])] * 3)
legs = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1), st.integers(-1, 2), rates), min_size=1, max_size=8)
reports = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 100), st.integers(0, 100), st.integers(-1, 2_000_000)), max_size=8
)


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(ticks=st.lists(st.tuples(legs, reports, st.integers(1, 5_000_000)), min_size=1, max_size=12))
def test_whatever_comes_a_leg_gets_what_is_sent_and_wanted_and_the_better_comes_last(
    ticks: list[tuple[list[tuple[int, int, int, tuple[int, ...]]], list[tuple[int, int, int, int]], int]],
) -> None:
    policy, now_us = SimplePolicy(), 0
    for rows, heard, span_us in ticks:
        now_us += span_us
        demand = Demand(
            subscription=np.arange(1, len(rows) + 1, dtype=np.uint32),
            transport=np.array([row[0] for row in rows], dtype=np.uint32),
            priority=np.array([row[1] for row in rows], dtype=np.int8),
            cap=np.array([row[2] for row in rows], dtype=np.int8),
            chosen_us=np.full(len(rows), -1, dtype=np.int64),
            rates_bps=np.array([row[3] for row in rows], dtype=np.uint64),
        )
        unique = {row[0]: row for row in heard}
        told = replace(
            Feedback.quiet(np.array(sorted(unique), dtype=np.uint32)),
            remb_bps=np.array([unique[t][3] if unique[t][3] > 0 else 0 for t in sorted(unique)], dtype=np.uint64),
            lost=np.array([min(unique[t][1], unique[t][2]) for t in sorted(unique)], dtype=np.uint32),
            expected=np.array([unique[t][2] for t in sorted(unique)], dtype=np.uint32),
            rtt_us=np.array([unique[t][3] for t in sorted(unique)], dtype=np.int64),
        )
        decision = policy.decide(now_us, told, demand)
        for row, spatial in zip(rows, decision.spatial.tolist(), strict=True):
            assert -1 <= spatial <= row[2]
            assert spatial == -1 or row[3][spatial] > 0
        for one, first in zip(rows, decision.spatial.tolist(), strict=True):
            for other, second in zip(rows, decision.spatial.tolist(), strict=True):
                screen_starves = one[1] < other[1] and first == -1 and any(one[3][: one[2] + 1])
                assert not (one[0] == other[0] and screen_starves and second >= 0), "the camera starves first"
