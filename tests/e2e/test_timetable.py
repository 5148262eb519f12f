"""The operator's week and the teacher's day in a browser, over a real server whose clock stands at a Monday morning."""

from __future__ import annotations

import datetime
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import eventually, hears_tone, open_page, sees_numbers, start_teaching
from tests.support.media import TONE_HZ
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e
CHINA = datetime.timezone(datetime.timedelta(hours=8))
ROSTER = """学校,班级,姓名,角色,账号
石桥小学,,王芳,主讲教师,wangfang
石桥小学,,李华,主讲教师,lihua
枫林教学点,三年级,三年级教室,接收教室,
青山小学,四年级,四年级教室,接收教室,
"""
PLAN = """星期,开始,结束,科目,主讲,接收班级,方式
一,08:00,08:40,数学,wangfang,枫林教学点 三年级；青山小学 四年级,直播
一,09:00,09:40,语文,lihua,枫林教学点 三年级,直播
三,10:00,10:40,音乐,wangfang,青山小学 四年级,观摩
"""
PASSWORD = "a long word of the teacher"


@pytest.fixture
def monday(tmp_path: Path) -> Iterator[Server]:
    """A server at 07:58 of a Monday."""
    clock = tmp_path / "clock"
    clock.write_text(str(datetime.datetime(2026, 11, 23, 7, 58, tzinfo=CHINA).timestamp() - time.time()))
    with Server(tmp_path, settings={"ZHUANDI_CLOCK_FILE": str(clock)}) as server:
        yield server


async def ask(server: Server, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """As an operator; a text is sent as a table."""
    headers = {"Authorization": f"Bearer {make_token('operator', None)}"}
    form: dict[str, Any] = {"json": body}
    if isinstance(body, str):
        form = {"data": {"file": io.BytesIO(body.encode())}}
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, server.url + path, headers=headers, ssl=False, **form) as answer,
    ):
        value: dict[str, Any] = await answer.json()
        assert answer.status < 300, value
        return value


async def paired_token(server: Server, lesson: str) -> str:
    """A classroom of the roster, paired as its device would be, and its token for a lesson."""
    schools = (await ask(server, "GET", "/api/people"))["schools"]
    room = next(room for school in schools for room in school["classrooms"] if room["name"] == "三年级教室")
    code = (await ask(server, "POST", f"/api/classrooms/{room['id']}/pairing"))["code"]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        for path, body in (("pair", {"code": code}), ("token", {"lesson": lesson})):
            async with http.post(f"{server.url}/api/device/{path}", json=body, ssl=False) as answer:
                value = await answer.json()
                assert answer.status == 200, value
    return str(value["token"])


async def signed_in(server: Server, login: str, first: str) -> str:
    """The token of somebody who chose a password and signed in."""
    body = {"login": login, "password": first, "new": PASSWORD}
    return str((await ask(server, "POST", "/api/password", body))["token"])


async def card(page: Page, subject: str) -> str:
    """What the week says of a lesson."""
    return await page.get_by_test_id("lesson-card").filter(has_text=subject).first.inner_text()


async def test_an_operator_imports_a_week_changes_a_day_and_a_teacher_begins_it(
    browser: Browser, monday: Server
) -> None:
    people = await ask(monday, "POST", "/api/people/import", ROSTER)
    passwords = {row["login"]: row["password"] for row in people["passwords"]}
    operator = await open_page(browser, f"{monday.url}/operator?tab=timetable#token={make_token('operator', None)}")

    # A table with a fault names its cell and changes nothing; the good one shows first what it does.
    await operator.get_by_test_id("open-import").click()
    for text in (PLAN.replace("lihua", "nobody"), PLAN):
        file: Any = {"name": "plan.csv", "mimeType": "text/csv", "buffer": text.encode("gb18030")}
        await operator.get_by_test_id("plan-file").set_input_files(file)
        if "nobody" in text:
            assert "E3" in await operator.get_by_test_id("table-fault").inner_text()
    await operator.get_by_test_id("plan-preview").wait_for()
    await operator.get_by_test_id("plan-apply").click()
    await operator.get_by_test_id("lesson-card").nth(2).wait_for()
    assert "可以进入" in await card(operator, "数学")

    # Two minutes before the bell somebody else takes it over; a later one is cancelled.
    await operator.get_by_test_id("lesson-card").filter(has_text="数学").click()
    await operator.get_by_test_id("change-teacher").select_option(label="李华 · 石桥小学")
    await operator.get_by_test_id("change-save").click()
    await eventually(lambda: card(operator, "数学"), lambda text: "代课" in text and "李华" in text)
    await operator.get_by_test_id("lesson-card").filter(has_text="语文").click()
    await operator.get_by_test_id("change-cancel").click()
    await eventually(lambda: card(operator, "语文"), lambda text: "已取消" in text)

    # The substitute sees both, and begins with one click; the operator sees the lesson live.
    token = await signed_in(monday, "lihua", passwords["lihua"])
    teacher = await open_page(browser, monday.link("teacher", token))
    rows = teacher.get_by_test_id("today").locator("li")
    await rows.nth(1).wait_for()
    assert "数学" in await rows.nth(0).inner_text() and "已取消" in await rows.nth(1).inner_text()
    await teacher.get_by_test_id("today-start").click()
    await start_teaching(teacher)
    await eventually(lambda: teacher.get_by_test_id("title").inner_text(), lambda text: text == "数学")
    await eventually(lambda: card(operator, "数学"), lambda text: "正在上课" in text)


async def test_a_month_without_data_pauses_pictures_and_the_voice_goes_on(browser: Browser, monday: Server) -> None:
    people = await ask(monday, "POST", "/api/people/import", ROSTER)
    await ask(monday, "POST", "/api/plan/import", PLAN)
    passwords = {row["login"]: row["password"] for row in people["passwords"]}
    teacher = await open_page(
        browser, monday.link("teacher", await signed_in(monday, "wangfang", passwords["wangfang"]))
    )
    await teacher.get_by_test_id("today-start").first.click()
    await start_teaching(teacher)
    (lesson,) = [row["id"] for row in (await ask(monday, "GET", "/api/lessons"))["lessons"] if row["title"] == "数学"]
    classroom = await open_page(browser, monday.link("classroom", await paired_token(monday, lesson)))
    await sees_numbers(classroom)
    await cap(monday, 1)
    await eventually(lambda: rung(classroom), lambda now: now["reason"] == "data_cap" and now["camera"] == 0)
    await hears_tone(classroom, TONE_HZ)
    month = await ask(monday, "GET", "/api/data")
    assert {s["name"]: s["allowance"] for s in month["schools"]}["枫林教学点"] == "sound"
    await cap(monday, 0)
    await sees_numbers(classroom)


async def cap(server: Server, megabytes: int) -> None:
    """So much a school may use in a month."""
    await ask(server, "PUT", "/api/policies", {"level": "county", "owner": "", "settings": {"data_cap_mb": megabytes}})


async def rung(page: Page) -> dict[str, Any]:
    """What the classroom was told that it gets."""
    return dict(await page.evaluate("() => window.zhuandi.state.rung ?? { reason: null }"))
