"""The media process and its client over the Unix socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recorder.zwl import Kind, ZwlReader
from streaming.client import MediaClient
from streaming.errors import CommandFailed, MediaUnavailable
from tests.streaming.ends import End, rid_encodings, video, write_camera

if TYPE_CHECKING:
    from streaming._core import LocalTransport, TransportParams

PATIENCE_S = 60.0


class Media:
    """A media process of its own, and what its client heard."""

    def __init__(self, folder: Path) -> None:
        self.socket = str(folder / "media.sock")
        self.process: asyncio.subprocess.Process | None = None
        self.client = MediaClient(self.socket)
        self.events: list[dict[str, Any]] = []
        self._news = asyncio.Condition()

    async def start(self) -> None:
        """Start the process."""
        config = {"socket": self.socket, "addresses": ["127.0.0.1"]}
        self.process = await asyncio.create_subprocess_exec(sys.executable, "-m", "streaming.node", json.dumps(config))

    async def kill(self) -> None:
        """End it without a goodbye."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def listen(self) -> None:
        """Collect events for ever."""
        async for event in self.client.events():
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def until(self, condition: Callable[[dict[str, Any]], Any], count: int = 1) -> dict[str, Any]:
        """The event number `count` for which the condition holds."""

        def found() -> dict[str, Any] | None:
            hits = [event for event in self.events if condition(event)]
            return hits[count - 1] if len(hits) >= count else None

        async with self._news, asyncio.timeout(PATIENCE_S):
            await self._news.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None
        return event


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Media]:
    """A started process with a connected client."""
    media = Media(folder)
    await media.start()
    listener = None
    try:
        async with media.client:
            listener = asyncio.create_task(media.listen())
            await media.client.wait_connected()
            yield media
    finally:
        if listener is not None:
            await listener
        if media.process is not None and media.process.returncode is None:
            media.process.send_signal(signal.SIGTERM)
            await media.process.wait()


async def join(media: Media, end: End, label: str) -> tuple[int, int]:
    """A transport of lesson `math` to a client core; both handles."""
    ufrag, pwd = end.core.new_credentials()
    offered: TransportParams = {"ufrag": ufrag, "pwd": pwd, "fingerprint": end.core.fingerprint, "dtls": "passive"}
    local: LocalTransport = await media.client.open_transport("math", offered, label)
    answered: TransportParams = {
        "role": "client",
        "ufrag": local["ufrag"],
        "pwd": local["pwd"],
        "fingerprint": local["fingerprint"],
        "dtls": "active",
        "candidates": local["candidates"],
        "local_ufrag": ufrag,
        "local_pwd": pwd,
    }
    there = end.core.open_transport(end.lesson, answered)["transport"]
    await media.until(lambda event: event["event"] == "connected" and event["transport"] == local["transport"])
    return local["transport"], there


async def teach(media: Media, teacher: End, folder: Path) -> int:
    """A camera in three layers; its publication."""
    here, there = await join(media, teacher, "teacher")
    rids = video("2", [{"rid": rid} for rid in ("l", "m", "h")])
    publication = await media.client.add_publication(here, rids, "camera", {"of": "teacher"})
    played = video("0", [{}, {}, {}])
    played["extensions"] = {}
    player = teacher.core.add_player(teacher.lesson, write_camera(folder), played, 2_000_000)
    teacher.core.connect(teacher.core.add_subscription(there, video("2", rid_encodings())), player, all_encodings=True)
    await media.until(lambda event: event["event"] == "first_media")
    return publication


def rung(height: int) -> Callable[[dict[str, Any]], bool]:
    """The condition of a rung of this height."""
    return lambda event: event["event"] == "rung" and event["height"] == height


async def test_a_lesson_is_forwarded_climbed_capped_recorded_and_sealed(tmp_path: Path) -> None:
    with End() as teacher, End() as classroom:
        async with running(tmp_path) as media:
            client = media.client
            log_dir = await client.open_lesson("math", str(tmp_path / "math"), {"title": "Maths"})
            assert log_dir == str(tmp_path / "math" / str(client.epoch))
            assert await client.open_lesson("math", str(tmp_path / "math")) == log_dir, "twice is once"
            publication = await teach(media, teacher, tmp_path)
            here, there = await join(media, classroom, "classroom")
            slot = await client.add_subscription(here, video("0", [{"ssrc": 77, "rtx_ssrc": 78}]), "slot")
            classroom.core.add_publication(there, video("0", [{"ssrc": 77, "rtx_ssrc": 78}]))
            await client.connect(slot, publication)
            await media.until(rung(180))
            await media.until(rung(720))
            await client.cap(slot, 1, fixed=True)
            held = await media.until(rung(360), count=1)
            assert held["subscription"] == slot
            await media.until(lambda event: rung(360)(event) and event["reason"] == "choice")
            async with MediaClient(media.socket) as newcomer, asyncio.timeout(PATIENCE_S):
                told = await anext(event async for event in newcomer.events() if event["event"] == "rung")
            assert (told["subscription"], told["height"], told["reason"]) == (slot, 360, "choice")
            stats = await media.until(
                lambda event: (
                    event["event"] == "stats"
                    and any(row["transport"] == here and row["send_bps"] > 0 for row in event["transports"])
                )
            )
            (row,) = stats["publications"]
            assert row["source"] == "camera" and [one["height"] for one in row["encodings"]] == [180, 360, 720]
            assert [one["subscription"] for one in stats["subscriptions"]] == [slot], "taps are not shown"
            await client.mark("math", {"event": "marker", "title": "页 2"})
            await client.close_lesson("math")
            await media.until(lambda event: event["event"] == "log" and event["sealed"] and event["lesson"] == "math")
    kinds = [record.kind for record in ZwlReader(Path(log_dir) / "00001-000001.zwl").read()]
    assert kinds[0] == Kind.TRACK and Kind.RTP in kinds and kinds[-1] == Kind.END
    events = [r.body for r in ZwlReader(Path(log_dir) / "00000-000001.zwl").read() if r.kind == Kind.EVENT]
    assert [json.loads(event).get("title") for event in events] == [None, "页 2", None]


async def test_a_second_client_is_told_what_stands(tmp_path: Path) -> None:
    with End() as teacher:
        async with running(tmp_path) as media:
            await media.client.open_lesson("math", None, {"title": "Maths"})
            publication = await teach(media, teacher, tmp_path)
            async with MediaClient(media.socket) as other:
                await other.wait_connected()
                assert other.epoch == media.client.epoch
                (lesson,) = other.state
                (transport,) = lesson["transports"]
                assert lesson["label"] == {"title": "Maths"} and transport["label"] == "teacher"
                assert transport["connected"]
                (state,) = transport["publications"]
                assert state["publication"] == publication and state["source"] == "camera"
                assert state["label"] == {"of": "teacher"}


async def test_the_client_comes_back_to_a_new_process(tmp_path: Path) -> None:
    async with running(tmp_path) as media:
        first = media.client.epoch
        await media.client.open_lesson("math", None)
        await media.kill()
        await media.until(lambda event: event["event"] == "lost")
        with suppress(MediaUnavailable):
            await MediaClient(media.socket, timeout_s=0.1).open_lesson("math", None)
        await media.start()
        hello = await media.until(lambda event: event["event"] == "hello", count=2)
        assert hello["state"] == [] and hello["epoch"] != first
        await media.client.open_lesson("math", None)


async def test_refusals_have_a_code_and_words(tmp_path: Path) -> None:
    async with running(tmp_path) as media:
        client = media.client
        with pytest.raises(CommandFailed, match="no_such: no lesson physics") as refusal:
            await client.mark("physics", {})
        assert refusal.value.code == "no_such"
        await client.open_lesson("math", None)
        with pytest.raises(CommandFailed, match="bad_argument: ufrag is missing"):
            await client.open_transport("math", {"dtls": "passive"})
        with pytest.raises(CommandFailed, match="os_error"):
            await client.open_lesson("art", "/proc/nowhere")
        await client.remove(4_000_000)  # what is gone is gone


async def test_a_second_process_on_the_same_socket_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as media:
        config = json.dumps({"socket": media.socket})
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streaming.node", config, stderr=asyncio.subprocess.PIPE
        )
        _, words = await second.communicate()
        assert second.returncode == 1 and b"another media process listens" in words


async def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    config = json.dumps({"socket": str(tmp_path / "media.sock")})
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'streaming.node', {config!r}]); "
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code + "print(p.pid, flush=True); p.wait()", stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    async with MediaClient(str(tmp_path / "media.sock")) as client:
        await client.wait_connected()
    descriptor = os.pidfd_open(child)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    parent.kill()
    await parent.wait()
    await asyncio.wait_for(ended.wait(), PATIENCE_S)
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)
