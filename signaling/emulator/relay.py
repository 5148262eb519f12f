"""One classroom's way in over an emulated link: TCP to the pages, datagrams to media, one bucket for all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from functools import partial
from typing import TYPE_CHECKING

from signaling.emulator.bucket import Bucket
from signaling.emulator.datagrams import Address, DatagramRelay, open_sockets
from signaling.emulator.stream import Stream

if TYPE_CHECKING:
    from streaming._core import LinkProfileDict

TLS_HANDSHAKE = 0x16  # first byte of a TLS connection (RFC 8446); of ICE-TCP (RFC 4571) it is a length's high byte
FIRST_BYTE_S = 60.0
CONNECT_S = 5.0
READ_BYTES = 16 * 1024
MAX_CONNECTIONS = 128
MAX_TARGETS = 16


class Relay:
    """`start`, hand media targets to `media_port`, change the link with `set_profile`, `stop`."""

    def __init__(
        self, profile: LinkProfileDict, target: Address, *, host: str, addresses: list[str], seed: int
    ) -> None:
        self.bucket = Bucket(profile, seed)
        self._target = target
        self._host = host or None
        self._addresses = addresses
        self._server: asyncio.Server | None = None
        self._media: dict[Address, DatagramRelay] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, port: int) -> None:
        """Listen for TCP (0: any number); raises `OSError`."""
        host = self._host or (None if port else "0.0.0.0")  # without a number, each family would get its own
        self._server = await asyncio.start_server(self._accept, host, port, limit=READ_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    def media_port(self, target: Address) -> int:
        """Where datagrams for this media address come in: our own number first, then others. Raises `OSError`."""
        relay = self._media.get(target)
        if relay is None:
            if len(self._media) >= MAX_TARGETS:
                raise OSError("too many media addresses behind one emulated link")
            sockets = open_sockets(self._addresses, 0 if self._media else self.port)
            relay = self._media[target] = DatagramRelay(self.bucket, sockets, target)
        return relay.port

    async def stop(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for relay in self._media.values():
            relay.close()
        self.bucket.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.close()
            return
        task = asyncio.create_task(self._connection(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner: asyncio.StreamWriter | None = None
        try:
            first = await asyncio.wait_for(reader.read(READ_BYTES), FIRST_BYTE_S)
            if not first:
                return
            target = self._target if first[0] == TLS_HANDSHAKE else next(iter(self._media), None)
            if target is None:
                return
            inner_reader, inner_writer = await asyncio.wait_for(_connect(target), CONNECT_S)
            inner = inner_writer
            await self._pump(first, reader, writer, inner_reader, inner_writer)
        except OSError:  # TimeoutError is one
            pass  # either end is gone: so is the connection
        finally:
            for end in (writer, inner):
                if end is not None:
                    end.close()

    async def _pump(
        self,
        first: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        inner_reader: asyncio.StreamReader,
        inner: asyncio.StreamWriter,
    ) -> None:
        up = Stream(self.bucket.up, self.bucket.down, partial(_write, inner))
        down = Stream(self.bucket.down, self.bucket.up, partial(_write, writer))
        try:
            for handshake in (up, down):  # SYN and its answer; the kernel's own were free of charge
                await handshake.send(b"")
                await handshake.drained()
            await up.send(first)
            async with asyncio.TaskGroup() as both:
                both.create_task(_carry(reader, up, inner))
                both.create_task(_carry(inner_reader, down, writer))
        except* OSError:
            pass
        finally:
            up.close()
            down.close()


async def _carry(reader: asyncio.StreamReader, stream: Stream, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(READ_BYTES):
        await stream.send(data)
        await writer.drain()
    await stream.drained()
    if writer.can_write_eof():
        with contextlib.suppress(OSError):
            writer.write_eof()


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """What arrives after an end has gone is nobody's; uvloop would raise."""
    if not writer.is_closing():
        writer.write(data)


async def _connect(target: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """With a small buffer of ours: what the server has written should not wait in this machine, but in the bucket."""
    sock = socket.socket(socket.AF_INET6 if ":" in target[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, target)
        return await asyncio.open_connection(sock=sock, limit=READ_BYTES)
    except BaseException:
        sock.close()
        raise
