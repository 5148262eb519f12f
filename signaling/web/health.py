"""`/healthz`: alive. `/readyz`: may take lessons, or why not."""

from __future__ import annotations

from aiohttp import web

from signaling.hub import Hub
from signaling.web.common import HUB


def add_health(app: web.Application) -> None:
    """Both routes."""
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)


async def alive(request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"ok": True})


async def ready(request: web.Request) -> web.Response:
    """200, or 503 with reasons."""
    reasons = unready(request.app[HUB])
    return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)


def unready(hub: Hub) -> list[str]:
    """Why no lesson can be taken, in code words."""
    reasons = []
    if hub.draining:
        reasons.append("draining")
    if not hub.media.connected:
        reasons.append("media_away")
    if hub.config.recording.enabled and hub.recordings.disk_is_full():
        reasons.append("disk_full")
    return reasons
