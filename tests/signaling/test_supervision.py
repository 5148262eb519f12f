"""The supervisor's parts: ports that are taken, children that fall, parents that die, the lines that are printed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from signaling.banner import Banner, user_language
from signaling.child import Child, Plan
from signaling.config import load_config
from signaling.database.migrate import Step, known_steps, migrate
from signaling.links import page_of_link
from signaling.supervisor import StartFailed, Supervisor, check_ports, wildcards

ROOT = Path(__file__).resolve().parents[2]
FREE = {"listen.port": 0, "listen.http_port": 0, "rtc.port": 0, "metrics.listen": ""}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("listen.port", socket.SOCK_STREAM),
        ("listen.http_port", socket.SOCK_STREAM),
        ("rtc.port", socket.SOCK_DGRAM),
        ("rtc.port", socket.SOCK_STREAM),
        ("links", socket.SOCK_DGRAM),
        ("links", socket.SOCK_STREAM),
    ],
)
@pytest.mark.parametrize("host", wildcards())
def test_a_port_in_use_is_named_with_its_remedy_in_one_line(key: str, kind: socket.SocketKind, host: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as taken:
        if ":" in host:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.bind((host, 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartFailed) as caught:
            check_ports(load_config(None, {**FREE, key: f"{port}:64k-loss10" if key == "links" else port}))
    words = str(caught.value)
    assert f"port {port} is in use" in words and f"zhuandi serve --set {key}={port + 1}" in words and "\n" not in words
    check_ports(load_config(None, FREE))


def test_the_port_that_is_advised_is_none_of_our_other_ones() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = {**FREE, "demo.enabled": True, "listen.port": port, "links": f"{port + 1}:64k-loss10"}
        with pytest.raises(StartFailed, match=rf"zhuandi demo --set listen.port={port + 2}\b"):
            check_ports(load_config(None, settings))


def written(path: Path) -> list[str]:
    """The lines of a file, none when there is no file."""
    return path.read_text().splitlines() if path.exists() else []


async def lines(path: Path, count: int) -> list[str]:
    """Wait until a file has so many lines."""
    async with asyncio.timeout(60):
        while True:
            found = written(path)
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)


async def test_a_child_that_falls_is_started_again_and_gets_its_words_again(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    child = Child(Plan("child", ("-c", "print(input())"), log, "hello"))
    running = asyncio.create_task(child.keep_running())
    found = [line for line in await lines(log, 4) if not line.startswith("zhuandi:")]
    assert found[:2] == ["hello", "hello"]
    await child.end(60)
    await asyncio.wait_for(running, 60)
    assert child.starts >= 2


@pytest.mark.parametrize(("stubborn", "code"), [(False, -signal.SIGTERM), (True, -signal.SIGKILL)])
async def test_a_child_is_asked_to_end_and_then_made_to(tmp_path: Path, stubborn: bool, code: int) -> None:
    ready = tmp_path / "ready"
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN);" if stubborn else ""
    program = f"import signal, time; {ignore} open({str(ready)!r}, 'w').write('x\\n'); time.sleep(60)"
    child = Child(Plan("child", ("-c", program), tmp_path / "log"))
    running = asyncio.create_task(child.keep_running())
    await lines(ready, 1)
    await child.end(0.2 if stubborn else 60)
    await asyncio.wait_for(running, 60)
    assert child.returncode == code


async def test_what_a_child_started_goes_with_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    grandchild = f"import os, time; open({str(pid_file)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(60)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    child = Child(Plan("child", ("-c", program), tmp_path / "log"))
    running = asyncio.create_task(child.keep_running())
    pid = int((await lines(pid_file, 1))[0])
    await child.end(60)
    await asyncio.wait_for(running, 60)
    await gone(pid)


async def test_children_die_with_their_parent(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = f"import os, time; open({str(pid_file)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(60)"
    parent = (
        "import asyncio; from signaling.child import Child, Plan;"
        f"asyncio.run(Child(Plan('c', ('-c', {program!r}))).keep_running())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, env=environment)
    pid = int((await lines(pid_file, 1))[0])
    process.kill()
    await process.wait()
    await gone(pid)


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    async with asyncio.timeout(60):
        while _alive(pid):  # noqa: ASYNC110 - another process, nothing announces its end
            await asyncio.sleep(0.01)


def _alive(pid: int) -> bool:
    """Whether a process runs (a zombie that nobody waits for does not)."""
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@pytest.mark.parametrize(("language", "first"), [("zh", "专递已启动"), ("en", "Zhuandi is running")])
def test_the_start_says_everything_in_at_most_twelve_lines(language: str, first: str) -> None:
    config = load_config(None, {"demo.enabled": True, "data": "/tmp/d"})
    said = Banner(config, ["192.0.2.7"], {"https": 8443, "http": 8080, "link": 8444}, "s" * 40, language).lines()
    assert (
        len(said) <= 12
        and max(map(len, said)) <= 120
        and said[0].startswith(first)
        and "http://192.0.2.7:8080/trust" in said[0]
    )
    links = [line.rsplit("/", 1)[1].split("#key=") for line in said if "#key=" in line]
    assert [page for page, _ in links] == ["classroom", "classroom", "teacher", "operator", "library"]
    weak = next(line for line in said if ":8444/classroom" in line)
    assert "64 kbit/s" in weak and "10" in weak and links[0] == links[1]
    assert [page_of_link(key, {"k": "s" * 40}) for _, key in links] == [page for page, _ in links]
    assert any("/tmp/d" in line for line in said) and "Ctrl+C" in said[-1]


def test_the_links_name_the_address_that_the_server_listens_on() -> None:
    config = load_config(None, {"listen.host": "fd00::7"})
    said = Banner(config, ["192.0.2.7"], {"https": 8443, "http": 8080}, "s" * 40, "en").lines()
    assert "http://[fd00::7]:8080/trust" in said[0] and not any("192.0.2.7" in line for line in said)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "zh"),
        ({"LANG": "en", "LC_ALL": "zh_CN"}, "zh"),
    ],
)
def test_the_language_is_chinese_unless_the_environment_says_english(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert user_language() == language


async def test_a_database_of_a_newer_version_stops_the_start_in_one_line(tmp_path: Path) -> None:
    newer = Step(len(known_steps()) + 1, "CREATE TABLE newer (x INTEGER);")
    migrate(tmp_path / "zhuandi.db", [*known_steps(), newer])
    ports = dict.fromkeys(("listen.port", "listen.http_port", "rtc.port"), 0)
    config = load_config(None, {"data": str(tmp_path), "metrics.listen": "", **ports})
    with pytest.raises(StartFailed, match="newer"):
        await Supervisor(config, language="en").run()
