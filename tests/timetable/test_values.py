"""A plan, a day and a zone make lessons; county, school and class make a policy."""

from __future__ import annotations

import datetime
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.timetable.model import Change, Occurrence, Period, Plan, occurrence_id, parse_occurrence_id
from signaling.timetable.occurrences import day_of, instant_ms, occurrence, occurrences, occurrences_between
from signaling.timetable.policy import COUNTY, FIELDS, Policies, Policy, complaint

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
MONDAY = datetime.date(2026, 11, 23)
ONE_DAY = datetime.timedelta(days=1)
MATHS = Period(1, 1, 8 * 60, 8 * 60 + 40, "数学", "t1", ("c1", "c2"))
MUSIC = Period(2, 1, 9 * 60, 9 * 60 + 40, "音乐", "t2", ("c1",))


def plan(*periods: Period, changes: tuple[Change, ...] = (), policies: Policies | None = None) -> Plan:
    return Plan({p.id: p for p in periods}, {(c.period, c.day): c for c in changes}, policies or Policies())


def at(day: datetime.date, hour: int, minute: int = 0, zone: ZoneInfo = SHANGHAI) -> int:
    return int(datetime.datetime.combine(day, datetime.time(hour, minute), zone).timestamp() * 1000)


def only(found: list[Occurrence]) -> Occurrence:
    assert len(found) == 1, found
    return found[0]


def test_a_period_is_held_on_its_weekday_at_the_school_s_hour() -> None:
    week = list(occurrences_between(plan(MATHS), MONDAY, MONDAY + 6 * ONE_DAY, SHANGHAI))
    held = only(week)
    assert held.id == "p1-20261123" and held.day == MONDAY
    assert (held.begin_ms, held.end_ms) == (at(MONDAY, 8), at(MONDAY, 8, 40))
    assert not (held.cancelled or held.substitute or held.moved)


def test_a_period_is_held_only_between_its_first_and_its_last_day() -> None:
    weeks = [MONDAY + 7 * n * ONE_DAY for n in range(4)]
    limited = replace(MATHS, first_day=weeks[1], last_day=weeks[2])
    assert [bool(occurrences(plan(limited), day, SHANGHAI)) for day in weeks] == [False, True, True, False]


def test_the_lessons_of_a_day_stand_in_their_order() -> None:
    held = occurrences(plan(MUSIC, MATHS), MONDAY, SHANGHAI)
    assert [o.subject for o in held] == ["数学", "音乐"]


def test_a_substitute_teaches_one_day_only() -> None:
    changed = plan(MATHS, changes=(Change(1, MONDAY, teacher="t9", at_ms=5),))
    today = only(occurrences(changed, MONDAY, SHANGHAI))
    assert (today.teacher, today.substitute, today.changed_ms) == ("t9", True, 5)
    assert only(occurrences(changed, MONDAY + 7 * ONE_DAY, SHANGHAI)).teacher == "t1"


def test_a_cancelled_lesson_stays_in_the_day_and_says_so() -> None:
    assert only(occurrences(plan(MATHS, changes=(Change(1, MONDAY, cancelled=True),)), MONDAY, SHANGHAI)).cancelled


def test_a_lesson_moved_to_another_day_is_there_and_keeps_its_id() -> None:
    friday = MONDAY + 4 * ONE_DAY
    change = Change(1, MONDAY, moved_to=friday, begin_min=600, end_min=640)
    changed = plan(MATHS, changes=(change,))
    assert occurrences(changed, MONDAY, SHANGHAI) == []
    held = only(occurrences(changed, friday, SHANGHAI))
    assert (held.id, held.begin_ms, held.moved) == ("p1-20261123", at(friday, 10), True)
    assert occurrence(changed, 1, MONDAY, SHANGHAI) == held


def test_a_lesson_moved_on_its_own_day_is_there_once() -> None:
    change = Change(1, MONDAY, moved_to=MONDAY, begin_min=600, end_min=640)
    assert only(occurrences(plan(MATHS, changes=(change,)), MONDAY, SHANGHAI)).begin_ms == at(MONDAY, 10)


def test_the_change_of_a_day_that_the_plan_does_not_have_is_nothing() -> None:
    stray = Change(1, MONDAY + ONE_DAY, moved_to=MONDAY + 2 * ONE_DAY)
    everything = occurrences_between(plan(MATHS, changes=(stray,)), MONDAY + ONE_DAY, MONDAY + 3 * ONE_DAY, SHANGHAI)
    assert list(everything) == []


def test_the_day_begins_at_the_school_s_midnight() -> None:
    midnight = at(MONDAY, 0)
    assert day_of(midnight - 1, SHANGHAI) == MONDAY - ONE_DAY
    assert day_of(midnight, SHANGHAI) == MONDAY
    late = replace(MATHS, begin_min=23 * 60 + 20, end_min=24 * 60)
    assert only(occurrences(plan(late), MONDAY, SHANGHAI)).end_ms == at(MONDAY + ONE_DAY, 0)


@pytest.mark.parametrize(
    ("day", "minute", "utc"),
    [
        (datetime.date(2026, 3, 28), 8 * 60, "2026-03-28T07:00"),
        (datetime.date(2026, 3, 29), 8 * 60, "2026-03-29T06:00"),  # the clocks went forward in the night
        (datetime.date(2026, 3, 29), 2 * 60 + 30, "2026-03-29T01:30"),  # there is no such hour
        (datetime.date(2026, 10, 25), 2 * 60 + 30, "2026-10-25T00:30"),  # the first of two
        (datetime.date(2026, 10, 25), 8 * 60, "2026-10-25T07:00"),
    ],
)
def test_the_bell_is_the_wall_clock_s_when_the_clocks_change(day: datetime.date, minute: int, utc: str) -> None:
    expected = datetime.datetime.fromisoformat(utc).replace(tzinfo=datetime.UTC)
    assert instant_ms(day, minute, BERLIN) == int(expected.timestamp() * 1000)


@given(
    day=st.dates(datetime.date(2024, 1, 1), datetime.date(2030, 12, 31)),
    begin=st.integers(0, 24 * 60 - 1),
    length=st.integers(1, 240),
    zone=st.sampled_from(
        ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
    ),
)
def test_a_lesson_is_as_long_as_planned_on_every_day_of_every_zone(
    day: datetime.date, begin: int, length: int, zone: str
) -> None:
    end = min(begin + length, 24 * 60)
    period = Period(1, day.isoweekday(), begin, end, "s", "t", ("c",))
    held = only(occurrences(plan(period), day, ZoneInfo(zone)))
    assert held.end_ms - held.begin_ms == (end - begin) * 60_000
    assert day_of(held.begin_ms, ZoneInfo(zone)) == day


@given(number=st.integers(1, 999_999_999), day=st.dates(datetime.date(1000, 1, 1)))
def test_an_id_says_period_and_day(number: int, day: datetime.date) -> None:
    assert parse_occurrence_id(occurrence_id(number, day)) == (number, day)


@pytest.mark.parametrize(
    "text", ["", "demo", "p0-20261123", "p1-20261332", "p1-2026112", "xp1-20261123", "p1-20261123-2"]
)
def test_other_ids_are_of_no_plan(text: str) -> None:
    assert parse_occurrence_id(text) is None


def test_a_class_inherits_each_setting_by_itself() -> None:
    policies = Policies(
        {
            COUNTY: {"break_min": 8, "overrun_s": 60},
            ("school", "s1"): {"break_min": 5, "data_cap_mb": 9000},
            ("class", "c1"): {"enter_before_s": 60},
        }
    )
    assert policies.of_class("s1", "c1") == replace(
        Policy(), break_min=5, overrun_s=60, data_cap_mb=9000, enter_before_s=60
    )
    assert policies.of_class("s2", "c9") == replace(Policy(), break_min=8, overrun_s=60)
    assert policies.of_school("s1").data_cap_mb == 9000


@given(
    st.dictionaries(
        st.sampled_from([COUNTY, ("school", "s"), ("class", "c")]),
        st.dictionaries(st.sampled_from(sorted(set(FIELDS) - {"clip_window"})), st.integers(0, 30)),
    )
)
def test_what_is_said_nearest_to_the_class_holds(own: dict[tuple[str, str], dict[str, int]]) -> None:
    found = Policies(own).of_class("s", "c")  # type: ignore[arg-type]
    for name in FIELDS:
        said = [own[owner][name] for owner in (("class", "c"), ("school", "s"), COUNTY) if name in own.get(owner, {})]
        assert getattr(found, name) == (said[0] if said else getattr(Policy(), name))


@pytest.mark.parametrize(
    ("level", "name", "value", "good"),
    [
        ("county", "break_min", 10, True),
        ("county", "break_min", 31, False),
        ("county", "break_min", True, False),
        ("county", "break_min", "10", False),
        ("school", "data_cap_mb", 20_000, True),
        ("class", "data_cap_mb", 20_000, False),
        ("class", "clip_window", "22:00-06:30", True),
        ("class", "clip_window", "", True),
        ("class", "clip_window", "22-6", False),
        ("class", "clip_window", "24:00-06:00", False),
        ("county", "colour", 1, False),
    ],
)
def test_a_setting_is_looked_at_before_it_is_kept(level: str, name: str, value: object, good: bool) -> None:
    assert (complaint(level, name, value) is None) == good  # type: ignore[arg-type]
