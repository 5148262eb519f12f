"""The disk fills up in the middle of a lesson: the lesson goes on, and the teacher is told, also when it is past."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.async_api import Browser

from tests.e2e.test_resilience import end_lesson, lesson_under_way
from tests.support.browser import eventually, sees_numbers
from tests.support.server import Server

pytestmark = pytest.mark.e2e
DISK_BYTES = 16 << 20


class Disk(Protocol):
    """Where the recordings are; `said` is what the teacher reads when it is full."""

    said: str

    def fill(self, server: Server) -> None:
        """From now on media cannot write."""

    def free(self, server: Server) -> None:
        """It can again."""


class SmallDisk:
    """A file system of its own, full to the last byte: ENOSPC."""

    said = "硬盘已满"

    def __init__(self, folder: Path) -> None:
        self.filler = folder / "filler"

    def fill(self, server: Server) -> None:
        with self.filler.open("wb", buffering=0) as out:
            for size in (1 << 20, 4096, 1):
                try:
                    while out.write(b"z" * size) == size:
                        continue
                except OSError:
                    continue

    def free(self, server: Server) -> None:
        self.filler.unlink()


class ShortFiles:
    """A limit on the length of the media process's files, which needs no rights: EFBIG."""

    said = "录制出错"

    def fill(self, server: Server) -> None:
        self._limit(server, 1)

    def free(self, server: Server) -> None:
        self._limit(server, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(server: Server, size: int) -> None:
        pid = server.pid_of("streaming.node")
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))


# Only root may mount; what everybody can try is always tried.
KINDS = ["short files", "small disk"] if os.geteuid() == 0 else ["short files"]


@pytest.fixture(params=KINDS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk below the recordings of a server in `tmp_path`."""
    if request.param == "short files":
        yield ShortFiles()
        return
    folder = tmp_path / "data" / "recordings"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "zhuandi", folder], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_lesson_goes_on_over_a_full_disk_and_is_recorded_again_when_there_is_room(
    browser: Browser, disk: Disk, own_server: Server
) -> None:
    lesson, teacher, classroom = await lesson_under_way(browser, own_server)
    media = own_server.pid_of("streaming.node")
    recording = teacher.get_by_test_id("recording")
    await eventually(lambda: recording.get_attribute("data-state"), lambda state: state == "growing")
    disk.fill(own_server)
    await teacher.get_by_text(disk.said).first.wait_for()
    await eventually(lambda: recording.get_attribute("data-state"), lambda state: state == "off")
    await sees_numbers(classroom)
    assert await teacher.get_by_test_id("line").is_visible()
    disk.free(own_server)
    await eventually(lambda: recording.get_attribute("data-state"), lambda state: state == "growing")
    await teacher.get_by_text(disk.said).first.wait_for(state="hidden")
    await sees_numbers(classroom)
    assert own_server.pid_of("streaming.node") == media
    await end_lesson(teacher)
    manifest = await own_server.published(lesson["id"], within_s=40)
    assert {track["source"] for track in manifest["tracks"]} >= {"camera"}
    assert "disk" in {gap["reason"] for gap in manifest["gaps"]}, manifest["gaps"]
