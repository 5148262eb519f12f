"""Schools, classes, persons and classrooms as values; `People` is the whole register at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from signaling.people.rights_table import Role


@dataclass(frozen=True)
class School:
    """A school, or another place where persons belong."""

    id: str
    name: str


@dataclass(frozen=True)
class SchoolClass:
    """A class of a school; `school` is an id."""

    id: str
    school: str
    name: str


@dataclass(frozen=True)
class Person:
    """Somebody who signs in; `login` is in small letters, `school` and `klass` are ids."""

    id: str
    login: str
    name: str
    role: Role
    school: str | None = None
    klass: str | None = None
    active: bool = True
    must_change: bool = True


@dataclass(frozen=True)
class Classroom:
    """A receiving classroom: the account of the device that is paired with it; `school` and `klass` are ids."""

    id: str
    school: str
    klass: str
    name: str
    active: bool = True


@dataclass(frozen=True)
class People:
    """Everybody, by id."""

    schools: Mapping[str, School] = field(default_factory=dict)
    classes: Mapping[str, SchoolClass] = field(default_factory=dict)
    persons: Mapping[str, Person] = field(default_factory=dict)
    classrooms: Mapping[str, Classroom] = field(default_factory=dict)

    @cached_property
    def by_login(self) -> dict[str, Person]:
        """Persons by login."""
        return {person.login: person for person in self.persons.values()}

    @cached_property
    def school_named(self) -> dict[str, School]:
        """Schools by name."""
        return {school.name: school for school in self.schools.values()}

    @cached_property
    def class_named(self) -> dict[tuple[str, str], SchoolClass]:
        """Classes by the names of school and class."""
        return {(self.schools[c.school].name, c.name): c for c in self.classes.values()}

    @cached_property
    def classroom_named(self) -> dict[tuple[str, str, str], Classroom]:
        """Classrooms by the names of school, class and classroom."""
        return {(*self.place_of(c), c.name): c for c in self.classrooms.values()}

    def place_of(self, who: Person | Classroom) -> tuple[str, str]:
        """The names of school and class, "" where there is none."""
        school = self.schools[who.school].name if who.school is not None else ""
        return school, self.classes[who.klass].name if who.klass is not None else ""

    def place_of_sub(self, sub: str) -> tuple[str, str]:
        """The same for a token's `sub`; "" for who is not in the register."""
        who = self.persons.get(sub) or self.classrooms.get(sub)
        return self.place_of(who) if who is not None else ("", "")

    def knows(self, sub: str) -> bool:
        """Whether a token's `sub` is of somebody in the register."""
        return sub in self.persons or sub in self.classrooms

    def may_act(self, sub: str, role: Role) -> bool:
        """Whether somebody of the register is still welcome, and in this role; True for all others.

        A lesson's code leads anybody to a classroom's seat, and an operator's lesson is given by its link.
        """
        person, classroom = self.persons.get(sub), self.classrooms.get(sub)
        if person is not None:
            in_role = role in (person.role, "classroom") or (person.role, role) == ("operator", "teacher")
            return person.active and not person.must_change and in_role
        return classroom is None or classroom.active

    @property
    def has_classrooms(self) -> bool:
        """Whether any classroom is registered."""
        return any(classroom.active for classroom in self.classrooms.values())
