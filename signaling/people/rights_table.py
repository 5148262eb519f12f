"""Who may do what: one table of role and action. Tokens, checks and their tests are made from it (PROTOCOL 4.1)."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["teacher", "assistant", "classroom", "reviewer", "patrol", "operator"]
Action = Literal[
    "publish",  # send voice and pictures into a lesson
    "receive",  # hear and see a lesson
    "raise_hand",  # and speak, once it is called
    "call_to_stage",  # in the lesson that one is in
    "take_over",  # teach in the place of a teacher whose line is dead
    "open_lesson",
    "run_own_lesson",  # close it, divide its recording, send people away
    "run_any_lesson",
    "list_lessons",  # the own ones
    "list_all_lessons",
    "see_table",  # how every end is doing
    "watch_own_recordings",
    "watch_all_recordings",
    "edit_own_clips",  # edit, publish and withdraw micro-lessons
    "edit_any_clips",
    "manage_people",  # roster, passwords, pairing
    "see_plan",
    "manage_plan",  # periods, changes of a day, settings
    "see_data",  # bytes of schools, ratings
    "check_line",  # before a lesson, from where one sits
    "see_checks",  # what others found
]
Grant = Literal["join", "create", "list_rooms", "admin", "record", "publish", "subscribe"]  # fields of `Rights`
ROLES: tuple[Role, ...] = get_args(Role)
ACTIONS: tuple[Action, ...] = get_args(Action)

# The assistant sits in a receiving classroom; the reviewer judges lessons, also recorded ones; the patrol looks
# into lessons that are on; the operator looks after everything and teaches nothing.
TABLE: dict[Role, frozenset[Action]] = {
    "teacher": frozenset(
        {
            "publish",
            "receive",
            "call_to_stage",
            "open_lesson",
            "run_own_lesson",
            "list_lessons",
            "watch_own_recordings",
            "edit_own_clips",
            "see_plan",
            "check_line",
        }
    ),
    "assistant": frozenset({"receive", "raise_hand", "call_to_stage", "take_over", "check_line"}),
    "classroom": frozenset({"receive", "raise_hand", "check_line"}),
    "reviewer": frozenset(
        {
            "receive",
            "list_lessons",
            "list_all_lessons",
            "watch_own_recordings",
            "watch_all_recordings",
            "see_plan",
            "check_line",
        }
    ),
    "patrol": frozenset({"receive", "list_lessons", "list_all_lessons", "see_table", "see_plan", "check_line"}),
    "operator": frozenset(set(ACTIONS) - {"publish", "raise_hand", "call_to_stage", "take_over"}),
}
# The grant of LiveKit's tokens that stands for an action…
GRANT_OF: dict[Action, Grant] = {
    "publish": "publish",
    "receive": "subscribe",
    "open_lesson": "create",
    "run_any_lesson": "admin",
    "list_lessons": "list_rooms",
    "watch_all_recordings": "record",
}
# …and for the other actions those of which one must be there, so that a token can hold less than its role.
NEEDS: dict[Action, tuple[Grant, ...]] = {
    "raise_hand": ("subscribe",),
    "call_to_stage": ("publish", "subscribe"),
    "take_over": ("subscribe",),
    "run_own_lesson": ("create", "admin"),
    "list_all_lessons": ("list_rooms",),
    "see_table": ("list_rooms",),
    "watch_own_recordings": ("create", "record"),
    "edit_own_clips": ("create", "admin"),
    "edit_any_clips": ("admin",),
    "check_line": ("join",),
    "see_checks": ("admin",),
    "manage_people": ("admin",),
    "see_plan": ("list_rooms",),
    "manage_plan": ("admin",),
    "see_data": ("admin",),
}


def grants_of(role: Role) -> frozenset[Grant]:
    """The grants in a token of this role."""
    join: set[Grant] = {"join"}
    return frozenset(join | {grant for action, grant in GRANT_OF.items() if action in TABLE[role]})


def needed_grants(action: Action) -> tuple[Grant, ...]:
    """The grants of which a token must have one."""
    own = GRANT_OF.get(action)
    return (own,) if own is not None else NEEDS[action]
