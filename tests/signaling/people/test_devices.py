"""Which device is which classroom, and who may sit down with a lesson's code."""

from __future__ import annotations

import json
import time

import pytest

from signaling.auth import classroom_rights
from signaling.people.pairing import CODE_MS, OVERLAP_MS, ROTATE_MS
from tests.signaling.conftest import World
from tests.signaling.people.steps import ROSTER, bring, classroom, device, own_password, paired, secret_in


async def test_a_code_pairs_one_device_once_however_it_is_typed(world: World) -> None:
    identity = await classroom(world)
    status, body, _ = await world.request("POST", f"/api/classrooms/{identity}/pairing", world.operator())
    code = body["code"]
    assert status == 200 and len(code) == 9 and code[4] == "-" and not set(code) & set("ILOU")
    kept = await world.hub.store.database.connection.execute_fetchall("SELECT * FROM pairing_codes")
    assert code.replace("-", "") not in json.dumps([list(row) for row in kept])
    typed = f" {code.lower().replace('1', 'l').replace('0', 'o')} "
    status, body, headers = await world.request("POST", "/api/device/pair", json={"code": typed})
    assert status == 200 and body["classroom"] == {
        "id": identity, "school": "枫林教学点", "class": "三年级", "name": "三年级教室",
    }  # fmt: skip
    assert (await device(world, secret_in(headers)))[1]["classroom"]["id"] == identity
    status, body, _ = await world.request("POST", "/api/device/pair", json={"code": code})
    assert (status, body["code"]) == (401, "not_paired")


async def test_a_code_runs_out_and_a_newer_one_replaces_it(world: World) -> None:
    identity = await classroom(world)
    path = f"/api/classrooms/{identity}/pairing"
    old, new = [(await world.request("POST", path, world.operator()))[1]["code"] for _ in range(2)]
    assert (await world.request("POST", "/api/device/pair", json={"code": old}))[0] == 401
    world.now_ms[0] += CODE_MS
    assert (await world.request("POST", "/api/device/pair", json={"code": new}))[0] == 401


async def test_pairing_anew_or_unpairing_puts_the_old_device_out(world: World) -> None:
    identity, first = await paired(world)
    _, second = await paired(world)
    assert (await device(world, first))[0] == 401 and (await device(world, second))[0] == 200
    await world.request("DELETE", f"/api/classrooms/{identity}/pairing", world.operator())
    status, body, _ = await device(world, second)
    assert (status, body["code"]) == (401, "not_paired")


async def test_a_secret_is_changed_daily_and_requests_that_cross_each_other_lose_nothing(world: World) -> None:
    _, first = await paired(world)
    assert "Set-Cookie" not in (await device(world, first))[2]
    world.now_ms[0] += ROTATE_MS
    answers = [await device(world, first) for _ in range(3)]  # as if the first two answers were lost
    second = {secret_in(answer[2]) for answer in answers}
    assert len(second) == 1 and second != {first}
    world.now_ms[0] += OVERLAP_MS
    assert (await device(world, *second))[0] == 200  # from now on the first is worth nothing
    assert (await device(world, first))[0] == 401


async def test_wrong_pairing_codes_are_counted_together_with_wrong_lesson_codes(world: World) -> None:
    for _ in range(5):
        assert (await world.request("POST", "/api/device/pair", json={"code": "AAAA-AAAA"}))[0] == 401
        assert (await world.request("POST", "/api/join", json={"code": "000000"}))[0] == 404
    assert (await world.request("POST", "/api/device/pair", json={"code": "AAAA-AAAA"}))[0] == 429
    assert (await world.request("POST", "/api/join", json={"code": "000000"}))[0] == 429


async def lesson(world: World, **words: object) -> str:
    """The code of a new lesson."""
    status, body, _ = await world.request("POST", "/api/lessons", world.operator(), json={"title": "分数", **words})
    assert status == 201
    return str(body["code"])


async def test_a_device_gets_short_tokens_in_the_registers_name(world: World) -> None:
    _, secret = await paired(world)
    mine = {"Cookie": f"zd_device={secret}"}
    _, body, _ = await world.request("POST", "/api/lessons", world.operator(), json={"title": "a", "open": True})
    asked = {"lesson": body["id"]}
    status, body, _ = await world.request("POST", "/api/device/token", json=asked, headers=mine)
    assert status == 200
    _, me, _ = await world.request("GET", "/api/me", body["token"])
    assert (me["name"], me["role"], me["lesson"]["id"]) == ("枫林教学点 三年级教室", "classroom", asked["lesson"])
    assert me["expires_ms"] < (time.time() + 1000) * 1000
    status, body, _ = await world.request("POST", "/api/device/token", json={"lesson": "no"}, headers=mine)
    assert (status, body["code"]) == (404, "no_such_lesson")
    status, body, _ = await world.request("POST", "/api/device/token", json=asked)
    assert (status, body["code"]) == (401, "not_paired")


async def test_a_device_renews_its_token_only_while_it_is_paired(world: World) -> None:
    identity, secret = await paired(world)
    mine = {"Cookie": f"zd_device={secret}"}
    token = world.token(classroom_rights(identity, "枫林教学点", "lesson-1", int(time.time()) + 60))
    assert (await world.request("POST", "/api/token/refresh", token, headers=mine))[0] == 200
    assert (await world.request("POST", "/api/token/refresh", token))[1]["code"] == "not_paired"
    await world.request("DELETE", f"/api/classrooms/{identity}/pairing", world.operator())
    assert (await world.request("POST", "/api/token/refresh", token, headers=mine))[0] == 401


async def test_unpairing_puts_a_device_out_of_its_lesson_at_once(world: World) -> None:
    identity, _ = await paired(world)
    token = world.token(classroom_rights(identity, "枫林教学点", "lesson-1", int(time.time()) + 600))
    async with world.page(world.teacher(), "teacher"), world.page(token) as page:
        await world.request("DELETE", f"/api/classrooms/{identity}/pairing", world.operator())
        assert (await page.hear("bye"))["reason"] == "removed"


async def test_while_no_classroom_is_registered_a_lesson_is_open_to_whoever_knows_its_code(world: World) -> None:
    code = await lesson(world)
    assert (await world.request("POST", "/api/join", json={"code": code, "name": "三中"}))[0] == 200
    closed = await lesson(world, open=False)
    status, body, _ = await world.request("POST", "/api/join", json={"code": closed, "name": "三中"})
    assert (status, body["code"]) == (403, "not_open")


async def test_from_the_first_classroom_on_nobody_receives_anonymously_unless_the_lesson_is_open(world: World) -> None:
    await bring(world, ROSTER)
    code = await lesson(world)
    status, body, _ = await world.request("POST", "/api/join", json={"code": code, "name": "某人"})
    assert (status, body["code"]) == (403, "not_open")
    async with world.page(world.teacher("lesson-9"), "teacher") as page:  # made by its teacher's page
        own = page.welcome["lesson"]["code"]
        assert (await world.request("POST", "/api/join", json={"code": own, "name": "某人"}))[0] == 403
    assert (await world.request("POST", "/api/join", json={"code": await lesson(world, open=True)}))[0] == 200


async def test_with_the_code_a_paired_device_and_a_signed_in_person_come_in_under_their_own_names(world: World) -> None:
    identity, secret = await paired(world)
    _, done = await bring(world, (("枫林教学点", "", "孙丽", "助教", "sunli"),))
    words = {"login": "sunli", "password": done["passwords"][0]["password"], "new": "long enough 1"}
    _, signed_in, headers = await world.request("POST", "/api/password", json=words)
    code = await lesson(world)
    for cookie, sub, role, name in (
        (f"zd_device={secret}", identity, "classroom", "枫林教学点 三年级教室"),
        (headers["Set-Cookie"].split(";")[0], signed_in["person"]["id"], "assistant", "孙丽"),
    ):
        joining = {"code": code, "name": "别的名字"}
        status, body, _ = await world.request("POST", "/api/join", json=joining, headers={"Cookie": cookie})
        assert status == 200
        async with world.page(body["token"]) as page:
            assert (page.welcome["role"], page.welcome["name"]) == (role, name)
            room = world.hub.rooms[page.welcome["lesson"]["id"]]
            assert room.lesson.participants[page.welcome["session"]].rights.sub == sub


async def test_somebody_who_lost_a_role_has_it_no_longer_with_tokens_of_before(world: World) -> None:
    _, done = await bring(world, ROSTER)
    token = (await own_password(world, "lina", done["passwords"][2]["password"]))["token"]
    assert (await world.request("GET", "/api/people", token))[0] == 200
    await bring(world, (*ROSTER[:3], ("县教育局", "", "李娜", "教研员", "lina")))
    status, body, _ = await world.request("GET", "/api/people", token)
    assert (status, body["code"]) == (403, "forbidden")


@pytest.mark.parametrize("wrong", ["yes", 1])
async def test_whether_a_lesson_is_open_is_said_in_so_many_words(world: World, wrong: object) -> None:
    status, body, _ = await world.request("POST", "/api/lessons", world.operator(), json={"open": wrong})
    assert (status, body["code"]) == (400, "bad_message")
