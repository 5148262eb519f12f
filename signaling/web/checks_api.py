"""`/api/checks`: a line is tried, and what was found is kept for the operator (PROTOCOL section 4.4)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from aiohttp import web
from pydantic import ValidationError

from signaling.auth import clean_name
from signaling.checks.code import DAY_MS, code_of_day, is_code_of_day, spoken
from signaling.checks.desk import CHECK_S, CheckDesk
from signaling.checks.reports import Reports
from signaling.checks.rules import Facts
from signaling.messages import Refused
from signaling.people.devices import device_or_none
from signaling.web.common import HUB, MAX_BODY, json_body, permit, refusal, rights_of, text_field
from signaling.web.limits import WRONG_CODES, RateLimit, asker_of

DESK: web.AppKey[CheckDesk] = web.AppKey("check_desk", CheckDesk)
REPORTS: web.AppKey[Reports] = web.AppKey("check_reports", Reports)
BEGINS: web.AppKey[RateLimit] = web.AppKey("check_begins", RateLimit)
FINDINGS: web.AppKey[RateLimit] = web.AppKey("check_findings", RateLimit)
WAIT_S = "20"


@dataclass(frozen=True)
class Asker:
    """Who checks: a name for the operator's list, and what limits count by."""

    key: str
    name: str
    device: str | None = None


def add_checks(app: web.Application) -> None:
    """Routes under /api/checks."""
    hub = app[HUB]
    app[DESK] = hub.checks
    app[REPORTS] = Reports(hub.store.database)
    app[BEGINS] = RateLimit(burst=6, every_s=30.0)
    app[FINDINGS] = RateLimit(burst=12, every_s=30.0)
    app.router.add_post("/api/checks/begin", begin)
    app.router.add_get("/api/checks/today", today)
    app.router.add_post("/api/checks/{check}/offer", offer)
    app.router.add_post("/api/checks/{check}/carry", carry)
    app.router.add_get("/api/checks/{check}/heard", heard)
    app.router.add_post("/api/checks/{check}/end", end)
    app.router.add_post("/api/checks", report)
    app.router.add_get("/api/checks", reports)
    app.router.add_get("/api/checks/{code}", one_report)


async def begin(request: web.Request) -> web.Response:
    """A check's capability, for who may check."""
    asker = await _asker(request, text_field(await json_body(request), "code", 20))
    if not request.app[BEGINS].allows(asker.key, time.monotonic()):
        return _later("this computer has just checked")
    try:
        check = request.app[DESK].begin(asker.key)
    except Refused as refused:
        return _later(refused.detail)
    return web.json_response({"check": check.id, "seconds": CHECK_S}, status=201)


async def offer(request: web.Request) -> web.Response:
    """One connection of a check: its number and our answer."""
    hub, desk = request.app[HUB], request.app[DESK]
    check = desk.check(request.match_info["check"])
    sdp = (await json_body(request, MAX_BODY)).get("sdp")
    if not isinstance(sdp, str):
        raise Refused("bad_message", "sdp is the offer")
    leg, answer = await desk.offer(check, sdp, hub.ways.of_host(request.host))
    return web.json_response({"leg": leg, "sdp": answer}, status=201)


async def carry(request: web.Request) -> web.Response:
    """The stream flows to a connection, or to none."""
    desk = request.app[DESK]
    leg = (await json_body(request)).get("leg")
    if leg is not None and (not isinstance(leg, int) or isinstance(leg, bool)):
        raise Refused("bad_message", "leg is the number of a connection, or null")
    await desk.carry(desk.check(request.match_info["check"]), leg)
    return web.json_response({})


async def heard(request: web.Request) -> web.Response:
    """What the media process counted."""
    desk = request.app[DESK]
    return web.json_response(desk.heard(desk.check(request.match_info["check"])))


async def end(request: web.Request) -> web.Response:
    """The check is over."""
    desk = request.app[DESK]
    await desk.end(desk.check(request.match_info["check"]))
    return web.json_response({})


async def report(request: web.Request) -> web.Response:
    """A finding is kept; its code."""
    hub = request.app[HUB]
    body = await json_body(request)
    asker = await _asker(request, text_field(body, "code", 20))
    if not request.app[FINDINGS].allows(asker.key, time.monotonic()):
        return _later("this computer has just reported")
    try:
        facts = Facts.model_validate(body.get("facts"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused("bad_message", f"facts.{where}: {first['msg']}") from None
    name = asker.name or clean_name(text_field(body, "name", 80))
    kept = await request.app[REPORTS].add(
        facts, name=name, device=asker.device, lesson=text_field(body, "lesson", 48) or None, now_ms=hub.now_ms()
    )
    return web.json_response({"code": kept.code, "rule": kept.rule, "level": kept.level}, status=201)


async def reports(request: web.Request) -> web.Response:
    """The findings of a time, newest first."""
    await _operator(request)
    now_ms = request.app[HUB].now_ms()
    from_ms, to_ms = (
        _number(request, name, other) for name, other in (("from_ms", now_ms - DAY_MS), ("to_ms", now_ms + 1))
    )
    rows = await request.app[REPORTS].between(from_ms, to_ms, now_ms)
    return web.json_response({"checks": [row.row() for row in rows]})


async def one_report(request: web.Request) -> web.Response:
    """The finding that a code was read out for."""
    await _operator(request)
    found = await request.app[REPORTS].one(spoken(request.match_info["code"]), request.app[HUB].now_ms())
    if found is None:
        raise Refused("no_such_lesson", "there is no report with this code; they are kept for 30 days")
    return web.json_response(found.row())


async def today(request: web.Request) -> web.Response:
    """The code that lets a computer without an account check, today and tomorrow."""
    await _operator(request)
    hub = request.app[HUB]
    return web.json_response({"code": code_of_day(_secret(request), hub.now_ms())})


async def _asker(request: web.Request, code: str) -> Asker:
    """A paired classroom, a token, or the operator's code of the day; raises `Refused`."""
    device = await device_or_none(request)
    if device is not None:
        return Asker(device.id, device.name, device.id)
    if "Authorization" in request.headers:
        rights = await rights_of(request)
        permit(rights, "check_line")
        return Asker(rights.sub, rights.name)
    address, wrong_codes, now_s = asker_of(request), request.app[WRONG_CODES], time.monotonic()
    if code and wrong_codes.may(address, now_s):
        if is_code_of_day(code.replace(" ", ""), _secret(request), request.app[HUB].now_ms()):
            return Asker(f"address {address}", "")
        wrong_codes.take(address, now_s)
    raise Refused("forbidden", "a check needs a paired classroom, somebody signed in, or the operator's code of today")


async def _operator(request: web.Request) -> None:
    permit(await rights_of(request), "see_checks")


def _secret(request: web.Request) -> str:
    return next(iter(request.app[HUB].keys.values()))


def _number(request: web.Request, name: str, other: int) -> int:
    text = request.query.get(name, str(other))
    if not text.isdigit() or len(text) > 15:
        raise Refused("bad_message", f"{name} is a time in milliseconds")
    return int(text)


def _later(detail: str) -> web.Response:
    return refusal(Refused("busy", detail), status=503, headers={"Retry-After": WAIT_S})
