"""Middleware around every request: who may ask over plain HTTP, from which origin, and how errors look."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from signaling.messages import Refused
from signaling.people.sheets import SheetRefused
from signaling.web.common import HTTPS_PORT, refusal
from signaling.web.pages import lost
from signaling.web.upload import table_refusal
from streaming.errors import MediaError

log = structlog.get_logger()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# What others than this machine may read without TLS: the page that helps to trust the certificate.
PLAIN_PATHS = ("/trust", "/ca.crt", "/healthz", "/readyz", "/assets/", "/favicon")
LOCAL_NAMES: frozenset[str | None] = frozenset({"localhost", "127.0.0.1", "::1"})
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
        "connect-src 'self'{socket}; worker-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self'"
    ),
}

HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
# Browsers complain about it on plain HTTP.
SECURE_HEADERS = {"Cross-Origin-Opener-Policy": "same-origin"}


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals as JSON; nothing unexpected reaches the client in words."""
    try:
        return await handler(request)
    except Refused as refused:
        return refusal(refused)
    except SheetRefused as refused:
        return table_refusal(refused)
    except MediaError:
        return refusal(Refused("busy", "the media process is starting; try again"))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        if error.status == 404 and (page := lost(request)) is not None:
            return page
        words = {404: "there is nothing here", 405: "this method is not known here", 413: "the body is too big"}
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        detail = words.get(error.status, error.reason)
        return web.json_response({"code": "bad_message", "detail": detail}, status=error.status, headers=headers)
    except Exception:
        log.exception("a request failed", path=request.path)
        return refusal(Refused("internal", "something went wrong here"))


@web.middleware
async def transport(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Plain HTTP is for this machine; everybody else is led to HTTPS."""
    if request.scheme == "http" and not _from_here(request) and not request.path.startswith(PLAIN_PATHS):
        if request.path == "/":
            raise web.HTTPTemporaryRedirect("/trust")
        port = request.app[HTTPS_PORT][0]
        name = request.url.host or "localhost"
        host = f"[{name}]" if ":" in name else name
        raise web.HTTPTemporaryRedirect(f"https://{host}:{port}{request.path_qs}")
    return await handler(request)


@web.middleware
async def origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page of another site may not talk to us (WHIP and WHEP are for everybody with a token)."""
    cross_site = request.path == "/ws" or request.path.startswith(("/api/", "/media/"))
    if cross_site and not same_origin(request):
        return web.json_response({"code": "forbidden", "detail": "foreign origin"}, status=403)
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Security headers on every answer."""
    for name, value in (SECURITY_HEADERS | (SECURE_HEADERS if request.secure else {})).items():
        response.headers.setdefault(name, value.replace("{socket}", _own_socket(request)))


def _own_socket(request: web.Request) -> str:
    """Our WebSocket as a source of the policy: older browsers do not count it as `'self'`."""
    scheme = "wss" if request.secure else "ws"
    return f" {scheme}://{request.host}" if HOST.fullmatch(request.host) else ""


def same_origin(request: web.Request) -> bool:
    """Whether the `Origin`, where there is one, is this very server. Programs send none."""
    value = request.headers.get("Origin")
    if value is None:
        return True
    try:
        parts, here = urlsplit(value), urlsplit(f"//{request.host}")
        if parts.scheme not in ("http", "https"):
            return False
        # On this machine the development server of the pages has a port of its own.
        both_local = _is_local(request.remote) and {parts.hostname, here.hostname} <= LOCAL_NAMES
    except ValueError:
        return False
    return both_local or parts.netloc.lower() == request.host.lower()


def _from_here(request: web.Request) -> bool:
    """Whether the asker is this machine, by whichever of its addresses."""
    here = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return _is_local(request.remote) or (here is not None and here[0] == request.remote)


def _is_local(remote: str | None) -> bool:
    try:
        address = ipaddress.ip_address((remote or "").split("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
