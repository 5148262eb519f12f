"""The register: rosters in, passwords out, who may sign in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from signaling.config import Config
from signaling.people.lockout import FIRST_WAIT_S, FREE_TRIES
from signaling.people.sheet_templates import csv_list
from tests.signaling.conftest import World, running, vector
from tests.signaling.fake_media import FakeMedia
from tests.signaling.people.steps import HEADER, ROSTER, active, bring, everybody, form, own_password, sign_in


async def test_a_roster_is_shown_first_and_changes_nothing_until_it_is_applied(world: World) -> None:
    status, shown = await bring(world, ROSTER, "?dry=1")
    assert status == 200 and [e["login"] for e in shown["added"]] == ["wangfang", "", "zhangwei", "lina"]
    assert await everybody(world) == []
    status, done = await bring(world, ROSTER)
    assert [p["login"] for p in done["passwords"]] == ["wangfang", "zhangwei", "lina"]
    assert done["csv"].startswith("\ufeff") and done["passwords"][0]["password"] in done["csv"]
    schools = {s["name"]: s for s in await everybody(world)}
    assert schools["枫林教学点"]["classrooms"][0]["name"] == "三年级教室"
    assert not schools["枫林教学点"]["classrooms"][0]["paired"]
    assert schools["枫林教学点"]["persons"][0]["class"] == "三年级"


async def test_the_same_roster_again_changes_nothing_and_a_correction_changes_one(world: World) -> None:
    await bring(world, ROSTER)
    before = world.hub.register.people
    status, again = await bring(world, ROSTER)
    assert status == 200 and again["unchanged"] == 4 and again["passwords"] == []
    assert world.hub.register.people == before
    corrected = (("石门中心小学", "二班", "王芳芳", "教研员", "wangfang"), *ROSTER[1:])
    _, shown = await bring(world, corrected)
    assert [e["name"] for e in shown["changed"]] == ["王芳芳"]
    person = world.hub.register.people.by_login["wangfang"]
    assert (person.name, person.role, person.id) == ("王芳芳", "reviewer", before.by_login["wangfang"].id)


async def test_who_is_left_out_stays_unless_it_is_asked_for_and_comes_back_with_the_next_roster(world: World) -> None:
    await bring(world, ROSTER)
    fewer = (("枫林教学点", "三年级", "孙丽", "助教", "sunli"),)
    _, shown = await bring(world, fewer)
    assert {e["name"] for e in shown["left_out"]} == {"张伟", "三年级教室"}  # other schools are not asked
    assert "zhangwei" in active(world)
    await bring(world, fewer, "?remove=1")
    assert active(world) == {"wangfang", "lina", "sunli"} and not world.hub.register.people.has_classrooms
    await bring(world, ROSTER)
    assert active(world) >= {"wangfang", "zhangwei"} and world.hub.register.people.has_classrooms


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("", "", "周杰", "主讲教师", "zhoujie"), (6, "A", "missing")),
        (("石门中心小学", "", "", "主讲教师", "zhoujie"), (6, "C", "missing")),
        (("石门中心小学", "", "周杰", "校长", "zhoujie"), (6, "D", "unknown_role")),
        (("石门中心小学", "", "周杰", "主讲教师", ""), (6, "E", "missing")),
        (("石门中心小学", "", "周杰", "主讲教师", "周杰"), (6, "E", "bad_login")),
        (("石门中心小学", "", "周杰", "主讲教师", "WANGFANG"), (6, "E", "duplicate")),
        (("石门中心小学", "", "教室", "接收教室", ""), (6, "B", "missing")),
        (("枫林教学点", "三年级", "三年级教室", "接收教室", ""), (6, "C", "duplicate")),
        (("石门中心小学", "", "周\u202e杰", "主讲教师", "zhoujie"), (6, "C", "bad_name")),
    ],
)
async def test_a_fault_in_one_row_is_named_by_its_cell_and_nothing_is_changed(
    world: World, row: tuple[str, ...], fault: tuple[int, str, str]
) -> None:
    status, answer = await bring(world, (*ROSTER, row))
    assert status == 422 and answer["code"] == "bad_table"
    assert [(e["row"], e["column"], e["code"]) for e in answer["errors"]] == [fault]
    assert world.hub.register.people.persons == {} and await everybody(world) == []


async def test_files_that_are_no_table_or_too_big_are_refused_in_words(world: World) -> None:
    for data, code in ((b"\x00\xff" * 50, "encoding"), (b"PK\x03\x04" + b"0" * 50, "damaged"), (b"", "no_header")):
        status, answer, _ = await world.request(
            "POST", "/api/people/import", world.operator(), data=form(data or b"\n")
        )
        assert status == 422 and answer["errors"][0]["code"] == code
    status, answer, _ = await world.request("POST", "/api/people/import", world.operator(), data=form(b"x" * 3_000_000))
    assert (status, answer["errors"][0]["code"]) == (422, "too_big")
    bodies: tuple[Any, ...] = (form(b"x", "other"), b"no form")
    for body in bodies:
        status, answer, _ = await world.request("POST", "/api/people/import", world.operator(), data=body)
        assert (status, answer["code"]) == (400, "bad_message")


async def test_the_template_can_be_imported_as_it_is(world: World) -> None:
    async with world.http.get(
        world.url + "/api/people/template", headers={"Authorization": f"Bearer {world.operator()}"}
    ) as answer:
        assert answer.status == 200 and "roster.xlsx" in answer.headers["Content-Disposition"]
        body = form(await answer.read())
    status, answer_to_it, _ = await world.request("POST", "/api/people/import", world.operator(), data=body)
    assert status == 200 and len(answer_to_it["added"]) == 4


async def test_an_operator_cannot_take_the_own_role_away(world: World) -> None:
    _, done = await bring(world, ROSTER)
    first = done["passwords"][2]["password"]
    token = (await own_password(world, "lina", first))["token"]
    rows = (*ROSTER[:3], ("县教育局", "", "李娜", "主讲教师", "lina"))
    status, answer, _ = await world.request("POST", "/api/people/import", token, data=form(csv_list(HEADER, rows)))
    assert status == 422 and [(e["row"], e["column"], e["code"]) for e in answer["errors"]] == [(5, "D", "own_role")]
    own = world.hub.register.people.by_login["lina"].id
    status, _, _ = await world.request("PUT", f"/api/people/{own}", token, json={"active": False})
    assert status == 403


# signing in


async def test_a_first_password_must_be_changed_before_anything_else(world: World) -> None:
    _, done = await bring(world, ROSTER)
    first = done["passwords"][0]["password"]
    status, body = await sign_in(world, "wangfang", first)
    assert (status, body["code"]) == (403, "must_change")
    for new in ("short", first, "wangfang2026", "aaaaaaaaaa"):
        words = {"login": "wangfang", "password": first, "new": new}
        status, body, _ = await world.request("POST", "/api/password", json=words)
        assert (status, body["code"]) == (400, "bad_message"), new
    body = await own_password(world, " WangFang ", first)
    assert body["person"]["name"] == "王芳" and body["person"]["role"] == "teacher"
    status, me, _ = await world.request("GET", "/api/me", body["token"])
    assert (status, me["name"], me["role"]) == (200, "王芳", "teacher")
    assert (await sign_in(world, "wangfang", first))[0] == 401
    assert (await sign_in(world, "wangfang", "long enough 1"))[0] == 200


async def test_the_cookie_gives_fresh_tokens_until_the_session_ends(world: World) -> None:
    _, done = await bring(world, ROSTER)
    words = {"login": "wangfang", "password": done["passwords"][0]["password"], "new": "long enough 1"}
    _, _, headers = await world.request("POST", "/api/password", json=words)
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/api" in cookie
    mine = {"Cookie": cookie.split(";")[0]}
    world.http.cookie_jar.clear()
    status, body, _ = await world.request("POST", "/api/sign_in/again", headers=mine)
    assert status == 200 and body["person"]["name"] == "王芳"
    assert (await world.request("POST", "/api/sign_in/again"))[0] == 401
    await world.request("POST", "/api/sign_out", headers=mine)
    assert (await world.request("POST", "/api/sign_in/again", headers=mine))[0] == 401


async def signed_in(world: World, login: str) -> tuple[str, dict[str, str]]:
    """A token, and the cookie of its session."""
    words = {"login": login, "password": "long enough 1"}
    _, body, headers = await world.request("POST", "/api/sign_in", json=words)
    world.http.cookie_jar.clear()
    return body["token"], {"Cookie": headers["Set-Cookie"].split(";")[0]}


async def test_a_sign_out_ends_the_tokens_of_this_device_and_what_they_opened_but_no_other_device_s(
    world: World,
) -> None:
    _, done = await bring(world, ROSTER)
    await own_password(world, "wangfang", done["passwords"][0]["password"])
    (token, mine), (other, _) = await signed_in(world, "wangfang"), await signed_in(world, "wangfang")
    made = (await world.request("POST", "/api/lessons", token, json={"title": "分数"}))[1]
    elsewhere = (await world.request("POST", "/api/lessons", other, json={"title": "除法"}))[1]
    fresh = (await world.request("POST", "/api/token/refresh", made["token"]))[1]["token"]
    async with world.page(fresh, "teacher") as here, world.page(elsewhere["token"], "teacher") as there:
        await here.offer(vector("chromium_teacher"))
        await there.offer(vector("chromium_teacher"))
        await world.request("POST", "/api/sign_out", headers=mine)
        for spent in (token, made["token"], fresh):
            assert (await world.request("GET", "/api/me", spent))[1]["code"] == "expired_token"
        await world.hub.tick()
        assert (await here.hear("bye"))["reason"] == "expired"
        assert len(world.media.did("remove")) == 1
        await there.say({"type": "ping", "t": 1})
        await there.hear("pong")
    assert (await world.request("GET", "/api/me", other))[0] == 200


async def test_a_sign_out_closes_the_operator_s_page_and_a_seat_taken_by_a_code(world: World) -> None:
    _, done = await bring(world, ROSTER)
    for person in done["passwords"]:
        await own_password(world, person["login"], person["password"])
    operator, at_desk = await signed_in(world, "lina")
    _, at_seat = await signed_in(world, "zhangwei")
    lesson = (await world.request("POST", "/api/lessons", operator, json={"title": "分数"}))[1]
    seat = (await world.request("POST", "/api/join", headers=at_seat, json={"code": lesson["code"]}))[1]["token"]
    async with world.page(operator, "operator") as desk, world.page(seat) as assistant:
        for cookie in (at_desk, at_seat):
            await world.request("POST", "/api/sign_out", headers=cookie)
        await world.hub.tick()
        assert (await desk.hear("bye"))["reason"] == (await assistant.hear("bye"))["reason"] == "expired"


async def test_a_locked_login_stays_locked_over_a_restart_and_a_right_password_frees_it(
    config: Config, tmp_path: Path
) -> None:
    now_ms = [1_700_000_000_000]
    async with FakeMedia(tmp_path / "media.sock") as media:
        async with running(config, media, now_ms) as world:
            await bring(world, ROSTER)
            for _ in range(FREE_TRIES):
                assert (await sign_in(world, "lina", "wrong word 1"))[1]["code"] == "bad_login"
            assert (await sign_in(world, "lina", "wrong word 1"))[1]["code"] == "locked"
        async with running(config, media, now_ms) as world:
            first = (await world.request("POST", "/api/people/lina/password", world.operator()))[1]["password"]
            assert (await sign_in(world, "lina", first))[1]["code"] == "locked"
            assert (await sign_in(world, "wangfang", "wrong word 1"))[1]["code"] == "bad_login"
            now_ms[0] += round(FIRST_WAIT_S * 1000) + 1
            assert (await sign_in(world, "lina", first))[1]["code"] == "must_change"
        async with running(config, media, now_ms) as world:
            assert (await sign_in(world, "lina", "wrong word 1"))[1]["code"] == "bad_login"


async def test_a_closed_account_and_a_renewed_password_end_tokens_and_sessions_at_once(world: World) -> None:
    _, done = await bring(world, ROSTER)
    body = await own_password(world, "wangfang", done["passwords"][0]["password"])
    person, token = body["person"]["id"], body["token"]
    await world.request("PUT", f"/api/people/{person}", world.operator(), json={"active": False})
    assert (await world.request("GET", "/api/me", token))[0] == 403
    assert (await world.request("POST", "/api/sign_in/again"))[0] == 401
    assert (await sign_in(world, "wangfang", "long enough 1"))[0] == 401
    await world.request("PUT", f"/api/people/{person}", world.operator(), json={"active": True})
    assert (await world.request("GET", "/api/me", token))[0] == 401  # its session is over
    token = (await sign_in(world, "wangfang", "long enough 1"))[1]["token"]
    assert (await world.request("GET", "/api/me", token))[0] == 200
    _, renewed, _ = await world.request("POST", f"/api/people/{person}/password", world.operator())
    assert (await world.request("GET", "/api/me", token))[0] == 403
    assert (await sign_in(world, "wangfang", renewed["password"]))[1]["code"] == "must_change"


async def test_ten_wrong_passwords_lock_a_login_known_or_not_and_nobody_elses(world: World) -> None:
    _, done = await bring(world, ROSTER)
    first = done["passwords"][1]["password"]
    for login in ("wangfang", "nobody"):
        for _ in range(10):
            assert (await sign_in(world, login, "wrong"))[1]["code"] == "bad_login"
        status, body = await sign_in(world, login, "wrong")
        assert (status, body["code"]) == (429, "locked")
    status, body = await sign_in(world, "wangfang", done["passwords"][0]["password"])
    assert body["code"] == "locked"  # also with the right one
    assert (await sign_in(world, "zhangwei", first))[1]["code"] == "must_change"


async def test_one_address_cannot_try_many_logins(world: World) -> None:
    codes = [(await sign_in(world, f"login{i}", "wrong"))[1]["code"] for i in range(65)]
    assert codes[0] == "bad_login" and codes[-1] == "locked"


async def test_one_person_is_added_without_a_roster(world: World) -> None:
    words = {"login": "SunLi", "name": "孙丽", "role": "patrol"}
    status, body, _ = await world.request("POST", "/api/people", world.operator(), json=words)
    assert (status, body["login"]) == (201, "sunli")
    assert (await sign_in(world, "sunli", body["password"]))[1]["code"] == "must_change"
    for wrong in ({}, {"login": "孙"}, {"role": "classroom"}, {"name": ""}, {"login": "sunli"}):
        status, body, _ = await world.request("POST", "/api/people", world.operator(), json={**words, **wrong})
        assert (status, body["code"]) == (400, "bad_message")
    assert (await world.request("POST", "/api/people/sunli/password", world.operator()))[0] == 200


@pytest.mark.parametrize("role", ["助教", "教研员", "巡课"])
async def test_who_teaches_no_longer_has_no_teachers_token_any_more(world: World, role: str) -> None:
    _, done = await bring(world, ROSTER)
    token = (await own_password(world, "wangfang", done["passwords"][0]["password"]))["token"]
    await bring(world, ((*ROSTER[0][:3], role, "wangfang"),))
    for method, path in (("POST", "/api/lessons"), ("POST", "/api/token/refresh")):
        assert (await world.request(method, path, token))[0] == 403


async def test_a_closed_account_leaves_its_lesson_and_the_operators_table_within_a_second(world: World) -> None:
    _, done = await bring(world, ROSTER)
    passwords = {p["login"]: p["password"] for p in done["passwords"]}
    teacher = await own_password(world, "wangfang", passwords["wangfang"])
    operator = await own_password(world, "lina", passwords["lina"])
    async with world.page(teacher["token"], "teacher") as lesson, world.page(operator["token"], "operator") as table:
        await world.hub.tick()
        assert len(world.hub.rooms) == 1 and len(world.hub.consoles) == 1
        await bring(world, ((*ROSTER[3][:3], "巡课", "lina"),))
        await world.hub.tick()
        assert (await table.hear("bye"))["reason"] == "removed"
        await world.request("PUT", f"/api/people/{teacher['person']['id']}", world.operator(), json={"active": False})
        await world.hub.tick()
        assert (await lesson.hear("bye"))["reason"] == "removed"
        assert not next(iter(world.hub.rooms.values())).lesson.participants
