"""Timetables as people send them: a plan, or every fault in its cell."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from signaling.people.model import People, Person, School, SchoolClass
from signaling.people.sheets import RowError, SheetRefused, read_table, table_of
from signaling.timetable.clashes import clashes
from signaling.timetable.importing import COLUMNS, periods_of
from signaling.timetable.model import Period
from signaling.timetable.replacing import plan_change
from tests.timetable.test_values import MATHS, MONDAY, MUSIC, ONE_DAY

HEADER = "星期,开始,结束,科目,主讲,接收班级,方式,录制,起,止,微课"
PEOPLE = People(
    schools={"s1": School("s1", "枫林教学点"), "s2": School("s2", "石桥小学")},
    classes={
        "k1": SchoolClass("k1", "s1", "三年级"),
        "k2": SchoolClass("k2", "s2", "三年级"),
        "k3": SchoolClass("k3", "s2", "四年级"),
    },
    persons={
        "t1": Person("t1", "wangfang", "王芳", "teacher"),
        "t2": Person("t2", "lihua", "李华", "teacher"),
        "a1": Person("a1", "zhangwei", "张伟", "assistant"),
        "t3": Person("t3", "gone", "离职", "teacher", active=False),
    },
)
CLIPS = {"clip-1"}


def imported(*lines: str, header: str = HEADER, encoding: str = "utf-8") -> list[Period]:
    return periods_of(read_table("\n".join([header, *lines]).encode(encoding), COLUMNS), PEOPLE, CLIPS)


def faults(*lines: str, header: str = HEADER, encoding: str = "utf-8") -> list[tuple[int, str, str]]:
    with pytest.raises(SheetRefused) as refused:
        imported(*lines, header=header, encoding=encoding)
    return [(e.row, e.column, e.code) for e in refused.value.errors]


GOOD = "一,08:00,08:40,数学,wangfang,枫林教学点三年级；石桥小学 四年级,直播,是,2026-09-01,2027-01-20,"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_good_row_is_a_period_in_every_encoding_that_spreadsheets_save(encoding: str) -> None:
    assert imported(GOOD, encoding=encoding) == [
        Period(
            0, 1, 480, 520, "数学", "t1", ("k1", "k3"), "live", True,
            datetime.date(2026, 9, 1), datetime.date(2027, 1, 20), None,
        )
    ]  # fmt: skip


def test_english_headers_words_and_left_out_columns_are_the_same_plan() -> None:
    header = "weekday;begin;end;subject;teacher;classes;mode;record;clip".replace(";", ",")
    (period,) = imported("Fri,8:05,9:00,Maths,WangFang,四年级,observe,no,", header=header)
    assert period == Period(0, 5, 485, 540, "Maths", "t1", ("k3",), "observe", False)
    short = "星期,开始,结束,科目,主讲,接收班级"
    (period,) = imported("周日,20:00,24:00,自习,lihua,四年级", header=short)
    assert (period.weekday, period.end_min, period.mode, period.record) == (7, 1440, "live", True)


def test_a_clip_is_played_without_a_teacher() -> None:
    (period,) = imported("二,10:00,10:20,美术,,四年级,录播,否,,,clip-1")
    assert (period.mode, period.teacher, period.clip) == ("recorded", "", "clip-1")


@pytest.mark.parametrize(
    ("row", "cell", "code"),
    [
        ("八,08:00,08:40,数学,wangfang,四年级,,,,,", "A", "bad_weekday"),
        ("一,8点,08:40,数学,wangfang,四年级,,,,,", "B", "bad_time"),
        ("一,08:00,25:00,数学,wangfang,四年级,,,,,", "C", "bad_time"),
        ("一,08:40,08:00,数学,wangfang,四年级,,,,,", "C", "end_before_begin"),
        ("一,23:40,00:20,数学,wangfang,四年级,,,,,", "C", "end_before_begin"),
        ("一,08:00,08:40,,wangfang,四年级,,,,,", "D", "missing"),
        ("一,08:00,08:40,数学,nobody,四年级,,,,,", "E", "unknown_login"),
        ("一,08:00,08:40,数学,gone,四年级,,,,,", "E", "unknown_login"),
        ("一,08:00,08:40,数学,zhangwei,四年级,,,,,", "E", "no_teacher"),
        ("一,08:00,08:40,数学,,四年级,,,,,", "E", "unknown_login"),
        ("一,08:00,08:40,数学,wangfang,九年级,,,,,", "F", "unknown_class"),
        ("一,08:00,08:40,数学,wangfang,三年级,,,,,", "F", "ambiguous_class"),
        ("一,08:00,08:40,数学,wangfang,四年级;四年级,,,,,", "F", "double_class"),
        ("一,08:00,08:40,数学,wangfang,,,,,,", "F", "missing"),
        ("一,08:00,08:40,数学,wangfang,四年级,电视,,,,", "G", "bad_mode"),
        ("一,08:00,08:40,数学,wangfang,四年级,,也许,,,", "H", "bad_yes_no"),
        ("一,08:00,08:40,数学,wangfang,四年级,,,明天,,", "I", "bad_date"),
        ("一,08:00,08:40,数学,wangfang,四年级,,,2026-09-01,2026-02-30,", "J", "bad_date"),
        ("一,08:00,08:40,数学,wangfang,四年级,,,2026-09-01,2026-08-30,", "J", "end_before_begin"),
        ("一,08:00,08:40,数学,wangfang,四年级,,,,,clip-9", "K", "unknown_clip"),
        ("一,08:00,08:40,数学,wangfang,四年级,录播,,,,", "K", "missing"),
    ],
)
def test_a_fault_names_its_row_and_its_cell(row: str, cell: str, code: str) -> None:
    assert faults(GOOD, row) == [(3, cell, code)]


def test_one_try_shows_all_faults_of_all_rows() -> None:
    bad = "八,08:00,08:40,数学,nobody,四年级,,,,,"
    assert faults(bad, GOOD, bad) == [
        (2, "A", "bad_weekday"), (2, "E", "unknown_login"), (4, "A", "bad_weekday"), (4, "E", "unknown_login"),
    ]  # fmt: skip


def test_a_row_that_stands_twice_is_named_with_the_other() -> None:
    assert faults(GOOD, GOOD) == [(3, "", "duplicate")]


def test_a_teacher_cannot_be_in_two_lessons_nor_a_class_and_the_other_row_is_named() -> None:
    teacher = "一,08:30,09:10,语文,wangfang,石桥小学三年级,,,,,"
    assert faults(GOOD, teacher) == [(3, "E", "overlap_teacher")]
    klass = "一,08:30,09:10,语文,lihua,四年级,,,,,"
    assert faults(GOOD, klass) == [(3, "F", "overlap_class")]
    with pytest.raises(SheetRefused) as refused:
        imported(GOOD, klass)
    assert refused.value.errors[0].detail_zh == "石桥小学 四年级 同一时间已有第 2 行的课"
    assert "row 2" in refused.value.errors[0].detail_en


@pytest.mark.parametrize(
    "other",
    [
        "一,08:40,09:20,语文,wangfang,四年级,,,,,",  # right after it
        "二,08:00,08:40,语文,wangfang,四年级,,,,,",  # on another day
        "一,08:00,08:40,语文,wangfang,四年级,,,2027-01-21,,",  # in the next term
        "一,08:00,08:40,语文,lihua,石桥小学三年级,,,,,",  # other people
        "一,08:00,08:40,语文,wangfang,石桥小学三年级,录播,,,,clip-1",  # nobody teaches a clip
    ],
)
def test_what_does_not_meet_is_no_overlap(other: str) -> None:
    assert len(imported(GOOD, other)) == 2


def test_wrong_columns_are_named() -> None:
    assert faults(GOOD, header=HEADER.replace("主讲", "教师姓名")) == [
        (1, "E", "unknown_column"),
        (1, "", "missing_column"),
    ]


def test_a_merged_cell_names_its_range() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (HEADER, GOOD, GOOD):
        sheet.append(line.split(","))
    sheet.merge_cells("A2:A3")
    data = io.BytesIO()
    book.save(data)
    with pytest.raises(SheetRefused) as refused:
        read_table(data.getvalue(), COLUMNS)
    (error,) = refused.value.errors
    assert isinstance(error, RowError) and error.code == "merged_cells" and "A2:A3" in error.detail_en


def test_rows_that_stay_keep_their_lessons_and_the_others_begin_or_end() -> None:
    later = replace(MATHS, id=0, weekday=2)
    change = plan_change([MATHS, MUSIC], [replace(MATHS, id=0), replace(MUSIC, id=0, teacher="t9"), later], MONDAY)
    assert change.kept == (MATHS,)
    assert change.changed == (replace(MUSIC, teacher="t9"),)
    assert change.added == (later,) and change.ended == ()
    assert plan_change([MATHS, MUSIC], [replace(MATHS, id=0)], MONDAY).ended == (MUSIC,)


def test_a_class_less_or_more_leaves_a_period_the_same_and_the_same_classes_go_first() -> None:
    both, first = replace(MATHS, id=0), replace(MATHS, id=0, classes=("c1",))
    assert plan_change([MATHS], [first], MONDAY).changed == (replace(MATHS, classes=("c1",)),)
    second, third = replace(MATHS, id=0, classes=("c2",)), replace(MATHS, id=0, classes=("c3",))
    change = plan_change([MATHS], [third, second, first], MONDAY)
    assert change.added == (third, first) and change.ended == ()
    assert change.changed == (replace(MATHS, classes=("c2",)),)
    assert plan_change([MATHS], [first, both], MONDAY).kept == (MATHS,)


def test_what_ended_before_today_is_not_ended_again() -> None:
    past = replace(MATHS, last_day=MONDAY - ONE_DAY)
    assert plan_change([past], [replace(MATHS, id=0)], MONDAY).added == (replace(MATHS, id=0),)


def test_importing_the_same_table_again_changes_nothing() -> None:
    first = [
        replace(p, id=n, first_day=MONDAY) for n, p in enumerate(imported(GOOD.replace("2026-09-01", "")), start=1)
    ]
    change = plan_change(first, imported(GOOD.replace("2026-09-01", "")), MONDAY)
    assert len(change.kept) == 1 and not (change.added or change.changed or change.ended)


CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "一", "08:00", "08:40", "数学", "wangfang", "四年级", "三年级", "录播", "是", "2026-09-01", "clip-1"]
    ),
)


@given(st.lists(st.lists(CELL, min_size=11, max_size=11), min_size=1, max_size=4))
def test_whatever_stands_in_the_cells_is_a_plan_or_faults_in_cells(rows: list[list[str]]) -> None:
    periods, errors = looked_through(rows)
    assert bool(periods) != bool(errors)
    assert all(0 <= period.begin_min < period.end_min <= 1440 and period.classes for period in periods)
    assert all(error.detail_zh and error.detail_en and 0 <= error.row <= len(rows) + 1 for error in errors)


def looked_through(rows: list[list[str]]) -> tuple[list[Period], list[RowError]]:
    try:
        return periods_of(table_of([HEADER.split(","), *rows], COLUMNS), PEOPLE, CLIPS), []
    except SheetRefused as refused:
        return [], list(refused.errors)


def test_a_county_s_week_is_looked_through_at_once() -> None:
    rows = [
        Period(n, n % 5 + 1, 480 + n % 8 * 60, 520 + n % 8 * 60, f"s{n}", f"t{n // 40}", (f"k{n // 40}",))
        for n in range(5000)
    ]
    assert clashes(rows) == []
