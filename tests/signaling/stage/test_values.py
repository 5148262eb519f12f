"""Who is on stage, what a wall costs, who a lock lets in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.auth import classroom_rights, operator_rights, teacher_rights
from signaling.messages import Refused
from signaling.stage.lock import Lock
from signaling.stage.stage import Stage
from signaling.stage.standing_in import is_stand_in, stand_in_rights
from signaling.stage.tiles import MAX_ROWS, Row, ToldTiles
from signaling.stage.wall import STILL_BITS, Look, Wall, look_of, looks


def test_a_classroom_that_is_called_takes_the_first_free_place_and_its_hand_goes_down() -> None:
    stage = Stage().raise_hand(5).raise_hand(7).raise_hand(5)
    assert stage.hands == (5, 7) and stage.turn_of(7) == 2
    stage = stage.call(7)
    assert stage.places == (7, None) and stage.hands == (5,)
    stage = stage.call(9).end(7).call(5)
    assert stage.places == (5, 9) and stage.hands == ()
    assert stage.call(5) == stage and stage.raise_hand(9) == stage


def test_a_third_on_stage_is_refused_as_full() -> None:
    with pytest.raises(Refused) as caught:
        Stage().call(1).call(2).call(3)
    assert caught.value.code == "full"


def test_in_a_hush_the_stage_and_the_queue_are_empty_and_stay_so() -> None:
    stage = Stage().call(1).raise_hand(2).hushed(on=True)
    assert (stage.places, stage.hands) == ((None, None), ())
    for said in (stage.call, stage.raise_hand):
        with pytest.raises(Refused):
            said(1)
    assert stage.hushed(on=False).call(1).places == (1, None)


WORDS = st.sampled_from(["call", "end", "raise_hand", "lower", "without", "hush", "speak"])


@given(st.lists(st.tuples(WORDS, st.integers(1, 4)), max_size=40))
def test_whatever_is_said_nobody_stands_or_waits_twice(said: list[tuple[str, int]]) -> None:
    stage = Stage()
    for word, tile in said:
        try:
            stage = stage.hushed(on=word == "hush") if word in ("hush", "speak") else getattr(stage, word)(tile)
        except Refused:
            continue
        on = [place for place in stage.places if place is not None]
        assert len(set(on) | set(stage.hands)) == len(on) + len(stage.hands)
        assert not (stage.hush and (on or stage.hands))


@given(st.integers(1, 64))
def test_a_wall_of_any_size_costs_its_output_end_no_more_than_two_and_a_half_megabits(tiles: int) -> None:
    look = look_of(tiles)
    assert tiles * STILL_BITS / look.still_s <= 2.5e6
    assert 2 <= look.still_s <= 6


def test_of_two_walls_the_one_that_wants_more_of_a_tile_says_what_is_wanted() -> None:
    many, one = Wall(frozenset(range(1, 50))), Wall(frozenset({3}))
    wanted = looks([many, one])
    assert wanted[3] == Look(2, 320) and wanted[4] == look_of(49) and 50 not in wanted


def test_a_page_is_told_each_row_once_and_many_rows_in_several_messages() -> None:
    told = ToldTiles()
    rows: list[Row] = [{"id": number, "hand": None} for number in range(1, MAX_ROWS + 21)]
    first, second = (told.news(rows, hush=False, locked=False) for _ in range(2))
    assert first is not None and second is not None
    assert (len(first.rows), len(second.rows)) == (MAX_ROWS, 20) and len(first.order) == MAX_ROWS + 20
    assert told.news(rows, hush=False, locked=False) is None
    changed: list[Row] = [*rows[:2], {"id": 3, "hand": 1}]
    third = told.news(changed, hush=False, locked=True)
    assert third is not None and third.rows == [{"id": 3, "hand": 1}] and third.order == [1, 2, 3]
    fourth = told.news(rows, hush=False, locked=True)
    assert fourth is not None and len(fourth.rows) == 100, "who was gone is told again"


def test_a_locked_lesson_lets_in_who_was_there_and_who_is_in_charge() -> None:
    lock = Lock.of([("c1", "tab1"), ("c2", "tab2")])
    assert lock.admits(classroom_rights("c1", "", "r", 0), "another tab")
    assert lock.admits(classroom_rights("classroom-new", "", "r", 0), "tab2"), "a code's page that was loaded again"
    assert not lock.admits(classroom_rights("c3", "", "r", 0), "tab3")
    assert lock.admits(teacher_rights("t9", "", "r", 0), "x") and lock.admits(operator_rights("o", "", 0), "x")


def test_each_time_an_assistant_stands_in_it_is_under_another_name_that_can_be_ended_for_good() -> None:
    assistant = classroom_rights("p-1", "张伟", "r", 0)
    one, other = (stand_in_rights(assistant, "r") for _ in range(2))
    assert one.sub != other.sub and is_stand_in(one) and not is_stand_in(assistant)
    assert one.publish and one.room == "r" and one.name == "张伟"
