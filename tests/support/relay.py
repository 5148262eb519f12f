"""A UDP path with an emulated link in it: what a peer sends to `port` goes to the server, and back, late or never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from signaling.emulator.bucket import Bucket
from signaling.emulator.datagrams import DatagramRelay, open_sockets

if TYPE_CHECKING:
    from streaming._core import LinkDict

HERE = "127.0.0.1"


class Relay:
    """`async with Relay(server_port, down=…) as relay:`; the classroom's side is `relay.port`."""

    def __init__(self, server_port: int, down: LinkDict, up: LinkDict | None = None, seed: int = 1) -> None:
        self._server = (HERE, server_port)
        self._bucket = Bucket({"down": down, "up": up or {}}, seed)
        self.down, self.up = self._bucket.down, self._bucket.up
        self.port = 0

    async def __aenter__(self) -> Self:
        self._datagrams = DatagramRelay(self._bucket, open_sockets([HERE], 0), self._server)
        self.port = self._datagrams.port
        return self

    async def __aexit__(self, *_: object) -> None:
        self._datagrams.close()
        self._bucket.close()
