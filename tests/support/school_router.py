"""A school's router that lets TCP pass and no UDP, in front of a server on this machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signaling.emulator.relay import TLS_HANDSHAKE

Address = tuple[str, int]


@asynccontextmanager
async def only_tcp(port: int, https: Address, media: Address | None) -> AsyncIterator[None]:
    """TLS to `port` goes to the pages, other TCP to media (nowhere without an address); nobody hears its UDP."""
    busy: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(65536)
        target = https if first[:1] == bytes([TLS_HANDSHAKE]) else media
        if not first or target is None:
            writer.close()
            return
        inner_reader, inner = await asyncio.open_connection(*target)
        inner.write(first)
        await asyncio.gather(carry(reader, inner), carry(inner_reader, writer))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(connection(reader, writer))
        busy.add(task)
        task.add_done_callback(busy.discard)

    listener = await asyncio.start_server(accept, "0.0.0.0", port)
    try:
        yield
    finally:
        listener.close()
        for task in list(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
