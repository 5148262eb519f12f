"""The machine of one socket: what may be said when, how much, how fast."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.auth import Rights, classroom_rights, operator_rights, teacher_rights
from signaling.messages import ErrorMessage, Hello, OfferMessage, Pong, Refused
from signaling.session import (
    CLOSE_FLOOD,
    CLOSE_NO_HELLO,
    CLOSE_SILENT,
    CLOSE_TOKEN,
    CLOSE_TOO_BIG,
    Do,
    HangUp,
    Say,
    Session,
    State,
)

HELLO = {
    "type": "hello",
    "protocol": 1,
    "token": "t",
    "page": "classroom",
    "tab": "x",
    "resume": None,
    "language": "zh",
}
TEACHER = teacher_rights("t", "T", "r", 0)
CLASSROOM = classroom_rights("c", "C", "r", 0)
OPERATOR = operator_rights("o", "O", 0)


def text(**message: Any) -> str:
    return json.dumps(message)


def joined(rights: Rights = TEACHER) -> Session:
    session = Session(0.0)
    assert isinstance(session.receive(text(**HELLO), 0.0, 0)[0], Do)
    session.joined(rights)
    return session


def test_hello_comes_first_and_once() -> None:
    session = Session(0.0)
    (action,) = session.receive(text(**HELLO), 0.0, 0)
    assert isinstance(action, Do) and isinstance(action.message, Hello)
    (complaint,) = session.receive(text(**HELLO), 0.0, 0)
    assert isinstance(complaint, Say) and isinstance(complaint.message, ErrorMessage)


@pytest.mark.parametrize("first", [text(type="offer", id=1, sdp="v=0"), "{", "[]", text(type="hello"), "", "x" * 100])
def test_anything_else_before_hello_ends_it(first: str) -> None:
    session = Session(0.0)
    actions = session.receive(first, 0.0, 0)
    assert isinstance(actions[0], Say) and isinstance(actions[1], HangUp)
    assert session.state is State.CLOSED
    assert session.receive(text(**HELLO), 0.0, 0) == []


def test_without_hello_in_time_and_after_long_silence_it_hangs_up() -> None:
    session = Session(100.0)
    assert session.tick(104.9) == []
    assert session.tick(105.0) == [HangUp(CLOSE_NO_HELLO, "no hello in time")]
    session = joined()
    session.receive(text(type="ping", t=1), 30.0, 0)
    assert session.tick(74.9) == []
    assert session.tick(75.0) == [HangUp(CLOSE_SILENT, "nothing was heard for too long")]


def test_size_is_bounded_before_and_after_hello() -> None:
    big = Session(0.0).receive(text(**{**HELLO, "tab": "x" * 5000}), 0.0, 0)
    assert big == [HangUp(CLOSE_TOO_BIG, "the message is too big")]
    assert joined().receive("好" * 90_000, 0.0, 0) == [HangUp(CLOSE_TOO_BIG, "the message is too big")]


def test_a_flood_ends_it_but_thirty_a_second_for_ever_do_not() -> None:
    session = joined()
    for number in range(3000):
        actions = session.receive(text(type="ping", t=number), 0.1 + number / 30, 7)
        assert isinstance(actions[0], Say) and isinstance(actions[0].message, Pong)
    session = joined()
    answers = [session.receive(text(type="ping", t=0), 0.0, 0) for _ in range(100)]
    assert answers[-1] == [HangUp(CLOSE_FLOOD, "too many messages")]


@pytest.mark.parametrize(
    ("rights", "message", "allowed"),
    [
        (TEACHER, {"type": "sources", "microphone": True}, True),
        (CLASSROOM, {"type": "sources", "microphone": True}, False),
        (CLASSROOM, {"type": "quality", "choice": "low"}, True),
        (CLASSROOM, {"type": "shown", "camera": False, "screen": True}, True),
        (CLASSROOM, {"type": "end_lesson"}, False),
        (TEACHER, {"type": "end_lesson"}, True),
        (replace(TEACHER, create=False), {"type": "end_lesson"}, False),
        (OPERATOR, {"type": "end_lesson"}, True),
        (CLASSROOM, {"type": "offer", "id": 1, "sdp": "v=0"}, True),
    ],
)
def test_the_table_says_who_may_say_what(rights: Rights, message: dict[str, Any], allowed: bool) -> None:
    (action,) = joined(rights).receive(text(**message), 0.0, 0)
    if allowed:
        assert isinstance(action, Do)
    else:
        assert isinstance(action, Say) and isinstance(action.message, ErrorMessage)
        assert action.message.code == "forbidden"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "quality", "choice": "best"},
        {"type": "sources", "camera": 1},
        {"type": "offer", "id": 1},
        {"type": "offer", "id": "x" * 100, "sdp": ""},
        {"type": "report", "freeze_ratio": 2},
        {"type": "report", "rtt_ms": float("nan")},
        {"type": "sing"},
        {},
    ],
)
def test_a_bad_message_is_named_and_the_session_lives(message: dict[str, Any]) -> None:
    session = joined(CLASSROOM)
    (action,) = session.receive(text(**message), 0.0, 0)
    assert isinstance(action, Say) and isinstance(action.message, ErrorMessage)
    assert action.message.code == "bad_message" and session.state is State.JOINED


def test_unknown_fields_are_overlooked_so_that_newer_pages_are_understood() -> None:
    (action,) = joined().receive(text(type="offer", id=3, sdp="v=0", colour="red"), 0.0, 0)
    assert isinstance(action, Do) and isinstance(action.message, OfferMessage) and action.message.id == 3


def test_a_refused_token_closes_with_its_own_code() -> None:
    session = Session(0.0)
    session.receive(text(**HELLO), 0.0, 0)
    actions = session.refused(Refused("expired_token", "late"))
    assert actions[1] == HangUp(CLOSE_TOKEN, "expired_token")


@given(
    st.one_of(st.text(), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
)
def test_any_text_is_answered_and_never_raises(noise: str) -> None:
    for session in (Session(0.0), joined()):
        session.receive(noise, 0.0, 0)


def test_deeply_nested_json_is_a_bad_message() -> None:
    (action,) = joined().receive("[" * 100_000, 0.0, 0)
    assert isinstance(action, Say) and isinstance(action.message, ErrorMessage)
