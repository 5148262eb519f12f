"""Who there is, as the timetable needs it: names and belongings by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ClassEntry:
    """A class of a school."""

    id: str
    school: str
    name: str


@dataclass(frozen=True)
class PersonEntry:
    """Somebody who signs in."""

    id: str
    login: str
    name: str
    role: str


@dataclass(frozen=True)
class DeviceEntry:
    """A classroom: the computer in the room of a class."""

    id: str
    class_id: str
    school: str
    name: str


@dataclass(frozen=True)
class Roll:
    """All of them."""

    schools: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, ClassEntry] = field(default_factory=dict)
    persons: Mapping[str, PersonEntry] = field(default_factory=dict)
    devices: Mapping[str, DeviceEntry] = field(default_factory=dict)

    def person_name(self, person: str) -> str:
        """The name of a person, or the id of one who has left."""
        entry = self.persons.get(person)
        return entry.name if entry is not None else person

    def class_name(self, class_id: str) -> str:
        """School and class in one, as people say it."""
        entry = self.classes.get(class_id)
        if entry is None:
            return class_id
        return f"{self.schools.get(entry.school, '')} {entry.name}".strip()

    def school_of(self, class_id: str) -> str:
        """The id of a class's school; empty for a class that is gone."""
        entry = self.classes.get(class_id)
        return entry.school if entry is not None else ""
