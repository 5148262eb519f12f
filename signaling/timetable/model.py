"""What a timetable is made of: values without clock and without I/O."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from signaling.timetable.policy import Policies

Mode = Literal["live", "recorded", "observe"]
MODES: tuple[Mode, ...] = ("live", "recorded", "observe")
DAY_MIN = 24 * 60
OCCURRENCE_ID = re.compile(r"p([1-9][0-9]{0,8})-([0-9]{8})")


@dataclass(frozen=True)
class Period:
    """One row of the plan: every week at one hour, in minutes after midnight of the school's clock."""

    id: int
    weekday: int  # 1 Monday to 7 Sunday
    begin_min: int
    end_min: int
    subject: str
    teacher: str  # a person's id
    classes: tuple[str, ...]  # ids of the classes that receive it
    mode: Mode = "live"
    record: bool = True
    first_day: datetime.date | None = None
    last_day: datetime.date | None = None
    clip: str | None = None  # id of a recording in the library
    changed_ms: int = 0  # when its hours or its mode were last changed

    def falls_on(self, day: datetime.date) -> bool:
        """Whether the plan has it on this day."""
        begun = self.first_day is None or self.first_day <= day
        return self.weekday == day.isoweekday() and begun and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True)
class Change:
    """What is otherwise on one day; None: as in the plan. `at_ms` is when it was said (Unix time)."""

    period: int
    day: datetime.date  # on which the plan has it
    cancelled: bool = False
    teacher: str | None = None
    moved_to: datetime.date | None = None
    begin_min: int | None = None
    end_min: int | None = None
    at_ms: int = 0

    @property
    def says_something(self) -> bool:
        """Whether the day differs from the plan."""
        return self.cancelled or any(
            value is not None for value in (self.teacher, self.moved_to, self.begin_min, self.end_min)
        )


@dataclass(frozen=True)
class Plan:
    """The whole timetable."""

    periods: Mapping[int, Period] = field(default_factory=dict)
    changes: Mapping[tuple[int, datetime.date], Change] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class Occurrence:
    """A period on a day, as it is to be held; its id is the lesson's id. Times are Unix milliseconds."""

    id: str
    period: int
    planned_day: datetime.date
    day: datetime.date
    begin_ms: int
    end_ms: int
    subject: str
    teacher: str
    classes: tuple[str, ...]
    mode: Mode
    record: bool
    clip: str | None
    cancelled: bool = False
    substitute: bool = False
    moved: bool = False
    changed_ms: int = 0  # when it last became another one


def occurrence_id(period: int, day: datetime.date) -> str:
    """The id of a period on the day on which the plan has it."""
    return f"p{period}-{day:%Y%m%d}"


def parse_occurrence_id(text: str) -> tuple[int, datetime.date] | None:
    """Period and planned day, or None for the id of a lesson without a plan."""
    match = OCCURRENCE_ID.fullmatch(text)
    if match is None:
        return None
    try:
        return int(match[1]), datetime.datetime.strptime(match[2], "%Y%m%d").date()
    except ValueError:
        return None
