"""The runner: given the time, the plan and what is open, it says what to open, hand over and close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.timetable.model import Change, Occurrence, Period
from signaling.timetable.occurrences import occurrences_between
from signaling.timetable.runner import (
    EARLY_MS,
    OPEN_BEFORE_MS,
    Action,
    Close,
    Follow,
    Open,
    OpenLesson,
    actions,
)
from tests.timetable.test_values import MATHS, MONDAY, MUSIC, ONE_DAY, SHANGHAI, at, plan

MINUTE = 60_000
OVERRUN = 5 * MINUTE


def held(*periods: Period, changes: tuple[Change, ...] = ()) -> list[Occurrence]:
    return list(occurrences_between(plan(*periods, changes=changes), MONDAY - ONE_DAY, MONDAY + ONE_DAY, SHANGHAI))


def run(
    now_ms: int, around: list[Occurrence], *lessons: OpenLesson, closed_ms: Mapping[str, int] | None = None
) -> list[Action]:
    return actions(now_ms, around, lessons, closed_ms or {}, {o.id: OVERRUN for o in around})


def lesson(of: Occurrence, *, teaching: bool = False) -> OpenLesson:
    return OpenLesson(of.id, of.teacher, of.subject, teaching)


def test_a_lesson_opens_ten_minutes_before_the_bell_and_not_earlier() -> None:
    day = held(MATHS)
    bell = at(MONDAY, 8)
    assert run(bell - OPEN_BEFORE_MS - 1, day) == []
    assert run(bell - OPEN_BEFORE_MS, day) == [Open(day[0])]
    assert run(bell - OPEN_BEFORE_MS, day, lesson(day[0])) == []


def test_a_server_that_was_away_opens_what_goes_on_and_not_what_is_over() -> None:
    day = held(MATHS, MUSIC)
    assert run(at(MONDAY, 8, 20), day) == [Open(day[0])]
    assert run(at(MONDAY, 8, 55), day) == [Open(day[1])]
    assert run(at(MONDAY, 12), day) == []


def test_an_empty_lesson_closes_at_its_end_and_one_that_is_taught_after_its_overrun() -> None:
    day = held(MATHS)
    end = at(MONDAY, 8, 40)
    assert run(end - 1, day, lesson(day[0])) == []
    assert run(end, day, lesson(day[0])) == [Close(day[0].id, "over")]
    assert run(end + OVERRUN - 1, day, lesson(day[0], teaching=True)) == []
    assert run(end + OVERRUN, day, lesson(day[0], teaching=True)) == [Close(day[0].id, "overrun")]


def test_an_open_lesson_goes_over_to_the_substitute_at_any_minute() -> None:
    before = held(MATHS)[0]
    changed = held(MATHS, changes=(Change(1, MONDAY, teacher="t9"),))
    for now_ms in (at(MONDAY, 7, 55), at(MONDAY, 8, 20)):
        assert run(now_ms, changed, lesson(before, teaching=True)) == [Follow(changed[0])]
    assert run(at(MONDAY, 8, 20), changed, lesson(changed[0])) == []


def test_a_cancelled_lesson_does_not_open_and_an_open_one_closes() -> None:
    before = held(MATHS)[0]
    changed = held(MATHS, changes=(Change(1, MONDAY, cancelled=True),))
    assert run(at(MONDAY, 7, 55), changed) == []
    assert run(at(MONDAY, 7, 55), changed, lesson(before, teaching=True)) == [Close(before.id, "cancelled")]


def test_a_lesson_that_was_closed_opens_again_only_when_the_plan_changed_since() -> None:
    now_ms = at(MONDAY, 8, 20)
    day = held(MATHS)
    assert run(now_ms, day, closed_ms={day[0].id: now_ms - 1}) == []
    again = [replace(day[0], changed_ms=now_ms)]
    assert run(now_ms, again, closed_ms={day[0].id: now_ms - 1}) == [Open(again[0])]


def test_a_lesson_moved_away_closes_unless_somebody_teaches_already_today() -> None:
    before = held(MATHS)[0]
    tomorrow = held(MATHS, changes=(Change(1, MONDAY, moved_to=MONDAY + ONE_DAY),))
    assert run(at(MONDAY, 7, 55), tomorrow, lesson(before)) == [Close(before.id, "not_planned")]
    assert run(at(MONDAY, 7, 55), tomorrow, lesson(before, teaching=True)) == []


def test_a_teacher_may_begin_an_hour_early_and_is_left_alone() -> None:
    day = held(MATHS)
    assert run(at(MONDAY, 8) - EARLY_MS, day, lesson(day[0])) == []


def test_a_lesson_whose_period_is_no_longer_in_the_plan_closes() -> None:
    before = held(MATHS)[0]
    assert run(at(MONDAY, 8, 20), held(MUSIC), lesson(before, teaching=True)) == [Close(before.id, "not_planned")]


def test_lessons_without_a_plan_are_left_alone() -> None:
    by_hand = OpenLesson("demo", "t", "Demo", True)
    assert run(at(MONDAY, 12), held(MATHS), by_hand) == []


def test_a_clip_needs_no_open_lesson_and_an_observed_lesson_does() -> None:
    clip = held(replace(MATHS, mode="recorded", clip="r1"))
    assert run(at(MONDAY, 8, 10), clip) == []
    assert run(at(MONDAY, 8, 10), clip, lesson(clip[0])) == [Close(clip[0].id, "cancelled")]
    watched = held(replace(MATHS, mode="observe"))
    assert run(at(MONDAY, 8, 10), watched) == [Open(watched[0])]


def test_lessons_around_midnight_open_and_close_on_the_other_day() -> None:
    early = held(replace(MATHS, begin_min=5, end_min=45))
    assert run(at(MONDAY, 0) - MINUTE, early) == [Open(early[0])]
    late = held(replace(MATHS, begin_min=23 * 60 + 20, end_min=24 * 60))
    tuesday = at(MONDAY + ONE_DAY, 0)
    assert run(tuesday + MINUTE, late, lesson(late[0], teaching=True)) == []
    assert run(tuesday + OVERRUN, late, lesson(late[0], teaching=True)) == [Close(late[0].id, "overrun")]


PERIODS = st.builds(
    lambda number, begin, length, mode: Period(number, 1, begin, begin + length, f"s{number}", "t", ("c",), mode),
    st.integers(1, 5), st.integers(0, 1300), st.integers(1, 120), st.sampled_from(["live", "recorded", "observe"]),
)  # fmt: skip


@given(
    periods=st.lists(PERIODS, max_size=5, unique_by=lambda p: p.id),
    minutes=st.lists(st.integers(-60, 1560), min_size=1, max_size=60),
    taught=st.frozensets(st.integers(1, 5)),
    cancelled=st.frozensets(st.integers(1, 5)),
)
def test_whenever_the_runner_is_asked_what_is_open_is_what_the_plan_wants(
    periods: list[Period], minutes: list[int], taught: frozenset[int], cancelled: frozenset[int]
) -> None:
    """Also when it was not asked for hours: the state after any call depends on the present alone."""
    day = held(*periods, changes=tuple(Change(number, MONDAY, cancelled=True) for number in cancelled))
    there: dict[str, OpenLesson] = {}
    closed: dict[str, int] = {}
    for minute in sorted(minutes):
        now_ms = at(MONDAY, 0) + minute * MINUTE
        for action in run(now_ms, day, *there.values(), closed_ms=closed):
            match action:
                case Open(o):
                    there[o.id] = lesson(o, teaching=o.period in taught)
                case Close(name):
                    del there[name]
                    closed[name] = now_ms
        wanted = {
            o.id
            for o in day
            if o.mode != "recorded" and not o.cancelled and o.begin_ms - OPEN_BEFORE_MS <= now_ms < o.end_ms
        }
        late = {o.id for o in day if o.end_ms <= now_ms < o.end_ms + OVERRUN and o.period in taught}
        assert wanted <= there.keys() <= wanted | late
        assert run(now_ms, day, *there.values(), closed_ms=closed) == []


@pytest.mark.parametrize("mode", ["live", "observe"])
def test_who_asks_twice_gets_no_second_answer(mode: str) -> None:
    day = held(replace(MATHS, mode=mode))  # type: ignore[arg-type]
    assert [type(a) for a in run(at(MONDAY, 8), day)] == [Open]
    assert run(at(MONDAY, 8), day, lesson(day[0])) == []
