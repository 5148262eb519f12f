"""The timetable over HTTP: editing, changes of a day, imports that do everything or nothing."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import pytest
from openpyxl import load_workbook

from signaling.people.sheets import read_table
from signaling.timetable.importing import COLUMNS
from tests.timetable.conftest import School
from tests.timetable.test_importing import HEADER

ROW = "一,08:00,08:40,数学,wangfang,枫林教学点 三年级,直播,是,,,"
OTHER = "一,09:00,09:40,音乐,lihua,枫林教学点 三年级,直播,是,,,"


async def send(school: School, *lines: str, dry: bool = False, encoding: str = "utf-8") -> tuple[int, Any]:
    form = aiohttp.FormData()
    form.add_field("file", "\n".join([HEADER, *lines]).encode(encoding), filename="timetable.csv")
    path = "/api/plan/import" + ("?dry=1" if dry else "")
    status, answer, _ = await school.world.request("POST", path, school.world.operator(), data=form)
    return status, answer


async def test_an_import_shows_first_what_it_would_change_and_then_changes_it(school: School) -> None:
    status, shown = await send(school, ROW, OTHER, dry=True)
    assert status == 200 and len(shown["added"]) == 2 and (await school.states()) == []
    status, _ = await send(school, ROW, OTHER)
    assert status == 200 and await school.states() == [("数学", "planned"), ("音乐", "planned")]
    status, again = await send(school, ROW, OTHER.replace("音乐", "唱歌"))
    assert (len(again["added"]), len(again["changed"]), len(again["ended"]), again["kept"]) == (0, 1, 0, 1)
    assert await school.states() == [("数学", "planned"), ("唱歌", "planned")]
    await send(school, ROW)
    assert await school.states() == [("数学", "planned")]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize(
    ("bad", "column", "code"),
    [
        (OTHER.replace("lihua", "nobody"), "E", "unknown_login"),
        (ROW, "", "duplicate"),
        (ROW.replace("数学", "语文").replace("08:00", "07:40"), "E", "overlap_teacher"),
    ],
)
async def test_one_fault_in_a_table_changes_nothing_and_is_named_by_row_and_column(
    school: School, bad: str, column: str, code: str, encoding: str
) -> None:
    await send(school, OTHER)
    before = (await school.operator("GET", "/api/plan"))[1]
    status, answer = await send(school, ROW, bad, encoding=encoding)
    assert status == 422 and answer["code"] == "bad_table"
    first = answer["errors"][0]
    assert (first["row"], first["column"], first["code"]) == (3, column, code)
    assert first["detail_zh"] and first["detail_en"]
    assert (await school.operator("GET", "/api/plan"))[1] == before


async def test_a_running_lesson_stays_when_its_row_stays_and_ends_when_it_is_left_out(school: School) -> None:
    await send(school, ROW, OTHER)
    await school.until(8, 10)
    room = school.world.hub.rooms["p1-20261123"]
    await send(school, ROW.replace("wangfang", "lihua"), OTHER)
    await school.until(8, 11)
    assert school.world.hub.rooms["p1-20261123"] is room and room.row.teacher == "t2"
    await send(school, OTHER)
    await school.until(8, 12)
    assert "p1-20261123" not in school.world.hub.rooms


async def test_the_template_can_be_read_by_the_import(school: School) -> None:
    url = school.world.url + "/api/plan/template"
    headers = {"Authorization": f"Bearer {school.world.operator()}"}
    async with school.world.http.get(url, headers=headers) as answer:
        body = await answer.read()
    assert len(read_table(body, COLUMNS).rows) == 2
    assert [sheet.title for sheet in load_workbook(io.BytesIO(body))] == ["课表", "说明 Notes"]


async def test_a_period_is_edited_and_cannot_meet_another(school: School) -> None:
    first = await school.add("08:00", "08:40", "数学")
    await school.add("09:00", "09:40", "音乐", "lihua")
    body = {
        "weekday": "1",
        "begin": "08:30",
        "end": "09:10",
        "subject": "数学",
        "teacher": "wangfang",
        "classes": ["k1"],
    }
    status, answer = await school.operator("PUT", f"/api/plan/periods/{first}", body)
    assert status == 422
    assert [(e["column"], e["code"]) for e in answer["errors"]] == [("classes", "overlap_class")]
    status, answer = await school.operator(
        "PUT", f"/api/plan/periods/{first}", {**body, "begin": "08:10", "end": "08:50"}
    )
    assert status == 200 and answer["begin"] == "08:10"
    status, answer = await school.operator("PUT", f"/api/plan/periods/{first}", {**body, "begin": "8", "teacher": "x"})
    assert [e["column"] for e in answer["errors"]] == ["begin", "teacher"]
    assert (await school.operator("PUT", "/api/plan/periods/999", body))[0] == 400
    assert (await school.operator("DELETE", f"/api/plan/periods/{first}"))[0] == 200
    assert await school.states() == [("音乐", "planned")]


async def test_the_plan_shows_its_week_and_what_is_otherwise(school: School) -> None:
    number = await school.add("08:00", "08:40", "数学")
    lesson = f"p{number}-20261123"
    change = {"lesson": lesson, "teacher": "t2", "begin": "08:05", "end": "08:45"}
    status, changed = await school.operator("POST", "/api/plan/changes", change)
    assert status == 200 and (changed["teacher_name"], changed["begin"], changed["substitute"]) == (
        "李华",
        "08:05",
        True,
    )
    status, plan = await school.operator("GET", "/api/plan?from=2026-11-23&to=2026-12-06")
    assert [(o["id"], o["begin"], o["teacher_name"], o["moved"]) for o in plan["lessons"]] == [
        (lesson, "08:05", "李华", True), (f"p{number}-20261130", "08:00", "王芳", False),
    ]  # fmt: skip
    assert plan["periods"][0]["begin"] == "08:00" and {t["id"] for t in plan["teachers"]} == {"t1", "t2"}
    assert {c["id"] for c in plan["classes"]} == {"k1", "k2", "k3"}
    # What is left out of a change stays; null is as in the plan.
    status, changed = await school.operator("POST", "/api/plan/changes", {"lesson": lesson, "teacher": None})
    assert (changed["teacher_name"], changed["begin"]) == ("王芳", "08:05")
    assert (await school.operator("DELETE", f"/api/plan/changes/{lesson}"))[1]["begin"] == "08:00"
    for query in ("from=2026-01-01&to=2026-12-31", "from=2026-12-06&to=2026-11-23", "from=tomorrow"):
        assert (await school.operator("GET", f"/api/plan?{query}"))[0] == 400


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"lesson": "p77-20261123"}, "lesson", "no_such_lesson"),
        ({"lesson": "p1-20261124"}, "lesson", "no_such_lesson"),
        ({"lesson": "demo"}, "lesson", "no_such_lesson"),
        ({"teacher": "nobody"}, "teacher", "no_teacher"),
        ({"teacher": "t2"}, "teacher", "overlap_teacher"),
        ({"begin": "later"}, "begin", "bad_time"),
        ({"begin": "09:00"}, "end", "end_before_begin"),
        ({"begin": "06:00", "end": "06:40"}, "begin", "in_the_past"),
        ({"day": "2026-11-22"}, "begin", "in_the_past"),
        ({"day": "someday"}, "day", "bad_date"),
        ({"begin": "09:10", "end": "09:50"}, "classes", "overlap_class"),
    ],
)
async def test_a_change_that_cannot_be_says_why(school: School, change: dict[str, Any], column: str, code: str) -> None:
    await school.add("08:00", "08:40", "数学")
    await school.add("08:00", "08:40", "美术", "lihua", classes=["k3"])
    await school.add("09:00", "09:40", "音乐", "lihua")
    status, answer = await school.operator("POST", "/api/plan/changes", {"lesson": "p1-20261123", **change})
    assert status == 422, answer
    assert [(e["column"], e["code"]) for e in answer["errors"]] == [(column, code)]


async def test_what_is_over_is_not_changed_any_more(school: School) -> None:
    await school.add("08:00", "08:40", "数学")
    await school.until(8, 41)
    status, answer = await school.operator("POST", "/api/plan/changes", {"lesson": "p1-20261123", "cancelled": True})
    assert (status, answer["errors"][0]["code"]) == (422, "over")


async def test_a_teacher_reads_the_plan_without_codes_of_others_and_without_logins(school: School) -> None:
    await school.add("08:00", "08:40", "数学")
    await school.add("08:00", "08:40", "美术", "lihua", classes=["k3"])
    await school.until(8)
    status, plan, _ = await school.world.request("GET", "/api/plan", school.signed_in())
    assert status == 200 and [(o["subject"], o["code"] is not None) for o in plan["lessons"]] == [
        ("数学", True), ("美术", False),
    ]  # fmt: skip
    assert plan["teachers"] == [] and {p["login"] for p in plan["periods"]} == {""}
    _, plan = await school.operator("GET", "/api/plan")
    assert all(o["code"] for o in plan["lessons"]) and {p["login"] for p in plan["periods"]} == {"wangfang", "lihua"}
