"""What tests of people do again and again over HTTP."""

from __future__ import annotations

from typing import Any

import aiohttp

from signaling.people.sheet_templates import csv_list
from tests.signaling.conftest import World

HEADER = ("学校", "班级", "姓名", "角色", "账号")
ROSTER = (
    ("石门中心小学", "", "王芳", "主讲教师", "WangFang"),
    ("枫林教学点", "三年级", "三年级教室", "接收教室", ""),
    ("枫林教学点", "三年级", "张伟", "助教", "zhangwei"),
    ("县教育局", "", "李娜", "管理员", "lina"),
)


def form(data: bytes, name: str = "file") -> aiohttp.FormData:
    body = aiohttp.FormData()
    body.add_field(name, data, filename="roster.csv")
    return body


async def bring(world: World, rows: Any, query: str = "") -> tuple[int, Any]:
    """Import these rows."""
    body = form(csv_list(HEADER, rows))
    status, answer, _ = await world.request("POST", f"/api/people/import{query}", world.operator(), data=body)
    return status, answer


async def everybody(world: World) -> list[dict[str, Any]]:
    return list((await world.request("GET", "/api/people", world.operator()))[1]["schools"])


def active(world: World) -> set[str]:
    """The logins that are good now."""
    return {person.login for person in world.hub.register.people.persons.values() if person.active}


async def sign_in(world: World, login: str, password: str) -> tuple[int, Any]:
    status, body, _ = await world.request("POST", "/api/sign_in", json={"login": login, "password": password})
    return status, body


async def own_password(world: World, login: str, first: str, new: str = "long enough 1") -> Any:
    """Change a first password; the answer."""
    words = {"login": login, "password": first, "new": new}
    status, body, _ = await world.request("POST", "/api/password", json=words)
    assert status == 200, body
    return body


async def classroom(world: World) -> str:
    """The roster's classroom."""
    await bring(world, ROSTER)
    return str(next(iter(world.hub.register.people.classrooms)))


async def paired(world: World) -> tuple[str, str]:
    """A classroom and the secret of its device."""
    identity = await classroom(world)
    code = (await world.request("POST", f"/api/classrooms/{identity}/pairing", world.operator()))[1]["code"]
    _, _, headers = await world.request("POST", "/api/device/pair", json={"code": code})
    return identity, secret_in(headers)


def secret_in(headers: Any) -> str:
    cookie = next(c for c in headers.getall("Set-Cookie") if c.startswith("zd_device="))
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    return str(cookie.split(";")[0].removeprefix("zd_device="))


async def device(world: World, secret: str) -> tuple[int, Any, Any]:
    return await world.request("GET", "/api/device", headers={"Cookie": f"zd_device={secret}"})
