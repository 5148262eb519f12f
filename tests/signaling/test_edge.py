"""The HTTP edge: origins, headers, plain HTTP, codes, the library behind its rights, slow and silent sockets."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import aiohttp
import pytest
from aiohttp import web

from signaling.auth import operator_rights, teacher_rights
from signaling.links import link_key
from signaling.messages import LessonMessage
from signaling.session import CLOSE_SLOW
from signaling.web import guard
from signaling.web.limits import RateLimit, counted_as
from signaling.web.metrics import metrics_app
from signaling.web.server import build_app
from signaling.web.ws import MAX_BACKLOG, PageSocket
from tests.signaling.conftest import World, vector

MANIFEST = {"id": "lesson-1", "title": "分数", "teacher": "王", "state": "final", "started_ms": 5, "duration_s": 60.0}


@pytest.fixture
def library(world: World) -> Path:
    folder = world.data / "library" / "lesson-1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "abc.mp4").write_bytes(bytes(range(100)))
    return folder


async def open_lesson(world: World) -> dict[str, Any]:
    status, body, _ = await world.request("POST", "/api/lessons", world.teacher(), json={"title": "分数\u202e"})
    assert status == 201
    lesson: dict[str, Any] = body
    return lesson


async def test_a_teacher_creates_a_lesson_and_a_classroom_joins_by_its_code(world: World) -> None:
    lesson = await open_lesson(world)
    assert lesson["title"] == "分数" and len(lesson["code"]) == 6 and lesson["state"] == "waiting"
    status, joined, _ = await world.request("POST", "/api/join", json={"code": lesson["code"], "name": "三中"})
    assert status == 200 and joined["lesson"]["id"] == lesson["id"]
    status, me, _ = await world.request("GET", "/api/me", joined["token"])
    assert (status, me["role"], me["name"], me["lesson"]["id"]) == (200, "classroom", "三中", lesson["id"])
    status, fresh, _ = await world.request("POST", "/api/token/refresh", joined["token"])
    assert (await world.request("GET", "/api/me", fresh["token"]))[1]["name"] == "三中"
    async with world.page(lesson["token"], "teacher") as teacher:
        assert teacher.welcome["lesson"]["id"] == lesson["id"]


async def test_wrong_codes_are_refused_and_soon_slowed_down(world: World) -> None:
    for _ in range(100):
        status, _, headers = await world.request("POST", "/api/join", json={"code": "000000"})
        if status == 429:
            assert headers["Retry-After"]
            return
        assert status == 404
    raise AssertionError("nobody was slowed down")


def test_ipv6_addresses_are_counted_by_their_64_and_others_alone() -> None:
    same = ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:0db8:0001:0002::9%eth0")
    assert len({counted_as(address) for address in same}) == 1
    others = ("2001:db8:1:3::1", "192.0.2.1", "192.0.2.2", "::1", "unix")
    assert len({counted_as(address) for address in (*same, *others)}) == 1 + len(others)
    assert counted_as("::ffff:192.0.2.1") == counted_as("192.0.2.1")


async def test_all_classrooms_of_a_county_may_join_at_once_from_one_address(world: World) -> None:
    code = (await open_lesson(world))["code"]
    joins = (world.request("POST", "/api/join", json={"code": code, "name": f"{n}"}) for n in range(60))
    assert {status for status, _, _ in await asyncio.gather(*joins)} == {200}


async def test_wrong_codes_under_way_together_are_all_counted(world: World) -> None:
    tries = (world.request("POST", "/api/join", json={"code": "000000"}) for _ in range(60))
    await asyncio.gather(*tries)
    assert (await world.request("POST", "/api/join", json={"code": "000000"}))[0] == 429


@pytest.mark.parametrize("body", ["[]", "{", '{"code": 5}', '{"code": "' + "1" * 30_000 + '"}'])
async def test_a_bad_body_is_a_clear_refusal(world: World, body: str) -> None:
    status, answer, _ = await world.request("POST", "/api/join", data=body)
    assert status == 400 and answer["code"] == "bad_message"


@pytest.mark.parametrize(
    ("method", "path", "who", "status"),
    [
        ("GET", "/api/lessons", "classroom", 403),
        ("GET", "/api/lessons", None, 401),
        ("POST", "/api/lessons", "classroom", 403),
        ("POST", "/api/lessons/lesson-1/close", "classroom", 403),
        ("POST", "/api/lessons/lesson-1/token", "classroom", 403),
        ("POST", "/api/lessons/none/close", "operator", 404),
        ("POST", "/api/lessons/none/close", "teacher", 403),
        ("POST", "/api/library/session", "classroom", 403),
        ("GET", "/api/library/lesson-1", "classroom", 403),
        ("GET", "/api/nothing", "operator", 404),
        ("DELETE", "/api/lessons", "operator", 405),
    ],
)
async def test_rights_of_the_api(world: World, method: str, path: str, who: str | None, status: int) -> None:
    token = {"classroom": world.classroom, "teacher": world.teacher, "operator": world.operator}.get(who or "")
    got, body, _ = await world.request(method, path, token() if token else None)
    assert got == status and set(body) == {"code", "detail"}


async def test_an_operator_lists_and_closes_and_gets_the_teachers_link(world: World) -> None:
    lesson = await open_lesson(world)
    _, listed, _ = await world.request("GET", "/api/lessons", world.operator())
    assert [(row["id"], row["teacher"], row["receivers"]) for row in listed["lessons"]] == [(lesson["id"], "王老师", 0)]
    _, link, _ = await world.request("POST", f"/api/lessons/{lesson['id']}/token", world.operator())
    assert (await world.request("GET", "/api/me", link["token"]))[1]["role"] == "teacher"
    assert (await world.request("POST", f"/api/lessons/{lesson['id']}/close", world.operator()))[0] == 200
    assert (await world.request("POST", "/api/join", json={"code": lesson["code"]}))[0] == 404
    _, listed, _ = await world.request("GET", "/api/lessons", world.operator())
    assert listed["lessons"][0]["state"] == "closed"


@pytest.mark.parametrize(("language", "word"), [("zh-CN,zh;q=0.9", "主讲教师"), ("en-US", "Teacher")])
async def test_a_lesson_that_an_operator_opens_names_no_operator_as_its_teacher(
    world: World, language: str, word: str
) -> None:
    headers = {"Accept-Language": language}
    status, made, _ = await world.request(
        "POST", "/api/lessons", world.operator(), json={"title": "分数"}, headers=headers
    )
    assert status == 201
    _, listed, _ = await world.request("GET", "/api/lessons", world.operator())
    assert [(row["title"], row["teacher"]) for row in listed["lessons"]] == [("分数", word)]
    assert (await world.request("GET", "/api/me", made["token"]))[1]["name"] == word


async def test_an_operator_without_a_lesson_sees_the_table_of_all(world: World) -> None:
    world.hub.address = "https://192.0.2.7:8443"
    async with (
        world.page(world.operator(), "operator") as operator,
        world.page(world.teacher(), "teacher"),
        world.page(world.classroom()) as classroom,
    ):
        assert operator.welcome["lesson"] is None
        assert operator.welcome["address"] == "https://192.0.2.7:8443"
        await classroom.offer(vector("chromium_classroom"))
        world.hub.publish_table()
        rows = (await operator.hear("table"))["rows"]
        assert [(r["name"], r["role"], r["lesson"]) for r in rows] == [
            ("王老师", "teacher", "lesson-1"), ("Village 1", "classroom", "lesson-1"),
        ]  # fmt: skip
        assert {"state", "recv_bps", "send_bps", "loss", "layer", "rtt_ms", "last_keyframe_s"} <= set(rows[0])


async def test_an_operator_who_sits_in_a_lesson_sees_its_table(world: World) -> None:
    rights = replace(operator_rights("op", "Operator", int(time.time()) + 60), room="lesson-1")
    async with (
        world.page(world.teacher(), "teacher"),
        world.page(world.token(rights), "operator") as operator,
    ):
        assert operator.welcome["lesson"]["id"] == "lesson-1"
        world.hub.publish_table()
        rows = (await operator.hear("table"))["rows"]
        assert [r["role"] for r in rows] == ["teacher", "operator"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "ftp://x", "http://["]
)
async def test_a_foreign_origin_is_refused_before_anything_else(world: World, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await world.http.ws_connect(world.url + "/ws", headers={"Origin": origin})
    assert caught.value.status == 403
    status, _, _ = await world.request("POST", "/api/join", json={}, headers={"Origin": origin})
    assert status == 403


async def test_the_same_host_and_this_machines_development_server_may_connect(world: World) -> None:
    for origin in (world.url, "http://localhost:5173"):
        async with world.http.ws_connect(world.url + "/ws", headers={"Origin": origin}) as socket:
            assert not socket.closed


async def test_every_answer_has_its_security_headers_and_names_no_other_address(world: World) -> None:
    for path in ("/healthz", "/api/me", "/nothing"):
        _, _, headers = await world.request("GET", path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"


async def test_plain_http_from_elsewhere_shows_only_how_to_trust(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_from_here", lambda request: False)
    assert (await world.request("GET", "/healthz"))[0] == 200
    status, _, headers = await world.request("GET", "/classroom?x=1")
    assert status == 307 and headers["Location"] == "https://127.0.0.1:8443/classroom?x=1"
    assert (await world.request("GET", "/"))[2]["Location"] == "/trust"
    assert (await world.request("POST", "/api/join", json={}))[0] == 307


async def test_pages_are_served_and_nothing_beside_them(world: World, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "teacher.html").write_text("<p>teacher")
    (dist / "assets" / "a-1.js").write_text("1")
    (dist / "assets" / "link.js").symlink_to(tmp_path)
    (tmp_path / "secret.js").write_text("secret")
    authority = tmp_path / "ca.crt"
    authority.write_text("PEM")
    runner = web.AppRunner(build_app(world.hub, dist=dist, authority=authority), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        for path in ("/teacher", "/teacher/"):
            assert (await world.request("GET", path))[1] == "<p>teacher"
        (dist / "index.html").write_text("<p>start here")
        for accepts, words in (("text/html,*/*", "<p>start here"), ("*/*", {"code": "bad_message", "detail": ANY})):
            status, body, _ = await world.request("GET", "/nowhere", headers={"Accept": accepts})
            assert (status, body) == (404, words)
        status, _, headers = await world.request("GET", "/assets/a-1.js")
        assert status == 200 and "immutable" in headers["Cache-Control"]
        assert (await world.request("GET", "/ca.crt"))[2]["Content-Type"] == "application/x-x509-ca-cert"
        for path in ("/assets/..%2f..%2fsecret.js", "/..%2fsecret.js", "/assets/link.js", "/secret.js", "/classroom"):
            assert (await world.request("GET", path))[0] == 404, path
    finally:
        await runner.cleanup()


async def test_recordings_are_for_those_who_may_and_no_hint_for_others(world: World, library: Path) -> None:
    async with world.page(world.teacher(), "teacher"):
        pass
    own, other, all_seeing = world.teacher(), world.classroom(), world.operator()
    guest = world.token(replace(teacher_rights("guest", "", "lesson-1", int(time.time()) + 600), create=False))
    stranger = world.teacher("lesson-2", sub="t2")
    listed = [
        len((await world.request("GET", "/api/library", token))[1]["entries"])
        for token in (own, other, guest, stranger, all_seeing)
    ]
    assert listed == [1, 0, 0, 0, 1]
    assert (await world.request("GET", "/api/library/lesson-1", own))[1] == MANIFEST
    refusals = [await world.request("GET", f"/api/library/{name}", other) for name in ("lesson-1", "none")]
    assert refusals[0][:2] == refusals[1][:2] and refusals[0][0] == 403
    assert (await world.request("GET", "/media/lesson-1/abc.mp4"))[0] == 401
    assert (await world.request("GET", "/media/lesson-1/abc.mp4", other))[0] == 403
    status, _, headers = await world.request("GET", "/media/lesson-1/abc.mp4", own, headers={"Range": "bytes=10-19"})
    assert status == 206 and headers["Content-Range"] == "bytes 10-19/100" and "immutable" in headers["Cache-Control"]


async def test_the_players_cookie_opens_the_files_for_ten_minutes(
    world: World, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, _, headers = await world.request("POST", "/api/library/session", world.operator())
    cookie = headers["Set-Cookie"]
    words = ("HttpOnly", "SameSite=Strict", "Path=/media", "Max-Age=600")
    assert status == 200 and all(word in cookie for word in words)
    sealed = {"Cookie": cookie.split(";")[0]}
    world.http.cookie_jar.clear()
    assert (await world.request("GET", "/media/lesson-1/abc.mp4", headers=sealed))[0] == 200
    forged = {"Cookie": sealed["Cookie"][:-2] + "00"}
    assert (await world.request("GET", "/media/lesson-1/abc.mp4", headers=forged))[0] == 401
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s + 601)
    assert (await world.request("GET", "/media/lesson-1/abc.mp4", headers=sealed))[0] == 401


async def test_readiness_says_why_not(world: World) -> None:
    assert (await world.request("GET", "/readyz"))[:2] == (200, {"ready": True, "reasons": []})
    world.hub.draining = True
    assert (await world.request("GET", "/readyz"))[:2] == (503, {"ready": False, "reasons": ["draining"]})


async def test_metrics_grow_over_restarts_of_media_and_carry_no_names(world: World) -> None:
    transport = {"transport": 1, "rx_packets": 10, "rx_bytes": 100, "tx_packets": 5, "tx_bytes": 50}
    stats: dict[str, Any] = {"transports": [transport], "publications": [], "subscriptions": [], "drops": {"late": 3}}
    async with world.page(world.teacher(), "teacher"):
        world.hub.book.take(stats)
        world.hub.book.forget()
        world.hub.book.take(stats)
        runner = web.AppRunner(metrics_app(world.hub), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        world.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            _, text, _ = await world.request("GET", "/metrics")
        finally:
            await runner.cleanup()
    assert 'zhuandi_packets_total{direction="in"} 20.0' in text
    assert 'zhuandi_dropped_packets_total{reason="late"} 6.0' in text
    assert 'zhuandi_participants{role="teacher"} 1.0' in text
    assert 'zhuandi_join_duration_seconds_bucket{le="5.0"}' in text
    assert "王老师" not in text and "lesson-1" not in text


class StuckSocket:
    """A client that never reads."""

    def __init__(self) -> None:
        self.closed_with: int | None = None

    async def send_str(self, text: str) -> None:
        await asyncio.Event().wait()

    async def close(self, *, code: int, message: bytes) -> None:
        self.closed_with = code


async def test_a_page_that_does_not_read_is_hung_up_and_its_backlog_is_bounded() -> None:
    stuck = StuckSocket()
    outbox = PageSocket(stuck)  # type: ignore[arg-type]
    message = LessonMessage("live", "x" * 1000, "123456", 1, {}, {})
    outbox.send(message)  # the snapshot of the join is free
    outbox.joined = True
    for _ in range(MAX_BACKLOG // 1000 + 10):
        outbox.send(message)
    assert outbox.backlog <= MAX_BACKLOG
    await asyncio.wait_for(outbox.write(), 5)
    assert stuck.closed_with == CLOSE_SLOW


def test_a_rate_limit_gives_a_burst_then_one_in_a_while_and_forgets_old_askers() -> None:
    limit = RateLimit(burst=2, every_s=5.0, remembered=2)
    assert [limit.allows("a", 0.0) for _ in range(3)] == [True, True, False]
    assert not limit.allows("a", 4.0) and limit.allows("a", 5.0)
    limit.allows("b", 5.0)
    limit.allows("c", 5.0)
    assert limit.allows("a", 5.0)
    assert limit.refused == 2


async def test_a_printed_link_is_exchanged_for_a_token_and_guessing_is_slowed_down(world: World) -> None:
    key = link_key(next(iter(world.hub.keys.values())), "operator")
    status, body, _ = await world.request("POST", "/api/link", json={"key": key, "language": "en"})
    assert status == 200
    assert (await world.request("GET", "/api/me", body["token"]))[1]["role"] == "operator"
    statuses = [(await world.request("POST", "/api/link", json={"key": "x" * 16}))[0] for _ in range(20)]
    assert statuses[0] == 401 and statuses[-1] == 429
