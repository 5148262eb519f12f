"""How far apart copies of sound stand: never farther than the play-out buffer waits for them."""

from __future__ import annotations

import numpy as np
import pytest

from bandwidth.config import Config
from bandwidth.sound import fitting, fresh, mask, update, wanted


def bits(copies: int, burst: float, *, listening: bool, low_rate: bool, repaired: bool = False) -> int:
    """The distances of the copies of one receiver, packet of 60 ms at the low rate and of 20 ms else."""
    deep, slow, again = np.array([listening]), np.array([low_rate]), np.array([repaired])
    hertz = np.array([1000 / 60 if low_rate else 50.0])
    return int(mask(np.array([copies]), np.array([burst]), deep, slow, again, hertz, Config())[0])


@pytest.mark.parametrize("copies", range(4))
@pytest.mark.parametrize("burst", [1.0, 3.0])
@pytest.mark.parametrize("low_rate", [False, True])
@pytest.mark.parametrize(
    ("listening", "repaired", "span_ms"), [(False, False, 140), (True, False, 341), (True, True, 341)]
)
def test_copies_reach_no_farther_back_than_the_buffer_waits(
    copies: int, burst: float, low_rate: bool, listening: bool, repaired: bool, span_ms: int
) -> None:
    found = bits(copies, burst, listening=listening, low_rate=low_rate, repaired=repaired)
    assert found.bit_length() * (60 if low_rate else 20) <= span_ms
    assert (found > 0) == (copies > 0) and found.bit_count() <= copies


def test_losses_in_a_row_get_copies_that_stand_apart() -> None:
    assert bits(2, 1.0, listening=True, low_rate=False) == 0b11
    assert bits(2, 3.0, listening=True, low_rate=False) == 0b1010


@pytest.mark.parametrize("low_rate", [False, True])
def test_beside_repairs_one_copy_far_away_is_enough(low_rate: bool) -> None:
    sound = fresh(1)
    update(sound, np.array([0.4]), 0, Config())
    assert wanted(sound, np.array([True])).tolist() == [1]
    assert wanted(sound, np.array([False])).tolist() == [3]
    span_ms = bits(1, 1.0, listening=True, low_rate=low_rate, repaired=True).bit_length() * (60 if low_rate else 20)
    assert span_ms >= 240


def test_copies_give_way_before_they_fill_the_link_but_one_always_goes() -> None:
    copies = np.array([3, 3, 3, 0, 2])
    room_bps = np.array([80e3, 50e3, 20e3, 20e3, np.inf])
    alone_bps, copy_bps = np.full(5, 22e3), np.full(5, 14e3)
    none = np.full(5, np.inf)
    assert fitting(copies, alone_bps, copy_bps, room_bps, none).tolist() == [3, 2, 1, 0, 2]


def test_a_new_receiver_gets_a_copy_until_its_link_has_shown_itself() -> None:
    sound, config = fresh(2), Config()
    loss = np.array([0.0, 0.05])
    seen = []
    for tick in range(30):
        update(sound, loss, tick * 100_000, config)
        seen.append(sound.copies.tolist())
    assert seen[10] == [1, 1]
    assert seen[-1] == [0, 1]


def test_a_page_that_would_come_too_late_comes_before_the_first_copy() -> None:
    copies, alone_bps, copy_bps = np.array([2, 2]), np.full(2, 22e3), np.full(2, 14e3)
    assert fitting(copies, alone_bps, copy_bps, np.full(2, 20e3), np.array([30e3, 40e3])).tolist() == [0, 1]
