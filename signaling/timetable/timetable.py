"""The timetable of a running server: the plan in memory, asked by everybody, written through to the database."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from signaling.auth import Rights
from signaling.people.model import Classroom, People
from signaling.timetable.model import Change, Occurrence, Period, Plan, parse_occurrence_id
from signaling.timetable.occurrences import ONE_DAY, day_of, occurrence, occurrences
from signaling.timetable.plan_store import PlanStore
from signaling.timetable.policy import Owner, Policy
from signaling.timetable.replacing import PlanChange
from signaling.timetable.runner import EARLY_MS, has_lesson

HELD = ("weekday", "begin_min", "end_min", "mode", "first_day", "last_day")
CACHED_DAYS = 40


class Timetable:
    """Use `load` once; all questions are answered from memory."""

    def __init__(
        self, store: PlanStore, zone: ZoneInfo, now_ms: Callable[[], int], people: Callable[[], People]
    ) -> None:
        self.plan = Plan()
        self.zone = zone
        self._people = people
        self._store = store
        self._now_ms = now_ms
        self._days: dict[datetime.date, list[Occurrence]] = {}

    async def load(self) -> None:
        """Read the plan."""
        self.plan = await self._store.load()
        self._days = {}

    # names

    @property
    def people(self) -> People:
        """Everybody, as the register has them now."""
        return self._people()

    def teacher_name(self, person: str) -> str:
        """The name of a person, or the id of one who is gone."""
        known = self.people.persons.get(person)
        return known.name if known is not None else person

    def class_name(self, class_id: str) -> str:
        """School and class in one, as people say it."""
        known = self.people.classes.get(class_id)
        return f"{self.people.schools[known.school].name} {known.name}" if known is not None else class_id

    # questions

    def today(self) -> datetime.date:
        """The date by the server's clock, at the school."""
        return day_of(self._now_ms(), self.zone)

    def day(self, day: datetime.date) -> list[Occurrence]:
        """The lessons of a day."""
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= CACHED_DAYS:
                self._days = {}
            found = self._days[day] = occurrences(self.plan, day, self.zone)
        return found

    def around(self) -> list[Occurrence]:
        """The lessons of yesterday, today and tomorrow."""
        today = self.today()
        return [o for day in (today - ONE_DAY, today, today + ONE_DAY) for o in self.day(day)]

    def find(self, lesson: str) -> Occurrence | None:
        """The occurrence with this id."""
        named = parse_occurrence_id(lesson)
        return occurrence(self.plan, *named, self.zone) if named is not None else None

    def planned(self, lesson: str) -> bool:
        """Whether the timetable opens and closes this lesson."""
        return self.find(lesson) is not None

    def only_watched(self, lesson: str) -> bool:
        """Whether the classrooms of a lesson look on and do not speak."""
        held = self.find(lesson)
        return held is not None and held.mode == "observe"

    def receives(self, device: Classroom, lesson: str) -> bool:
        """Whether a classroom is among those that this lesson is for, and it is held."""
        held = self.find(lesson)
        return held is not None and not held.cancelled and device.klass in held.classes

    def seats(self, rights: Rights) -> bool:
        """Whether who was seated by the plan still is; who came in otherwise is no matter of the plan."""
        if not rights.by_plan or rights.room is None:
            return True
        device = self.people.classrooms.get(rights.sub)
        return device is not None and self.receives(device, rights.room)

    def has_clip(self, device: Classroom, recording: str) -> bool:
        """Whether a recording is a clip of its plan, of this week or a later one."""
        today = self.today()
        return any(
            p.clip == recording and device.klass in p.classes and (p.last_day is None or p.last_day >= today)
            for p in self.plan.periods.values()
        )

    def may_begin(self, lesson: Occurrence) -> bool:
        """Whether its teacher may begin now."""
        return has_lesson(lesson) and lesson.begin_ms - EARLY_MS <= self._now_ms() < lesson.end_ms

    def policy_of(self, class_id: str) -> Policy:
        """What holds in a class."""
        known = self.people.classes.get(class_id)
        return self.plan.policies.of_class(known.school if known is not None else "", class_id)

    def overrun_ms(self, held: Occurrence) -> int:
        """How long a lesson may last beyond its end: the most that one of its classes allows."""
        return max((self.policy_of(c).overrun_s for c in held.classes), default=0) * 1000

    def clips_from(self, first: datetime.date, days: int, class_id: str) -> dict[str, int]:
        """The clips that a class needs within some days, and when it needs each first (Unix ms)."""
        used: dict[str, int] = {}
        for number in range(days):
            for held in self.day(first + number * ONE_DAY):
                if held.clip is not None and class_id in held.classes and not held.cancelled:
                    used.setdefault(held.clip, held.begin_ms)
        return used

    # changes

    async def put_period(self, period: Period) -> Period:
        """Keep a period; id 0 is a new one, which begins today at the earliest."""
        before = self.plan.periods.get(period.id)
        first_day = period.first_day or (before.first_day if before is not None else self.today())
        changed_ms = before.changed_ms if before is not None else 0
        period = self._noted(replace(period, first_day=first_day, changed_ms=changed_ms))
        kept = replace(period, id=await self._store.put(period))
        await self.load()
        return kept

    async def replace(self, change: PlanChange) -> None:
        """An imported plan takes the place of the present one."""
        now_ms, today = self._now_ms(), self.today()
        added = [replace(p, id=0, first_day=p.first_day or today, changed_ms=now_ms) for p in change.added]
        changed = [self._noted(period) for period in change.changed]
        await self._store.replace([p.id for p in change.ended], today - ONE_DAY, [*added, *changed])
        await self.load()

    async def end(self, periods: list[int]) -> None:
        """These periods are not held from today on."""
        await self._store.replace(periods, self.today() - ONE_DAY, [])
        await self.load()

    def _noted(self, period: Period) -> Period:
        """With the time of its change, where it is another hour or mode than before."""
        before = self.plan.periods.get(period.id)
        same = before is not None and all(getattr(before, name) == getattr(period, name) for name in HELD)
        return period if same else replace(period, changed_ms=self._now_ms())

    async def change(self, change: Change) -> None:
        """From now on the day is otherwise; a change that says nothing leaves it as in the plan."""
        await self._store.put_change(replace(change, at_ms=self._now_ms()))
        await self.load()

    async def set_policy(self, owner: Owner, settings: dict[str, Any]) -> None:
        """Settings of one owner; None: inherited."""
        await self._store.set_policy(owner, settings)
        await self.load()
