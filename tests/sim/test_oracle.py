"""What the figures are measured against."""

from __future__ import annotations

import numpy as np
import pytest

from bandwidth.columns import CAMERA, MICROPHONE
from bandwidth.ladder import STEPS, Step
from benchmarks.links import films, oracle
from benchmarks.links.catalogue import Scenario, constant, link, steps


def scenario(bps: int, loss: float = 0.0) -> Scenario:
    return constant("one", "constant", 30, link(bps, loss=loss))


@pytest.mark.parametrize(("bps", "off"), [(50_000, True), (200_000, False), (3_000_000, False)])
def test_the_ladder_takes_what_fits_in_nine_tenths(bps: int, off: bool) -> None:
    best = oracle.best(oracle.capacity_bps(scenario(bps)), 0.0, two_voices=True)
    assert best.off.all() == off
    assert best.media_bps.max() <= 0.9 * bps


def test_loss_takes_its_part_of_the_budget() -> None:
    capacity = oracle.capacity_bps(scenario(500_000))
    clean = oracle.best(capacity, 0.0, two_voices=True).media_bps.mean()
    assert oracle.best(capacity, 0.3, two_voices=True).media_bps.mean() < clean


def test_outages_are_spans_longer_than_a_fifth_of_a_second() -> None:
    capacity = np.array([1e6, 0, 0, 1e6, 0, 0, 0, 0, 1e6])
    ((first, last),) = oracle.outages(capacity, 22_000)
    assert first == pytest.approx(0.4) and last == pytest.approx(0.8)


def test_nobody_freezes_on_a_wide_line_and_everybody_without_one() -> None:
    assert oracle.least_frozen(oracle.capacity_bps(scenario(500_000)), 10) == 0
    cut: Scenario = Scenario("cut", "change", {"trace": steps(500_000, [(15, 0), (20, 500_000)])}, 30)
    frozen = oracle.least_frozen(oracle.capacity_bps(cut), 10)
    assert 5 / 20 <= frozen <= 5.5 / 20


def test_a_freeze_is_a_gap_beside_the_mean() -> None:
    steady = np.arange(0, 20, 0.04)
    assert oracle.frozen(steady, 0, 20) == 0
    late = np.concatenate([steady[steady < 10], steady[steady >= 12]])
    assert oracle.frozen(late, 0, 20) == pytest.approx(2.04, abs=0.01)


@pytest.mark.parametrize("step", [step for step in STEPS if step.role in {CAMERA, MICROPHONE}])
def test_every_step_of_the_policy_is_one_of_the_best(step: Step) -> None:
    have = {CAMERA: films.camera(), MICROPHONE: films.microphone(True)}
    before = [one for one in STEPS[: STEPS.index(step) + 1] if one.role in have]
    last = {one.role: have[one.role].link_bps(one.spatial, one.temporal) for one in before}
    best = oracle.best(np.full(100, sum(last.values()) / 0.9 + 1500), 0.0, two_voices=True)
    media = sum(
        have[one.role].media_bps(one.spatial, one.temporal) for one in {one.role: one for one in before}.values()
    )
    assert best.media_bps[50] == pytest.approx(media)
