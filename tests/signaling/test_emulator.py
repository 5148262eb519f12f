"""The emulated link in real time: bytes come out whole, everything shares one bucket, and a link can become another."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from typer.testing import CliRunner

from signaling.cli import app
from signaling.emulator.profiles import named_profile, profile_names, trace_profile
from signaling.emulator.relay import Relay
from tests.support.server import ROOT, zhuandi

if TYPE_CHECKING:
    from streaming._core import LinkDict, LinkProfileDict

HERE = "127.0.0.1"
HELLO = b"\x16"  # as a TLS connection begins
PACKET = 1000


class Echo(asyncio.DatagramProtocol):
    """Sends every datagram back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.transport.sendto(data, address)


class Inside:
    """What stands behind the relay: a TCP server and a UDP echo."""

    def __init__(self, tcp: asyncio.Server, udp: asyncio.DatagramTransport) -> None:
        self.tcp = tcp.sockets[0].getsockname()[:2]
        self.udp = udp.get_extra_info("sockname")[:2]


@asynccontextmanager
async def inside(serve: object) -> AsyncIterator[Inside]:
    """A TCP server that serves with `serve`, and a UDP echo."""
    loop = asyncio.get_running_loop()
    tcp = await asyncio.start_server(serve, HERE, 0)  # type: ignore[arg-type]
    udp, _ = await loop.create_datagram_endpoint(Echo, local_addr=(HERE, 0))
    try:
        yield Inside(tcp, udp)
    finally:
        tcp.close()
        udp.close()


@asynccontextmanager
async def relayed(profile: LinkProfileDict, target: Inside) -> AsyncIterator[Relay]:
    """A relay in front of it."""
    relay = Relay(profile, target.tcp, host=HERE, addresses=[HERE], seed=7)
    await relay.start(0)
    relay.media_port(target.udp)
    try:
        yield relay
    finally:
        await relay.stop()


def both(direction: LinkDict) -> LinkProfileDict:
    """The same in both directions."""
    return {"down": direction, "up": direction}


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send everything back, then hang up."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say who this is."""
    await reader.read()
    writer.write(b"pages")
    writer.close()


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send without end."""
    try:
        while True:
            writer.write(bytes(4096))
            await writer.drain()
    except OSError:
        writer.close()


async def test_a_connection_over_a_lossy_disordered_link_loses_nothing() -> None:
    link: LinkDict = {
        "capacity_bps": 8_000_000, "delay_us": 2000, "jitter_us": 3000, "ordered": False,
        "loss": 0.1, "duplicate": 0.1, "reorder": 0.1, "reorder_us": 5000, "queue_bytes": 20_000,
    }  # fmt: skip
    sent = HELLO + os.urandom(150_000)
    async with inside(echo) as target, relayed(both(link), target) as relay:
        reader, writer = await asyncio.open_connection(HERE, relay.port)
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(60):
            assert await reader.read() == sent
        counted = relay.bucket.counters()
        writer.close()
        assert counted["up"]["lost"] > 0 and counted["down"]["lost"] > 0


async def test_datagrams_pass_in_both_directions_from_and_to_the_same_peer() -> None:
    async with inside(echo) as target, relayed(both({"delay_us": 1000}), target) as relay:
        with udp_socket() as one, udp_socket() as other:
            for peer, word in ((one, b"one"), (other, b"other")):
                peer.sendto(word, (HERE, relay.port))
                assert await hear(peer) == word


async def test_pages_and_media_together_get_what_one_link_carries() -> None:
    """In every 2 s at most 64 kbit/s and a packet, however greedy both are."""
    profile = both({"capacity_bps": 64_000, "delay_us": 10_000, "queue_ms": 500})
    arrivals: list[tuple[float, int]] = []
    async with inside(pour) as target, relayed(profile, target) as relay:
        with udp_socket() as media:
            tasks = [
                asyncio.create_task(download(relay.port, arrivals)),
                asyncio.create_task(flood(media, relay.port)),
                asyncio.create_task(count_datagrams(media, arrivals)),
            ]
            await asyncio.sleep(5)  # the time that is measured
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        # What our own busy process delivered late adds to the window in which it did.
        late_s = relay.bucket.counters()["down"]["late_us"] / 1e6
    assert {size == PACKET for _, size in arrivals} == {True, False}, "both had a share"
    for begin, _ in arrivals:
        window = sum(size for at, size in arrivals if begin <= at < begin + 2)
        assert window * 8 <= 64_000 * (2 + late_s) + 1500 * 8
    span = arrivals[-1][0] - arrivals[0][0]
    assert sum(size for _, size in arrivals) * 8 > 0.7 * 64_000 * (span - late_s)


async def test_a_link_can_become_another_under_a_running_connection() -> None:
    slow = both({"capacity_bps": 16_000, "queue_ms": 4000})
    async with inside(echo) as target, relayed(slow, target) as relay:
        reader, writer = await asyncio.open_connection(HERE, relay.port)
        sent = HELLO + os.urandom(100_000)  # a minute and a half at that rate
        writer.write(sent)
        relay.bucket.set_profile(named_profile("clean"))
        async with asyncio.timeout(30):
            assert await reader.readexactly(len(sent)) == sent
        writer.close()


async def test_media_over_tcp_comes_in_by_the_same_port() -> None:
    async with inside(shout) as pages, inside(echo) as media:
        relay = Relay(named_profile("clean"), pages.tcp, host=HERE, addresses=[HERE], seed=1)
        await relay.start(0)
        relay.media_port(media.tcp)
        assert await answer(relay.port, b"\x16\x03\x01") == b"pages"
        frame = b"\x00\x02ab"  # RFC 4571
        assert await answer(relay.port, frame) == frame
        await relay.stop()


async def test_what_is_neither_tls_nor_media_over_tcp_finds_nobody() -> None:
    async with inside(echo) as target:
        relay = Relay(named_profile("clean"), target.tcp, host=HERE, addresses=[HERE], seed=1)
        await relay.start(0)
        reader, writer = await asyncio.open_connection(HERE, relay.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        await relay.stop()


async def test_the_command_stands_in_front_of_a_server_alone(tmp_path: Path) -> None:
    trace = tmp_path / "bus.csv"
    trace.write_text("time_s,capacity_kbps\n0,500\n1,900\n")
    async with inside(echo) as target:
        words = ["link", "--trace", str(trace), "--delay-ms", "5", "--listen", "0", "--to", f"{HERE}:{target.tcp[1]}"]
        process = await asyncio.create_subprocess_exec(
            *zhuandi(*words, "--media", f"{HERE}:{target.udp[1]}"), stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                port = json.loads(await process.stdout.readline())["port"]
                assert await answer(port, HELLO) == HELLO
                while not (told := json.loads(await process.stdout.readline()))["down"]["delivered"]:
                    pass
            assert told["up"]["delivered_bytes"] > 0
        finally:
            process.terminate()
            assert await process.wait() == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--profile", "dial-up"], "choose one of clean, village-4g"),
        (["--trace", "nowhere.csv"], "nowhere.csv"),
        (["--to", "here"], "here is not HOST:PORT"),
    ],
)
def test_the_command_says_what_is_wrong(words: list[str], complaint: str) -> None:
    done = CliRunner().invoke(app, ["link", "--listen", "0", "--to", f"{HERE}:1", *words])
    assert done.exit_code == 1 and complaint in done.output


def test_the_guide_names_every_profile() -> None:
    guide = (ROOT / "docs" / "link-emulator.md").read_text()
    assert re.findall(r"^\| `([\w-]+)` \|", guide, re.MULTILINE) == profile_names()


def test_profiles_are_found_by_name_and_made_of_a_trace(tmp_path: Path) -> None:
    assert {"village-4g", "village-adsl", "satellite", "2g-64k", "64k-loss10", "county-uplink"} <= set(profile_names())
    with pytest.raises(ValueError, match="choose one of clean"):
        named_profile("dial-up")
    trace = tmp_path / "bus.csv"
    trace.write_text("time_s,capacity_kbps\n0,100\n1,200\n")
    made = trace_profile(trace, delay_ms=40, loss=0.01, queue_ms=300)
    assert made["down"]["trace"] == [(0, 100_000), (1_000_000, 200_000)]
    trace.write_text("time_s,capacity_kbps\n0,100\n0,200\n")
    with pytest.raises(ValueError, match=r"bus\.csv:3: time must grow"):
        trace_profile(trace, delay_ms=40, loss=0.01, queue_ms=300)


async def answer(port: int, words: bytes) -> bytes:
    """What comes back for a connection's whole content."""
    reader, writer = await asyncio.open_connection(HERE, port)
    writer.write(words)
    writer.write_eof()
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    return said


def udp_socket() -> socket.socket:
    """A peer outside."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HERE, 0))
    sock.setblocking(False)
    return sock


async def hear(sock: socket.socket) -> bytes:
    """The next datagram."""
    async with asyncio.timeout(10):
        return await asyncio.get_running_loop().sock_recv(sock, 2048)


async def download(port: int, arrivals: list[tuple[float, int]]) -> None:
    """Read all that comes by TCP."""
    reader, writer = await asyncio.open_connection(HERE, port)
    writer.write(HELLO)
    while data := await reader.read(4096):
        arrivals.append((time.monotonic(), len(data)))


async def flood(sock: socket.socket, port: int) -> None:
    """160 kbit/s of datagrams, which come back."""
    while True:
        sock.sendto(bytes(PACKET), (HERE, port))
        await asyncio.sleep(0.05)


async def count_datagrams(sock: socket.socket, arrivals: list[tuple[float, int]]) -> None:
    """Read all that comes by UDP."""
    while True:
        data = await asyncio.get_running_loop().sock_recv(sock, 2048)
        arrivals.append((time.monotonic(), len(data)))
