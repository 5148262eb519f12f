"""Bytes by school and month, what is left of them, and what each classroom had of a lesson."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.auth import classroom_rights
from signaling.database.database import Database
from signaling.lesson import CAPS, PAUSED, Allowance, Lesson, Participant
from signaling.messages import Choice, Report
from signaling.timetable.attendance import Attendance
from signaling.timetable.policy import COUNTY, MB, Policies
from signaling.timetable.usage import Usage, allowance
from signaling.transport import Slot, Transport

ORDER: list[Allowance] = ["sound", "less", "all"]


def classroom(choice: Choice = "auto", allowed: Allowance = "all") -> Participant:
    slots = [
        Slot(1, "2", "video", 0, 1, None, publication=9, shown="camera", height=360, reason="ok"),
        Slot(2, "3", "video", 1, 2, None, publication=8, shown="screen", height=1080, reason="ok"),
    ]
    transport = Transport(5, "f", "u", connected=True, slots=slots)
    rights = classroom_rights("d1", "Village", "p1-20261123", 0)
    return Participant("s", rights, "tab", "page", 0, choice=choice, allowance=allowed, transport=transport)


@pytest.mark.parametrize(
    ("used", "cap_mb", "expected"),
    [
        (0, 0, "all"), (10**9, 0, "all"), (799, 1000, "all"), (800, 1000, "less"), (999, 1000, "less"),
        (1000, 1000, "sound"), (5000, 1000, "sound"),
    ],
)  # fmt: skip
def test_at_four_fifths_of_the_cap_it_is_less_and_at_the_cap_sound_and_slides(
    used: int, cap_mb: int, expected: Allowance
) -> None:
    assert allowance(used * MB, cap_mb) == expected


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 10**6))
def test_who_used_more_never_gets_more(one: int, other: int, cap_mb: int) -> None:
    less, more = sorted((one, other))
    assert ORDER.index(allowance(more, cap_mb)) <= ORDER.index(allowance(less, cap_mb))


@pytest.mark.parametrize("choice", list(CAPS))
def test_the_cap_lowers_what_was_chosen_by_one_step_and_then_to_sound_and_slides(choice: Choice) -> None:
    participant = classroom(choice)
    before = participant.cap_of("camera")
    participant.allowance = "less"
    assert participant.cap_of("camera") == (max(0, before[0] - 1), before[1])
    participant.allowance = "sound"
    assert {cap.slot.mid: (cap.spatial, cap.fixed) for cap in Lesson("", "").caps(participant)} == {
        "2": PAUSED,
        "3": PAUSED,
    }


def test_a_classroom_hears_that_it_is_the_month_s_data_and_not_its_choice() -> None:
    participant = classroom("auto", "sound")
    assert participant.transport is not None
    for slot in participant.transport.slots:
        slot.reason, slot.height = "choice", 0
    rung = Lesson.rung_of(participant)
    assert rung is not None and (rung.reason, rung.camera, rung.screen) == ("data_cap", 0, 0)
    participant.allowance = "all"
    chosen = Lesson.rung_of(participant)
    assert chosen is not None and chosen.reason == "choice"
    participant.allowance, participant.choice = "less", "low"
    still_chosen = Lesson.rung_of(participant)
    assert still_chosen is not None and still_chosen.reason == "choice"


def test_a_classroom_that_hid_a_picture_itself_did_choose() -> None:
    participant = classroom("auto", "less")
    assert participant.transport is not None
    participant.hidden = frozenset({"camera"})
    participant.transport.slots[0].reason = "choice"
    assert participant.reason_of(participant.transport.slots[0]) == "choice"


async def test_bytes_are_summed_by_school_and_month_and_outlive_a_restart(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "z.db") as database:
        usage = Usage(database)
        usage.look("2026-11", [(1, "s1", 1000), (2, "s2", 50)])
        usage.look("2026-11", [(1, "s1", 1500), (2, "s2", 50)])
        usage.look("2026-12", [(1, "s1", 1700)])
        usage.add("s1", "2026-12", "pages", 30)
        await usage.flush()
        usage.look("2026-12", [(1, "s1", 100)])  # media began anew and gave the number again
        assert usage.of("s1", "2026-12") == {"media": 300, "pages": 30}
        await usage.flush()
        again = Usage(database)
        await again.load()
        assert again.of("s1", "2026-11") == {"media": 500, "pages": 0}
        assert again.of("s1", "2026-12") == {"media": 300, "pages": 30}
        assert again.of("s2", "2026-11") == {"media": 0, "pages": 0}


async def test_a_transport_that_a_restarted_server_finds_is_not_counted_twice(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "z.db") as database:
        usage = Usage(database)
        usage.look("2026-11", [(7, "s1", 10**9)])
        usage.look("2026-11", [(7, "s1", 10**9 + 5)])
        assert usage.of("s1", "2026-11")["media"] == 5


async def test_each_school_has_its_own_cap_and_one_without_a_cap_gets_all(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "z.db") as database:
        usage = Usage(database)
        for school in ("s1", "s2", "s3"):
            usage.add(school, "2026-11", "media", 900 * MB)
        policies = Policies({COUNTY: {"data_cap_mb": 1000}, ("school", "s2"): {"data_cap_mb": 0}})
        assert usage.allowances(["s1", "s2", "s4"], "2026-11", policies) == {"s1": "less", "s2": "all", "s4": "all"}


async def test_a_rating_stands_beside_what_was_measured(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "z.db") as database:
        attendance, participant = Attendance(database), classroom()
        assert participant.transport is not None
        first = Report(type="report", audio_concealed_ratio=0.02, freeze_ratio=0.0)
        for number in range(120):
            participant.report = (
                first if number < 60 else Report(type="report", audio_concealed_ratio=0.04, freeze_ratio=0.1)
            )
            if number == 60:
                second = participant.report
            participant.report = second if number > 60 else participant.report
            participant.transport.slots[1].height = 1080 if number < 60 else 0
            attendance.note("p1-20261123", "d1", participant, 1000)
            if number == 90:
                await attendance.flush()
        await attendance.flush()
        await attendance.rate("p1-20261123", "d1", 2, 5000)
        await attendance.rate("p1-20261123", "d1", 3, 6000)
        rows = await attendance.rows(0, 10_000)
        assert rows == [
            {
                "lesson": "p1-20261123", "subject": "", "teacher_name": "", "device": "d1",
                "stars": 3, "at_ms": 6000, "present_min": 2.0,
                "minutes": {"1080": 1.0, "360": 1.0}, "concealed_ratio": 0.03, "freeze_ratio": 0.05,
            }
        ]  # fmt: skip
        assert await attendance.rows(6001, 10_000) == []
