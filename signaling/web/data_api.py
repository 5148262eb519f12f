"""`/api/data`: what each school used of a month, and what classrooms thought of their lessons (PROTOCOL 4.3)."""

from __future__ import annotations

import datetime
import re

from aiohttp import web

from signaling.messages import Refused
from signaling.timetable.occurrences import instant_ms
from signaling.web.common import HUB, permit, rights_of

MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def add_data(app: web.Application) -> None:
    """Routes of the books."""
    app.router.add_get("/api/data", data)


async def data(request: web.Request) -> web.Response:
    """One month, the present one where none is named."""
    hub = request.app[HUB]
    permit(await rights_of(request), "see_data")
    month = request.query.get("month", hub.accounts.month)
    if MONTH.fullmatch(month) is None:
        raise Refused("bad_message", "month is written as 2026-09")
    people, policies, usage = hub.plan.people, hub.plan.plan.policies, hub.accounts.usage
    allowed = usage.allowances(people.schools, month, policies)
    schools = [
        {
            "id": s.id,
            "name": s.name,
            **{f"{kind}_bytes": count for kind, count in usage.of(s.id, month).items()},
            "cap_mb": policies.of_school(s.id).data_cap_mb,
            "allowance": allowed[s.id],
        }
        for s in people.schools.values()
    ]
    first = datetime.date.fromisoformat(f"{month}-01")
    after = (first + datetime.timedelta(days=31)).replace(day=1)
    zone = hub.plan.zone
    ratings = await hub.accounts.attendance.rows(instant_ms(first, 0, zone), instant_ms(after, 0, zone))
    for row in ratings:
        classroom, held = people.classrooms.get(row["device"]), hub.plan.find(row["lesson"])
        row["classroom"] = f"{people.place_of(classroom)[0]} {classroom.name}" if classroom is not None else ""
        # A played clip has no lesson of its own.
        row["subject"] = row["subject"] or (held.subject if held is not None else "")
    return web.json_response({"month": month, "schools": schools, "ratings": ratings})
