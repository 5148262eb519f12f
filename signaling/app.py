"""The signalling process: `python -m signaling.app CONFIG.json`. Puts the parts together; knows everybody."""

from __future__ import annotations

import asyncio
import datetime
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import uvloop

from signaling.addresses import machine_addresses, reachable_host
from signaling.auth import teacher_rights
from signaling.certificates import server_certificate
from signaling.config import Config
from signaling.database.database import Database
from signaling.emulator.datagrams import Address
from signaling.hub import Hub
from signaling.lesson import DEMO
from signaling.logs import configure_logs
from signaling.media_events import follow_media
from signaling.secret_files import api_keys
from signaling.store import Store
from signaling.web.metrics import metrics_app
from signaling.web.server import Listeners, build_app
from streaming.client import MediaClient

log = structlog.get_logger()
DEMO_SUB = "demo-teacher"
DEMO_NAME = "演示教师 · Demo"
DEMO_TITLE = "演示课堂 · Demo lesson"


def clock(ahead: str) -> Callable[[], int]:
    """Unix time in milliseconds; `ahead` is a file with the seconds to add to it, for tests, or empty."""

    def machine_ms() -> int:
        return time.time_ns() // 1_000_000

    def turned_ms() -> int:
        try:
            return machine_ms() + round(float(Path(ahead).read_text()) * 1000)
        except (OSError, ValueError):
            return machine_ms()

    return turned_ms if ahead else machine_ms


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Run until `stop`; writes run/signalling.json once it listens."""
    data = config.data_dir
    addresses = machine_addresses()
    certificate = server_certificate(data / "secrets", config.tls, addresses, datetime.datetime.now(datetime.UTC))
    async with (
        await Database.open(data / "zhuandi.db") as database,
        MediaClient(str(media_socket(config))) as media,
    ):
        hub = Hub(config, Store(database), media, api_keys(config), clock(config.clock_file))
        await hub.start()
        if config.demo.enabled:
            await _open_demo(hub)
        listeners = Listeners(config, build_app(hub, authority=certificate.authority), metrics_app(hub))
        async with _tasks(hub):
            await listeners.start(certificate.context())
            await hub.ways.start(*_inner_addresses(config, listeners.ports["https"]))
            ports = listeners.ports | hub.ways.ports()
            hub.address = f"https://{reachable_host(config.listen.host, addresses)}:{ports['https']}"
            hub.local_url = config.local_url(ports["http"])
            _announce(data, ports)
            log.info("signalling is ready", **ports)
            await stop.wait()
            hub.draining = True
            await hub.ways.stop()
            await listeners.stop()
        await hub.accounts.flush()
    log.info("signalling has stopped")


def _inner_addresses(config: Config, https_port: int) -> tuple[str, Address, Address | None, list[str]]:
    """Where emulated links listen and lead: our own ends of them."""
    addresses = list(config.rtc.addresses) or machine_addresses()
    media = (addresses[0], config.rtc.port) if config.rtc.port else None
    return config.listen.host, (config.local_host, https_port), media, addresses


def media_socket(config: Config) -> Path:
    """Where the media process listens; a Unix socket's path has at most 107 bytes."""
    return config.data_dir / "run" / "media.sock"


@asynccontextmanager
async def _tasks(hub: Hub) -> AsyncIterator[None]:
    every = (
        _every(0.5, hub.publish),
        _every(1.0, hub.publish_table),
        _every_async(hub),
        follow_media(hub),
    )
    tasks = [asyncio.create_task(work) for work in every]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _every(seconds: float, work: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            work()
        except Exception:
            log.exception("periodic work failed")


async def _every_async(hub: Hub) -> None:
    while True:
        await asyncio.sleep(1.0)
        try:
            await hub.tick()
        except Exception:
            log.exception("periodic work failed")


async def _open_demo(hub: Hub) -> None:
    if DEMO not in hub.rooms:
        await hub.create(teacher_rights(DEMO_SUB, DEMO_NAME, DEMO, 0), DEMO_TITLE, DEMO)


def _announce(data: Path, ports: dict[str, int]) -> None:
    path = data / "run" / "signalling.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(ports))
    beside.rename(path)


async def _main(config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(config, stop)


if __name__ == "__main__":
    _config = Config.model_validate(json.loads(Path(sys.argv[1]).read_text()))
    configure_logs(_config.log)
    uvloop.run(_main(_config))
