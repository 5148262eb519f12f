"""A UDP path with an emulated link in it: what a peer sends to `port` goes to the server, and back, late or never."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self, cast

from streaming._core import Link

if TYPE_CHECKING:
    from streaming._core import LinkDict

IP_HEADERS = 28  # IPv4 and UDP


def now_us() -> int:
    """The clock of the links."""
    return time.monotonic_ns() // 1000


class _Direction(asyncio.DatagramProtocol):
    """One socket, and the link that leads from what it receives to the other one."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.other: _Direction
        self.peer: tuple[str, int] | None = None  # who spoke last here; answers go there
        self.transport: asyncio.DatagramTransport
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.peer = addr
        self.link.push(now_us(), len(data) + IP_HEADERS, data)
        self._deliver()

    def _deliver(self) -> None:
        while (arrival := self.link.poll(now_us())) is not None:
            if self.other.peer is not None and not self.other.transport.is_closing():
                self.other.transport.sendto(arrival[2], self.other.peer)
        if self._timer is not None:
            self._timer.cancel()
        following = self.link.next_us()
        if following is not None and not self.transport.is_closing():
            delay_s = max(0.0, (following - now_us()) / 1e6)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._deliver)


def _itself(direction: _Direction) -> _Direction:
    return direction


class Relay:
    """`async with Relay(server_port, down=…) as relay:`; the classroom's side is `relay.port`."""

    def __init__(self, server_port: int, down: LinkDict, up: LinkDict | None = None, seed: int = 1) -> None:
        self._server = ("127.0.0.1", server_port)
        self.down = Link(down, seed=seed, now_us=now_us())
        self.up = Link(up or {}, seed=seed + 1, now_us=now_us())
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        to_server, to_classroom = _Direction(self.down), _Direction(self.up)
        to_server.other, to_classroom.other = to_classroom, to_server
        to_server.peer = self._server
        for direction in (to_server, to_classroom):
            await loop.create_datagram_endpoint(partial(_itself, direction), local_addr=("127.0.0.1", 0))
        self.port = to_classroom.transport.get_extra_info("sockname")[1]
        self._transports = (to_server.transport, to_classroom.transport)
        return self

    async def __aexit__(self, *_: object) -> None:
        for transport in self._transports:
            transport.close()
