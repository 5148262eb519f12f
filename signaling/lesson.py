"""Who is in a lesson, what is published, and which publication goes to which slot: state and plans, no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from signaling.admission.verdict import ACCEPT, SOUND, Verdict
from signaling.auth import Rights
from signaling.messages import Choice, Classrooms, Layers, LessonMessage, Report, Rung, Slots, Voice
from signaling.stage.called import called
from signaling.stage.places import Carried
from signaling.stage.stage import Stage
from signaling.stage.standing_in import is_stand_in
from signaling.stage.wall import Wall
from signaling.transport import Publication, Slot, Transport
from streaming.params import Reason, Source

Kind = Literal["page", "whip", "whep"]
DEMO = "demo"  # id of the permanent demo lesson, whose recordings are a series
# choice -> (highest layer, at once)
CAPS: dict[Choice, tuple[int, bool]] = {
    "auto": (2, False),
    "high": (2, True),
    "medium": (1, True),
    "low": (0, True),
}
PAUSED = (-1, False)
# What the data of its school's month leaves a classroom: all, one step less, or sound and slides.
Allowance = Literal["all", "less", "sound"]
# What keeps a classroom from more, the worst first.
GRAVITY: tuple[Reason, ...] = (
    "link_out",
    "link_lossy",
    "link_slow",
    "data_cap",
    "server_full",
    "choice",
    "ok",
    "no_source",
)
MAX_CLASSROOM_ROWS = 30


@dataclass
class Participant:
    """One page, encoder or player in the lesson."""

    session: str
    rights: Rights
    tab: str
    kind: Kind
    since_ms: int
    online: bool = True
    choice: Choice = "auto"
    allowance: Allowance = "all"
    admitted: Verdict = ACCEPT
    admitted_ms: int = 0
    hidden: frozenset[Source] = frozenset()  # pictures that its page does not show
    told: dict[Source, bool] | None = None  # what the page says it sends
    transport: Transport | None = None
    report: Report | None = None
    told_classrooms: Classrooms | None = None
    way: int | None = None  # the emulated link by which it came
    browser: str = ""  # the number of its browser
    tile: int = 0  # its number in the lesson
    wall: Wall = field(default_factory=Wall)  # what an output end looks at
    voice: Voice | None = None  # its microphone, as its page says
    voice_ms: int = 0

    @property
    def is_output(self) -> bool:
        """Whether this is an output end: it may publish here."""
        return bool(self.rights.publish) and self.kind != "whep"

    @property
    def takes_place(self) -> bool:
        """Whether it is a receiver that counts; those who look after lessons always come in."""
        return not self.is_output and not self.rights.may("see_table")

    @property
    def is_tile(self) -> bool:
        """Whether it is a classroom on the wall."""
        return self.kind == "page" and not self.is_output and self.rights.may("raise_hand")

    @property
    def line(self) -> str:
        """Names its way to us, whichever connection it uses: an emulated link is another way than none."""
        return self.rights.sub if self.way is None else f"{self.rights.sub} by {self.way}"

    def cap_of(self, source: Carried | None) -> tuple[int, bool]:
        """The highest layer of a picture, and whether it is taken at once."""
        if source in self.hidden or self.allowance == "sound" or self.admitted.layer == SOUND:
            return PAUSED
        spatial, fixed = CAPS[self.choice]
        allowed = max(0, spatial - 1) if self.allowance == "less" else spatial
        return min(allowed, self.admitted.layer), fixed

    def reason_of(self, slot: Slot) -> Reason:
        """Media knows a cap, not whose it is."""
        own = slot.shown in self.hidden or self.cap_of(slot.shown) == CAPS[self.choice]
        if slot.reason != "choice" or own:
            return slot.reason
        return "data_cap" if self.allowance != "all" else "server_full"

    def sends(self, publication: Publication) -> bool:
        """Whether a publication carries something now."""
        if self.told is not None:
            return self.told.get(publication.source, False)
        return publication.active


@dataclass(frozen=True)
class Connect:
    """Point a slot at a publication, or at nothing."""

    participant: Participant
    slot: Slot
    publication: int | None
    source: Carried | None


@dataclass(frozen=True)
class Cap:
    """Limit a slot."""

    slot: Slot
    spatial: int
    fixed: bool


@dataclass
class RecordingState:
    """What people are told about the recording."""

    on: bool = False
    bytes: int = 0
    error: str | None = None


class Lesson:
    """The participants of one lesson and the plan that follows from them."""

    def __init__(self, title: str, code: str) -> None:
        self.title = title
        self.code = code
        self.closed = False
        self.participants: dict[str, Participant] = {}
        self.recording = RecordingState()
        self.stage = Stage()
        self._tiles = 0

    # who

    def number(self, participant: Participant, before: int = 0) -> None:
        """Give a newcomer its number in the lesson, that of the seat which it takes or the next one."""
        self._tiles = max(self._tiles, *(one.tile for one in self.participants.values()), 0)
        participant.tile = before or self._tiles + 1

    def by_tile(self, tile: int) -> Participant | None:
        """The classroom of a tile."""
        return next((p for p in self.participants.values() if p.tile == tile and p.is_tile), None)

    def is_looked_through(self, classroom: Participant) -> bool:
        """Whether an output end sees what this classroom gets."""
        return any(p.wall.look_as == classroom.tile for p in self.participants.values() if p.is_output)

    def taken_over(self) -> Participant | None:
        """The assistant who teaches now."""
        return next((p for p in self.participants.values() if is_stand_in(p.rights) and p.is_output), None)

    def outputs(self) -> Iterator[Participant]:
        """The output ends that are here: a page with its socket, or an encoder with its transport."""
        return (
            p for p in self.participants.values() if p.is_output and (p.online if p.kind == "page" else p.transport)
        )

    def receivers(self) -> int:
        """How many receiving ends are here."""
        everybody = self.participants.values()
        return sum(1 for p in everybody if p.takes_place and p.online)

    def same_seat(self, rights: Rights, tab: str) -> list[Participant]:
        """Whom a newcomer replaces: the same teacher anywhere, the same classroom in the same tab."""
        pages = [p for p in self.participants.values() if p.kind == "page" and p.rights.sub == rights.sub]
        return [p for p in pages if p.rights.role == rights.role and (rights.role == "teacher" or p.tab == tab)]

    def holder(self, source: Source, besides: Participant) -> Participant | None:
        """Who else sends a source now. A page neither keeps an assistant from taking over nor is kept out by one."""
        over = self.taken_over()
        for participant in self.participants.values():
            apart = over in (participant, besides) and over is not None and participant.kind == besides.kind == "page"
            if participant is besides or apart or participant.transport is None or not participant.is_output:
                continue
            publication = participant.transport.publications.get(source)
            if publication is not None and participant.sends(publication):
                return participant
        return None

    def by_transport(self, handle: int) -> Participant | None:
        """Whose association this is."""
        everybody = self.participants.values()
        return next((p for p in everybody if p.transport is not None and p.transport.handle == handle), None)

    # what goes where

    def sources(self) -> dict[Source, Publication]:
        """What is on air now; who came first keeps a source. While an assistant teaches, no other page does."""
        on_air: dict[Source, Publication] = {}
        taken_over = self.taken_over()
        for participant in self.participants.values():
            off_air = taken_over is not None and participant is not taken_over and participant.kind == "page"
            if participant.transport is None or not participant.is_output or off_air:
                continue
            for publication in participant.transport.publications.values():
                if participant.sends(publication):
                    on_air.setdefault(publication.source, publication)
        return on_air

    def plan(self) -> list[Connect]:
        """The connections that are to be changed; `connected` notes them once they are."""
        on_air = self.sources()
        changes: list[Connect] = []
        for participant in self.participants.values():
            if participant.transport is None:
                continue
            for slot in participant.transport.slots:
                source, publication = self._wanted_by(participant, slot, on_air)
                if publication != slot.publication or source != slot.shown:
                    changes.append(Connect(participant, slot, publication, source))
        return changes

    def _wanted_by(
        self, participant: Participant, slot: Slot, on_air: dict[Source, Publication]
    ) -> tuple[Carried | None, int | None]:
        """What a slot is to carry, and the publication of it."""
        slots = participant.transport.slots if participant.transport is not None else []
        if slot.carries in ("microphone", "camera", "screen"):
            source = _source_for(slot, slots, on_air)
            return source, on_air[source].handle if source is not None else None
        found = called(self, participant, slot)
        return (slot.carries, found.handle) if found is not None else (None, None)

    @staticmethod
    def connected(change: Connect) -> None:
        """A planned connection was made."""
        slot = change.slot
        slot.publication, slot.shown, slot.height, slot.spatial = change.publication, change.source, None, -1
        slot.reason = "no_source" if change.publication is None else "ok"

    def caps(self, participant: Participant) -> list[Cap]:
        """The limits that are to be changed after a choice, or when a picture is hidden or shown again."""
        if participant.transport is None:
            return []
        slots = [slot for slot in participant.transport.slots if slot.kind == "video"]
        wanted = [self._cap_of(participant, slot) for slot in slots]
        return [Cap(slot, *cap) for slot, cap in zip(slots, wanted, strict=True) if slot.capped != cap]

    def _cap_of(self, participant: Participant, slot: Slot) -> tuple[int, bool]:
        """Who looks through a classroom's eyes gets the layer that the classroom gets."""
        eyes = participant.wall.look_as if slot.carries == "pinned1" else None
        if eyes is None:
            return participant.cap_of(slot.shown)
        seen = self.by_tile(eyes)
        slots = seen.transport.slots if seen is not None and seen.transport is not None else []
        return next((other.spatial for other in slots if other.shown == "camera"), -1), True

    def recognise(self) -> None:
        """After a takeover: name what the slots carry."""
        everybody = [p.transport for p in self.participants.values() if p.transport is not None]
        sources = {p.handle: p.source for transport in everybody for p in transport.publications.values()}
        for slot in (slot for transport in everybody for slot in transport.slots):
            source: Carried | None = sources.get(slot.publication) if slot.publication is not None else None
            ours = slot.carries in ("microphone", "camera", "screen", None)
            slot.shown = source if ours or source is None else slot.carries
            slot.reason = "ok" if slot.shown is not None else "no_source"

    # what people are told

    def snapshot(self) -> LessonMessage:
        """The lesson for everybody's eyes."""
        on_air = self.sources()
        sources: dict[Source, bool] = {s: s in on_air for s in ("microphone", "camera", "screen")}
        state: Literal["waiting", "live", "closed"] = "closed" if self.closed else "live" if on_air else "waiting"
        recording = {"on": self.recording.on, "bytes": self.recording.bytes, "error": self.recording.error}
        return LessonMessage(state, self.title, self.code, self.receivers(), sources, recording)

    def slots_of(self, participant: Participant) -> Slots:
        """What this page's slots carry."""
        slots = participant.transport.slots if participant.transport is not None else []
        transports = [p.transport for p in self.participants.values() if p.transport is not None]
        codecs = {p.handle: p.codec for transport in transports for p in transport.publications.values()}
        return Slots(
            [
                {"mid": s.mid, "source": s.shown, "codec": codecs.get(s.publication) if s.publication else None}
                for s in slots
            ]
        )

    @staticmethod
    def rung_of(participant: Participant) -> Rung | None:
        """What this classroom gets, or None where nothing can be said."""
        if participant.transport is None or not participant.transport.slots:
            return None
        shown = {slot.shown: slot for slot in participant.transport.slots if slot.kind == "video"}
        camera, screen = shown.get("camera"), shown.get("screen")
        there = [slot for slot in (camera, screen) if slot is not None]
        worst = min(there, key=lambda slot: GRAVITY.index(participant.reason_of(slot)), default=None)
        return Rung(
            camera=camera.height if camera else None,
            screen=screen.height if screen else None,
            choice=participant.choice,
            reason=participant.reason_of(worst) if worst else "no_source",
            estimate_kbps=worst.estimate_kbps if worst else 0,
        )

    def classrooms(self) -> Classrooms:
        """How those who receive get the lesson."""
        counts: Counter[Reason] = Counter()
        rows: list[dict[str, Any]] = []
        for participant in self.participants.values():
            rung = self.rung_of(participant) if not participant.is_output and participant.online else None
            if rung is None:
                continue
            counts[rung.reason] += 1
            if rung.reason not in ("ok", "no_source"):
                row = {name: getattr(rung, name) for name in ("camera", "screen", "reason", "estimate_kbps")}
                rows.append({"name": participant.rights.name, **row})
        rows.sort(key=lambda row: (GRAVITY.index(row["reason"]), row["estimate_kbps"]))
        return Classrooms(dict(counts), rows[:MAX_CLASSROOM_ROWS])

    @staticmethod
    def layers_of(participant: Participant) -> Layers:
        """Which encodings an output end is to send."""
        sent = participant.transport.publications if participant.transport is not None else {}
        wanted = {source: publication.wanted for source, publication in sent.items() if publication.granted}
        return Layers(wanted.get("camera"), wanted.get("screen"))

    def summary(self, lesson: str) -> dict[str, Any]:
        """The lesson in `welcome`."""
        return {"id": lesson, "title": self.title, "code": self.code, "state": self.snapshot().state}


def _source_for(slot: Slot, slots: list[Slot], on_air: dict[Source, Publication]) -> Source | None:
    source: Carried | None = slot.carries
    alone = slot.kind == "video" and sum(1 for s in slots if s.kind == "video") == 1
    if alone and source not in on_air:
        source = "screen"
    return source if source in on_air else None
