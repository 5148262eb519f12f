"""A packet core in the client role, shared by the headless ends of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

from streaming._core import Core

Listener = Callable[[dict[str, Any]], None]


class ClientCore:
    """Owns a `Core` and hands its events to whoever opened the transport or publication that they are about."""

    def __init__(self, addresses: list[str] | None = None) -> None:
        self.core = Core(port=0, workers=1, addresses=addresses or [])
        self.lesson = self.core.open_lesson(None)
        self._listeners: dict[int, Listener] = {}

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self.core.fileno(), self._take)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self.core.fileno())
        self.core.close()

    def listen(self, handle: int, listener: Listener) -> None:
        """Hear the events of one transport or publication."""
        self._listeners[handle] = listener

    def forget(self, *handles: int) -> None:
        """Remove objects and their listeners."""
        for handle in handles:
            self._listeners.pop(handle, None)
            self.core.remove(handle)

    def _take(self) -> None:
        for event in self.core.take_events():
            handle = event.get("transport", event.get("publication"))
            if handle is not None and (listener := self._listeners.get(int(handle))) is not None:
                listener(event)
