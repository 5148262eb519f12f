"""The recorder process: watches the recordings, has a child make each finished or interrupted lesson.

It holds no state that is not on disk: killed at any point, the next start goes on where the files stand.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from recorder import library, retention
from recorder.derive import Order
from recorder.job import order_to_json
from recorder.live_child import LiveChild
from recorder.recording import look

log = structlog.get_logger("recorder")

# After a failure the next try waits; a lesson that always fails costs little and never blocks another.
_RETRY_S = (5.0, 30.0, 300.0, 3600.0)
# A child is given this much and more for each megabyte of log before it is ended.
_LEAST_TIME_S = 120.0
_TIME_S_PER_MB = 2.0
_HOUSEKEEPING_S = 30.0


@dataclass(frozen=True)
class RecorderConfig:
    """Where the data is and how often to look; `jobs` children work at once."""

    data: Path
    poll_s: float = 0.5
    jobs: int = 2
    exit_with_parent: bool = False


@dataclass
class _Job:
    order: Order
    process: subprocess.Popen[str]
    deadline_s: float
    lines: list[dict[str, Any]] = field(default_factory=list)
    reader: threading.Thread | None = None


@dataclass
class _Trouble:
    """Failures of one input."""

    digest: str
    count: int = 0
    again_s: float = 0.0
    skip: tuple[str, ...] = ()


class Recorder:
    """One recorder over one data folder; `step` is one look around and never waits."""

    def __init__(self, config: RecorderConfig) -> None:
        self._config = config
        self._recordings = config.data / "recordings"
        self._library = config.data / "library"
        self._jobs: dict[str, _Job] = {}
        self._trouble: dict[str, _Trouble] = {}
        self._empty: dict[str, str] = {}
        self._settled: dict[str, tuple[int, ...]] = {}
        self._housekept_s = 0.0
        self._recordings.mkdir(parents=True, exist_ok=True)
        self._library.mkdir(parents=True, exist_ok=True)

    @property
    def busy(self) -> bool:
        """Whether a child works."""
        return bool(self._jobs)

    def step(self, now_s: float) -> None:
        """Collect finished children, start new ones, keep house. `now_s` is Unix time."""
        for lesson in [lesson for lesson, job in self._jobs.items() if self._ended(job, now_s)]:
            self._collect(self._jobs.pop(lesson), now_s)
        for lesson in self._lessons():
            if len(self._jobs) >= self._config.jobs:
                break
            if lesson not in self._jobs:
                self._consider(lesson, now_s)
        if now_s - self._housekept_s >= _HOUSEKEEPING_S:
            self._housekept_s = now_s
            self._keep_house(now_s)

    def close(self) -> None:
        """End the children; what they had not published is made again at the next start."""
        for job in self._jobs.values():
            job.process.kill()
            job.process.wait()
        self._jobs.clear()

    def _lessons(self) -> list[str]:
        return sorted(entry.name for entry in os.scandir(self._recordings) if entry.is_dir())

    def _consider(self, lesson: str, now_s: float) -> None:
        folder = self._recordings / lesson
        try:
            stamp = _stamp(folder)
            if self._settled.get(lesson) == stamp:
                return
            seen = look(folder, self._library / lesson, now_s)
        except OSError as error:
            log.error("lesson_unreadable", lesson=lesson, error=str(error))
            return
        order = seen.order
        if order is None or self._empty.get(lesson) == order.digest:
            if seen.settled:
                self._settled[lesson] = stamp
            return
        trouble = self._trouble.get(lesson)
        if trouble and trouble.digest == order.digest:
            if now_s < trouble.again_s:
                return
            order = replace(order, skip=trouble.skip)
        self._start(order, now_s)

    def _start(self, order: Order, now_s: float) -> None:
        size_mb = sum(f.stat().st_size for e in order.epochs for f in (order.recording / e).glob("*.zwl")) / 1e6
        process = subprocess.Popen(
            [sys.executable, "-m", "recorder.job"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(order_to_json(order))
        process.stdin.close()
        job = _Job(order, process, now_s + _LEAST_TIME_S + _TIME_S_PER_MB * size_mb)
        job.reader = threading.Thread(target=_read_lines, args=(process, job.lines), daemon=True)
        job.reader.start()
        self._jobs[order.lesson] = job
        log.info(
            "job_started",
            lesson=order.lesson,
            state=order.state,
            epochs=len(order.epochs),
            log_mb=round(size_mb, 1),
        )

    def _ended(self, job: _Job, now_s: float) -> bool:
        if now_s > job.deadline_s:
            job.process.kill()
            job.process.wait()
        return job.process.poll() is not None

    def _collect(self, job: _Job, now_s: float) -> None:
        if job.reader is not None:
            job.reader.join(1.0)
        order, last = job.order, (job.lines[-1] if job.lines else {})
        if job.process.returncode == 0 and "done" in last:
            log.info("job_done", lesson=order.lesson, state=order.state, **last)
            self._trouble.pop(order.lesson, None)
            if last["done"] == "empty":
                self._empty[order.lesson] = order.digest
            return
        trouble = self._trouble.get(order.lesson)
        if trouble is None or trouble.digest != order.digest:
            trouble = self._trouble[order.lesson] = _Trouble(order.digest)
        trouble.again_s = now_s + _RETRY_S[min(trouble.count, len(_RETRY_S) - 1)]
        trouble.count += 1
        if job.process.returncode < 0 and "making" in last:
            # The source that killed it is left out of the next try, so that the rest of the lesson is saved at once.
            trouble.skip = (*trouble.skip, str(last["making"]))
            trouble.again_s = now_s
        log.error(
            "job_failed",
            lesson=order.lesson,
            code=job.process.returncode,
            tries=trouble.count,
            **last,
        )

    def _keep_house(self, now_s: float) -> None:
        for lesson in retention.superseded(self._recordings):
            if lesson not in self._jobs and retention.remove(lesson, self._recordings, self._library):
                log.info("removed", lesson=lesson, reason="series")
        for entry in os.scandir(self._library):
            if entry.is_dir() and entry.name not in self._jobs:
                self._sweep(entry, now_s)

    def _sweep(self, entry: os.DirEntry[str], now_s: float) -> None:
        try:
            removed = library.sweep(Path(entry.path), now_s)
        except OSError as error:
            log.warning("not_swept", lesson=entry.name, error=str(error))
            return
        if removed:
            log.info("swept", lesson=entry.name, files=len(removed))


def _stamp(folder: Path) -> tuple[int, ...]:
    """Changes when lesson.json or the set of epochs changes."""
    facts = folder / "lesson.json"
    return (
        folder.stat().st_mtime_ns,
        facts.stat().st_mtime_ns if facts.exists() else 0,
    )


def _read_lines(process: subprocess.Popen[str], lines: list[dict[str, Any]]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue


def run_recorder(config: RecorderConfig, stop: threading.Event | None = None, beside: Sequence[LiveChild] = ()) -> None:
    """Record until `stop` is set (SIGTERM and SIGINT set it when called from the main thread), the others beside it."""
    halt = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: halt.set())
    parent = os.getppid()
    recorder = Recorder(config)
    log.info("started", data=str(config.data))
    try:
        while not halt.is_set():
            if config.exit_with_parent and os.getppid() != parent:
                log.info("parent_gone")
                break
            recorder.step(time.time())
            for child in beside:
                child.step(time.time())
            halt.wait(config.poll_s)
    finally:
        recorder.close()
        for child in beside:
            child.close()
        log.info("stopped")
