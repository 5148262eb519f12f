"""Headless ends that attend while a block runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signaling.ends.headless import HeadlessEnd


@asynccontextmanager
async def attending(end: HeadlessEnd) -> AsyncIterator[None]:
    """The end comes in, and comes back, until the block ends."""
    running = asyncio.create_task(end.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
