"""A month whose data runs out lowers a school's pictures, in a lesson that goes on; nobody is ever sent away for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from signaling.timetable.policy import MB
from tests.signaling.conftest import Page, vector
from tests.timetable.conftest import School
from tests.timetable.test_school_day import ON_AIR, TEACHER

CLASSROOM = vector("chromium_classroom")


def stats(transport: int, carried: int) -> dict[str, Any]:
    """What media says of one transport once a second."""
    row = {"transport": transport, "rx_packets": 0, "rx_bytes": 0, "tx_packets": 0, "tx_bytes": carried}
    return {"transports": [row], "publications": [], "subscriptions": [], "drops": {}}


def pictures(school: School, transport: int) -> dict[int, str]:
    """The slots of pictures by what they carry."""
    slots = school.world.media.transports[transport]["subscriptions"]
    by_mid = {"2": "camera", "3": "screen", "5": "spare"}
    return {s["subscription"]: by_mid[s["label"]["mid"]] for s in slots if s["label"]["mid"] in by_mid}


@asynccontextmanager
async def taught(school: School, lesson: str) -> AsyncIterator[Page]:
    """The lesson is on, and this classroom sees its teacher."""
    await school.until(8)
    token = (await school.start(lesson))[1]["token"]
    ticket = (await school.ticket("d1", lesson))[1]["token"]
    async with school.world.page(token, "teacher") as teacher, school.world.page(ticket) as classroom:
        await teacher.offer(TEACHER)
        await teacher.say(ON_AIR)
        await classroom.offer(CLASSROOM)
        await classroom.hear("slots", lambda m: m["slots"][2]["source"] == "camera")
        yield classroom


async def used(school: School, transport: int, carried: int) -> None:
    """The classroom's connection has carried so much by now; the server looks."""
    school.world.media.say("stats", **stats(transport, carried))
    book = school.world.hub.book
    await school.world.settled(
        lambda: transport in book.transports and book.transports[transport]["tx_bytes"] == carried
    )
    for _ in range(2):
        school.world.now_ms[0] += 5_000
        await school.world.hub.tick()


async def test_a_cap_takes_a_step_then_the_pictures_and_never_the_lesson(school: School) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学')}-20261123"
    body = {"level": "school", "owner": "s1", "settings": {"data_cap_mb": 100}}
    assert (await school.operator("PUT", "/api/policies", body))[0] == 200
    async with taught(school, lesson) as classroom:
        await walk_through_the_month(school, classroom)
        # A new month begins with all of it again.
        usage = school.world.hub.accounts.usage
        assert usage.of("s1", "2026-12") == {"media": 0, "pages": 0}
        assert usage.of("s1", "2026-11")["media"] == 101 * MB
        _, data = await school.operator("GET", "/api/data?month=2026-11")
        assert {s["id"]: s["allowance"] for s in data["schools"]} == {"s1": "sound", "s2": "all"}
        body = {"level": "school", "owner": "s1", "settings": {"data_cap_mb": 0}}
        await school.operator("PUT", "/api/policies", body)
        rung = await classroom.hear("rung")
        assert rung["reason"] != "data_cap"
        assert (await school.states())[0] == ("数学", "live")


async def walk_through_the_month(school: School, classroom: Page) -> None:
    """From nothing used to more than the cap, with what the classroom hears of it."""
    media, transport = school.world.media, max(school.world.media.transports)
    slots = pictures(school, transport)
    await used(school, transport, 0)
    assert not media.did("cap")
    await used(school, transport, 81 * MB)
    caps = {c["subscription"]: c["spatial"] for c in media.did("cap")}
    assert {slots[number]: spatial for number, spatial in caps.items()} == {"camera": 1, "screen": 1, "spare": 1}
    await used(school, transport, 101 * MB)
    caps = {c["subscription"]: c["spatial"] for c in media.did("cap")}
    assert set(caps.values()) == {-1}
    camera = next(number for number, source in slots.items() if source == "camera")
    media.say("rung", subscription=camera, spatial=-1, height=0, reason="choice", estimate_kbps=900)
    rung = await classroom.hear("rung", lambda m: m["camera"] == 0)
    assert rung["reason"] == "data_cap" and rung["choice"] == "auto"
    assert not media.did("remove") and transport in media.transports


async def test_what_a_classroom_had_is_kept_over_a_restart_and_stands_beside_its_rating(school: School) -> None:
    lesson = f"p{await school.add('08:00', '08:40', '数学')}-20261123"
    async with taught(school, lesson) as classroom:
        transport = max(school.world.media.transports)
        school.world.media.say("connected", transport=transport, protocol="udp", address="192.0.2.1:1")
        for subscription, source in pictures(school, transport).items():
            height = 360 if source == "camera" else 0
            told = {"spatial": 1, "height": height, "reason": "ok", "estimate_kbps": 0}
            school.world.media.say("rung", subscription=subscription, **told)
        await classroom.hear("rung", lambda m: m["camera"] == 360)
        await classroom.say({"type": "report", "audio_concealed_ratio": 0.02, "freeze_ratio": 0.1})
        await classroom.say({"type": "quality", "choice": "auto"})
        await classroom.hear("rung")
        for _ in range(120):
            school.world.now_ms[0] += 1_000
            await school.world.hub.tick()
    await school.world.hub.accounts.flush()
    rate = {"lesson": lesson, "stars": 3}
    assert (await school.device("d1", "POST", "/api/kiosk/rating", json=rate))[0] == 200
    (row,) = (await school.operator("GET", "/api/data"))[1]["ratings"]
    assert (row["stars"], row["present_min"], row["minutes"]) == (3, 2.0, {"360": 2.0})
    assert (row["concealed_ratio"], row["freeze_ratio"]) == (0.02, 0.1)
    assert json.dumps(row)  # plain values
