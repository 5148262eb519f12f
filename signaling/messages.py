"""The words of the WebSocket, typed and bounded (PROTOCOL section 3)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from recorder.clips.marks import MarkName
from streaming.params import Reason, Source, Wanted

PROTOCOL_VERSION = 1
MAX_HELLO_BYTES = 4096
MAX_MESSAGE_BYTES = 256 * 1024

Page = Literal["teacher", "classroom", "operator"]
Choice = Literal["auto", "high", "medium", "low"]
ByeReason = Literal["replaced", "closed", "expired", "removed"]
ErrorCode = Literal[
    "bad_message", "bad_sdp", "unknown_codec", "bad_token", "expired_token", "forbidden", "already_publishing",
    "lesson_closed", "no_such_lesson", "disk_full", "full", "busy", "internal",
    "not_paired", "not_open", "bad_login", "locked", "must_change", "locked_lesson",
]  # fmt: skip
OfferId = Annotated[int, Field(ge=0, le=2**53)] | Annotated[str, Field(max_length=64)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Small = Annotated[float, Field(ge=0, le=1e6)]
Tile = Annotated[int, Field(ge=1, le=2**31)]  # number of a classroom in the lesson


class Refused(Exception):
    """A request that cannot be met; `code` and `detail` go to the client as they are."""

    def __init__(self, code: ErrorCode, detail: str, verdict: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: ErrorCode = code
        self.detail = detail
        self.verdict = verdict  # PROTOCOL 4.5


class _FromClient(BaseModel):
    # Unknown fields are ignored, so that an older server understands a newer page.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Hello(_FromClient):
    """Who comes, and which session goes on."""

    type: Literal["hello"]
    protocol: Literal[1]
    token: Annotated[str, Field(max_length=3500)]
    page: Page
    tab: Annotated[str, Field(min_length=1, max_length=64)]
    resume: Annotated[str, Field(max_length=64)] | None = None
    language: Annotated[str, Field(max_length=35)] = ""


class OfferMessage(_FromClient):
    """SDP of PROTOCOL section 1."""

    type: Literal["offer"]
    id: OfferId
    sdp: Annotated[str, Field(max_length=MAX_MESSAGE_BYTES)]


class Sources(_FromClient):
    """What an output end sends now."""

    type: Literal["sources"]
    microphone: bool = False
    camera: bool = False
    screen: bool = False

    def on(self) -> dict[Source, bool]:
        """By source."""
        return {"microphone": self.microphone, "camera": self.camera, "screen": self.screen}


class Quality(_FromClient):
    """The classroom's own choice of quality."""

    type: Literal["quality"]
    choice: Choice


class Shown(_FromClient):
    """Which pictures the classroom's page shows."""

    type: Literal["shown"]
    camera: bool = True
    screen: bool = True

    def hidden(self) -> frozenset[Source]:
        """The others."""
        on: dict[Source, bool] = {"camera": self.camera, "screen": self.screen}
        return frozenset(source for source, shown in on.items() if not shown)


class Report(_FromClient):
    """What a classroom sees and hears, for the operator's table."""

    type: Literal["report"]
    audio_concealed_ratio: Ratio | None = None
    freeze_ratio: Ratio | None = None
    height: Small | None = None
    fps: Small | None = None
    rtt_ms: Small | None = None
    jitter_target_ms: Small | None = None


class Ask(_FromClient):
    """A classroom's question for the list."""

    type: Literal["ask"]
    text: Annotated[str, Field(min_length=1, max_length=500)]


class QuestionAnswer(_FromClient):
    """The answer to a question; empty: it was given aloud."""

    type: Literal["answer"]
    question: Annotated[int, Field(ge=0, le=2**53)]
    text: Annotated[str, Field(max_length=500)]


class EndLesson(_FromClient):
    """The lesson is over."""

    type: Literal["end_lesson"]


class LinkChoice(_FromClient):
    """Make an emulated link another one (development servers)."""

    type: Literal["link"]
    link: Annotated[int, Field(ge=1, le=65535)]
    profile: Annotated[str, Field(max_length=64)]


class Hand(_FromClient):
    """A classroom asks to speak, or no more."""

    type: Literal["hand"]
    up: bool


class Voice(_FromClient):
    """A classroom's microphone; the level in -dBov, 127 is silence (RFC 6464)."""

    type: Literal["voice"]
    microphone: Literal["on", "muted", "none", "denied"]
    level: Annotated[int, Field(ge=0, le=127)] = 127


class WallMessage(_FromClient):
    """The tiles on the screen of an output end, and those that it sees live."""

    type: Literal["wall"]
    visible: Annotated[list[Tile], Field(max_length=64)] = []
    pinned: Annotated[list[Tile], Field(max_length=2)] = []


class StageMessage(_FromClient):
    """Call a classroom to the stage, or end it."""

    type: Literal["stage"]
    id: Tile
    on: bool


class Hush(_FromClient):
    """Everybody off the stage, for as long as it is on."""

    type: Literal["hush"]
    on: bool


class Lock(_FromClient):
    """Nobody new comes in."""

    type: Literal["lock"]
    on: bool


class LookAs(_FromClient):
    """The own camera as a classroom gets it."""

    type: Literal["look_as"]
    id: Tile | None


class TakeOver(_FromClient):
    """An assistant teaches in the place of a teacher whose line is dead."""

    type: Literal["take_over"]


class GiveBack(_FromClient):
    """The assistant teaches no more."""

    type: Literal["give_back"]


class Marker(_FromClient):
    """One of the teacher's four keys: 开始微课, 结束, 新知识点, 不要录."""

    type: Literal["marker"]
    mark: MarkName
    on: bool = True
    title: Annotated[str, Field(max_length=80)] = ""


class Ping(_FromClient):
    """Keeps the socket alive."""

    type: Literal["ping"]
    t: float | int = 0


StageWord = Hand | Voice | WallMessage | StageMessage | Hush | Lock | LookAs | TakeOver | GiveBack
Doable = (
    Hello
    | OfferMessage
    | Sources
    | Quality
    | Shown
    | Report
    | EndLesson
    | LinkChoice
    | Ask
    | QuestionAnswer
    | Marker
    | StageWord
)
ClientMessage = Doable | Ping
_PARSER: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


def parse(text: str | bytes) -> ClientMessage:
    """One client message; raises `Refused` with `bad_message` and where it is wrong."""
    try:
        return _PARSER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused("bad_message", f"{where}: {first['msg']}" if where else first["msg"]) from None


@dataclass(frozen=True)
class ServerMessage:
    """Base of what we say; `text` is the JSON with `type` first."""

    type: ClassVar[str]

    @cached_property
    def text(self) -> str:
        """As it goes out."""
        return json.dumps({"type": self.type, **dataclasses.asdict(self)}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Welcome(ServerMessage):
    """The answer to `hello`."""

    type = "welcome"
    session: str
    resumed: bool
    role: str
    name: str
    lesson: dict[str, Any] | None
    address: str
    verdict: dict[str, Any] | None = None


@dataclass(frozen=True)
class Answer(ServerMessage):
    """The answer to `offer`."""

    type = "answer"
    id: int | str
    sdp: str


@dataclass(frozen=True)
class LessonMessage(ServerMessage):
    """The lesson as everybody in it sees it."""

    type = "lesson"
    state: Literal["waiting", "live", "closed"]
    title: str
    code: str
    receivers: int
    sources: dict[Source, bool]
    recording: dict[str, Any]


@dataclass(frozen=True)
class Slots(ServerMessage):
    """What each slot of this page carries now."""

    type = "slots"
    slots: list[dict[str, Any]]


@dataclass(frozen=True)
class Rung(ServerMessage):
    """What this classroom gets; heights in pixels, 0 paused, None nothing there."""

    type = "rung"
    camera: int | None
    screen: int | None
    choice: Choice
    reason: Reason
    estimate_kbps: int  # what its link is believed to carry, 0: unknown


@dataclass(frozen=True)
class Layers(ServerMessage):
    """How many encodings of each picture an output end is to send; None: nothing is to be told."""

    type = "layers"
    camera: Wanted | None = None
    screen: Wanted | None = None


@dataclass(frozen=True)
class Classrooms(ServerMessage):
    """How the classrooms get the lesson, for those who give it."""

    type = "classrooms"
    counts: dict[Reason, int]
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Questions(ServerMessage):
    """The list of questions changed: how many wait, and when something happened last."""

    type = "questions"
    unanswered: int
    newest_ms: int


@dataclass(frozen=True)
class Rejoin(ServerMessage):
    """Media was lost: make a new PeerConnection and offer."""

    type = "rejoin"
    reason: str


@dataclass(frozen=True)
class Bye(ServerMessage):
    """The session ended."""

    type = "bye"
    reason: ByeReason


@dataclass(frozen=True)
class Table(ServerMessage):
    """The operator's table."""

    type = "table"
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Links(ServerMessage):
    """The emulated links of a development server; `own` is the one by which this page came."""

    type = "links"
    links: list[dict[str, Any]]
    own: int | None
    profiles: list[str]


@dataclass(frozen=True)
class ErrorMessage(ServerMessage):
    """Something was refused; `id` is the offer's, or None."""

    type = "error"
    id: int | str | None
    code: ErrorCode
    detail: str
    verdict: dict[str, Any] | None = None


@dataclass(frozen=True)
class Pong(ServerMessage):
    """The answer to `ping`."""

    type = "pong"
    t: float | int
    server_ms: int
