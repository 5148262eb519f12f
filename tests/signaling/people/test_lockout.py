"""How long a login waits after wrong passwords."""

from __future__ import annotations

from signaling.people.lockout import (
    FIRST_WAIT_S,
    FORGOTTEN_S,
    FREE_TRIES,
    LONGEST_WAIT_S,
    REMEMBERED,
    Lockout,
)


def wrong(lockout: Lockout, login: str, times: int, now_s: float = 0.0) -> None:
    for _ in range(times):
        lockout.begin(login, now_s)


def test_the_wait_doubles_with_every_further_wrong_password_up_to_an_hour() -> None:
    lockout = Lockout()
    wrong(lockout, "a", FREE_TRIES - 1)
    assert lockout.wait_s("a", 0.0) == 0.0
    waits = []
    for _ in range(12):
        wrong(lockout, "a", 1)
        waits.append(lockout.wait_s("a", 0.0))
    assert waits[:3] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S] and waits[-1] == LONGEST_WAIT_S
    assert lockout.wait_s("a", LONGEST_WAIT_S) == 0.0 and lockout.wait_s("b", 0.0) == 0.0


def test_a_right_password_clears_what_was_wrong_and_a_day_forgets_it() -> None:
    lockout = Lockout()
    wrong(lockout, "a", FREE_TRIES)
    lockout.right("a")
    assert lockout.wait_s("a", 0.0) == 0.0
    wrong(lockout, "b", FREE_TRIES)
    assert lockout.wait_s("b", FORGOTTEN_S + 1) == 0.0
    wrong(lockout, "b", 1, FORGOTTEN_S + 1)
    assert lockout.wait_s("b", FORGOTTEN_S + 1) == 0.0


def test_a_clock_that_was_set_back_makes_nobody_wait_longer() -> None:
    lockout = Lockout()
    wrong(lockout, "a", FREE_TRIES, 1_000_000.0)
    assert lockout.wait_s("a", 0.0) == FIRST_WAIT_S


def test_strangers_cannot_make_the_table_grow_without_end() -> None:
    lockout = Lockout()
    for number in range(REMEMBERED + 100):
        lockout.begin(f"login{number}", 0.0)
    assert len(lockout._wrong) == REMEMBERED
