"""Grants and audiences as commands: what passes, what is refused, what a restarted signalling process finds."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streaming.errors import CommandFailed
from tests.streaming.ends import RIDS, End, connect, rid_encodings, until, video, write_camera
from tests.streaming.test_node import join, running, teach

if TYPE_CHECKING:
    from streaming._core import TransportParams


def refused(server: End) -> int:
    """Packets dropped for want of a grant."""
    drops = server.core.take_stats()["drops"]
    names = [server.core.drop_reasons[index] for index in drops["reason"].tolist()]
    counts: dict[str, int] = dict(zip(names, drops["count"].tolist(), strict=True))
    return counts["not_granted"]


def test_a_camera_is_taken_in_only_while_it_is_granted(tmp_path: Path) -> None:
    with End() as server, End() as sender:
        here, there = connect(server, sender)
        camera = server.core.add_publication(here, video("2", [{"rid": rid} for rid in RIDS]), granted=False)
        played = video("0", [{}, {}, {}])
        played["extensions"] = {}
        player = sender.core.add_player(sender.lesson, write_camera(tmp_path), played, 2_000_000)
        leg = sender.core.add_subscription(there, video("2", rid_encodings()))
        sender.core.connect(leg, player, all_encodings=True)

        def taken() -> int:
            return server.column("encodings", "packets", publication=camera, encoding=0)

        until(lambda: refused(server) > 100, "packets that are refused")
        assert taken() == 0 and not [e for e in server.events if e["event"] == "first_media"]
        server.core.grant(camera, True)
        server.wait("first_media", publication=camera)
        until(lambda: taken() > 20, "packets that are taken")
        server.core.grant(camera, False)
        before = refused(server)
        until(lambda: refused(server) > before, "the first one that is refused")
        ended = taken()
        until(lambda: refused(server) > before + 100, "a hundred more")
        assert taken() == ended


def test_grants_and_audiences_of_what_is_not_there_are_refused(tmp_path: Path) -> None:
    with End() as server, End() as teacher, End() as room:
        wall, _ = connect(server, teacher, stills=("from_peer", "to_peer"))
        shown, _ = connect(server, room, stills=("to_peer", "from_peer"))
        played = video("0", [{}, {}, {}])
        played["extensions"] = {}
        player = server.core.add_player(server.lesson, write_camera(tmp_path), played, 2_000_000)
        for handle, word in ((4711, "no publication"), (wall, "no publication"), (player, "played from files")):
            with pytest.raises(ValueError, match=word):
                server.core.grant(handle, True)
        server.core.show_stills(wall, [(shown, 7), (4711, 8)])  # a room that left a moment ago is left out
        for of, word in (
            ([(shown, 0)], "tile 0"),
            ([(shown, 1)] * 65, "more than 64"),
            ([(player, 1)], "no transport"),
        ):
            with pytest.raises(ValueError, match=word):
                server.core.show_stills(wall, of)
        with pytest.raises(ValueError, match="no transport"):
            server.core.show_stills(player, [])


def offered(stills: str) -> TransportParams:
    """An association that never comes up."""
    print_of_nobody = ":".join(["AB"] * 32)
    return {"ufrag": "user", "pwd": "p" * 22, "fingerprint": print_of_nobody, "dtls": "passive", "stills": stills}


async def test_nobody_looks_at_the_stills_of_another_lesson(tmp_path: Path) -> None:
    async with running(tmp_path) as media:
        for lesson in ("math", "art"):
            await media.client.open_lesson(lesson, None)
        wall = (await media.client.open_transport("math", offered("from_peer")))["transport"]
        stranger = (await media.client.open_transport("art", offered("to_peer")))["transport"]
        with pytest.raises(CommandFailed, match=f"bad_argument: transport {stranger} is of another lesson"):
            await media.client.show_stills(wall, [(stranger, 1)])


async def test_a_restarted_signalling_finds_grants_and_audiences_and_nothing_unrecorded_is_written(
    tmp_path: Path,
) -> None:
    with End() as room, End() as teacher:
        async with running(tmp_path) as media:
            log_dir = await media.client.open_lesson("math", str(tmp_path / "math"))
            await teach(media, teacher, tmp_path)
            here, _ = await join(media, room, "room")
            (wall,) = [t["transport"] for t in (await state(media.socket))[0]["transports"] if t["label"] == "teacher"]
            camera = await media.client.add_publication(
                here, video("9", [{"rid": "l"}, {"rid": "m"}]), "camera", "own", granted=False, recorded=False
            )
            await media.client.show_stills(wall, [(here, 12)])
            await media.client.grant(camera, True)
            rows = {row["transport"]: row for row in (await state(media.socket))[0]["transports"]}
            assert rows[wall]["shows"] == [[here, 12]]
            (own,) = rows[here]["publications"]
            assert (own["granted"], own["recorded"]) == (True, False)
            (taught,) = rows[wall]["publications"]
            assert (taught["granted"], taught["recorded"]) == (True, True)
            await media.client.remove(here)
            rows = {row["transport"]: row for row in (await state(media.socket))[0]["transports"]}
            assert rows[wall]["shows"] == []
            await media.client.close_lesson("math")
            await media.until(lambda event: event["event"] == "log" and event["sealed"])
    tracks = {name.partition("-")[0] for name in await asyncio.to_thread(os.listdir, log_dir) if name.endswith(".zwl")}
    assert tracks == {"00000", "00001"}, "the lesson's events and the teacher's camera"


async def state(socket: str) -> list[Any]:
    """What a new connection is told."""
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_unix_connection(socket, limit=1 << 24)
        hello = json.loads(await reader.readline())
        writer.close()
    return list(hello["state"])
