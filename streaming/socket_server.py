"""The Unix socket of the media process: JSON lines in and out, many clients, none of which can hold the others up."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streaming.errors import NoSuchObject

LINE_LIMIT = 1 << 20  # bytes of one command
BACKLOG_LIMIT = 16 << 20  # bytes that wait for a client that does not read; then it is cut off and may come back

log = logging.getLogger(__name__)


class SocketServer:
    """`do(name, fields)` runs a command; `hello()` is said to each client that comes."""

    def __init__(self, do: Callable[[str, dict[str, Any]], Any], hello: Callable[[], dict[str, Any]]) -> None:
        self._do = do
        self._hello = hello
        self._clients: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._path = ""

    async def listen(self, path: str) -> None:
        """Open the socket at `path`; raises `OSError` when another process answers there."""
        self._path = path
        _clear_path(path)
        old_mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path, limit=LINE_LIMIT)
        finally:
            os.umask(old_mask)

    def close(self) -> None:
        """Hang up on all clients."""
        if self._server is not None:
            self._server.close()
            Path(self._path).unlink(missing_ok=True)
        for writer in list(self._clients):
            writer.close()

    def broadcast(self, event: dict[str, Any]) -> None:
        """Say an event to all clients."""
        if self._clients:
            line = _line(event)
            for writer in list(self._clients):
                self._write(writer, line)

    def _write(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        if writer.transport.get_write_buffer_size() > BACKLOG_LIMIT:
            log.warning("a client of the media socket does not read; cut off")
            self._clients.discard(writer)
            writer.transport.abort()
            return
        writer.write(line)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._write(writer, _line({"event": "hello", **self._hello()}))
        self._clients.add(writer)
        try:
            while line := await reader.readline():
                self._write(writer, _line(self._answer(line)))
                await writer.drain()
        except (OSError, ValueError):
            pass  # gone, or a line over the limit: nothing after it can be trusted
        finally:
            self._clients.discard(writer)
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        number: Any = None
        try:
            fields = json.loads(line)
            number, name = fields.pop("id"), fields.pop("do")
            return {"id": number, "ok": self._do(name, fields)}
        except Exception as error:
            code = _code(error)
            if code == "internal":
                log.exception("a command failed")
            return {"id": number, "error": {"code": code, "detail": str(error)}}


def _code(error: Exception) -> str:
    if isinstance(error, NoSuchObject):
        return "no_such"
    if isinstance(error, OSError):
        return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "os_error"
    if isinstance(error, ValueError | KeyError | AttributeError | OverflowError):
        return "bad_argument"
    if isinstance(error, RuntimeError):
        return "busy"
    return "internal"


def _clear_path(path: str) -> None:
    """Remove the socket of a process that died; one that answers is left alone."""
    if not os.path.exists(path):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            os.unlink(path)
            return
    raise OSError(errno.EADDRINUSE, f"another media process listens on {path}: stop it first")


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
