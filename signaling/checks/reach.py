"""The way to the server's pages, step by step: name, TCP, TLS, HTTP, WebSocket. Each says in one word what is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import aiohttp

PATIENCE_S = 8.0
NO_NETWORK = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
# Of OpenSSL's verification (X509_V_ERR_…), those that a person can tell apart; all others mean that nobody vouches.
CERTIFICATE_FAULTS = {9: "too_early", 10: "expired", 62: "wrong_name", 64: "wrong_name"}
Found = dict[str, Any]


async def reach(url: str, trust: ssl.SSLContext | bool) -> Found:
    """Facts of the way to `url`, as far as it goes; `trust` False takes any certificate."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "", parts.scheme != "http"
    try:
        port = parts.port or (443 if tls else 80)
    except ValueError:
        return {"reach": "no_name"}
    found: Found = {"reach": await _tcp(host, port)}
    if found["reach"] != "ok":
        return found
    found["tls"] = await _tls(host, port, trust) if tls else "plain"
    if found["tls"] not in ("ok", "plain"):
        return found
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as http:
        found["http"] = await _http(http, url, trust)
        if found["http"] == "ok":
            found["socket"] = await _socket(http, url, trust)
    return found


async def _tcp(host: str, port: int) -> str:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            _, writer = await asyncio.open_connection(host, port)
    except socket.gaierror:
        return "no_name"
    except UnicodeError:  # a label of more than 63 letters
        return "no_name"
    except TimeoutError:
        return "silent"
    except OSError as error:
        return _fault_of(error)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return "ok"


def _fault_of(error: OSError) -> str:
    """A host of several addresses gives one error in words; a refusal anywhere means that the network works."""
    words = str(error)
    if error.errno == errno.ECONNREFUSED or f"[Errno {errno.ECONNREFUSED}]" in words:
        return "refused"
    if error.errno in NO_NETWORK or any(f"[Errno {number}]" in words for number in NO_NETWORK):
        return "no_network"
    return "silent"


async def _tls(host: str, port: int, trust: ssl.SSLContext | bool) -> str:
    context = trust if isinstance(trust, ssl.SSLContext) else ssl.create_default_context()
    if trust is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        return CERTIFICATE_FAULTS.get(error.verify_code, "untrusted")
    except (OSError, TimeoutError):  # SSLError is one: whatever answers there speaks no TLS
        return "no_tls"
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return "ok"


async def _http(http: aiohttp.ClientSession, url: str, trust: ssl.SSLContext | bool) -> str:
    try:
        async with http.get(url.rstrip("/") + "/healthz", ssl=trust, allow_redirects=False) as answer:
            if answer.status >= 500:
                return "fault"
            body = await answer.json(content_type=None) if answer.status == 200 else None
    except (aiohttp.ClientConnectionError, TimeoutError):
        return "fault"
    except (aiohttp.ClientError, ValueError):
        return "stranger"
    return "ok" if isinstance(body, dict) and body.get("ok") is True else "stranger"


async def _socket(http: aiohttp.ClientSession, url: str, trust: ssl.SSLContext | bool) -> str:
    """A WebSocket that carries a message both ways; before its `hello` the server answers pings alone."""
    try:
        async with asyncio.timeout(PATIENCE_S), http.ws_connect(url.rstrip("/") + "/ws", ssl=trust) as line:
            await line.send_json({"type": "ping", "t": 0})
            answer = await line.receive_json()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, TypeError):
        return "blocked"
    return "ok" if isinstance(answer, dict) and answer.get("type") == "pong" else "blocked"
