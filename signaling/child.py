"""One supervised process: started, started again with a growing pause, ended in good order; it dies with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
HEALTHY_S = 10.0  # who lived this long starts again at once
LOG_BYTES = 16 * 1024 * 1024
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Plan:
    """What to run; `log` None: standard error; `stdin` is kept open after its first line."""

    name: str
    argv: tuple[str, ...]
    log: Path | None = None
    stdin: str | None = None


def _die_with_parent() -> None:
    # SIGTERM, so that logs are sealed; prctl(2) survives execve for programs without set-uid.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """Run `keep_running` as a task; `end` stops it for good."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._ending = False

    async def keep_running(self) -> None:
        """Start, wait, start again."""
        pause_s = FIRST_PAUSE_S
        clock = asyncio.get_running_loop().time
        while not self._ending:
            began_s = clock()
            code = await self._run_once()
            if self.ended:
                return
            pause_s = FIRST_PAUSE_S if clock() - began_s >= HEALTHY_S else min(LONGEST_PAUSE_S, pause_s * 2)
            self._note(f"zhuandi: {self.plan.name} ended with code {code}; it is started again in {pause_s:g} s\n")
            await asyncio.sleep(pause_s)

    @property
    def ended(self) -> bool:
        """Whether `end` was called."""
        return self._ending

    @property
    def returncode(self) -> int | None:
        """How the last run ended."""
        return self._process.returncode if self._process is not None else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def end(self, patience_s: float) -> None:
        """SIGTERM, and SIGKILL when it does not listen."""
        self._ending = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), patience_s)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await process.wait()

    async def _run_once(self) -> int:
        self.starts += 1
        log = self._open_log()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.plan.argv,
                stdin=asyncio.subprocess.PIPE if self.plan.stdin is not None else asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl+C goes to us alone: we end the others in their order.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        finally:
            if log is not None:
                os.close(log)
        if self.plan.stdin is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(self.plan.stdin.encode() + b"\n")
                await self._process.stdin.drain()
        if self._ending:
            self.signal(signal.SIGTERM)
        code = await self._process.wait()
        # Its own helpers (pools of encoders, jobs) were in its session; nobody else waits for them.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return code

    def _open_log(self) -> int | None:
        path = self.plan.log
        if path is None:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.rename(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def _note(self, line: str) -> None:
        log = self._open_log()
        os.write(2 if log is None else log, line.encode())
        if log is not None:
            os.close(log)
