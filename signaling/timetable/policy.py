"""Settings that a class inherits from its school, and a school from the county; each one by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

Level = Literal["county", "school", "class"]
LEVELS: tuple[Level, ...] = ("county", "school", "class")
WINDOW = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
MB = 1_000_000


@dataclass(frozen=True)
class Policy:
    """How lessons are held in a class."""

    enter_before_s: int = 120  # the classroom enters so long before the bell
    check_before_s: int = 600  # and checks its line so long before
    overrun_s: int = 300  # who still teaches then is interrupted
    break_min: int = 10  # the eyes rest so long between two lessons; 0: no break
    data_cap_mb: int = 0  # of a school in a month; 0: none
    clip_window: str = ""  # clips are downloaded between these hours; empty: at any time
    clip_budget_mb: int = 500  # clips of a month


LARGEST = {
    "enter_before_s": 900, "check_before_s": 3600, "overrun_s": 3600, "break_min": 30, "data_cap_mb": 10_000_000,
    "clip_budget_mb": 10_000_000,
}  # fmt: skip
FIELDS = tuple(field.name for field in fields(Policy))
# The county's bytes are counted by school: no class has a part of them.
NOT_OF_A_CLASS = frozenset({"data_cap_mb"})
Owner = tuple[Level, str]  # the county's id is empty
COUNTY: Owner = ("county", "")


@dataclass(frozen=True)
class Policies:
    """What is set where; what is not set is inherited."""

    own: Mapping[Owner, Mapping[str, Any]] = field(default_factory=dict)

    def of_class(self, school: str, class_id: str) -> Policy:
        """What holds in a class."""
        return self._over(COUNTY, ("school", school), ("class", class_id))

    def of_school(self, school: str) -> Policy:
        """What holds in a school."""
        return self._over(COUNTY, ("school", school))

    def _over(self, *owners: Owner) -> Policy:
        policy = Policy()
        for owner in owners:
            policy = replace(policy, **self.own.get(owner, {}))
        return policy


def complaint(level: Level, name: str, value: object) -> str | None:
    """What is wrong with a setting, in words, or None."""
    if name not in FIELDS:
        return f"there is no setting {name}"
    if level == "class" and name in NOT_OF_A_CLASS:
        return f"{name} is counted by school: set it for the school or the county"
    if name == "clip_window":
        good = isinstance(value, str) and (value == "" or WINDOW.fullmatch(value) is not None)
        return None if good else "clip_window is HH:MM-HH:MM, or empty for any time"
    largest = LARGEST[name]
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest
    return None if good else f"{name} is a whole number from 0 to {largest}"
