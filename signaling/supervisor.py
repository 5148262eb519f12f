"""`zhuandi serve`: starts signalling, media and recorder, keeps them alive, and ends them in good order."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import errno
import json
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path

import aiohttp

from signaling.addresses import machine_addresses
from signaling.app import DEMO_NAME, DEMO_SUB, media_socket
from signaling.auth import mint, teacher_rights
from signaling.banner import Banner
from signaling.certificates import dtls_identity
from signaling.child import Child, Plan
from signaling.config import DEMO_LINKS, Config
from signaling.data_lock import DataInUse, lock_data
from signaling.database.migrate import SchemaError, migrate
from signaling.lesson import DEMO
from signaling.secret_files import api_keys, write_secret
from streaming.params import NodeConfig

READY_S = 60.0  # some seconds; a machine with other work takes its time
PATIENCE_S = 5.0
PORTS_S = 4.0
DEMO_TOKEN_S = 10 * 365 * 86400
SOCKET_PATH_BYTES = 107


class StartFailed(Exception):
    """The server cannot start; the text is one line that says what to do."""


def check_ports(config: Config) -> None:
    """Try every port before anything starts; raises `StartFailed` that names the port and the remedy."""
    for key, kind, host, port in _ports(config):
        if port == 0:
            continue
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with contextlib.closing(socket.socket(family, kind)) as probe:
            if family is socket.AF_INET6:  # IPv4 is tried by itself
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise StartFailed(_port_words(config, key, port, error)) from None


def wait_for_ports(config: Config) -> None:
    """As `check_ports`, but give the children of a server that was killed the time to end."""
    deadline_s = time.monotonic() + PORTS_S
    while True:
        try:
            return check_ports(config)
        except StartFailed:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)


def wildcards() -> list[str]:
    """What stands for all addresses of this machine: of IPv4, and of IPv6 where there is any."""
    try:
        with contextlib.closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as probe:
            probe.bind(("::", 0))
    except OSError:
        return ["0.0.0.0"]
    return ["0.0.0.0", "::"]


def _port_words(config: Config, key: str, port: int, error: OSError) -> str:
    ours = {own for _, _, _, own in _ports(config)}
    other = next(number for number in count(port + 1) if number not in ours)
    whole = {
        "links": f"{other}:{DEMO_LINKS[0].profile}",
        "metrics.listen": f"{config.metrics.listen.rpartition(':')[0]}:{other}",
    }
    value = whole.get(key, str(other))
    remedy = f"zhuandi {'demo' if config.demo.enabled else 'serve'} --set {key}={value}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is in use: end the other program, or choose another port: {remedy}"
            f" / 端口 {port} 被占用：请先停止占用它的程序，或换一个端口：{remedy}"
        )
    return f"port {port} cannot be used ({error.strerror}): choose another with --set {key}=NUMBER"


def _ports(config: Config) -> Iterator[tuple[str, socket.SocketKind, str, int]]:
    for host in [config.listen.host] if config.listen.host else wildcards():
        yield "listen.port", socket.SOCK_STREAM, host, config.listen.port
        yield "listen.http_port", socket.SOCK_STREAM, host, config.listen.http_port
    for worker in range(config.rtc.workers):
        port = config.rtc.port + worker if config.rtc.port else 0
        for host in wildcards():
            yield "rtc.port", socket.SOCK_DGRAM, host, port
            yield "rtc.port", socket.SOCK_STREAM, host, port
    for link in config.emulated_links:
        for host in wildcards() if link.profile else ():
            yield "links", socket.SOCK_DGRAM, host, link.port
            yield "links", socket.SOCK_STREAM, host, link.port
    if config.metrics.listen:
        metrics_host, _, port_text = config.metrics.listen.rpartition(":")
        yield "metrics.listen", socket.SOCK_STREAM, metrics_host.strip("[]"), int(port_text)


class Supervisor:
    """Three children, and the demo teacher where it is wanted."""

    def __init__(self, config: Config, *, language: str) -> None:
        # Children do not share our working directory for ever: the data folder is named absolutely.
        self.config = config.model_copy(update={"data": str(config.data_dir)})
        self.language = language
        self.addresses = list(config.rtc.addresses) or machine_addresses()
        self._stop = asyncio.Event()
        self._signals = 0
        self._children: list[Child] = []
        self._lock: int | None = None

    async def run(self) -> None:
        """Until a signal; a second one forces. Raises `StartFailed`."""
        self._prepare()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        media, recorder, signalling = (Child(plan) for plan in self._plans())
        self._children = [signalling, media, recorder]
        tasks = [asyncio.create_task(child.keep_running()) for child in self._children]
        try:
            if await self._ready():
                await self._begin(tasks)
                await self._stop.wait()
        finally:
            await self._end(tasks)

    def _prepare(self) -> None:
        config = self.config
        run = config.data_dir / "run"
        if len(str(media_socket(config))) > SOCKET_PATH_BYTES:
            raise StartFailed(f"the path of the data folder is too long for a Unix socket: {config.data_dir}")
        wait_for_ports(config)
        try:
            for folder in ("run", "secrets", "recordings", "library"):
                (config.data_dir / folder).mkdir(parents=True, exist_ok=True)
            (config.data_dir / "secrets").chmod(0o700)
            self._lock = lock_data(config.data_dir)
            migrate(config.data_dir / "zhuandi.db")
            (run / "signalling.json").unlink(missing_ok=True)
            write_secret(run / "config.json", config.model_dump_json().encode())
        except (DataInUse, SchemaError) as error:
            raise StartFailed(str(error)) from None
        except OSError as error:
            raise StartFailed(f"the data folder cannot be used: {error}") from None

    def _plans(self) -> tuple[Plan, Plan, Plan]:
        config, data = self.config, self.config.data_dir
        identity = dtls_identity(data / "secrets", datetime.datetime.now(datetime.UTC))
        node = NodeConfig(
            socket=str(media_socket(config)),
            port=config.rtc.port,
            workers=config.rtc.workers,
            addresses=self.addresses,
            certificate_file=str(identity),
            log_level=config.log.level,
            log_format=config.log.format,
            recorded_layers=config.recording.layers,
        )
        recorder = ("-m", "recorder", "--data", str(data), "--exit-with-parent", *self._log_options())
        return (
            Plan("media", ("-m", "streaming.node", json.dumps(asdict(node))), self._log("media")),
            Plan("recorder", recorder, self._log("recorder")),
            Plan("signalling", ("-m", "signaling.app", str(data / "run" / "config.json")), self._log("signalling")),
        )

    def _log_options(self) -> tuple[str, ...]:
        return ("--log-level", self.config.log.level, "--log-format", self.config.log.format)

    def _log(self, name: str) -> Path | None:
        return self.config.data_dir / "logs" / f"{name}.log" if self.config.log.to == "file" else None

    async def _ready(self) -> bool:
        """Wait until lessons can be taken; False when we were told to stop meanwhile."""
        deadline_s = time.monotonic() + READY_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            while not self._stop.is_set():
                if await self._answers(http):
                    return True
                if time.monotonic() > deadline_s:
                    raise StartFailed(f"the server did not start; see {self.config.data_dir / 'logs'}")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), 0.05)
        return False

    async def _answers(self, http: aiohttp.ClientSession) -> bool:
        ports = self.ports()
        if not ports:
            return False
        try:
            async with http.get(self.config.local_url(ports["http"]) + "/readyz") as answer:
                reasons = (await answer.json())["reasons"]
        except (aiohttp.ClientError, OSError, ValueError):  # TimeoutError is an OSError
            return False
        return "media_away" not in reasons

    def ports(self) -> dict[str, int]:
        """The ports that signalling has bound, empty until it listens."""
        try:
            ports: dict[str, int] = json.loads((self.config.data_dir / "run" / "signalling.json").read_text())
        except (OSError, ValueError):
            return {}
        return ports

    async def _begin(self, tasks: list[asyncio.Task[None]]) -> None:
        ports = self.ports()
        key = next(iter(api_keys(self.config).items()))
        banner = Banner(self.config, self.addresses, ports, key[1], self.language)
        for line in banner.lines():
            print(line, flush=True)
        if self.config.demo.enabled:
            rights = teacher_rights(DEMO_SUB, DEMO_NAME, DEMO, int(time.time()) + DEMO_TOKEN_S)
            plan = {
                "url": self.config.local_url(ports["http"]),
                "token": mint(rights, key, time.time()),
                "ca_file": None,
                "lesson": DEMO,
            }
            argv = ("-m", "signaling.ends.demo", *self._log_options())
            demo = Child(Plan("demo", argv, self._log("demo"), json.dumps(plan)))
            self._children.insert(0, demo)
            tasks.append(asyncio.create_task(demo.keep_running()))

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        """The demo and the doors first, then media (logs are sealed), then the recorder."""
        patience_s = PATIENCE_S if self._signals < 2 else 0.1
        for child in self._children:
            await child.end(patience_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _signalled(self) -> None:
        self._signals += 1
        self._stop.set()
        if self._signals > 1:
            for child in self._children:
                child.signal(signal.SIGKILL)
