"""Which classroom's device asks: the cookie `zd_device`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from signaling.messages import Refused
from signaling.people.model import Classroom
from signaling.web.common import HUB, set_secret

COOKIE = "zd_device"
DEVICE: web.RequestKey[Device] = web.RequestKey("device")  # who asked, once it was looked at
COOKIE_S = 400 * 86_400  # the longest that browsers keep one
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
FRESH: web.RequestKey[str] = web.RequestKey("fresh_device_secret", str)


@dataclass(frozen=True)
class Device:
    """A paired classroom, with the names that people know it by."""

    classroom: Classroom
    school: str
    klass: str

    @property
    def id(self) -> str:
        """`sub` of its tokens."""
        return self.classroom.id

    @property
    def name(self) -> str:
        """What others read: its school and its own name."""
        return f"{self.school} {self.classroom.name}"

    def plain(self) -> dict[str, str]:
        """For JSON."""
        return {"id": self.id, "school": self.school, "class": self.klass, "name": self.classroom.name}


async def device_of(request: web.Request) -> Device:
    """The device behind a request; raises `Refused` with `not_paired`. The answer may carry its next secret."""
    device = await device_or_none(request)
    if device is None:
        raise Refused("not_paired", "this device is not paired with a classroom; ask the operator for a pairing code")
    return device


async def device_or_none(request: web.Request) -> Device | None:
    """The same, None for everybody else."""
    secret = request.cookies.get(COOKIE)
    if not secret:
        return None
    hub = request.app[HUB]
    found = await hub.pairing.classroom_of(secret)
    classroom = hub.register.people.classrooms.get(found[0]) if found is not None else None
    if found is None or classroom is None or not classroom.active:
        return None
    if found[1] is not None:
        request[FRESH] = found[1]
    request[DEVICE] = device = Device(classroom, *hub.register.people.place_of(classroom))
    return device


@web.middleware
async def renew_cookie(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Around everything: an answer to a device carries its next secret, where there is one."""
    response = await handler(request)
    fresh = request.get(FRESH)
    if fresh is not None and not response.prepared:
        give_cookie(request, response, fresh)
    return response


def give_cookie(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    """The device's secret, for all paths: pages, media and socket."""
    set_secret(request, response, COOKIE, secret, COOKIE_S, "/")
