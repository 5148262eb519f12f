"""One client's WebSocket as a sans-IO state machine: text and time in, actions out (PROTOCOL section 3).

A transition table says which message is welcome in which state, and from whom. Times are seconds of one steady clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from signaling.auth import Rights
from signaling.messages import (
    MAX_HELLO_BYTES,
    MAX_MESSAGE_BYTES,
    Ask,
    ClientMessage,
    Doable,
    EndLesson,
    ErrorMessage,
    GiveBack,
    Hand,
    Hello,
    Hush,
    LinkChoice,
    Lock,
    LookAs,
    Marker,
    OfferMessage,
    Ping,
    Pong,
    Quality,
    QuestionAnswer,
    Refused,
    Report,
    ServerMessage,
    Shown,
    Sources,
    StageMessage,
    TakeOver,
    Voice,
    WallMessage,
    parse,
)

HELLO_S, IDLE_S = 5.0, 45.0
RATE_PER_S, BURST = 30.0, 100.0
CLOSE_BYE, CLOSE_NO_HELLO, CLOSE_TOKEN, CLOSE_SLOW = 4000, 4001, 4003, 4008
CLOSE_FLOOD, CLOSE_SILENT, CLOSE_TOO_BIG = 4009, 4011, 1009


class State(Enum):
    """Where a session is in its life."""

    NEW = auto()
    JOINING = auto()
    JOINED = auto()
    CLOSED = auto()


@dataclass(frozen=True)
class Say:
    """Send this to the client."""

    message: ServerMessage


@dataclass(frozen=True)
class Do:
    """Carry this out for the client."""

    message: Doable


@dataclass(frozen=True)
class HangUp:
    """Close the socket."""

    code: int
    reason: str


Action = Say | Do | HangUp


def _anybody(_: Rights) -> bool:
    return True


def _publisher(rights: Rights) -> bool:
    return bool(rights.publish)


def _speaker(rights: Rights) -> bool:
    return rights.may("raise_hand")


def _caller(rights: Rights) -> bool:
    return rights.may("call_to_stage")


def _assistant(rights: Rights) -> bool:
    return rights.may("take_over")


def _receiver(rights: Rights) -> bool:
    return rights.subscribe


def _in_charge(rights: Rights) -> bool:
    return rights.may("run_own_lesson")


# state -> message -> who may say it; what is missing is a `bad_message`.
TABLE: dict[State, dict[type[ClientMessage], Callable[[Rights], bool]]] = {
    State.NEW: {Hello: _anybody, Ping: _anybody},
    State.JOINING: {Ping: _anybody},
    State.JOINED: {
        OfferMessage: _anybody,
        Sources: _publisher,
        Quality: _receiver,
        Shown: _receiver,
        Report: _receiver,
        Ask: _speaker,
        QuestionAnswer: _caller,
        EndLesson: _in_charge,
        Marker: _in_charge,
        LinkChoice: _anybody,
        Hand: _speaker,
        Voice: _speaker,
        WallMessage: _publisher,
        StageMessage: _caller,
        Hush: _caller,
        Lock: _publisher,
        LookAs: _publisher,
        TakeOver: _assistant,
        GiveBack: _caller,
        Ping: _anybody,
    },
    State.CLOSED: {},
}
NO_RIGHTS = Rights("-", "", "classroom", None, 0)


class Session:
    """Feed `receive` and `tick`, carry the actions out in order, and tell it `joined` or `refused` after a hello."""

    def __init__(self, now_s: float) -> None:
        self.state = State.NEW
        self._rights = NO_RIGHTS
        self._opened_s = self._heard_s = self._filled_s = now_s
        self._tokens = BURST

    @property
    def deadline_s(self) -> float:
        """When `tick` has something to say at the latest."""
        return self._opened_s + HELLO_S if self.state is State.NEW else self._heard_s + IDLE_S

    def receive(self, text: str, now_s: float, unix_ms: int) -> list[Action]:
        """One message from the client."""
        if self.state is State.CLOSED:
            return []
        self._heard_s = now_s
        size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        if size > (MAX_HELLO_BYTES if self.state is State.NEW else MAX_MESSAGE_BYTES):
            return self._hang_up(CLOSE_TOO_BIG, "the message is too big")
        if not self._take_token(now_s):
            return self._hang_up(CLOSE_FLOOD, "too many messages")
        try:
            message = parse(text)
        except Refused as refused:
            return self._bad(refused.detail)
        allowed = TABLE[self.state].get(type(message))
        if allowed is None:
            return self._bad(f"{message.type} is not expected now")
        if not allowed(self._rights):
            offer_id = message.id if isinstance(message, OfferMessage) else None
            return [Say(ErrorMessage(offer_id, "forbidden", f"your token does not allow {message.type}"))]
        if isinstance(message, Ping):
            return [Say(Pong(message.t, unix_ms))]
        if isinstance(message, Hello):
            self.state = State.JOINING
        return [Do(message)]

    def joined(self, rights: Rights) -> None:
        """The hello was good."""
        if self.state is State.JOINING:
            self.state, self._rights = State.JOINED, rights

    def refused(self, refusal: Refused) -> list[Action]:
        """The hello was not good: say why and hang up."""
        code = CLOSE_TOKEN if refusal.code in ("bad_token", "expired_token") else CLOSE_BYE
        return [
            Say(ErrorMessage(None, refusal.code, refusal.detail, refusal.verdict)),
            *self._hang_up(code, refusal.code),
        ]

    def tick(self, now_s: float) -> list[Action]:
        """Deadlines."""
        if self.state is State.CLOSED or now_s < self.deadline_s:
            return []
        if self.state is State.NEW:
            return self._hang_up(CLOSE_NO_HELLO, "no hello in time")
        return self._hang_up(CLOSE_SILENT, "nothing was heard for too long")

    def _bad(self, detail: str) -> list[Action]:
        complaint = Say(ErrorMessage(None, "bad_message", detail))
        # Before the hello nobody is known: one bad word ends it.
        return [complaint, *self._hang_up(CLOSE_BYE, "bad_message")] if self.state is State.NEW else [complaint]

    def _hang_up(self, code: int, reason: str) -> list[Action]:
        self.state = State.CLOSED
        return [HangUp(code, reason)]

    def _take_token(self, now_s: float) -> bool:
        self._tokens = min(BURST, self._tokens + (now_s - self._filled_s) * RATE_PER_S)
        self._filled_s = now_s
        self._tokens -= 1
        return self._tokens >= 0
