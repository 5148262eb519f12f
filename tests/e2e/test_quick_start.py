"""The README's quick start, executed as it is written."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from signaling.ends.demo_media import cache_folder, make_media
from tests.support.browser import eventually, open_page, sees_numbers
from tests.support.processes import descendants
from tests.support.server import ROOT, Server, free_port
from tests.support.waiting import until

pytestmark = pytest.mark.e2e
MOST_LINES = 12
READMES = ["README.md", "README.zh-CN.md"]


def quick_start(readme: str) -> str:
    """The first block of commands."""
    block = re.search(r"```sh\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)
    assert block is not None
    return block[1]


@pytest.fixture(scope="module")
def encoded_demo() -> None:
    """The demo lesson, encoded before any clock runs."""
    if not cache_folder().exists():
        make_media(cache_folder())


@pytest.fixture
def started(encoded_demo: None, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The quick start under way, and the file with what it says; ports and data of its own."""
    said = tmp_path / "said.txt"
    settings = {"ZHUANDI_LOG__TO": "file", "ZHUANDI_LINKS": f"{free_port()}:64k-loss10", "LANG": "en_US.UTF-8"}
    environment = Server(tmp_path, settings=settings).environment()
    environment.pop("PYTHONPATH")
    environment.pop("LC_ALL", None)
    with said.open("wb") as out:
        process = subprocess.Popen(
            ["bash", "-e", "-c", quick_start("README.md")],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
        try:
            yield process, said
        finally:
            for pid in [process.pid, *descendants(process.pid)]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            process.wait()


@pytest.mark.timeout(400)
async def test_the_quick_start_leads_into_a_demo_lesson_and_ends_with_ctrl_c(
    started: tuple[subprocess.Popen[bytes], Path], browser: Browser
) -> None:
    process, said = started
    lines = printed(process, said)
    assert len(lines) <= MOST_LINES, lines
    assert any("64 kbit/s, 10 % loss" in line for line in lines), lines
    links = [found[0] for line in lines if (found := re.search(r"https://\S+", line))]
    classroom = await open_page(browser, links[0])
    await sees_numbers(classroom, "video-camera", 60)
    await sees_numbers(classroom, "video-screen", 60)
    weak = await open_page(browser, "about:blank")
    await weak.goto(links[1], timeout=60_000)
    await eventually(lambda: weak.get_by_test_id("still-picture").is_visible(), bool, 120)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(60)
    assert descendants(process.pid) == []


def printed(process: subprocess.Popen[bytes], said: Path, within_s: float = 120) -> list[str]:
    """The server's own lines, once the last of them stands."""
    until(lambda: "Ctrl+C" in said.read_text() or process.poll() is not None, within_s)
    assert process.poll() is None, said.read_text()
    whole = [line for line in said.read_text().splitlines() if line.strip()]
    begin = next((at for at, line in enumerate(whole) if re.match(r"\[(\d)/\1\] ", line)), -1)
    return whole[begin + 1 :]


def test_both_readmes_say_the_same_commands() -> None:
    first, second = (re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(), re.DOTALL) for name in READMES)
    assert first == second


def test_what_the_documents_call_zhuandi_is_a_command() -> None:
    for name in READMES:
        for words in re.findall(r"zhuandi ((?:[a-z]+ ?)+)", "\n".join(commands(ROOT / name))):
            done = subprocess.run(
                [sys.executable, "-m", "signaling", *words.split(), "--help"],
                cwd=ROOT,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, f"{name}: zhuandi {words}: {done.stderr.decode()[-300:]}"


def commands(path: Path) -> list[str]:
    """Lines of code blocks, and inline code, that begin with our program."""
    text = path.read_text()
    blocks = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    inline = re.findall(r"`(zhuandi [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [re.sub(r"\s--?\w.*", "", line) for line in [*blocks, *inline] if "zhuandi " in line]
