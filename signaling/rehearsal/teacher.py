"""The teacher of a rehearsal where no demonstration runs: the demo teacher as a child of ours, in a lesson of ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

GONE_S = 5.0


class RehearsalTeacher:
    """`start` once and `stop` once; it also ends with this process, whose end of the pipe it watches."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def start(self, url: str, token: str) -> None:
        """Teach in the token's lesson; raises `OSError`."""
        argv = (sys.executable, "-m", "signaling.ends.demo", "--log-level", "warning")
        self._process = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
        plan = {"url": url, "token": token, "ca_file": None, "lesson": None}
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(plan).encode() + b"\n")
            with contextlib.suppress(ConnectionError):
                await self._process.stdin.drain()

    async def stop(self) -> None:
        """It goes, or is made to."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), GONE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
