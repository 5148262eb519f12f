"""One lesson at work: carries its plans out in the media process and tells its people (the async glue of `lesson`)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import structlog

from signaling.auth import LEEWAY_S
from signaling.labels import adopted, publication_label, slot_label, transport_label
from signaling.lesson import DEMO, Lesson, Participant
from signaling.messages import ByeReason, ErrorCode, Refused, Rejoin, ServerMessage
from signaling.negotiation import Negotiated, negotiate
from signaling.room_recording import RoomRecording
from signaling.sdp import Accepted, Offer, SdpError, build_answer, build_fragment, parse_offer, transport_params
from signaling.stage.play_out import play_out_ms
from signaling.stage.room_stage import RoomStage
from signaling.store import LessonRow
from signaling.tools import Outbox, Tools
from signaling.transport import Publication, Slot, Transport
from streaming.errors import CommandFailed, MediaError, MediaUnavailable
from streaming.params import LessonState, Source, Wanted

if TYPE_CHECKING:
    from streaming._core import LocalTransport

log = structlog.get_logger()


class Room:
    """A lesson that is open. Its changes in media go one after another, under `lock`."""

    def __init__(self, row: LessonRow, tools: Tools) -> None:
        self.row = row
        self.lesson = Lesson(row.title, row.code)
        self.lock = asyncio.Lock()
        self.outboxes: dict[str, Outbox] = {}
        self.offline_since_ms: dict[str, int] = {}
        self.dirty = True
        self.opened = False  # media knows this lesson
        self._tools = tools
        self._recording = RoomRecording(self.lesson, tools)
        self.stage = RoomStage(self, tools)

    @property
    def permanent(self) -> bool:
        """The demo lesson never ends by itself; its recordings are a series."""
        return self.row.id == DEMO

    # people

    def tell(self, participant: Participant, message: ServerMessage) -> None:
        """To one page, if it is there."""
        outbox = self.outboxes.get(participant.session)
        if outbox is not None:
            outbox.send(message)

    def tell_all(self, message: ServerMessage) -> None:
        """To every page of the lesson."""
        for outbox in list(self.outboxes.values()):
            outbox.send(message)

    def publish_snapshot(self) -> None:
        """The lesson to everybody, when something changed."""
        if self.dirty:
            self.dirty = False
            self.tell_all(self.lesson.snapshot())

    def publish_classrooms(self) -> None:
        """Once a second: how the classrooms get the lesson to those who give it, when that changed."""
        teachers = [p for p in self.lesson.participants.values() if p.is_output and p.session in self.outboxes]
        news = self.lesson.classrooms() if teachers else None
        for teacher in teachers:
            if news is not None and teacher.told_classrooms != news:
                teacher.told_classrooms = news
                self.tell(teacher, news)

    def turn_away_expired(self, now_ms: int) -> None:
        """Pages whose token ran out come back with a fresh one, and their media goes on; or they stay away."""
        for session, outbox in list(self.outboxes.items()):
            participant = self.lesson.participants.get(session)
            if participant is not None and (participant.rights.expires_s + LEEWAY_S) * 1000 < now_ms:
                outbox.bye("expired")

    async def leave(self, participant: Participant, reason: ByeReason | None = None) -> None:
        """The participant and its media go away."""
        async with self.lock:
            await self._leave(participant, reason)
        await self.settle()

    async def _leave(self, participant: Participant, reason: ByeReason | None) -> None:
        self.lesson.participants.pop(participant.session, None)
        self.stage.left(participant, replaced=reason == "replaced")
        self.offline_since_ms.pop(participant.session, None)
        outbox = self.outboxes.pop(participant.session, None)
        if outbox is not None and reason is not None:
            outbox.bye(reason)
        if participant.transport is not None:
            handle, participant.transport = participant.transport.handle, None
            with contextlib.suppress(MediaError):
                await self._tools.media.remove(handle)
        self.dirty = True

    # offers

    async def answer(self, participant: Participant, sdp: str, *, screen: bool = False) -> str:
        """The answer to an offer, to be sent before `settle` connects its slots; raises `Refused`."""
        try:
            offer = parse_offer(sdp)
        except SdpError as error:
            code: ErrorCode = "unknown_codec" if error.code == "unknown_codec" else "bad_sdp"
            raise Refused(code, str(error)) from None
        try:
            async with self.lock:
                text = await self._answer(participant, offer, screen=screen)
        except CommandFailed as error:
            log.error("media refused an offer", lesson=self.row.id, code=error.code, detail=error.detail)
            raise Refused("internal", "the media process refused the offer") from None
        except MediaUnavailable:
            raise Refused("busy", "the media process is starting; try again") from None
        return text

    async def _answer(self, participant: Participant, offer: Offer, *, screen: bool) -> str:
        if self.lesson.closed:
            raise Refused("lesson_closed", "the lesson is over")
        old = participant.transport
        same = old is not None and old.fingerprint == offer.fingerprint and old.ufrag != offer.ufrag
        result = negotiate(
            offer,
            participant.rights,
            participant.kind,
            taken=lambda source: self.lesson.holder(source, participant) is not None,
            keep=old.slots if old is not None and same else None,
            screen=screen,
        )
        if old is not None and same:
            local = await self._tools.media.restart_ice(old.handle, offer.ufrag, offer.pwd)
            old.ufrag, old.version = offer.ufrag, old.version + 1
            return build_answer(offer, result.sections, self._seen(participant, local), old.version)
        await self.ensure_open()
        participant.transport = None
        local = await self._tools.media.open_transport(
            self.row.recording,
            {**transport_params(offer), "stills": result.stills},
            label=transport_label(participant, offer.fingerprint, offer.ufrag),
            replaces=old.handle if old is not None else None,
            link=participant.line,
        )
        transport = Transport(local["transport"], offer.fingerprint, offer.ufrag, offered_s=time.monotonic())
        try:
            await self._add_media(transport, result)
        except MediaError:
            with contextlib.suppress(MediaError):
                await self._tools.media.remove(transport.handle)
            raise
        participant.transport = transport
        return build_answer(offer, result.sections, self._seen(participant, local), transport.version)

    async def restart_ice(self, participant: Participant, ufrag: str, pwd: str) -> str:
        """New ICE credentials by PATCH (RFC 9725 4.3.3): our fragment."""
        async with self.lock:
            transport = participant.transport
            if transport is None:
                raise Refused("no_such_lesson", "the session is over")
            local = await self._tools.media.restart_ice(transport.handle, ufrag, pwd)
            transport.ufrag, transport.version = ufrag, transport.version + 1
        return build_fragment(self._seen(participant, local))

    def _seen(self, participant: Participant, local: LocalTransport) -> LocalTransport:
        """Our end of an association as this participant reaches it."""
        return self._tools.ways.through(participant.way, local)

    async def _add_media(self, transport: Transport, result: Negotiated) -> None:
        """All at once: one by one, each would wait for the answer to the one before."""
        await asyncio.gather(
            *(self._add_track(transport, source, section, result.on_call) for source, section in result.tracks),
            *(self._add_slot(transport, slot, section) for slot, section in result.slots),
        )
        transport.slots.extend(slot for slot, _ in result.slots)

    async def _add_track(self, transport: Transport, source: Source, section: Accepted, on_call: bool) -> None:
        codec, add, on = section.media.codecs[0].name, self._tools.media.add_publication, not on_call
        label = publication_label(codec)
        handle = await add(transport.handle, section.rtp, source, label=label, granted=on, recorded=on)
        transport.publications[source] = Publication(handle, source, codec, granted=on)

    async def _add_slot(self, transport: Transport, slot: Slot, section: Accepted) -> None:
        slot.handle = await self._tools.media.add_subscription(transport.handle, section.rtp, label=slot_label(slot))

    # plans

    async def settle(self) -> None:
        """Carry the present plan out; what fails is tried again when media speaks next."""
        told: set[str] = set()
        async with self.lock:
            with contextlib.suppress(MediaError):
                for change in self.lesson.plan():
                    await self._tools.media.connect(change.slot.handle, change.publication)
                    self.lesson.connected(change)
                    told.add(change.participant.session)
                for participant in list(self.lesson.participants.values()):
                    await self._apply_choice(participant)
                    await self._apply_play_out(participant)
                await self.stage.carry_out()
        for participant in [p for p in self.lesson.participants.values() if p.session in told]:
            self.tell_media_state(participant)
        self.dirty = True

    async def _apply_choice(self, participant: Participant) -> None:
        for cap in self.lesson.caps(participant):
            await self._tools.media.cap(cap.slot.handle, cap.spatial, fixed=cap.fixed)
            cap.slot.capped = (cap.spatial, cap.fixed)

    async def play_out_changed(self, participant: Participant) -> None:
        """A page reported how deep its play-out buffer is: media spaces the copies of sound by it."""
        with contextlib.suppress(MediaError):
            await self._apply_play_out(participant)

    async def _apply_play_out(self, participant: Participant) -> None:
        transport, target_ms = participant.transport, play_out_ms(self.lesson, participant)
        if transport is not None and target_ms is not None and target_ms != (transport.play_out_ms or 0):
            await self._tools.media.play_out(transport.handle, target_ms)
            transport.play_out_ms = target_ms

    def tell_media_state(self, participant: Participant) -> None:
        """What the page's slots carry, and its rung; what it is to send."""
        if participant.transport is None:
            return
        if participant.transport.publications:
            self.tell(participant, self.lesson.layers_of(participant))
        if not participant.transport.slots:
            return
        self.tell(participant, self.lesson.slots_of(participant))
        rung = self.lesson.rung_of(participant)
        if rung is not None:
            self.tell(participant, rung)

    # the life of the lesson in media

    async def ensure_open(self) -> None:
        """Media and recorder know the lesson; without room on the disk it goes on unrecorded."""
        if self.opened:
            return
        await self._recording.open(self.row)
        self.opened = True
        self.dirty = True

    async def close(self, closed: LessonRow) -> None:
        """The lesson is over: everybody is told, the recording is complete."""
        async with self.lock:
            self.row = closed
            self.lesson.closed = True
            self.tell_all(self.lesson.snapshot())
            for participant in list(self.lesson.participants.values()):
                participant.transport = None  # media closes them with the lesson
                await self._leave(participant, "closed")
            await self._close_recording()

    async def next_recording(self, row: LessonRow) -> None:
        """Go on in the recording that `row` names: all transports are made anew."""
        async with self.lock:
            await self._close_recording()
            self.row = row
            await self.ensure_open()
            await self._lose_media("next_recording")
        self.dirty = True

    async def _close_recording(self) -> None:
        opened, self.opened = self.opened, False
        await self._recording.close(self.row, opened=opened)

    # what media says

    async def media_is_new(self, state: LessonState | None) -> None:
        """Media said hello: keep what stands, take over what we do not know, rejoin the rest."""
        async with self.lock:
            self.opened = state is not None
            standing = {t["transport"]: t for t in state["transports"]} if state is not None else {}
            if state is not None:
                self.lesson.recording.on = state["log_dir"] is not None
            lost = [p for p in self.lesson.participants.values() if p.transport and p.transport.handle not in standing]
            known = {p.transport.handle for p in self.lesson.participants.values() if p.transport is not None}
            for handle, transport in standing.items():
                if handle in known:
                    for row in transport["publications"]:
                        self.layers_wanted(row["publication"], row["wanted"])
                else:
                    await self._adopt(handle, transport)
            self.lesson.recognise()
            self.stage.adopt()
            await self._lose_media("media_restarted", lost)
            if state is None and any(self.outboxes):
                with contextlib.suppress(MediaError):
                    await self.ensure_open()
        await self.settle()

    async def _adopt(self, handle: int, state: Any) -> None:
        participant: Participant | None = None
        with contextlib.suppress(KeyError, TypeError, ValueError):
            participant = adopted(state)
        if participant is None or participant.session in self.lesson.participants:
            with contextlib.suppress(MediaError):
                await self._tools.media.remove(handle)
            return
        self.lesson.participants[participant.session] = participant
        if participant.kind == "page":
            self.offline_since_ms[participant.session] = self._tools.now_ms()

    async def _lose_media(self, reason: str, who: list[Participant] | None = None) -> None:
        for participant in list(self.lesson.participants.values()) if who is None else who:
            participant.transport = None
            if participant.kind == "page":
                self.tell(participant, Rejoin(reason))
            else:
                await self._leave(participant, None)

    def transport_connected(self, participant: Participant) -> None:
        """ICE and DTLS are up."""
        if participant.transport is not None:
            participant.transport.connected = True
        self.dirty = True

    async def transport_gone(self, participant: Participant, reason: str) -> None:
        """The association failed or was closed."""
        async with self.lock:
            await self._lose_media(reason, [participant])
        await self.settle()

    async def first_media(self, handle: int) -> None:
        """A publication carries packets now."""
        for participant in self.lesson.participants.values():
            for publication in participant.transport.publications.values() if participant.transport else ():
                if publication.handle == handle and not publication.active:
                    publication.active = True
                    await self.settle()
                    return

    def layers_wanted(self, handle: int, wanted: Wanted | None) -> bool:
        """Other encodings of a publication are wanted: whether it is of this lesson."""
        for participant in self.lesson.participants.values():
            for publication in participant.transport.publications.values() if participant.transport else ():
                if publication.handle == handle:
                    publication.wanted = wanted
                    self.tell(participant, self.lesson.layers_of(participant))
                    return True
        return False

    def rung_changed(self, participant: Participant, slot: Slot, event: dict[str, Any]) -> None:
        """A slot got another layer."""
        slot.height, slot.reason, slot.spatial = event["height"], event["reason"], event["spatial"]
        slot.estimate_kbps = event["estimate_kbps"]
        if event["spatial"] < 0:
            slot.height = 0
        rung = self.lesson.rung_of(participant)
        if rung is not None:
            self.tell(participant, rung)

    def log_grew(self, bytes_written: int, error: str | None) -> None:
        """The recording grew, or broke; the lesson goes on either way."""
        self.dirty |= self._recording.grew(self.row, bytes_written, error)

    def publishes(self) -> set[Source]:
        """Sources on air."""
        return set(self.lesson.sources())
