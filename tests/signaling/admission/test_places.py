"""Places under load: never one too many, every refusal in words, and who was in comes back."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signaling import session
from signaling.admission.desk import Admission
from signaling.auth import classroom_rights
from signaling.config import Config
from signaling.hub import SESSION_OUTLIVES_SOCKET_MS
from signaling.messages import Hello, Refused, ServerMessage
from tests.signaling.conftest import World, vector

CAP, JOINS = 200, 1000


@pytest.fixture
def config(config: Config) -> Config:
    lesson = config.lesson.model_copy(update={"max_receivers": CAP})
    return config.model_copy(update={"lesson": lesson, "node": config.node.model_copy(update={"joins_per_s": 10_000})})


class Nobody:
    """A page that only listens."""

    def send(self, message: ServerMessage) -> None:
        """Heard."""

    def bye(self, reason: str) -> None:
        """Heard."""


def hello(tab: str, resume: str | None = None) -> Hello:
    return Hello(type="hello", protocol=1, token="-", page="classroom", tab=tab, resume=resume)


async def join(world: World, sub: str, tab: str = "tab", resume: str | None = None) -> Any:
    """The participant, or the refusal."""
    rights = classroom_rights(sub, sub, "lesson-1", 2**31)
    try:
        return (await world.hub.join(hello(tab, resume), rights, Nobody()))[1]
    except Refused as refused:
        return refused


def is_refusal(answer: object) -> bool:
    if not isinstance(answer, Refused):
        return False
    assert answer.code == "full" and answer.verdict is not None
    assert answer.verdict["zh"] and answer.verdict["en"] and answer.verdict["seconds"] > 0
    return True


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
async def test_a_thousand_joins_in_any_order_fill_exactly_the_places_that_there_are(world: World, seed: int) -> None:
    chance = random.Random(seed)
    room = world.hub.rooms.get("lesson-1")
    if room is None:
        async with world.page(world.teacher(), "teacher"):
            room = world.hub.rooms["lesson-1"]
    for participant in list(room.lesson.participants.values()):
        await room.leave(participant)
    turns = [chance.randrange(40) for _ in range(JOINS)]
    places = []

    async def one(number: int) -> Any:
        for _ in range(turns[number]):
            await asyncio.sleep(0)
        # Some press F5 while they come in: the same seat twice.
        both = await asyncio.gather(*(join(world, f"c{number}") for _ in range(chance.choice((1, 1, 2)))))
        places.append(len({p.rights.sub for p in room.lesson.participants.values() if p.takes_place}))
        return both[-1]

    answers = await asyncio.gather(*(one(number) for number in range(JOINS)))
    seated = {p.rights.sub for p in room.lesson.participants.values()}
    assert max(places) == CAP and len(seated) == CAP and len(room.lesson.participants) == CAP
    assert sum(1 for answer in answers if not is_refusal(answer)) == CAP


async def test_a_thousand_pages_at_one_moment_over_real_sockets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "HELLO_S", 300.0)  # a thousand clients in this very process may take their time
    everywhere = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    async with world.page(world.teacher(), "teacher"), everywhere as http:
        gate = asyncio.Event()

        async def one(number: int) -> dict[str, Any]:
            async with http.ws_connect(world.url + "/ws") as socket:
                await gate.wait()
                words = {"type": "hello", "protocol": 1, "page": "classroom", "tab": "t"}
                await socket.send_json({**words, "token": world.classroom(sub=f"c{number}")})
                answer: dict[str, Any] = json.loads(await socket.receive_str())
                await everybody.wait()
                return answer

        everybody = asyncio.Event()
        pages = [asyncio.create_task(one(number)) for number in range(JOINS)]
        gate.set()
        room = world.hub.rooms["lesson-1"]
        await world.settled(lambda: room.lesson.receivers() == CAP)
        everybody.set()
        answers = await asyncio.gather(*pages)
    kinds = Counter(answer["type"] for answer in answers)
    assert kinds == {"welcome": CAP, "error": JOINS - CAP}
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert {answer["code"] for answer in refused} == {"full"}
    assert all(a["verdict"]["kind"] == "wait" and "名额已满" in a["verdict"]["zh"] for a in refused)
    assert all(a["verdict"]["cause"] == "lesson_receivers" and a["verdict"]["en"] == a["detail"] for a in refused)


async def test_who_was_in_comes_back_for_a_minute_without_a_new_place(world: World) -> None:
    async with world.page(world.teacher(), "teacher"):
        room = world.hub.rooms["lesson-1"]
        everybody = [await join(world, f"c{number}") for number in range(CAP)]
        assert is_refusal(await join(world, "stranger"))
        lost = everybody[7]
        await world.hub.gone(room, lost, room.outboxes[lost.session])
        world.now_ms[0] += SESSION_OUTLIVES_SOCKET_MS - 1
        await world.hub.tick()
        assert is_refusal(await join(world, "stranger"))  # the seat is still its own
        assert (await join(world, "c7", resume=lost.session)) is lost
        # F5 without a memory: the same computer, the same tab.
        again = await join(world, "c7")
        assert again is not lost and not is_refusal(again)
        await world.hub.gone(room, again, room.outboxes[again.session])
        world.now_ms[0] += SESSION_OUTLIVES_SOCKET_MS
        await world.hub.tick()
        assert not is_refusal(await join(world, "stranger"))
        assert is_refusal(await join(world, "c7"))


async def test_patrols_operators_and_the_teacher_always_come_in(world: World) -> None:
    async with world.page(world.teacher(), "teacher"):
        pass
    for number in range(CAP):
        await join(world, f"c{number}")
    patrol = replace(classroom_rights("p", "Patrol", "lesson-1", 2**31), role="patrol", list_rooms=True)
    assert (await world.hub.join(hello("p"), patrol, Nobody()))[1].rights.role == "patrol"
    async with world.page(world.teacher(), "teacher") as teacher:
        assert teacher.welcome["verdict"] is None


async def test_a_player_gets_the_verdict_over_http_and_when_to_come_again(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher:
        await teacher.offer(vector("chromium_teacher"))
        await teacher.say({"type": "sources", "microphone": True, "camera": True, "screen": False})
        room = world.hub.rooms["lesson-1"]
        await world.settled(lambda: bool(room.publishes()))
        for number in range(CAP):
            await join(world, f"c{number}")
        status, body, headers = await world.request(
            "POST",
            "/whep/lesson-1",
            world.classroom(sub="player"),
            data=vector("chromium_classroom"),
            headers={"Content-Type": "application/sdp"},
        )
    assert (status, body["code"], body["verdict"]["cause"]) == (503, "full", "lesson_receivers")
    assert headers["Retry-After"] == str(body["verdict"]["seconds"])


async def test_newcomers_at_the_bell_come_in_by_turns(world: World, config: Config) -> None:
    now_s = [50.0]
    node = config.node.model_copy(update={"joins_per_s": 5})
    world.hub.config = config.model_copy(update={"node": node})
    world.hub.admission = Admission(world.hub, lambda: now_s[0])
    async with world.page(world.teacher(), "teacher"):
        answers = [await join(world, f"c{number}") for number in range(12)]
        verdicts = [a.verdict or {} for a in answers if isinstance(a, Refused)]
        waits = [verdict["seconds"] for verdict in verdicts]
        assert len(waits) == 7 and waits == sorted(waits) and max(waits) == 2
        assert {verdict["cause"] for verdict in verdicts} == {"pace"}
        now_s[0] += 2
        later = [await join(world, f"c{number}") for number in range(5, 12)]
        assert not any(map(is_refusal, later))


async def test_measured_megabits_lower_the_rung_of_newcomers_and_room_raises_it(world: World, config: Config) -> None:
    lesson = config.lesson.model_copy(update={"max_mbit_s": 10.0})
    world.hub.config = config.model_copy(update={"lesson": lesson})
    async with world.page(world.teacher(), "teacher") as teacher:
        await teacher.offer(vector("chromium_teacher"))
        await teacher.say({"type": "sources", "microphone": True, "camera": True, "screen": True})
        room = world.hub.rooms["lesson-1"]
        await world.settled(lambda: bool(room.publishes()))
        await world.hub.tick()
        async with world.page(world.classroom(sub="first"), tab="a") as first:
            assert first.welcome["verdict"] is None
            await first.offer(vector("chromium_classroom"))
            handle = next(
                p.transport.handle for p in room.lesson.participants.values() if p.rights.sub == "first" and p.transport
            )
            world.hub.book.transports = {handle: {"transport": handle, "send_bps": 9_700_000}}  # type: ignore[typeddict-item]
            async with world.page(world.classroom(sub="second"), tab="b") as second:
                verdict = second.welcome["verdict"]
                assert (verdict["kind"], verdict["cause"], verdict["layer"]) == ("rung", "lesson_mbit", -1)
                assert "声音" in verdict["zh"] and "sound" in verdict["en"]
                await second.offer(vector("chromium_classroom"))
                await world.settled(lambda: any(c["spatial"] == -1 for c in world.media.did("cap")))
                world.hub.book.transports[handle]["send_bps"] = 500_000
                for _ in range(4):
                    world.now_ms[0] += 11_000
                    await world.hub.tick()
                joined = next(p for p in room.lesson.participants.values() if p.rights.sub == "second")
                assert joined.admitted.plain() is None and joined.cap_of("camera") == (2, False)
            world.hub.book.transports[handle]["send_bps"] = 10_000_000
            refused = await join(world, "third")
            assert is_refusal(refused) and refused.verdict["cause"] == "lesson_mbit"
