"""Who gets a data channel: the one who shows a screen, and those who look on."""

from __future__ import annotations

import time
from dataclasses import replace

from signaling.auth import teacher_rights
from tests.signaling.conftest import World, vector

TEACHER, CLASSROOM = vector("chromium_teacher"), vector("chromium_classroom")
CHANNEL = ["m=application", "a=sctp-port:5000", "a=max-message-size:1100"]


def channel_of(answer: str) -> list[str]:
    """The data channel's section."""
    lines = answer.split("\r\n")
    start = next(at for at, line in enumerate(lines) if line.startswith("m=application"))
    end = next((at for at in range(start + 1, len(lines)) if lines[at].startswith("m=")), len(lines))
    return lines[start:end]


def ways(world: World) -> list[str]:
    return [command["params"]["stills"] for command in world.media.did("open_transport")]


async def test_a_teacher_gives_stills_and_a_classroom_gets_them(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher, world.page(world.classroom()) as classroom:
        for page, offer in ((teacher, TEACHER), (classroom, CLASSROOM)):
            section = channel_of(await page.offer(offer))
            assert not section[0].startswith("m=application 0 ")
            assert set(CHANNEL[1:]) <= set(section) and "a=setup:passive" in section
    assert ways(world) == ["from_peer", "to_peer"]


async def test_the_bundle_holds_the_channel(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as teacher:
        answer = await teacher.offer(TEACHER)
    (mid,) = [line.partition(":")[2] for line in channel_of(answer) if line.startswith("a=mid:")]
    (group,) = [line for line in answer.split("\r\n") if line.startswith("a=group:BUNDLE")]
    assert mid in group.split()


async def test_who_may_not_show_a_screen_sends_no_stills(world: World) -> None:
    rights = replace(teacher_rights("t1", "王老师", "lesson-1", int(time.time()) + 600), publish=frozenset({"camera"}))
    async with world.page(world.token(rights), "teacher") as teacher:
        section = channel_of(await teacher.offer(TEACHER))
    assert section[0].startswith("m=application 0 ")
    assert ways(world) == ["none"]


async def test_an_unknown_kind_of_channel_is_refused_and_media_goes_on(world: World) -> None:
    offer = TEACHER.replace("webrtc-datachannel", "something-else")
    async with world.page(world.teacher(), "teacher") as teacher:
        section = channel_of(await teacher.offer(offer))
    assert section[0].startswith("m=application 0 ")
    assert ways(world) == ["none"]
