"""The way to the pages: each fault is told apart from the others, over real sockets."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from signaling.checks.reach import reach

HERE = "127.0.0.1"
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def certificate(folder: Path, *, name: str = HERE, begins: datetime.datetime = NOW - DAY, days: int = 30) -> Path:
    """A file with key and certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + days * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


async def alive(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def greeting(_: web.Request) -> web.Response:
    return web.Response(text="<h1>Sign in to the network</h1>", content_type="text/html")


async def broken(_: web.Request) -> web.Response:
    return web.Response(status=502)


async def echo(request: web.Request) -> web.WebSocketResponse:
    line = web.WebSocketResponse()
    await line.prepare(request)
    async for message in line:
        if message.type is WSMsgType.TEXT:
            await line.send_json({"type": "pong"})
    return line


@asynccontextmanager
async def serving(pem: Path | None, *, health: object = alive, socket_too: bool = True) -> AsyncIterator[str]:
    """A server; its address."""
    app = web.Application()
    app.router.add_get("/healthz", health)  # type: ignore[arg-type]
    if socket_too:
        app.router.add_get("/ws", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = None
    if pem is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
    await web.TCPSite(runner, HERE, 0, ssl_context=context).start()
    try:
        yield f"{'https' if pem else 'http'}://{HERE}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def trusting(pem: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pem))


async def test_a_whole_way_is_well(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    async with serving(pem) as url:
        assert await reach(url, trusting(pem)) == {"reach": "ok", "tls": "ok", "http": "ok", "socket": "ok"}
        assert (await reach(url, False))["tls"] == "ok"


async def test_a_server_that_is_down_is_told_from_a_wrong_address() -> None:
    with socket.socket() as taken:
        taken.bind((HERE, 0))  # bound and not listening: nobody else gets the number meanwhile
        assert await reach(f"https://{HERE}:{taken.getsockname()[1]}", True) == {"reach": "refused"}
    assert await reach("https://no-such-school.invalid:8443", True) == {"reach": "no_name"}
    assert await reach("https://school:port", True) == {"reach": "no_name"}
    assert await reach(f"https://{'a' * 70}.example", True) == {"reach": "no_name"}


@pytest.mark.parametrize(
    ("begins", "name", "word"),
    [
        (NOW - DAY, HERE, "untrusted"),
        (NOW + DAY, HERE, "too_early"),
        (NOW - 60 * DAY, HERE, "expired"),
        (NOW - DAY, "192.0.2.1", "wrong_name"),
    ],
)
async def test_a_certificate_that_is_not_trusted_says_why(
    tmp_path: Path, begins: datetime.datetime, name: str, word: str
) -> None:
    pem = certificate(tmp_path, name=name, begins=begins)
    async with serving(pem) as url:
        found = await reach(url, True if word == "untrusted" else trusting(pem))
    assert found == {"reach": "ok", "tls": word}


async def test_a_port_without_tls_is_said_to_be_wrong() -> None:
    async with serving(None) as url:
        assert (await reach(url.replace("http:", "https:"), True))["tls"] == "no_tls"


async def test_what_answers_for_us_is_told_from_us() -> None:
    async with serving(None, health=greeting) as url:
        assert (await reach(url, True))["http"] == "stranger"
    async with serving(None, health=broken) as url:
        assert (await reach(url, True))["http"] == "fault"
    async with serving(None, socket_too=False) as url:
        assert (await reach(url, True))["socket"] == "blocked"
