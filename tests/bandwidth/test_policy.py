"""What every decision holds, whatever comes in: layers that exist and are wanted, choices, one row for everybody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bandwidth.columns import CAMERA, LINK_SLOW, MICROPHONE, NO_SOURCE, REASONS, SCREEN, Decision, Demand, Feedback
from bandwidth.policy import AdaptivePolicy
from tests.bandwidth.link import Receiver, World, demand_of

ROLES = (MICROPHONE, SCREEN, CAMERA)


def demand(rows: list[tuple[int, int, int, tuple[int, int, int]]]) -> Demand:
    """Rows of transport, role, cap, rates."""
    count = len(rows)
    rates = np.array([row[3] for row in rows], dtype=np.float64).reshape(count, 3)
    return Demand(
        subscription=np.arange(1, count + 1, dtype=np.uint32),
        transport=np.array([row[0] for row in rows], dtype=np.uint32),
        role=np.array([row[1] for row in rows], dtype=np.int8),
        cap=np.array([row[2] for row in rows], dtype=np.int8),
        chosen_us=np.full(count, -1, dtype=np.int64),
        rates_bps=(rates[:, :, None] * np.array([0.4, 0.6, 1.0, 1.0])).astype(np.uint64),
        packets_hz=np.full((count, 3), 30.0),
        listening=np.ones(count, dtype=np.bool_),
        start_bps=np.zeros(count, dtype=np.uint64),
    )


def settled(capacity_bps: float = 10e6, cap: int = 2) -> World:
    """A world whose only receiver has found what its link carries."""
    world = World([Receiver(capacity=lambda now_s: capacity_bps, delay_ms=20)])
    wanted = demand_of(world.receivers)
    world.demand = replace(wanted, cap=np.where(wanted.role == CAMERA, cap, 2).astype(np.int8))
    world.run(4)
    return world


def of_camera(world: World) -> tuple[int, str]:
    assert world.decision is not None and world.demand is not None
    index = world.demand.role.tolist().index(CAMERA)
    return int(world.decision.spatial[index]), REASONS[int(world.decision.reason[index])]


def choose(world: World, cap: int) -> None:
    assert world.demand is not None
    camera = world.demand.role == CAMERA
    now_us = int(world.now_ms * 1000)
    world.demand = replace(
        world.demand,
        cap=np.where(camera, cap, world.demand.cap).astype(np.int8),
        chosen_us=np.where(camera, now_us, -1).astype(np.int64),
    )


def test_a_choice_is_obeyed_at_once_in_both_directions() -> None:
    world = settled()
    assert of_camera(world) == (2, "ok")
    choose(world, 0)
    world.run(0.1)
    assert of_camera(world) == (0, "choice")
    choose(world, 2)
    world.run(0.1)
    assert of_camera(world) == (2, "ok")


def test_a_choice_that_the_link_does_not_bear_is_tried_and_not_forced() -> None:
    world = settled(400e3)
    choose(world, 2)
    world.run(3)
    layer, word = of_camera(world)
    assert layer < 2 and word == "link_slow"


def test_a_hidden_tile_costs_nothing_and_says_why() -> None:
    world = settled(cap=-1)
    assert of_camera(world) == (-1, "choice")
    sent = np.mean([row["sent"] for row in world.log[-10:]])
    assert sent < 80_000, "sound alone"


def test_a_source_whose_upper_layers_stop_is_followed_down_and_up() -> None:
    world = settled()
    assert world.demand is not None
    both = world.demand
    rates = both.rates_bps.copy()
    rates[both.role == CAMERA, 1:] = 0
    world.demand = replace(both, rates_bps=rates)
    world.run(0.1)
    assert of_camera(world) == (0, "ok")
    world.demand = both
    world.run(1)
    assert of_camera(world) == (2, "ok")


def test_nobody_is_decided_for_when_nobody_is_there() -> None:
    decision = AdaptivePolicy().decide(0, Feedback.quiet(np.zeros(0, dtype=np.uint32)), demand([]))
    assert decision.subscription.size == decision.transport.size == 0


def test_what_sends_nothing_has_no_source() -> None:
    decision = AdaptivePolicy().decide(0, Feedback.quiet(np.zeros(0, np.uint32)), demand([(1, CAMERA, 2, (0, 0, 0))]))
    assert decision.spatial.tolist() == [-1] and decision.reason.tolist() == [NO_SOURCE]


rates = st.tuples(*[st.sampled_from([0, 20_000, 300_000, 2_000_000])] * 3)
legs = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(ROLES), st.integers(-1, 2), rates), min_size=1, max_size=8)
numbers = st.integers(0, 2_000_000)
report = st.tuples(
    st.integers(0, 6), st.integers(0, 2), st.integers(0, 100), st.integers(0, 100), st.integers(-1, 2_000_000),
    numbers, numbers, st.floats(0, 5000), st.integers(0, 3),
)  # fmt: skip
reports = st.lists(report, max_size=6, unique_by=lambda row: row[0])


def told(rows: list[tuple[int, int, int, int, int, int, int, float, int]]) -> Feedback:
    """Feedback of any kind, also such as no core would give."""
    rows = sorted(rows)

    def column(place: int, kind: type = np.int64) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        return np.array([row[place] for row in rows]).astype(kind)

    count = len(rows)
    delay = np.array([row[7] if row[1] == 2 else np.nan for row in rows], dtype=np.float64)
    return replace(
        Feedback.quiet(np.array([row[0] for row in rows], dtype=np.uint32)),
        heard=column(1).astype(np.uint8),
        lost=np.minimum(column(2), column(3)).astype(np.uint32),
        expected=column(3).astype(np.uint32),
        rtt_us=column(4),
        remb_bps=np.maximum(column(4), 0).astype(np.uint64),
        sent_bytes=column(5).astype(np.uint64),
        acked_bytes=column(6).astype(np.uint64),
        delay_ms=delay,
        delay_mean_ms=delay,
        arrival_ms=delay * 3,
        probe_state=column(8).astype(np.uint8),
        probe_acked_bps=column(6).astype(np.uint64),
        groups=np.tile(np.array([5.0, 7.0, 1.0]), (count, 16, 1)) * np.arange(1, 17)[None, :, None],
        group_count=np.full(count, 16, dtype=np.uint8),
    )


def check(decision: Decision, wanted: Demand) -> None:
    for number, (spatial, cap) in enumerate(zip(decision.spatial.tolist(), wanted.cap.tolist(), strict=True)):
        assert -1 <= spatial <= max(cap, -1)
        assert spatial == -1 or wanted.rates_bps[number, spatial, -1] > 0
        sounds = wanted.role[number] == MICROPHONE and (wanted.rates_bps[number, : cap + 1, -1] > 0).any()
        assert spatial >= 0 or not sounds, "sound is never dropped"
    assert np.isfinite(decision.pacing_bps.astype(float)).all()
    assert (decision.reason >= 0).all() and (decision.reason < len(REASONS)).all()


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(ticks=st.lists(st.tuples(legs, reports, st.integers(1, 5_000_000)), min_size=1, max_size=12))
def test_whatever_comes_a_leg_gets_what_is_sent_and_wanted_and_sound_first(
    ticks: list[tuple[list[tuple[int, int, int, tuple[int, int, int]]], list[tuple[int, ...]], int]],
) -> None:
    policy, now_us = AdaptivePolicy(), 0
    with np.errstate(all="raise", under="ignore"):
        for rows, heard, span_us in ticks:
            now_us += span_us
            wanted = demand(rows)
            check(policy.decide(now_us, told(heard), wanted), wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(5))
def test_a_row_depends_on_no_other_row(seed: int) -> None:
    random = np.random.default_rng(seed)
    many, one, now_us = AdaptivePolicy(), AdaptivePolicy(), 0
    for _ in range(60):
        now_us += int(random.integers(50_000, 200_000))
        present = sorted({3, *random.integers(1, 9, size=4).tolist()})
        rows = [(t, role, 2, (60_000, 300_000, 900_000)) for t in present for role in ROLES]
        heard = [
            (
                t, 2, int(random.integers(0, 9)), 40, int(random.integers(0, 400_000)), int(random.integers(0, 90_000)),
                int(random.integers(0, 90_000)), float(random.uniform(0, 300)), int(random.integers(0, 4)),
            )
            for t in present
        ]  # fmt: skip
        wanted = demand(rows)
        together = many.decide(now_us, told(heard), wanted)
        mine = wanted.transport == 3
        alone = one.decide(
            now_us,
            told([row for row in heard if row[0] == 3]),
            replace(wanted, **{name: getattr(wanted, name)[mine] for name in vars(wanted)}),
        )
        assert together.spatial[mine].tolist() == alone.spatial.tolist()
        assert together.temporal[mine].tolist() == alone.temporal.tolist()
        row = together.transport == 3
        for name in ("pacing_bps", "probe_bps", "redundancy", "repair_bps", "estimate_bps"):
            assert getattr(together, name)[row].tolist() == getattr(alone, name).tolist()


def test_the_words_are_those_that_people_are_told() -> None:
    assert REASONS[LINK_SLOW] == "link_slow" and len(set(REASONS)) == 6
