"""A school on a real server: its class and classroom, its teacher, its timetable, and a clock that the test turns."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from tests.support.server import Server, make_token

ZONE = ZoneInfo("Asia/Shanghai")
ROSTER = """学校,班级,姓名,角色,账号
县一中,,王秀英,主讲教师,wangxiuying
石桥小学,五年级,石桥小学五年级,接收教室,
"""
OTHER_CLASS = "石桥小学,六年级,石桥小学六年级,接收教室,\n"


class TurnedClock:
    """The server's clock of lessons, by the file that it looks at; the day is tomorrow, all of it lies ahead."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.day = datetime.datetime.now(ZONE).date() + datetime.timedelta(days=1)

    def settings(self) -> dict[str, str]:
        """What the server must be told."""
        return {"ZHUANDI_CLOCK_FILE": str(self._file)}

    def turn_to(self, hour: str, later_s: int = 0) -> int:
        """From now on it is so many seconds after `HH:MM` of the day; in Unix milliseconds."""
        wanted = datetime.datetime.combine(self.day, datetime.time.fromisoformat(hour), ZONE).timestamp() + later_s
        self._file.write_text(str(wanted - time.time()))
        return round(wanted * 1000)


class School:
    """One class that receives; made by `await School.open(server, clock)`."""

    def __init__(self, server: Server, clock: TurnedClock) -> None:
        self._server, self._clock = server, clock
        self._token = make_token("operator", None)
        self.classroom = self.klass = ""

    @classmethod
    async def open(cls, server: Server, clock: TurnedClock) -> School:
        """Import the roster."""
        school = cls(server, clock)
        form = aiohttp.FormData()
        form.add_field("file", ROSTER.encode(), filename="roster.csv")
        await school._ask("POST", "/api/people/import", data=form)
        places = (await school._ask("GET", "/api/people"))["schools"]
        (there,) = [place for place in places if place["classrooms"]]
        school.classroom, school.klass = there["classrooms"][0]["id"], there["classes"][0]["id"]
        return school

    async def pairing_code(self) -> str:
        """Eight characters for the classroom's computer."""
        answer = await self._ask("POST", f"/api/classrooms/{self.classroom}/pairing")
        return str(answer["code"]).replace("-", "")

    async def period(self, begin: str, end: str, subject: str, **more: str) -> str:
        """A weekly lesson on the clock's day; the id of that day's."""
        day = self._clock.day
        hours = {"weekday": str(day.isoweekday()), "begin": begin, "end": end, "subject": subject}
        body = {**hours, "teacher": "wangxiuying", "classes": [self.klass], "mode": "live", "record": "yes", **more}
        made = await self._ask("PUT", "/api/plan/periods/0", json=body)
        return f"p{made['id']}-{day:%Y%m%d}"

    async def checks(self) -> list[dict[str, Any]]:
        """What the operator reads of the lines."""
        found: list[dict[str, Any]] = (await self._ask("GET", "/api/checks"))["checks"]
        return found

    async def close(self, lesson: str) -> None:
        """The end of a lesson, as its teacher presses it."""
        await self._ask("POST", f"/api/lessons/{lesson}/close")

    async def code_of(self, lesson: str) -> str:
        """The six digits of an open lesson."""
        rows = (await self._ask("GET", "/api/lessons"))["lessons"]
        return next(str(row["code"]) for row in rows if row["id"] == lesson)

    async def give_away(self, lesson: str) -> None:
        """From now on the lesson is another class's."""
        form = aiohttp.FormData()
        form.add_field("file", (ROSTER + OTHER_CLASS).encode(), filename="roster.csv")
        await self._ask("POST", "/api/people/import", data=form)
        number = int(lesson.partition("-")[0][1:])
        (row,) = [row for row in (await self._ask("GET", "/api/plan"))["periods"] if row["id"] == number]
        hours = {"weekday": str(row["weekday"]), **{name: row[name] for name in ("begin", "end", "subject", "mode")}}
        body = {**hours, "teacher": row["login"], "classes": "石桥小学 六年级"}
        await self._ask("PUT", f"/api/plan/periods/{number}", json=body)

    async def policy(self, **settings: Any) -> None:
        """Settings of the county."""
        await self._ask("PUT", "/api/policies", json={"level": "county", "owner": "", "settings": settings})

    async def _ask(self, method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, self._server.url + path, headers=headers, ssl=False, **body) as answer,
        ):
            assert answer.ok, f"{method} {path}: {answer.status} {await answer.text()}"
            return await answer.json()
