"""A media process that only remembers: speaks PROTOCOL section 5 over a real Unix socket, moves no packets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Self

FINGERPRINT = ":".join(["AB"] * 32)


class FakeMedia:
    """Use `async with FakeMedia(path) as media`; look into `commands`, set `refuse` and `held`, call `say`."""

    def __init__(self, path: Path, epoch: str = "epoch-1") -> None:
        self.path = path
        self.epoch = epoch
        self.commands: list[dict[str, Any]] = []
        self.lessons: dict[str, dict[str, Any]] = {}
        self.transports: dict[int, dict[str, Any]] = {}
        self.connections: dict[int, int | None] = {}
        self.refuse: dict[str, tuple[str, str]] = {}  # command -> (code, detail)
        self.held: dict[str, asyncio.Event] = {}  # command -> its answer waits for this
        self._handle = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()

    def restart(self, epoch: str) -> None:
        """As after a kill: everything is gone, clients have to connect again."""
        self.epoch = epoch
        self.lessons, self.transports, self.connections = {}, {}, {}
        for writer in list(self._writers):
            writer.close()

    def say(self, event: str, **fields: Any) -> None:
        """An event to everybody."""
        for writer in self._writers:
            writer.write(json.dumps({"event": event, **fields}).encode() + b"\n")

    def did(self, do: str) -> list[dict[str, Any]]:
        """The commands of one kind, in order."""
        return [command for command in self.commands if command["do"] == do]

    def state(self) -> list[dict[str, Any]]:
        """`hello`'s state."""
        return [
            {
                "lesson": name,
                "log_dir": lesson["log_dir"],
                "label": lesson["label"],
                "transports": [t for t in self.transports.values() if t["lesson"] == name],
            }
            for name, lesson in self.lessons.items()
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            hello = {"event": "hello", "epoch": self.epoch, "state": self.state()}
            writer.write(json.dumps(hello).encode() + b"\n")
            while line := await reader.readline():
                command = json.loads(line)
                self.commands.append(command)
                if command["do"] in self.held:
                    await self.held[command["do"]].wait()
                if command["do"] in self.refuse:
                    code, detail = self.refuse[command["do"]]
                    answer: dict[str, Any] = {"error": {"code": code, "detail": detail}}
                else:
                    answer = {"ok": self._do(command)}
                writer.write(json.dumps({"id": command["id"], **answer}).encode() + b"\n")
        except (ConnectionError, ValueError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _next(self) -> int:
        self._handle += 1
        return self._handle

    def _do(self, command: dict[str, Any]) -> dict[str, Any]:
        match command["do"]:
            case "open_lesson":
                self.lessons[command["lesson"]] = command
                return {"log_dir": command["log_dir"] and f"{command['log_dir']}/{self.epoch}"}
            case "close_lesson":
                self.lessons.pop(command["lesson"], None)
            case "open_transport":
                self.transports.pop(command["replaces"], None)
                return self._open_transport(command)
            case "restart_ice":
                return self._local(command["transport"], "new")
            case "add_publication":
                handle = self._next()
                row = {name: command[name] for name in ("source", "label", "granted", "recorded")}
                row |= {"publication": handle, "wanted": None}
                self.transports[command["transport"]]["publications"].append(row)
                return {"handle": handle}
            case "add_player":
                return {"handle": self._next()}
            case "add_subscription":
                handle = self._next()
                row = {"subscription": handle, "publication": None, "cap": 2, "label": command["label"]}
                self.transports[command["transport"]]["subscriptions"].append(row)
                return {"handle": handle}
            case "grant":
                self._grant(command["publication"], command["on"])
            case "show_stills":
                self.transports[command["transport"]]["shows"] = command["of"]
            case "connect":
                self._connect(command["subscription"], command["publication"])
            case "remove":
                self.transports.pop(command["handle"], None)
        return {}

    def _grant(self, publication: int, on: bool) -> None:
        for transport in self.transports.values():
            for row in transport["publications"]:
                if row["publication"] == publication:
                    row["granted"] = on

    def _connect(self, subscription: int, publication: int | None) -> None:
        self.connections[subscription] = publication
        for transport in self.transports.values():
            for row in transport["subscriptions"]:
                if row["subscription"] == subscription:
                    row["publication"] = publication

    def _open_transport(self, command: dict[str, Any]) -> dict[str, Any]:
        handle = self._next()
        self.transports[handle] = {
            "transport": handle,
            "lesson": command["lesson"],
            "connected": True,
            "label": command["label"],
            "stills": command["params"].get("stills", "none"),
            "shows": [],
            "publications": [],
            "subscriptions": [],
        }
        return self._local(handle, "user")

    @staticmethod
    def _local(handle: int, ufrag: str) -> dict[str, Any]:
        candidates = [{"protocol": p, "address": "192.0.2.7", "port": 7882} for p in ("udp", "tcp")]
        return {
            "transport": handle,
            "ufrag": f"{ufrag}{handle}",
            "pwd": "p" * 24,
            "fingerprint": FINGERPRINT,
            "candidates": candidates,
        }
