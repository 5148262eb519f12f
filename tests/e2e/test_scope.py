"""Who may receive is decided at the packet: a class that is taken out of a running lesson gets no more of it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import aiohttp
import pytest

from signaling.ends.client_core import ClientCore
from signaling.ends.demo_media import LessonMedia
from signaling.ends.door import Door, DoorPlan
from signaling.ends.receive_end import ReceiveEnd
from tests.support.browser import eventually
from tests.support.kiosk import teaching
from tests.support.school import School, TurnedClock
from tests.support.server import Server

pytestmark = pytest.mark.e2e
MANY = 200  # packets: four seconds of voice alone
UNDER_WAY = 20  # packets when it was told: it is told before the connection is taken down


class StubbornClassroom(ReceiveEnd):
    """Stays after it was told to go, and counts what arrives."""

    def __init__(self, server: Server, token: str, client: ClientCore) -> None:
        super().__init__(DoorPlan(server.url, token, "classroom", insecure=True), client)
        self.told = asyncio.Event()

    async def _listen(self, door: Door) -> None:
        async for message in door.messages():
            if message["type"] == "bye":
                assert message["reason"] == "removed"
                self.told.set()
        await asyncio.Event().wait()

    async def packets(self) -> int:
        """So many have arrived by the connection that stands."""
        rows = self.client.core.take_stats()["transports"]
        return int(rows["rx_packets"][rows["transport"] == self.transport].sum())


@pytest.mark.timeout(200)
async def test_a_class_taken_out_of_a_running_lesson_gets_no_more_packets_and_who_came_by_the_code_does(
    school_server: Server, clock: TurnedClock, media: LessonMedia
) -> None:
    school = await School.open(school_server, clock)
    lesson = await school.period("10:00", "10:40", "音乐")
    clock.turn_to("10:00")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as device:
        await ask(device, school_server, "device/pair", code=await school.pairing_code())
        by_plan = await eventually(lambda: ask(device, school_server, "device/token", lesson=lesson), bool)
        async with teaching(school_server, lesson, media):
            by_code = await ask(device, school_server, "join", code=await school.code_of(lesson), name="")
            with ExitStack() as stack:
                ends = [
                    StubbornClassroom(school_server, token, stack.enter_context(ClientCore()))
                    for token in (by_plan, by_code)
                ]
                running = [asyncio.create_task(end.run()) for end in ends]
                try:
                    await only_the_first_loses_it(school, lesson, *ends)
                finally:
                    for task in running:
                        task.cancel()
                    await asyncio.gather(*running, return_exceptions=True)


async def only_the_first_loses_it(
    school: School, lesson: str, planned: StubbornClassroom, guest: StubbornClassroom
) -> None:
    """Both receive; then the period is another class's."""
    for end in (planned, guest):
        await end.first_media.wait()
        await eventually(end.packets, lambda count: count > MANY)
    await school.give_away(lesson)
    await planned.told.wait()
    last, before = await planned.packets(), await guest.packets()
    await eventually(guest.packets, lambda count: count > before + MANY)
    assert last <= await planned.packets() <= last + UNDER_WAY
    assert not guest.told.is_set()


async def ask(device: aiohttp.ClientSession, server: Server, path: str, **body: str) -> str:
    """A question of a classroom's computer; the token in the answer, if it has one."""
    async with device.post(f"{server.url}/api/{path}", json=body, ssl=False) as answer:
        return str((await answer.json()).get("token", "")) if answer.ok else ""
