"""Long work in a process of its own, so that the one that serves people does not stand still."""

from __future__ import annotations

import asyncio
import sys


async def run_apart(module: str, *arguments: str) -> int:
    """Run a module of ours as a program, to its end or ours; its exit status."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
