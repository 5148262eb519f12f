"""The listeners: HTTPS for people, HTTP for this machine and the trust page, Prometheus on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import cast

from aiohttp import web

from signaling.config import Config
from signaling.hub import Hub
from signaling.people.devices import renew_cookie
from signaling.web import guard
from signaling.web.api import add_api
from signaling.web.checks_api import add_checks
from signaling.web.clips_api import add_clips
from signaling.web.common import HTTPS_PORT, HUB, MAX_BODY
from signaling.web.data_api import add_data
from signaling.web.device_api import add_devices
from signaling.web.health import add_health
from signaling.web.kiosk_api import add_kiosk
from signaling.web.media_files import add_media
from signaling.web.pages import add_pages
from signaling.web.people_api import add_people
from signaling.web.plan_api import add_plan
from signaling.web.questions_api import add_questions
from signaling.web.rehearsal_api import add_rehearsals
from signaling.web.sign_in_api import add_sign_in
from signaling.web.teacher_api import add_teacher
from signaling.web.whip import add_whip
from signaling.web.ws import SOCKETS, OpenSockets, websocket

DIST = Path(__file__).resolve().parent.parent.parent / "web_client" / "dist"
SHUTDOWN_S = 3.0


def build_app(hub: Hub, *, dist: Path = DIST, authority: Path | None = None) -> web.Application:
    """The application of PROTOCOL sections 3 and 4."""
    around = [renew_cookie, guard.errors, guard.transport, guard.origin]
    app = web.Application(middlewares=around, client_max_size=MAX_BODY)
    app[HUB] = hub
    app[SOCKETS] = OpenSockets()
    app[HTTPS_PORT] = [hub.config.listen.port]
    app.router.add_get("/ws", websocket)
    add_api(app)
    add_checks(app)
    add_people(app)
    add_devices(app)
    add_sign_in(app)
    add_plan(app)
    add_kiosk(app)
    add_teacher(app)
    add_questions(app)
    add_rehearsals(app)
    add_data(app)
    add_media(app)
    add_clips(app)
    add_health(app)
    add_pages(app, dist, authority)
    add_whip(app)
    app.on_response_prepare.append(guard.add_headers)
    app.on_shutdown.append(_hang_up)
    return app


async def _hang_up(app: web.Application) -> None:
    """A closing server waits for its WebSockets: end them first (uvloop issue 180)."""
    sockets = app[SOCKETS].all
    for socket in list(sockets):
        socket.hang_up(1001, "the server is restarting")
    for _ in range(20):
        if not sockets:
            return
        await asyncio.sleep(0.05)


class Listeners:
    """All listeners of the process; `ports` tells the numbers that were bound."""

    def __init__(self, config: Config, app: web.Application, metrics: web.Application) -> None:
        self._config = config
        self._app = app
        self._runners = (
            web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, keepalive_timeout=30.0),
            web.AppRunner(metrics, access_log=None, shutdown_timeout=SHUTDOWN_S),
        )
        self.ports: dict[str, int] = {}

    async def start(self, context: ssl.SSLContext) -> None:
        """Bind; raises `OSError`."""
        main, metrics = self._runners
        for runner in self._runners:
            await runner.setup()
        host = self._config.listen.host or None
        self.ports["https"] = await _listen(main, host, self._config.listen.port, context)
        self.ports["http"] = await _listen(main, host, self._config.listen.http_port, None)
        self._app[HTTPS_PORT][0] = self.ports["https"]
        if self._config.metrics.listen:
            metrics_host, _, port = self._config.metrics.listen.rpartition(":")
            self.ports["metrics"] = await _listen(metrics, metrics_host.strip("[]"), int(port), None)

    async def stop(self) -> None:
        """Close the doors, then hang up."""
        for runner in self._runners:
            with contextlib.suppress(TimeoutError):
                await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str | None, port: int, context: ssl.SSLContext | None) -> int:
    """Bind IPv4 and IPv6 on one number; port 0 picks a free one."""
    if host is None and port == 0:
        first = await _listen(runner, "0.0.0.0", 0, context)
        with contextlib.suppress(OSError):  # no IPv6 here
            await _listen(runner, "::", first, context)
        return first
    site = web.TCPSite(runner, host, port, ssl_context=context, backlog=1024)
    await site.start()
    server = cast("asyncio.Server", site._server)
    return int(server.sockets[0].getsockname()[1])
