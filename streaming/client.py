"""What the signalling process holds of the media process: typed commands and events over a Unix socket (PROTOCOL 5)."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import random
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Self, cast

from streaming.errors import CommandFailed, MediaUnavailable
from streaming.params import Label, LessonState, MediaEvent, Source

if TYPE_CHECKING:
    from streaming._core import LocalTransport, RtpParameters, TransportParams

LINE_LIMIT = 64 * 1024 * 1024  # bytes of one JSON line: the state of some thousand classrooms
EVENT_LIMIT = 10_000  # events that wait for a slow reader
PASSING = frozenset({"stats", "rung", "own_still"})  # only the newest counts, of each slot or transport
RECONNECT_S = (0.0, 0.1, 0.2, 0.5, 1.0)


class MediaClient:
    """A connection to the media process that is made again for ever.

    Use `async with MediaClient(path) as media:`; read `events()` in one task, call the commands from any.
    Commands raise `CommandFailed` (refused, with code and words), or `MediaUnavailable` (no answer).
    """

    def __init__(self, path: str, *, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._events: asyncio.Queue[MediaEvent | None] = asyncio.Queue()
        self._writer: asyncio.StreamWriter | None = None
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.epoch: str | None = None
        self.state: list[LessonState] = []

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._task = asyncio.create_task(self._run(), name="media-client")

    async def close(self) -> None:
        """Hang up; `events()` ends and waiting commands fail."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._hang_up()
        self._events.put_nowait(None)

    @property
    def connected(self) -> bool:
        """Whether the media process has said `hello` on the present connection."""
        return self._ready.is_set()

    async def wait_connected(self, timeout_s: float = 10.0) -> None:
        """Wait until the media process has said `hello`; raises `MediaUnavailable`."""
        try:
            await asyncio.wait_for(self._ready.wait(), timeout_s)
        except TimeoutError:
            raise MediaUnavailable(f"no media process at {self._path} after {timeout_s:g} s") from None

    async def events(self) -> AsyncIterator[MediaEvent]:
        """Events in order, until `close`.

        `hello` {epoch, state: list[LessonState]} at every connection, `lost` {} when it breaks (both first-hand);
        `connected` {transport, protocol, address}, `disconnected`, `failed`, `closed` {transport, reason},
        `first_media` {publication}, `rung` {subscription, spatial, height, reason, estimate_kbps},
        `wanted` {publication, watched, recorded},
        `log` {lesson, bytes, error, sealed}, `still` {lesson, source, hash, bytes, width, height},
        `own_still` {transport, hash, bytes, width, height}, `overflow` {count},
        `stats` {transports: list[TransportStats], publications: list[PublicationStats],
        subscriptions: list[SubscriptionStats], drops: {reason: count}}.
        """
        while (event := await self._events.get()) is not None:
            yield event

    # commands, in the order of PROTOCOL section 5

    async def open_lesson(self, lesson: str, log_dir: str | None, label: Label = None) -> str | None:
        """Start a lesson and, with a directory, its log in `log_dir`/<epoch>/, which is returned; idempotent."""
        ok = await self._ask("open_lesson", lesson=lesson, log_dir=log_dir, label=label)
        return cast("str | None", ok["log_dir"])

    async def close_lesson(self, lesson: str) -> None:
        """Close its transports and seal its log; idempotent."""
        await self._ask("close_lesson", lesson=lesson)

    async def open_transport(
        self,
        lesson: str,
        params: TransportParams,
        label: Label = None,
        replaces: int | None = None,
        link: str | None = None,
    ) -> LocalTransport:
        """Make an association; `replaces` is removed first. What a `link` carried is remembered for its next one."""
        ok = await self._ask("open_transport", lesson=lesson, params=params, label=label, replaces=replaces, link=link)
        return cast("LocalTransport", ok)

    async def restart_ice(self, transport: int, ufrag: str, pwd: str) -> LocalTransport:
        """New ICE credentials for a living association; `ufrag` and `pwd` are the peer's new ones."""
        return cast("LocalTransport", await self._ask("restart_ice", transport=transport, ufrag=ufrag, pwd=pwd))

    async def add_publication(
        self,
        transport: int,
        rtp: RtpParameters,
        source: Source,
        label: Label = None,
        *,
        granted: bool = True,
        recorded: bool = True,
    ) -> int:
        """Media that this transport will send; `recorded` when its lesson has a log, dropped until it is `granted`."""
        fields = {"source": source, "label": label, "granted": granted, "recorded": recorded}
        return int((await self._ask("add_publication", transport=transport, rtp=rtp, **fields))["handle"])

    async def grant(self, publication: int, on: bool) -> None:
        """Let its packets pass, or end them at the door at once."""
        await self._ask("grant", publication=publication, on=on)

    async def show_stills(self, transport: int, of: list[tuple[int, int]]) -> None:
        """The own stills of these transports (handle, tile) go to this one, and no others any more; at most 64."""
        await self._ask("show_stills", transport=transport, of=of)

    async def add_player(self, lesson: str, paths: list[str], rtp: RtpParameters, loop_us: int, source: Source) -> int:
        """Media that is played from track files, repeated every `loop_us` (the check of the line)."""
        ok = await self._ask("add_player", lesson=lesson, paths=paths, rtp=rtp, loop_us=loop_us, source=source)
        return int(ok["handle"])

    async def add_subscription(self, transport: int, rtp: RtpParameters, label: Label = None) -> int:
        """A slot of this transport, connected to nothing."""
        return int((await self._ask("add_subscription", transport=transport, rtp=rtp, label=label))["handle"])

    async def connect(self, subscription: int, publication: int | None) -> None:
        """Point a slot at a publication or at nothing."""
        await self._ask("connect", subscription=subscription, publication=publication)

    async def cap(self, subscription: int, spatial: int, *, fixed: bool = False) -> None:
        """The highest layer (0-2, -1 pauses) that this slot may get; `fixed` asks for it at once."""
        await self._ask("cap", subscription=subscription, spatial=spatial, fixed=fixed)

    async def play_out(self, transport: int, target_ms: int) -> None:
        """How deep the play-out buffer at the other end is, in milliseconds."""
        await self._ask("play_out", transport=transport, target_ms=target_ms)

    async def remove(self, handle: int) -> None:
        """Remove a transport, publication or subscription; idempotent."""
        await self._ask("remove", handle=handle)

    async def mark(self, lesson: str, body: dict[str, Any]) -> None:
        """Write an EVENT record into the lesson's log (nothing happens without a log)."""
        await self._ask("mark", lesson=lesson, body=body)

    async def put_still(self, lesson: str, source: Source, format: str, size: tuple[int, int], file: bytes) -> str:
        """A picture (`webp` or `png`) for everybody who gets stills in this lesson; its SHA-256."""
        width, height = size
        data = base64.b64encode(file).decode()
        ok = await self._ask(
            "put_still", lesson=lesson, source=source, format=format, width=width, height=height, data=data
        )
        return str(ok["hash"])

    # the connection

    async def _ask(self, do: str, **fields: Any) -> Any:
        if self._writer is None or not self._ready.is_set():
            await self.wait_connected(self._timeout_s)
        writer = self._writer
        if writer is None:
            raise MediaUnavailable("the connection to the media process broke")
        number = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            writer.write(_line({"id": number, "do": do, **fields}))
            await writer.drain()
            return await asyncio.wait_for(answer, self._timeout_s)
        except TimeoutError:
            raise MediaUnavailable(f"the media process did not answer {do} in {self._timeout_s:g} s") from None
        except OSError as error:
            raise MediaUnavailable(f"the connection to the media process broke: {error}") from error
        finally:
            self._waiting.pop(number, None)

    async def _run(self) -> None:
        attempt = 0
        while True:
            base = RECONNECT_S[min(attempt, len(RECONNECT_S) - 1)]
            await asyncio.sleep(base * random.uniform(0.5, 1.0))
            attempt += 1
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._path, limit=LINE_LIMIT)
            except OSError:
                continue
            try:
                while line := await reader.readline():
                    self._take(json.loads(line))
                    attempt = 0
            except (OSError, ValueError, KeyError, TypeError):
                pass  # a broken line is a broken connection: what follows cannot be trusted
            if self._ready.is_set():
                self._put({"event": "lost"})
            self._hang_up()

    def _take(self, message: dict[str, Any]) -> None:
        if "event" not in message:
            self._answer(message)
            return
        if message["event"] == "hello":
            self.epoch, self.state = message["epoch"], message["state"]
            self._ready.set()
        self._put(message)

    def _answer(self, message: dict[str, Any]) -> None:
        answer = self._waiting.pop(message.get("id", 0), None)
        if answer is None or answer.done():
            return
        if (error := message.get("error")) is not None:
            answer.set_exception(CommandFailed(error["code"], error["detail"]))
        else:
            answer.set_result(message["ok"])

    def _put(self, event: MediaEvent) -> None:
        if self._events.qsize() >= EVENT_LIMIT:
            self._make_room()
        self._events.put_nowait(event)

    def _make_room(self) -> None:
        """What is outdated goes first; when all that waits must be heard, a new connection tells what stands."""
        taken = [self._events.get_nowait() for _ in range(self._events.qsize())]
        waiting = [event for event in taken if event is not None]
        newest = {_subject(event): event for event in waiting}
        kept = [event for event in waiting if event["event"] not in PASSING or newest[_subject(event)] is event]
        if len(kept) > EVENT_LIMIT // 2:
            kept = []
            if self._writer is not None:
                self._writer.close()
        for event in kept:
            self._events.put_nowait(event)

    def _hang_up(self) -> None:
        self._ready.clear()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(MediaUnavailable("the connection to the media process broke"))
        self._waiting.clear()


def _subject(event: MediaEvent) -> tuple[str, int | None]:
    """What an event speaks of."""
    return event["event"], event.get("subscription", event.get("transport"))


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
