"""The policy on model links: it climbs, falls, waits, tries again, and one receiver's trouble is nobody else's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bandwidth.columns import CAMERA, MICROPHONE, REASONS, SCREEN
from bandwidth.config import Config
from bandwidth.policy import AdaptivePolicy
from tests.bandwidth.link import Receiver, World


def steps(*pairs: tuple[float, float]) -> Callable[[float], float]:
    """Capacity that holds from each second on."""

    def at(now_s: float) -> float:
        return [bps for since, bps in pairs if now_s >= since][-1]

    return at


def always(bps: float) -> Callable[[float], float]:
    return steps((0, bps))


def between(world: World, since: float, until: float, key: str) -> list[float]:
    return [row[key] for row in world.log if since < row["t"] <= until]


def word(world: World, role: int = CAMERA) -> str:
    assert world.decision is not None
    handle = 10 * world.receivers[0].transport + role
    return REASONS[int(world.decision.reason[world.decision.subscription.tolist().index(handle)])]


def test_a_good_link_is_climbed_to_the_top_within_three_seconds() -> None:
    world = World([Receiver(capacity=always(10e6), delay_ms=20)])
    world.run(3)
    assert world.receivers[0].spatial[CAMERA] == 2 and world.receivers[0].temporal[CAMERA] == -1
    assert word(world) == "ok"


@pytest.mark.parametrize("kbps", [64, 200, 800])
def test_a_constant_link_is_used_and_its_queue_stays_short(kbps: int) -> None:
    world = World([Receiver(capacity=always(kbps * 1e3))])
    world.run(25)
    assert np.percentile(between(world, 8, 25, "queue"), 95) <= 150
    assert np.mean(between(world, 8, 25, "sent")) <= kbps * 1e3
    assert world.receivers[0].padding_bytes <= 0.1 * world.receivers[0].all_bytes


def test_a_fall_is_obeyed_at_once_and_its_queue_drained_in_two_seconds() -> None:
    world = World([Receiver(capacity=steps((0, 1e6), (10, 0.25e6)))])
    world.run(15)
    assert np.mean(between(world, 10.6, 12, "sent")) < 0.25e6
    assert max(between(world, 12.2, 15, "queue")) < 200
    assert world.receivers[0].spatial[CAMERA] == 0, "the picture goes on, small"


def test_a_rise_is_found_within_ten_seconds() -> None:
    world = World([Receiver(capacity=steps((0, 0.25e6), (12, 1e6)))])
    world.run(22)
    assert world.receivers[0].spatial[CAMERA] == 2


def test_random_loss_is_repaired_not_obeyed() -> None:
    world = World([Receiver(capacity=always(1e6), loss=0.2)])
    world.run(30)
    assert world.receivers[0].spatial[CAMERA] >= 1
    assert world.receivers[0].copies == 1, "the others are left to repairs, and the room to the picture"
    assert word(world) == "link_lossy"


def test_silence_means_sound_alone_and_the_former_rung_is_back_soon_after() -> None:
    world = World([Receiver(capacity=steps((0, 1e6), (10, 0), (15, 1e6)), queue_ms=300)])
    world.run(10)
    before = world.receivers[0].spatial[CAMERA]
    world.run(2)
    assert world.receivers[0].spatial[CAMERA] == -1 and word(world) == "link_out"
    assert world.receivers[0].spatial[MICROPHONE] >= 0
    world.run(5)
    assert world.receivers[0].spatial[CAMERA] >= 0, "a picture two seconds after"
    world.run(8)
    assert world.receivers[0].spatial[CAMERA] == before


def test_a_receiver_that_knows_reports_only_is_served_by_them() -> None:
    world = World([Receiver(capacity=always(10e6), reports="rr")])
    world.run(8)
    assert world.receivers[0].spatial[CAMERA] == 2
    slow = World([Receiver(capacity=always(0.5e6), reports="rr")])
    slow.run(40)
    assert np.percentile(between(slow, 10, 40, "queue"), 90) < 400
    assert np.mean(between(slow, 20, 40, "sent")) < 0.5e6


def test_the_receivers_own_estimate_holds_where_it_is_all_there_is() -> None:
    receiver = Receiver(capacity=always(10e6), reports="remb")
    world = World([receiver])
    receiver.remb = 120_000
    world.run(10)
    assert receiver.spatial[CAMERA] == 0


def test_a_player_that_never_reports_is_held_at_the_middle_layer() -> None:
    world = World([Receiver(capacity=always(10e6), reports="")])
    world.run(10)
    assert world.receivers[0].spatial[CAMERA] == 1 and world.receivers[0].pacing_bps == 0


def test_slides_come_before_the_camera_on_a_weak_link() -> None:
    world = World([Receiver(capacity=always(0.2e6), roles=(MICROPHONE, CAMERA, SCREEN))])
    world.run(30)
    assert world.receivers[0].spatial[SCREEN] == 0
    assert world.receivers[0].temporal[SCREEN] >= 0, "at a low frame rate"


def test_a_remembered_link_starts_higher() -> None:
    def start(bps: int) -> float:
        world = World([Receiver(capacity=always(2e6))], start_bps=bps)
        world.run(0.3)
        return world.log[-1]["estimate"]

    assert start(1_500_000) > 2 * start(0)


def test_two_receivers_of_one_policy_get_what_each_would_get_alone() -> None:
    def receivers() -> list[Receiver]:
        return [
            Receiver(transport=3, capacity=steps((0, 1e6), (8, 0.2e6)), seed=5),
            Receiver(transport=8, capacity=always(0.4e6), loss=0.1, seed=7),
            Receiver(transport=9, capacity=always(3e6), reports="rr", seed=9),
        ]

    together = World(receivers())
    together.run(12)
    for index in range(3):
        alone = World([receivers()[index]])
        alone.run(12)
        one, other = alone.receivers[0], together.receivers[index]
        assert (one.all_bytes, one.padding_bytes) == (other.all_bytes, other.padding_bytes)
        assert (one.spatial, one.temporal, one.copies) == (other.spatial, other.temporal, other.copies)


def test_the_switches_turn_each_departure_off() -> None:
    plain = Config(
        queue_rule=False, loss_split=False, steady_increase=False, purposeful_probes=False,
        outage_rule=False, competing_mode=False, stall_undo=False,
    )  # fmt: skip
    world = World([Receiver(capacity=always(1e6), loss=0.2)], policy=AdaptivePolicy(plain))
    world.run(20)
    assert world.receivers[0].spatial[CAMERA] <= 0, "without them it stays where loss holds it"


def test_many_on_good_links_climb_to_the_top_within_three_seconds_and_stay() -> None:
    near = [Receiver(transport=9 + n, capacity=always(10e6), delay_ms=5 + 5 * n, seed=n) for n in range(5)]
    world = World(near)
    world.run(3)
    for _ in range(4):
        assert [receiver.spatial[CAMERA] for receiver in near] == [2] * len(near)
        world.run(0.5)
