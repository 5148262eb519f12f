"""`/ws`: one page's socket between `Session` (what may be said) and `Hub` (what is done)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import WSMsgType, web

from signaling.auth import Rights
from signaling.hub import Hub
from signaling.lesson import Participant
from signaling.messages import (
    MAX_MESSAGE_BYTES,
    Answer,
    Ask,
    Bye,
    ByeReason,
    Doable,
    EndLesson,
    ErrorMessage,
    GiveBack,
    Hello,
    LinkChoice,
    Marker,
    OfferMessage,
    Quality,
    QuestionAnswer,
    Refused,
    Report,
    ServerMessage,
    Shown,
    Sources,
    StageWord,
    TakeOver,
    Welcome,
)
from signaling.room import Room
from signaling.session import CLOSE_BYE, CLOSE_SLOW, Action, Do, HangUp, Say, Session
from signaling.stage.removal import give_number, refuse_removed
from signaling.stage.standing_in import give_back
from signaling.stage.words import TakenOver
from signaling.web.common import HUB, token_for

log = structlog.get_logger()
MAX_BACKLOG = 64 * 1024  # characters that may wait for a slow reader
SEND_S = 10.0
MAX_SOCKETS = 10_000
Plain = dict[str, Any] | None


class PageSocket:
    """An `Outbox` over one WebSocket: sending never waits, a page that does not read is hung up."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._queue: deque[str] = deque()
        self.backlog = 0
        self._wake = asyncio.Event()
        self._close: tuple[int, str] | None = None
        self.joined = False  # the snapshot of the join is not counted as backlog

    def send(self, message: ServerMessage) -> None:
        """Queue a message."""
        if self._close is not None:
            return
        text = message.text
        self._queue.append(text)
        self.backlog += len(text) if self.joined else 0
        if self.backlog > MAX_BACKLOG:
            self._queue.clear()
            self.backlog = 0
            self.hang_up(CLOSE_SLOW, "too slow to read")
        self._wake.set()

    def bye(self, reason: ByeReason) -> None:
        """Say why and close."""
        self.send(Bye(reason))
        self.hang_up(CLOSE_BYE, reason)

    def hang_up(self, code: int, reason: str) -> None:
        """Close after what is queued."""
        if self._close is None:
            self._close = (code, reason)
        self._wake.set()

    async def write(self) -> None:
        """Send what is queued until it is closed; run as a task."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                text = self._queue.popleft()
                try:
                    await asyncio.wait_for(self._socket.send_str(text), SEND_S)
                except (TimeoutError, ConnectionError, RuntimeError):
                    await self._shut(CLOSE_SLOW, "too slow to read")
                    return
                self.backlog = max(0, self.backlog - len(text))
            if self._close is not None:
                await self._shut(*self._close)
                return

    async def _shut(self, code: int, reason: str) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            await asyncio.wait_for(self._socket.close(code=code, message=reason.encode()[:120]), 2.0)


@dataclass
class OpenSockets:
    """The sockets of one application, to be hung up when it ends."""

    all: set[PageSocket] = field(default_factory=set)


SOCKETS = web.AppKey("sockets", OpenSockets)


class Conversation:
    """One page from its socket's opening to its end."""

    def __init__(self, hub: Hub, outbox: PageSocket, way: int | None, browser: str) -> None:
        self._hub = hub
        self._way = way
        self._browser = browser
        self._outbox = outbox
        self.session = Session(time.monotonic())
        self._rights: Rights | None = None
        self._room: Room | None = None
        self._me: Participant | None = None

    async def hear(self, text: str) -> None:
        """A message from the page."""
        await self._carry_out(self.session.receive(text, time.monotonic(), self._hub.now_ms()))

    async def tick(self) -> None:
        """Deadlines of the session."""
        await self._carry_out(self.session.tick(time.monotonic()))

    async def end(self) -> None:
        """The socket is gone."""
        self._hub.consoles.pop(self._outbox, None)
        self._hub.ways.unwatch(self._outbox.send)
        if self._room is not None and self._me is not None:
            await self._hub.gone(self._room, self._me, self._outbox)

    async def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Say(message):
                    self._outbox.send(message)
                case HangUp(code, reason):
                    self._outbox.hang_up(code, reason)
                case Do(message):
                    await self._do(message)

    async def _do(self, message: Doable) -> None:
        if isinstance(message, Hello):
            await self._hello(message)
            return
        if isinstance(message, LinkChoice):
            self._choose_link(message)
            return
        room, me = self._room, self._me
        if room is None or me is None:
            return
        match message:
            case OfferMessage():
                await self._offer(room, me, message)
            case Sources():
                me.told = message.on()
                await room.settle()
            case Quality():
                me.choice = message.choice
                await room.settle()
                room.tell_media_state(me)
            case Shown():
                me.hidden = message.hidden()
                await room.settle()
            case Report():
                me.report = message
                await room.play_out_changed(me)
            case Ask() | QuestionAnswer():
                await self._hub.questions.take(room, me, message)
            case Marker():
                await self._mark(room, message)
            case EndLesson():
                await self._hub.close(room)
            case _:
                await self._stage(room, me, message)

    async def _mark(self, room: Room, message: Marker) -> None:
        try:
            await self._hub.marking.take(room, message)
        except Refused as refused:
            self._outbox.send(ErrorMessage(None, refused.code, refused.detail))

    async def _stage(self, room: Room, me: Participant, message: StageWord) -> None:
        try:
            match message:
                case TakeOver():
                    token = token_for(self._hub, room.stage.stand_in(me.rights))
                    self._outbox.send(TakenOver(token))
                case GiveBack():
                    await give_back(self._hub, room)
                case _:
                    await room.stage.take(me, message)
        except Refused as refused:
            self._outbox.send(ErrorMessage(None, refused.code, refused.detail))

    async def _hello(self, hello: Hello) -> None:
        try:
            rights = await self._hub.rights(hello.token)
            if rights.may("see_table") and rights.room is None:
                self._console(rights)
                return
            await refuse_removed(self._hub, rights, tab=hello.tab, browser=self._browser)
            room, me, resumed = await self._hub.join(hello, rights, self._outbox)
        except Refused as refused:
            await self._carry_out(self.session.refused(refused))
            return
        self._room, self._me = room, me
        me.way, me.browser = self._way, self._browser
        self._joined(me.rights)
        lesson = room.lesson.summary(room.row.id)
        self._welcome(me.session, resumed, me.rights, lesson, me.admitted.plain())
        self._outbox.send(room.lesson.snapshot())
        room.tell_media_state(me)
        room.stage.welcome(me)
        await self._hub.questions.welcome(room, me)
        await self._hub.marking.welcome(room, me)
        self._outbox.joined = True
        self._watch_links()

    def _welcome(
        self, session: str, resumed: bool, rights: Rights, lesson: Plain = None, verdict: Plain = None
    ) -> None:
        self._outbox.send(Welcome(session, resumed, rights.role, rights.name, lesson, self._hub.address, verdict))

    def _joined(self, rights: Rights) -> None:
        self._rights = rights
        self.session.joined(rights)

    def _watch_links(self) -> None:
        """Pages that came by an emulated link see what it is; those in charge see all."""
        if self._way is not None or self._looks_after_links():
            self._hub.ways.watch(self._outbox.send, self._way)

    def _looks_after_links(self) -> bool:
        return self._rights is not None and self._rights.role in ("teacher", "operator")

    def _choose_link(self, message: LinkChoice) -> None:
        try:
            if message.link != self._way and not self._looks_after_links():
                raise Refused("forbidden", "this page did not come by that link")
            self._hub.ways.choose(message.link, message.profile)
        except Refused as refused:
            self._outbox.send(ErrorMessage(None, refused.code, refused.detail))

    def _console(self, rights: Rights) -> None:
        """Who looks after lessons sees all of them and sits in none."""
        self._joined(rights)
        self._welcome(secrets.token_urlsafe(12), False, rights)
        self._outbox.joined = True
        self._hub.consoles[self._outbox] = rights
        self._watch_links()

    async def _offer(self, room: Room, me: Participant, message: OfferMessage) -> None:
        try:
            answer = await room.answer(me, message.sdp)
        except Refused as refused:
            self._outbox.send(ErrorMessage(message.id, refused.code, refused.detail))
            return
        self._outbox.send(Answer(message.id, answer))
        await room.settle()
        room.tell_media_state(me)


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """The handler of `/ws`."""
    if len(request.app[SOCKETS].all) >= MAX_SOCKETS:
        raise Refused("full", "too many pages are connected")
    socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, compress=False, autoping=True, timeout=5.0)
    browser = give_number(request, socket)
    await socket.prepare(request)
    outbox = PageSocket(socket)
    request.app[SOCKETS].all.add(outbox)
    hub = request.app[HUB]
    conversation = Conversation(hub, outbox, hub.ways.of_host(request.host), browser)
    writer = asyncio.create_task(outbox.write(), name="page-writer")
    try:
        await _listen(socket, conversation, writer)
    finally:
        request.app[SOCKETS].all.discard(outbox)
        await conversation.end()
        outbox.hang_up(1001, "going away")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(writer, 3.0)
    return socket


async def _listen(socket: web.WebSocketResponse, conversation: Conversation, writer: asyncio.Task[None]) -> None:
    while not writer.done():
        wait_s = max(0.05, conversation.session.deadline_s - time.monotonic())
        try:
            frame = await socket.receive(timeout=wait_s)
        except TimeoutError:
            await conversation.tick()
            continue
        if frame.type is WSMsgType.TEXT:
            await conversation.hear(frame.data)
        elif frame.type is WSMsgType.BINARY:
            await conversation.hear("")  # nothing of ours is binary: a bad message
        else:
            return
