"""What a classroom's page is told of its day, and which recordings it may watch."""

from __future__ import annotations

import json

import pytest

from signaling.timetable.usage import month_of
from tests.timetable.conftest import School
from tests.timetable.test_values import MONDAY, SHANGHAI, at

MINUTE = 60_000


def publish(school: School, recording: str, size: int = 5000) -> None:
    folder = school.world.data / "library" / recording
    folder.mkdir(parents=True)
    manifest = {"id": recording, "title": "t", "started_ms": 0, "tracks": [{"bytes": size}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "0123abcd.webm").write_bytes(bytes(size))


async def test_the_day_has_the_server_s_time_the_lessons_and_the_breaks_between_them(school: School) -> None:
    await school.add("08:00", "08:40", "数学")
    await school.add("09:00", "09:40", "音乐", "lihua")
    day = await school.day()
    assert (day["server_ms"], day["zone"], day["date"]) == (at(MONDAY, 7), "Asia/Shanghai", "2026-11-23")
    assert day["classroom"] == {"id": "d1", "school": "枫林教学点", "class": "三年级", "name": "三年级教室"}
    first, second = day["lessons"]
    assert first == {
        "id": "p1-20261123", "subject": "数学", "teacher": "王芳", "begin_ms": at(MONDAY, 8),
        "end_ms": at(MONDAY, 8, 40), "enter_ms": at(MONDAY, 7, 58), "mode": "live", "state": "planned",
        "clip": None, "missed": None,
    }  # fmt: skip
    assert second["subject"] == "音乐"
    assert day["breaks"] == [{"begin_ms": at(MONDAY, 8, 40), "end_ms": at(MONDAY, 8, 50)}]
    assert set(day["policy"]) == {
        "enter_before_s", "check_before_s", "break_min", "data_cap_mb", "clip_window", "clip_budget_mb",
    }  # fmt: skip


async def test_without_news_an_answer_has_no_body_and_tells_the_time_all_the_same(school: School) -> None:
    await school.add("08:00", "08:40", "数学")
    _, _, headers = await school.device("d1", "GET", "/api/kiosk/day")
    tag = headers["ETag"]
    school.world.now_ms[0] += 20_000
    status, body, headers = await school.device("d1", "GET", "/api/kiosk/day", headers={"If-None-Match": tag})
    assert (status, body, headers["ETag"]) == (304, "", tag)
    assert int(headers["Zd-Server-Ms"]) == school.world.now_ms[0]
    await school.until(7, 50)
    status, body, headers = await school.device("d1", "GET", "/api/kiosk/day", headers={"If-None-Match": tag})
    assert status == 200 and headers["ETag"] != tag and body["lessons"][0]["state"] == "open"


async def test_a_device_that_is_not_paired_is_told_so(school: School) -> None:
    for headers in ({}, {"Cookie": "zd_device=wrong"}):
        status, body, _ = await school.world.request("GET", "/api/kiosk/day", headers=headers)
        assert (status, body["code"]) == (401, "not_paired")


async def test_the_settings_of_a_class_move_its_hours(school: School) -> None:
    await school.add("08:00", "08:40", "数学")
    await school.add("09:00", "09:40", "音乐")
    for level, owner, settings in (
        ("county", "", {"break_min": 5}),
        ("school", "s1", {"enter_before_s": 300}),
        ("class", "k1", {"break_min": 15}),
    ):
        body = {"level": level, "owner": owner, "settings": settings}
        assert (await school.operator("PUT", "/api/policies", body))[0] == 200
    day = await school.day()
    assert day["lessons"][0]["enter_ms"] == at(MONDAY, 7, 55)
    assert day["breaks"] == [{"begin_ms": at(MONDAY, 8, 40), "end_ms": at(MONDAY, 8, 55)}]
    body = {"level": "class", "owner": "k1", "settings": {"break_min": None}}
    assert (await school.operator("PUT", "/api/policies", body))[0] == 200
    assert (await school.day())["policy"]["break_min"] == 5
    status, listed = await school.operator("GET", "/api/policies")
    assert status == 200
    assert {(p["level"], p["owner"]): p["own"] for p in listed["policies"] if p["own"]} == {
        ("county", ""): {"break_min": 5}, ("school", "s1"): {"enter_before_s": 300},
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"level": "county", "owner": "", "settings": {"break_min": 99}},
        {"level": "class", "owner": "k1", "settings": {"data_cap_mb": 5}},
        {"level": "school", "owner": "nowhere", "settings": {"break_min": 5}},
        {"level": "town", "owner": "", "settings": {"break_min": 5}},
        {"level": "county", "owner": "", "settings": {"colour": None}},
        {"level": "county", "owner": "", "settings": []},
    ],
)
async def test_a_setting_that_cannot_be_is_refused(school: School, body: dict[str, object]) -> None:
    status, answer = await school.operator("PUT", "/api/policies", body)
    assert status == 400 and answer["code"] == "bad_message"


async def test_the_check_is_asked_for_ten_minutes_before_the_bell_and_not_after(school: School) -> None:
    await school.add("08:00", "08:40", "数学")
    asked = []
    for hour, minute in ((7, 49), (7, 50), (7, 59), (8, 0)):
        await school.until(hour, minute)
        asked.append((await school.day())["asks"]["check"])
    assert asked == [None, "p1-20261123", "p1-20261123", None]


async def test_the_recording_of_a_missed_lesson_is_offered_and_opens_to_its_classes_only(school: School) -> None:
    await school.add("08:00", "08:40", "数学")
    await school.until(8, 20)
    publish(school, "p1-20261123")
    await school.until(8, 41)
    assert (await school.day())["lessons"][0]["missed"] == "p1-20261123"
    for device, expected in (("d1", 200), ("d2", 403)):
        status, _, _ = await school.device(device, "GET", "/api/library/p1-20261123")
        assert status == expected
        status, _, _ = await school.device(device, "GET", "/media/p1-20261123/0123abcd.webm")
        assert status == expected
    path = "/media/p1-20261123/0123abcd.webm"
    status, _, headers = await school.device("d1", "GET", path, headers={"Range": "bytes=0-99"})
    assert (status, headers["Content-Length"]) == (206, "100")


async def test_clips_of_this_week_are_listed_for_their_classes_and_open_to_them(school: School) -> None:
    publish(school, "clip-1", 7000)
    await school.add("10:00", "10:20", "科学", "", mode="录播", clip="clip-1", weekday="5")
    friday = at(MONDAY, 10) + 4 * 24 * 60 * MINUTE
    assert (await school.day())["clips"] == [{"recording": "clip-1", "bytes": 7000, "use_ms": friday}]
    assert (await school.day("d3"))["clips"] == []
    paths = ("/api/library/clip-1", "/media/clip-1/0123abcd.webm")
    assert [(await school.device("d1", "GET", path))[0] for path in paths] == [200, 200]
    assert [(await school.device("d3", "GET", path))[0] for path in paths] == [403, 403]


async def test_what_a_classroom_loads_is_counted_for_its_school(school: School) -> None:
    publish(school, "clip-1", 7000)
    await school.add("10:00", "10:20", "科学", "", mode="录播", clip="clip-1")
    month = month_of(school.world.now_ms[0], SHANGHAI)
    before = school.world.hub.accounts.usage.of("s1", month)["pages"]
    await school.device("d1", "GET", "/media/clip-1/0123abcd.webm")
    grown = school.world.hub.accounts.usage.of("s1", month)["pages"] - before
    assert 7000 <= grown <= 9000
    assert school.world.hub.accounts.usage.of("s2", month) == {"media": 0, "pages": 0}
    status, data = await school.operator("GET", f"/api/data?month={month}")
    assert status == 200 and {s["id"]: s["pages_bytes"] for s in data["schools"]}["s1"] >= grown


async def test_a_rating_is_one_tap_and_the_operator_reads_it(school: School) -> None:
    await school.add("08:00", "08:40", "数学")
    await school.until(8, 45)
    rate = {"lesson": "p1-20261123", "stars": 2}
    assert (await school.device("d1", "POST", "/api/kiosk/rating", json=rate))[0] == 200
    assert (await school.device("d2", "POST", "/api/kiosk/rating", json=rate))[0] == 403
    for stars in (0, 4, "3", True, None):
        bad = await school.device("d1", "POST", "/api/kiosk/rating", json={**rate, "stars": stars})
        assert (bad[0], bad[1]["code"]) == (400, "bad_message")
    _, data = await school.operator("GET", "/api/data")
    (row,) = data["ratings"]
    assert (row["subject"], row["classroom"], row["stars"]) == ("数学", "枫林教学点 三年级教室", 2)
    assert (await school.operator("GET", "/api/data?month=nonsense"))[0] == 400
