"""One teacher, three classrooms, each with a tone of its own, by an independent implementation: who hears whom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.browser import eventually
from tests.support.server import Server
from tests.support.tones import Ear, TonePage, hears, tone_page

pytestmark = pytest.mark.e2e
TEACHER_HZ, TONES_HZ = 400.0, (700.0, 1000.0, 1300.0)
HALF_A_SECOND = 25  # packets of 20 ms
WATCHED = 100  # packets of the teacher's voice while which nothing else may come


def stage(page: TonePage) -> tuple[Ear, Ear]:
    """The two places on stage, as a page hears them."""
    return page.ears[-2], page.ears[-1]


async def counts(ears: Iterable[Ear]) -> list[int]:
    return [await ear.packets() for ear in ears]


async def while_the_teacher_speaks(classroom: TonePage, packets: int) -> None:
    """Wait for so many packets of the teacher: they come by the same way as the others would."""
    voice = classroom.ears[0]
    goal = await voice.packets() + packets
    await eventually(voice.packets, lambda count: count >= goal, 120)


async def tile_of(teacher: TonePage, name: str) -> int:
    told = await teacher.hear("tiles", lambda m: any(row["name"] == name for row in m["rows"]))
    return int(next(row["id"] for row in told["rows"] if row["name"] == name))


async def test_each_hears_the_lesson_and_the_stage_nobody_itself_and_a_hush_is_silence_in_packets(
    server: Server, lesson: dict[str, Any]
) -> None:
    async with AsyncExitStack() as stack:

        async def page(kind: str, name: str, hertz: float) -> TonePage:
            return await stack.enter_async_context(tone_page(server, kind, lesson["id"], name, hertz))

        teacher = await page("teacher", "王老师", TEACHER_HZ)
        await teacher.say("sources", microphone=True)
        rooms = [await page("classroom", f"教学点{n}", hertz) for n, hertz in enumerate(TONES_HZ)]
        one, two, three = rooms
        await asyncio.gather(*(hears(room.ears[0], TEACHER_HZ) for room in rooms))
        places = [ear for who in (teacher, *rooms) for ear in stage(who)]
        await while_the_teacher_speaks(three, HALF_A_SECOND)
        assert await counts(places) == [0] * 8, "all send from the beginning, and nobody is called"

        await teacher.say("stage", id=await tile_of(teacher, one.name), on=True)
        await asyncio.gather(*(hears(stage(who)[0], one.hertz) for who in (teacher, two, three)))
        await teacher.say("stage", id=await tile_of(teacher, two.name), on=True)
        await asyncio.gather(*(hears(stage(who)[1], two.hertz) for who in (teacher, one, three)))
        await asyncio.gather(*(hears(stage(who)[0], one.hertz) for who in (teacher, two, three)))
        await asyncio.gather(*(hears(room.ears[0], TEACHER_HZ) for room in rooms))
        own = [stage(one)[0], stage(two)[1]]
        assert await counts(own) == [0, 0], "its own place stays empty"
        assert await one.ears[1].packets() == 0, "the twin of the teacher's voice carries nothing of its own"

        on_air = [ear for ear in places if ear not in own]
        before = await counts(on_air)
        await teacher.say("hush", on=True)
        await while_the_teacher_speaks(three, WATCHED)
        late = [now - then for now, then in zip(await counts(on_air), before, strict=True)]
        assert max(late) <= HALF_A_SECOND, f"packets after the hush: {late}"
        still = await counts(places)
        await while_the_teacher_speaks(three, WATCHED)
        assert await counts(places) == still, "silence, though the classrooms go on sending"

        heard = await counts([stage(three)[0]])
        await teacher.say("hush", on=False)
        await teacher.say("stage", id=await tile_of(teacher, three.name), on=True)
        await asyncio.gather(*(hears(stage(who)[0], three.hertz) for who in (teacher, one, two)))
        assert await counts([stage(three)[0]]) == heard, "now this place is its own"
        await teacher.say("stage", id=await tile_of(teacher, three.name), on=False)
        await while_the_teacher_speaks(one, HALF_A_SECOND)
        still = await counts(places)
        await while_the_teacher_speaks(one, HALF_A_SECOND)
        assert await counts(places) == still
