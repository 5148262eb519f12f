"""The media process: the core, the control loop and the socket, nothing else.

`python -m streaming.node '{"socket": "…/media.sock", …}'` with the fields of `NodeConfig`.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import importlib
import json
import logging
import os
import secrets
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from streaming._core import Core
from streaming.commands import Commands
from streaming.control_loop import TICK_S, ControlLoop, Policy
from streaming.logs import configure_logs
from streaming.model import Model
from streaming.params import NodeConfig
from streaming.seek_points import SeekPoints
from streaming.socket_server import SocketServer
from streaming.statistics import Statistics

STATS_US = 1_000_000
PR_SET_PDEATHSIG = 1  # prctl(2)

log = logging.getLogger(__name__)


def monotonic_us() -> int:
    """The clock of the control loop."""
    return time.monotonic_ns() // 1000


def new_epoch() -> str:
    """A name for this run that sorts by time: UTC start and four random digits."""
    return f"{datetime.now(UTC):%Y%m%d%H%M%S}-{secrets.token_hex(2)}"


class Node:
    """One media process; `run` until `stop`."""

    def __init__(self, config: NodeConfig, policy: Policy) -> None:
        pem = Path(config.certificate_file).read_bytes() if config.certificate_file is not None else None
        self.core = Core(port=config.port, workers=config.workers, addresses=config.addresses, certificate_pem=pem)
        self.epoch = new_epoch()
        self._config = config
        self._model = Model()
        self._control = ControlLoop(self.core, self._model, policy, config.recorded_layers)
        self._statistics = Statistics(self.core.drop_reasons)
        commands = Commands(self.core, self._model, self.epoch, monotonic_us)
        self._server = SocketServer(commands.do, self._hello)
        self._stats_at_us = 0
        self._seek_points = SeekPoints()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    async def run(self) -> None:
        """Serve until `stop`; then the logs are sealed."""
        loop = asyncio.get_running_loop()
        ticks = None
        try:
            await self._server.listen(self._config.socket)
            loop.add_reader(self.core.fileno(), self._take_events)
            ticks = loop.create_task(self._tick_forever())
            log.info("media is up: port %d, epoch %s", self.core.port, self.epoch)
            await self._stopped.wait()
        finally:
            if ticks is not None:
                ticks.cancel()
            loop.remove_reader(self.core.fileno())
            await asyncio.to_thread(self.core.close)
            self._take_events()
            self._server.close()

    def _hello(self) -> dict[str, Any]:
        self._control.tell_again()
        return {"epoch": self.epoch, "state": self._model.state()}

    def _take_events(self) -> None:
        for event in self.core.take_events():
            if event["event"] == "log":
                handle = event["lesson"]
                event["lesson"] = self._model.lesson_ids.get(handle)
                if event["sealed"]:
                    self._model.lesson_ids.pop(handle, None)
            elif event["event"] == "still":
                event["lesson"] = self._model.lesson_ids.get(event["lesson"])
            elif event["event"] == "own_still":
                del event["tile"]  # a server's peers have one each
            elif (transport := self._model.transports.get(event.get("transport", 0))) is not None:
                transport.connected = event["event"] == "connected"
                if event["event"] in ("failed", "closed"):
                    self._model.forget(transport.handle)
            self._server.broadcast(event)

    async def _tick_forever(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            try:
                self._tick(monotonic_us())
            except Exception:
                # The core keeps the last decision; a policy that fails must not take the lesson with it.
                log.exception("the control loop failed; the last decision stays")

    def _tick(self, now_us: int) -> None:
        stats = self.core.take_stats()
        for event in self._control.tick(now_us, stats):
            self._server.broadcast(event)
        if now_us >= self._stats_at_us:
            self._stats_at_us = now_us + STATS_US
            for publication in self._seek_points.due(stats["encodings"], self._model.publications, now_us):
                self.core.request_keyframe(publication)
            control = self._control
            self._server.broadcast(
                self._statistics.event(now_us, stats, self._model, control.sources, control.reasons())
            )


def load_policy(name: str) -> Policy:
    """The policy object that `module:Class` names."""
    module, _, attribute = name.partition(":")
    return cast(Policy, getattr(importlib.import_module(module), attribute)())


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the supervisor dies, however it dies (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        sys.exit("the supervisor is gone already")


async def run_node(config: NodeConfig) -> None:
    """Run a media process until SIGTERM or SIGINT."""
    node = Node(config, load_policy(config.policy))
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, node.stop)
    await node.run()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m streaming.node", description="The media process of Zhuandi.")
    parser.add_argument("config", help="the fields of NodeConfig as one JSON object")
    try:
        config = NodeConfig(**json.loads(parser.parse_args().config))
    except (TypeError, ValueError) as error:
        parser.error(f"config: {error}")
    configure_logs(config.log_level, config.log_format)
    if config.exit_with_parent:
        die_with_parent()
    try:
        asyncio.run(run_node(config))
    except OSError as error:
        sys.exit(f"media: {error.strerror or error}")


if __name__ == "__main__":
    main()
