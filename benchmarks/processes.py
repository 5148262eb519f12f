"""Processor time, memory and processor cores of a process, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SERVER_CORES, OTHER_CORES = {0}, {1}


def go_first() -> None:
    """Other work on the machine waits for this process and those that it starts, where the system permits that.

    A receiver that is kept from the processor looks like a slow link, and the policy rightly pauses its picture.
    """
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """What is started meanwhile runs on these cores only; nothing happens on a machine that has not got them."""
    before = os.sched_getaffinity(0)
    if cores <= before:
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def part_threads(pid: int) -> None:
    """The first thread of a process onto the server's core, its other threads onto the others."""
    if not (SERVER_CORES | OTHER_CORES).issubset(os.sched_getaffinity(pid)):
        return
    for thread in (int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(thread, SERVER_CORES if thread == pid else OTHER_CORES)


def cpu_ns(pid: int) -> int:
    """User and system time of all threads of a process."""
    total = 0
    for entry in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):
            total += int((entry / "schedstat").read_text().split()[0])
    return total


def rss_kb(pid: int) -> int:
    """Resident memory in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)
