"""Every cell of the table of role and action, tried over HTTP and the WebSocket; without a token nothing goes."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from signaling.auth import rights_for, verify
from signaling.people.rights_table import ACTIONS, ROLES, TABLE, Action, Role
from tests.signaling.conftest import KEYS, World
from tests.signaling.people.attempts import ATTEMPTS, prepare, token

CELLS = [(role, action) for role in ROLES for action in ACTIONS]


def test_every_action_is_tried_and_every_role_has_its_row() -> None:
    assert set(ATTEMPTS) == set(ACTIONS) and set(TABLE) == set(ROLES)


@pytest.mark.parametrize(("role", "action"), CELLS, ids=[f"{role}-{action}" for role, action in CELLS])
async def test_the_server_does_what_the_cell_says(world: World, role: Role, action: Action) -> None:
    await prepare(world)
    assert await ATTEMPTS[action](world, role) is (action in TABLE[role])


@pytest.mark.parametrize("role", ROLES)
def test_a_token_carries_its_role_and_allows_what_the_table_says(world: World, role: Role) -> None:
    rights = verify(token(world, role), KEYS)
    assert rights.role == role
    assert {action for action in ACTIONS if rights.may(action)} == TABLE[role]


def test_a_token_may_hold_less_than_its_role_and_never_more() -> None:
    operator = rights_for("operator", "o", "O", None, int(time.time()) + 60)
    assert not replace(operator, admin=False).may("run_any_lesson")
    classroom = rights_for("classroom", "c", "C", "r", int(time.time()) + 60)
    assert not replace(classroom, admin=True, create=True, record=True, list_rooms=True).may("run_any_lesson")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/lessons"),
        ("POST", "/api/lessons"),
        ("POST", "/api/lessons/own-lesson/close"),
        ("POST", "/api/lessons/own-lesson/remove"),
        ("POST", "/api/lessons/own-lesson/next_recording"),
        ("GET", "/api/library"),
        ("GET", "/api/library/own-lesson"),
        ("POST", "/whip/own-lesson"),
        ("POST", "/whep/own-lesson"),
    ],
)
async def test_without_a_token_nothing_is_allowed(world: World, method: str, path: str) -> None:
    await prepare(world)
    status, body, _ = await world.request(method, path)
    assert (status, body["code"]) == (401, "bad_token")
