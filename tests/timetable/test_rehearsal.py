"""A rehearsal with the real classrooms: who is asked, what is made of what they got, and that it ends by itself."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.rehearsal.desk import COME_IN_MS, TAKE_MS, TEACHER_MS, RehearsalDesk
from signaling.rehearsal.teacher import RehearsalTeacher
from signaling.rehearsal.verdict import SENTENCES, Findings, PageFacts, verdict
from tests.signaling.conftest import vector
from tests.timetable.conftest import School

FACTS: dict[str, Any] = {"sound": "ok", "slides": "ok", "picture": 360, "camera": "ok", "microphone": "ok"}


class StandIn(RehearsalTeacher):
    """Where the demo teacher would be started."""

    def __init__(self) -> None:
        super().__init__()
        self.token: str | None = None

    async def start(self, url: str, token: str) -> None:
        """Note the token."""
        self.token = token

    async def stop(self) -> None:
        """Nobody is there."""
        self.token = None


async def test_all_online_classrooms_take_the_lesson_and_each_gets_its_sentence(school: School) -> None:
    world, teacher = school.world, StandIn()
    world.hub.rehearsals = RehearsalDesk(world.hub, lambda: teacher)
    await school.add("07:02", "07:40", "数学")  # class k1 has a lesson of its own
    status, begun = await school.operator("POST", "/api/rehearsals")
    assert status == 201 and begun["state"] == "on" and begun["begin_ms"] == 0
    assert (await school.operator("POST", "/api/rehearsals"))[0] == 409
    assert (await world.request("POST", "/api/rehearsals", world.teacher()))[0] == 403
    assert (await school.day("d2"))["asks"]["rehearsal"] is None  # nobody teaches yet
    assert teacher.token is not None
    async with world.page(teacher.token, "teacher") as page:
        await page.offer(vector("chromium_teacher"))
        await page.say({"type": "sources", "microphone": True, "camera": True, "screen": True})
        room = world.hub.rooms[begun["lesson"]]
        await world.settled(lambda: bool(room.lesson.sources()))
        await world.hub.tick()
        ask = (await school.day("d2"))["asks"]["rehearsal"]
        assert ask["lesson"] == begun["lesson"] and ask["end_ms"] - ask["begin_ms"] == COME_IN_MS + TAKE_MS
        assert (await school.day("d1"))["asks"]["rehearsal"] is None
        status, ticket = await school.ticket("d2", ask["lesson"])
        assert status == 200
        async with world.page(ticket["token"], tab="k") as classroom:
            await classroom.offer(vector("chromium_classroom"))
            (seat,) = [p for p in room.lesson.participants.values() if p.rights.sub == "d2"]
            assert seat.transport is not None
            world.media.say("connected", transport=seat.transport.handle, protocol="udp", address="192.0.2.1:1")
            await world.settled(lambda: seat.transport is not None and seat.transport.connected)
            await world.hub.tick()
            said = {"rehearsal": ask["id"], **FACTS, "microphone": "none"}
            assert (await school.device("d2", "POST", "/api/kiosk/rehearsal", json=said))[0] == 200
            assert (await school.device("d2", "POST", "/api/kiosk/rehearsal", json={**said, "sound": 5}))[0] == 400
            _, table = await school.operator("GET", f"/api/rehearsals/{ask['id']}")
            codes = {row["classroom"]: row["code"] for row in table["rows"]}
            assert codes == {"d1": "own_lesson", "d2": "no_microphone", "d3": "offline"}
            (row,) = [row for row in table["rows"] if row["classroom"] == "d2"]
            assert (row["school"], row["joins"], row["sound"], row["slides"], row["device"]) == (
                "石桥小学", "ok", "ok", "ok", "poor",
            )  # fmt: skip
            world.now_ms[0] += COME_IN_MS + TAKE_MS
            await world.hub.tick()
            assert await classroom.close_code() == 4000
    assert not teacher.token and begun["lesson"] not in world.hub.rooms
    _, over = await school.operator("GET", f"/api/rehearsals/{ask['id']}")
    assert over["state"] == "over" and over["rows"] == table["rows"]
    _, listed = await school.operator("GET", "/api/rehearsals")
    assert [row["id"] for row in listed["rehearsals"]] == [ask["id"]]
    assert (await school.device("d2", "POST", "/api/kiosk/rehearsal", json=said))[0] == 400
    assert (await school.day("d2"))["asks"]["rehearsal"] is None


async def test_an_operator_ends_it_early_and_a_lesson_that_never_comes_ends_it_too(school: School) -> None:
    world = school.world
    world.hub.rehearsals = RehearsalDesk(world.hub, StandIn)
    _, begun = await school.operator("POST", "/api/rehearsals")
    assert (await school.operator("DELETE", f"/api/rehearsals/{begun['id']}"))[0] == 200
    assert begun["lesson"] not in world.hub.rooms and world.hub.rehearsals.now is None
    _, again = await school.operator("POST", "/api/rehearsals")
    world.now_ms[0] += TEACHER_MS + 1000
    await world.hub.tick()
    assert world.hub.rehearsals.now is None and again["lesson"] not in world.hub.rooms


def page(**other: Any) -> PageFacts:
    return PageFacts.model_validate({**FACTS, **other})


@pytest.mark.parametrize(
    ("found", "code", "marks"),
    [
        (Findings(paired=False), "not_paired", "?????"),
        (Findings(paired=True), "offline", "?????"),
        (Findings(paired=True, online=True), "not_in", "b????"),
        (Findings(paired=True, online=True, elsewhere=True), "own_lesson", "b????"),
        (Findings(paired=True, connected=True), "unsaid", "o????"),
        (Findings(paired=True, connected=True, reason="ok", page=page()), "well", "ooooo"),
        (Findings(paired=True, connected=True, reason="ok", page=page(blocked=True)), "blocked", "obooo"),
        (Findings(paired=True, connected=True, reason="ok", page=page(sound="silent")), "silent", "obooo"),
        (Findings(paired=True, connected=True, reason="ok", page=page(sound="broken")), "broken_sound", "opooo"),
        (Findings(paired=True, connected=True, reason="ok", page=page(slides="missing")), "no_slides", "ooboo"),
        (Findings(paired=True, connected=True, reason="link_out", page=page()), "cut", "ooobo"),
        (Findings(paired=True, connected=True, reason="link_slow", page=page()), "slow", "ooopo"),
        (Findings(paired=True, connected=True, reason="ok", page=page(microphone="denied")), "no_microphone", "oooop"),
        (Findings(paired=True, connected=True, reason="ok", page=page(camera="none")), "no_camera", "oooop"),
    ],
)
def test_every_finding_has_its_sentence_and_its_marks(found: Findings, code: str, marks: str) -> None:
    row = verdict(found)
    assert row["code"] == code and (row["zh"], row["en"]) == SENTENCES[code]
    letters = {"ok": "o", "poor": "p", "bad": "b", "unknown": "?"}
    assert "".join(letters[row[name]] for name in ("joins", "sound", "slides", "link", "device")) == marks
