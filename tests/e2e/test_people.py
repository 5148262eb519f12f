"""A county begins: a roster is imported, a classroom is paired, a teacher signs in, and strangers stay outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page

from tests.support.axe import grave_findings
from tests.support.browser import eventually, open_page
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e
HEADER = "学校,班级,姓名,角色,账号"
ROSTER = """石门中心小学,,王芳,主讲教师,wangfang
枫林教学点,三年级,三年级教室,接收教室,
枫林教学点,三年级,张伟,助教,zhangwei
"""


def roster(rows: str) -> FilePayload:
    """The file as an older spreadsheet saves it."""
    content = f"{HEADER}\n{rows}".encode("gb18030")
    return FilePayload(name="花名册.csv", mimeType="text/csv", buffer=content)


async def people_tab(browser: Browser, server: Server, language: str = "zh-CN") -> Page:
    """The operator's page at the register."""
    page = await open_page(browser, server.link("operator", make_token("operator", None)), language)
    await page.get_by_test_id("tab-people").click()
    return page


async def bring(page: Page, rows: str) -> None:
    """Import a roster that is good."""
    await page.get_by_test_id("roster-file").set_input_files(roster(rows))
    await page.get_by_test_id("roster-preview").wait_for()
    await page.get_by_test_id("roster-apply").click()
    await page.get_by_test_id("passwords").wait_for()


async def first_password(page: Page, login: str) -> str:
    return await page.locator(f"[data-testid=first-password][data-login={login}]").inner_text()


async def pairing_code(page: Page) -> str:
    await page.get_by_test_id("pair").first.click()
    return await page.get_by_test_id("pairing-code").first.inner_text()


async def enter_pairing_code(browser: Browser, server: Server, code: str) -> Page:
    """A computer that nobody paired yet, and what the assistant types into it."""
    page = await open_page(browser, server.url + "/classroom")
    await page.get_by_test_id("swap-kind").click()
    await page.get_by_test_id("pair-input").fill(code)
    await page.get_by_test_id("join-button").click()
    return page


async def sign_in(page: Page, login: str, password: str, chosen: str) -> None:
    """From the first password to the own one."""
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(password)
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("change-form").wait_for()
    assert await grave_findings(page) == []
    for field in ("new-password", "again"):
        await page.get_by_test_id(field).fill(chosen)
    await page.get_by_test_id("save-password").click()


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
async def test_a_bad_roster_is_answered_cell_by_cell_and_changes_nothing(
    browser: Browser, own_server: Server, language: str
) -> None:
    page = await people_tab(browser, own_server, language)
    await page.get_by_test_id("no-people").wait_for()
    await page.get_by_test_id("roster-file").set_input_files(roster(ROSTER + "枫林教学点,,孙丽,校长,sunli\n"))
    fault = page.get_by_test_id("table-fault")
    await fault.wait_for()
    assert "D5" in await fault.inner_text() and "校长" in await fault.inner_text()
    assert await page.get_by_test_id("roster-preview").count() == 0
    assert await page.get_by_test_id("no-people").count() == 1
    assert await grave_findings(page) == []
    await page.get_by_test_id("roster-file").set_input_files(roster(ROSTER))
    await page.get_by_test_id("roster-preview").wait_for()
    assert await grave_findings(page) == []
    await page.get_by_test_id("roster-apply").click()
    await page.get_by_test_id("passwords").wait_for()
    await pairing_code(page)
    assert await grave_findings(page) == []


async def test_a_template_can_be_downloaded_and_imported_as_it_is(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    page = await people_tab(browser, server)
    async with page.expect_download() as waiting:
        await page.get_by_test_id("roster-template").click()
    download = await waiting.value
    await download.save_as(tmp_path / "roster.xlsx")
    await page.get_by_test_id("roster-file").set_input_files(tmp_path / "roster.xlsx")
    await page.get_by_test_id("roster-preview").wait_for()


async def test_from_the_roster_to_a_lesson_of_known_people(browser: Browser, own_server: Server) -> None:
    operator = await people_tab(browser, own_server)
    await bring(operator, ROSTER)
    password, code = await first_password(operator, "wangfang"), await pairing_code(operator)

    classroom = await enter_pairing_code(browser, own_server, code)
    await classroom.get_by_test_id("day").wait_for()
    assert "枫林教学点" in await classroom.get_by_test_id("day").inner_text()
    second = await enter_pairing_code(browser, own_server, code)  # it was good once
    await second.get_by_text("配对码不对").first.wait_for()
    await operator.reload()
    await operator.get_by_test_id("unpair").wait_for()

    teacher = await open_page(browser, own_server.url + "/teacher")
    await teacher.get_by_test_id("to-sign-in").click()
    await sign_in(teacher, "wangfang", password, "four good words")
    await teacher.get_by_test_id("lesson-form").wait_for()
    assert not await teacher.get_by_test_id("lesson-open").is_checked()  # a classroom is registered
    await teacher.get_by_test_id("lesson-title").fill("分数")
    await teacher.get_by_test_id("lesson-create").click()
    await teacher.get_by_test_id("start").wait_for()

    lesson = await own(own_server)
    stranger = await open_page(browser, f"{own_server.url}/classroom#code={lesson['code']}")
    await stranger.get_by_text("只对登记过的教室开放").first.wait_for()
    joined = await classroom.evaluate(
        """async (code) => {
          const headers = { 'Content-Type': 'application/json' }
          const body = JSON.stringify({ code, name: 'x' })
          const answer = await fetch('/api/join', { method: 'POST', headers, body })
          const { token } = await answer.json()
          return (await fetch('/api/me', { headers: { Authorization: `Bearer ${token}` } })).json()
        }""",
        lesson["code"],
    )
    assert (joined["name"], joined["lesson"]["id"]) == ("枫林教学点 三年级教室", lesson["id"])


async def test_an_assistant_sits_down_by_a_lessons_code_under_the_own_name(
    browser: Browser, own_server: Server
) -> None:
    operator = await people_tab(browser, own_server)
    await bring(operator, ROSTER)
    page = await open_page(browser, own_server.url + "/sign-in")
    await sign_in(page, "zhangwei", await first_password(operator, "zhangwei"), "four good words")
    await page.wait_for_url("**/classroom")
    lesson = await own_server.create_lesson()  # not open: a classroom is registered
    await page.goto(f"{own_server.url}/classroom#code={lesson['code']}")
    await operator.get_by_test_id("tab-lessons").click()
    await operator.get_by_test_id("table-row").get_by_text("张伟").wait_for()


async def test_who_is_signed_in_stays_so_in_another_tab_until_the_sign_out(
    browser: Browser, own_server: Server
) -> None:
    operator = await people_tab(browser, own_server)
    await bring(operator, "县教育局,,李娜,管理员,lina\n" + ROSTER)
    page = await open_page(browser, own_server.url + "/sign-in?to=/operator?tab=people")
    await sign_in(page, "lina", await first_password(operator, "lina"), "four good words")
    await page.get_by_test_id("import-roster").wait_for()
    other = await page.context.new_page()
    await other.goto(own_server.url + "/operator")
    await other.get_by_test_id("tab-people").wait_for()
    await other.goto(own_server.url + "/sign-in")
    await other.get_by_test_id("sign-out").click()
    await other.get_by_test_id("sign-in-form").wait_for()
    await other.goto(own_server.url + "/operator")
    await other.get_by_test_id("need-link").wait_for()


async def own(server: Server) -> dict[str, Any]:
    """The lesson that the teacher opened."""
    operator = make_token("operator", None)
    found = await eventually(
        lambda: server.fetch("/api/lessons", operator), lambda body: any(r["title"] == "分数" for r in body["lessons"])
    )
    lesson: dict[str, Any] = next(row for row in found["lessons"] if row["title"] == "分数")
    return lesson
