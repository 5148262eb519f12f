"""A locked lesson: who was in it comes back, nobody else comes in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from signaling.auth import Rights


@dataclass(frozen=True)
class Lock:
    """The seats that were there when it was locked: accounts, and tabs, which outlive the account of a code."""

    subs: frozenset[str]
    tabs: frozenset[str]

    @classmethod
    def of(cls, seats: Iterable[tuple[str, str]]) -> Self:
        """Lock with these (sub, tab) inside."""
        known = list(seats)
        return cls(frozenset(sub for sub, _ in known), frozenset(tab for _, tab in known))

    def admits(self, rights: Rights, tab: str) -> bool:
        """Who gives the lesson and who looks after it always comes in."""
        in_charge = bool(rights.publish) or rights.may("see_table")
        return in_charge or rights.sub in self.subs or tab in self.tabs
