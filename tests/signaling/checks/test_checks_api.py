"""Checks at the door: who may begin one, what bounds hold, and that no lesson is touched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from signaling.checks import desk
from signaling.checks.code import LETTERS, REPORT_LETTERS, code_of_day, is_code_of_day, spoken
from signaling.checks.desk import CHECK_S, IDLE_CLOSE_S, LESSON, MAX_BYTES, MAX_CHECKS, MAX_LEGS
from signaling.checks.stream import CheckStream
from tests.signaling.conftest import KEYS, World, vector
from tests.signaling.people.steps import paired

SECRET = KEYS["test"]
DAY_MS = 86_400_000


@dataclass
class Clock:
    """Seconds of the desk, turned by hand."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> World:
    async def ready(_: Path) -> CheckStream:
        return CheckStream(["l", "m", "h"], ["low", "voice"])

    monkeypatch.setattr(desk, "prepare_stream", ready)
    monkeypatch.setattr(world.hub.checks, "_now_s", clock)
    return world


async def begin(world: World, token: str | None = None, **body: Any) -> str:
    """A check's name."""
    status, value, _ = await world.request("POST", "/api/checks/begin", token, json=body)
    assert status == 201, value
    return str(value["check"])


async def offer(world: World, check: str) -> tuple[int, Any]:
    sdp = {"sdp": vector("chromium_classroom")}
    status, value, _ = await world.request("POST", f"/api/checks/{check}/offer", json=sdp)
    return status, value


def only_lesson(world: World) -> dict[str, Any]:
    """The state of the lesson of the checks."""
    return next(row for row in world.media.state() if row["lesson"] == LESSON)


async def test_a_check_needs_a_token_or_the_code_of_the_day(world: World) -> None:
    today = code_of_day(SECRET, world.now_ms[0])
    status, value, _ = await world.request("GET", "/api/checks/today", world.operator())
    assert (status, value["code"]) == (200, today)
    assert (await world.request("GET", "/api/checks/today", world.teacher()))[0] == 403
    for body in ({}, {"code": "000000"}, {"code": code_of_day(SECRET, world.now_ms[0] - 2 * DAY_MS)}):
        assert (await world.request("POST", "/api/checks/begin", json=body))[0] == 403
    await begin(world, code=f"{today[:3]} {today[3:]}")
    await begin(world, code=code_of_day(SECRET, world.now_ms[0] - DAY_MS))
    await begin(world, world.classroom())


async def test_a_paired_classroom_checks_without_any_code_and_is_named_in_its_report(world: World) -> None:
    identity, secret = await paired(world)
    cookie = {"Cookie": f"zd_device={secret}"}
    assert (await world.request("POST", "/api/checks/begin", json={}, headers=cookie))[0] == 201
    body = {"facts": {"reach": "ok"}, "name": "somebody else"}
    assert (await world.request("POST", "/api/checks", json=body, headers=cookie))[0] == 201
    (row,) = (await world.request("GET", "/api/checks", world.operator()))[1]["checks"]
    assert row["device"] == identity
    assert row["name"] == "枫林教学点 三年级教室"


async def test_codes_cannot_be_guessed(world: World) -> None:
    for number in range(12):
        status, _, _ = await world.request("POST", "/api/checks/begin", json={"code": f"{number:06}"})
        assert status == 403
    good = code_of_day(SECRET, world.now_ms[0])
    assert (await world.request("POST", "/api/checks/begin", json={"code": good}))[0] == 403


async def test_the_stream_flows_in_a_lesson_of_its_own_that_nobody_sees(world: World) -> None:
    check = await begin(world, world.classroom())
    status, value = await offer(world, check)
    assert (status, value["leg"]) == (201, 0)
    assert "a=candidate" in value["sdp"]
    assert [command["log_dir"] for command in world.media.did("open_lesson")] == [None]
    assert {command["source"] for command in world.media.did("add_player")} == {"microphone", "camera"}
    assert world.hub.rooms == {}
    slots = only_lesson(world)["transports"][0]["subscriptions"]
    assert all(slot["publication"] is None for slot in slots)
    await world.request("POST", f"/api/checks/{check}/carry", json={"leg": 0})
    carried = [slot["publication"] for slot in only_lesson(world)["transports"][0]["subscriptions"]]
    assert len([one for one in carried if one is not None]) == 2
    await world.request("POST", f"/api/checks/{check}/carry", json={"leg": None})
    assert all(s["publication"] is None for s in only_lesson(world)["transports"][0]["subscriptions"])
    await world.request("POST", f"/api/checks/{check}/end")
    assert only_lesson(world)["transports"] == []
    assert (await offer(world, check))[0] == 401


async def test_what_media_counts_is_told(world: World) -> None:
    check = await begin(world, world.classroom())
    await offer(world, check)
    transport = only_lesson(world)["transports"][0]
    video = world.media.did("add_subscription")
    slot = next(
        row["subscription"]
        for row, command in zip(transport["subscriptions"], video, strict=True)
        if command["rtp"]["kind"] == "video"
    )
    world.media.say("connected", transport=transport["transport"], protocol="udp", address="192.0.2.1:1")
    world.media.say("rung", subscription=slot, spatial=1, height=360, reason="ok", estimate_kbps=812)

    async def leg() -> dict[str, Any]:
        _, value, _ = await world.request("GET", f"/api/checks/{check}/heard")
        told: dict[str, Any] = value["legs"][0]
        return told

    while (told := await leg())["height"] is None:
        pass
    assert (told["connected"], told["height"], told["estimate_kbps"]) == (True, 360, 812)


async def test_checks_are_bounded_in_number_connections_time_and_bytes(world: World, clock: Clock) -> None:
    checks = [world.hub.checks.begin(f"asker {number}") for number in range(MAX_CHECKS)]
    status, value, headers = await world.request("POST", "/api/checks/begin", world.classroom(), json={})
    assert (status, value["code"]) == (503, "busy")
    assert int(headers["Retry-After"]) > 0
    for _ in range(MAX_LEGS):
        assert (await offer(world, checks[0].id))[0] == 201
    assert (await offer(world, checks[0].id))[0] == 503
    row = {"transport": checks[0].legs[0].handle, "rx_bytes": MAX_BYTES, "tx_bytes": 1, "rtt_us": -1}
    world.hub.book.transports = {checks[0].legs[0].handle: row}  # type: ignore[dict-item]
    await world.hub.checks.tick()
    assert world.hub.checks.running == MAX_CHECKS - 1
    assert only_lesson(world)["transports"] == []
    clock.now_s += CHECK_S
    await world.hub.checks.tick()
    assert world.hub.checks.running == 0
    clock.now_s += IDLE_CLOSE_S + 1
    await world.hub.checks.tick()
    assert LESSON not in world.media.lessons


async def test_the_bytes_of_a_classroom_s_check_belong_to_its_school_s_month(world: World) -> None:
    identity, secret = await paired(world)
    status, value, _ = await world.request(
        "POST", "/api/checks/begin", headers={"Cookie": f"zd_device={secret}"}, json={}
    )
    assert status == 201
    await offer(world, value["check"])
    handle = world.hub.checks.check(value["check"]).legs[0].handle
    accounts, school = world.hub.accounts, world.hub.register.people.classrooms[identity].school
    for moved in (1000, 5000, 7000):
        row = {"transport": handle, "rx_bytes": moved, "tx_bytes": 0, "rtt_us": -1}
        world.hub.book.transports = {handle: row}  # type: ignore[dict-item]
        await (world.hub.tick() if moved < 7000 else world.hub.checks.end(world.hub.checks.check(value["check"])))
    await world.hub.tick()
    assert accounts.usage.of(school, accounts.month)["media"] == 7000


async def test_a_connection_that_comes_after_the_end_is_not_left_standing(world: World) -> None:
    check = await begin(world, world.classroom())
    await offer(world, check)
    world.media.held["open_transport"] = asyncio.Event()
    late = asyncio.create_task(offer(world, check))
    await world.settled(lambda: len(world.media.did("open_transport")) == 2)
    ending = asyncio.create_task(world.request("POST", f"/api/checks/{check}/end"))
    await world.settled(lambda: world.hub.checks.running == 0)
    world.media.held.pop("open_transport").set()
    assert (await late)[0] == 401
    assert (await ending)[0] == 200
    await world.settled(lambda: only_lesson(world)["transports"] == [])


async def test_one_asker_has_one_check_and_not_too_often(world: World) -> None:
    first = await begin(world, world.classroom())
    await begin(world, world.classroom())
    assert (await offer(world, first))[0] == 401
    answers = [(await world.request("POST", "/api/checks/begin", world.classroom(), json={}))[0] for _ in range(8)]
    assert answers[0] == 201 and answers[-1] == 503
    assert (await world.request("POST", "/api/checks/begin", world.classroom(sub="c2"), json={}))[0] == 201


async def test_a_media_process_that_began_anew_ends_the_checks(world: World) -> None:
    check = await begin(world, world.classroom())
    await offer(world, check)
    world.media.restart("epoch-2")
    await world.settled(lambda: world.hub.checks.running == 0)
    assert (await offer(world, check))[0] == 401
    await world.settled(lambda: world.hub.media.connected)
    assert (await offer(world, await begin(world, world.classroom(sub="c2"))))[0] == 201


async def test_a_report_is_kept_for_thirty_days_and_says_no_more_than_was_found(world: World) -> None:
    facts = {"tool": "page", "udp": "ok", "tcp": "ok", "down_kbps": 1400, "height": 720, "up_kbps": 300}
    body = {"facts": facts, "lesson": "p7-20231115"}
    status, kept, _ = await world.request("POST", "/api/checks", world.classroom(), json=body)
    assert (status, kept["rule"], kept["level"]) == (201, "well", "well")
    code = kept["code"]
    assert len(code) == REPORT_LETTERS and set(code) <= set(LETTERS)
    status, listed, _ = await world.request("GET", "/api/checks", world.operator())
    row = {"code": code, "at_ms": world.now_ms[0], "device": None, "name": "Village 1", "lesson": "p7-20231115"}
    assert listed["checks"] == [{**row, "rule": "well", "level": "well", "facts": {"purpose": "receive", **facts}}]
    as_typed = f"{code[:3].lower()}%20{code[3:]}"
    assert (await world.request("GET", f"/api/checks/{as_typed}", world.operator()))[1] == listed["checks"][0]
    for path in ("/api/checks", f"/api/checks/{code}"):
        assert (await world.request("GET", path, world.teacher()))[0] == 403
        assert (await world.request("GET", path))[0] == 401
    world.now_ms[0] += 31 * DAY_MS
    assert (await world.request("GET", f"/api/checks/{code}", world.operator()))[0] == 404


@pytest.mark.parametrize("facts", [None, "well", {"address": "10.0.0.1"}, {"down_kbps": -1}, {"udp": "perhaps"}])
async def test_a_report_has_known_facts_only(world: World, facts: Any) -> None:
    status, value, _ = await world.request("POST", "/api/checks", world.classroom(), json={"facts": facts})
    assert (status, value["code"]) == (400, "bad_message")


async def test_reports_of_one_asker_are_bounded(world: World) -> None:
    body = {"facts": {"reach": "ok"}}
    answers = [(await world.request("POST", "/api/checks", world.classroom(), json=body))[0] for _ in range(14)]
    assert answers[0] == 201 and answers[-1] == 503


def test_a_code_is_read_as_it_was_meant() -> None:
    assert spoken(" 7kq-2oI l ") == "7KQ2011"
    assert not is_code_of_day("", SECRET, 0)
