"""One server a data folder: an exclusive lock that lasts as long as the process which took it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DataInUse(Exception):
    """Another process holds the data folder; the text is one line that says what to do."""


def lock_data(data: Path) -> int:
    """Hold the data folder until this process ends or closes the descriptor; raises `DataInUse` or `OSError`."""
    run = data / "run"
    run.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        words = f"another server uses the data folder {data}: stop it, or choose another with --data"
        raise DataInUse(words) from None
    return descriptor


@contextmanager
def data_locked(data: Path) -> Iterator[None]:
    """Hold the data folder for a while."""
    descriptor = lock_data(data)
    try:
        yield
    finally:
        os.close(descriptor)
