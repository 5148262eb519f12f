"""A seeded relay for the datagrams of one browser: it loses a share of them both ways, and delays the rest."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from playwright.async_api import Page, WebSocketRoute

Address = tuple[str, int]


class LossyRelay(asyncio.DatagramProtocol):
    """Between whoever speaks first to `port` and `target`; 0 loss and 0 delay until they are set."""

    def __init__(self, target: Address, seed: int) -> None:
        self.loss = 0.0
        self.delay_s = 0.0
        self.lost = 0
        self.passed = 0
        self._target = target
        self._random = random.Random(seed)
        self._peer: Address | None = None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket stands."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Pass one on, or not."""
        if addr != self._target:
            self._peer = addr
        to = self._peer if addr == self._target else self._target
        if to is None or self._random.random() < self.loss:
            self.lost += 1
            return
        self.passed += 1
        asyncio.get_running_loop().call_later(self.delay_s, self._send, data, to)

    def _send(self, data: bytes, to: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, to)


@asynccontextmanager
async def lossy_relay(page: Page, media_port: int, seed: int = 1) -> AsyncIterator[LossyRelay]:
    """A relay that the page takes instead of the media port, because its answers name no other way in."""
    loop = asyncio.get_running_loop()
    make = lambda: LossyRelay(("127.0.0.1", media_port), seed)  # noqa: E731
    transport, relay = await loop.create_datagram_endpoint(make, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]

    def changed(text: str) -> str:
        text = re.sub(r"a=candidate:[^\\]* tcp [^\\]*\\r\\n", "", text, flags=re.IGNORECASE)
        return re.sub(rf" \S+ {media_port} typ host", f" 127.0.0.1 {port} typ host", text)

    def route(ws: WebSocketRoute) -> None:
        server = ws.connect_to_server()
        server.on_message(lambda message: ws.send(changed(message) if isinstance(message, str) else message))

    await page.route_web_socket(re.compile(r"/ws$"), route)
    try:
        yield relay
    finally:
        transport.close()
