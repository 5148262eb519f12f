"""Keeps the processes running that work beside the recorder: stills of live lessons, micro-lessons."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import structlog

log = structlog.get_logger("recorder")

# libav may crash on what a stranger sends: the next start is soon, but not at once.
_AGAIN_S = 5.0


class LiveChild:
    """One child; `step` starts it again when it is gone."""

    def __init__(self, module: str, data: Path, options: tuple[str, ...] = ()) -> None:
        self._module = module
        self._command = [sys.executable, "-m", module, "--data", str(data), *options]
        self._process: subprocess.Popen[bytes] | None = None
        self._again_s = 0.0

    def step(self, now_s: float) -> None:
        """Look after it. `now_s` is Unix time."""
        if self._process is not None and self._process.poll() is not None:
            log.error("child_ended", module=self._module, code=self._process.returncode)
            self._process, self._again_s = None, now_s + _AGAIN_S
        if self._process is None and now_s >= self._again_s:
            self._process = subprocess.Popen(self._command)

    def close(self) -> None:
        """End it; it holds nothing that could be lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
