"""What every room works with: the way to a page, and what is behind the lesson."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from signaling.emulator.ways import Ways
from signaling.messages import ByeReason, ServerMessage
from signaling.recordings import Recordings
from signaling.stage.doors import Doors
from streaming.client import MediaClient


class Outbox(Protocol):
    """The way to one client's page."""

    def send(self, message: ServerMessage) -> None:
        """Queue a message; never waits."""

    def bye(self, reason: ByeReason) -> None:
        """Say why and close."""


@dataclass(frozen=True)
class Tools:
    """What every room works with."""

    media: MediaClient
    recordings: Recordings
    now_ms: Callable[[], int]
    record: bool
    demo_keep: int
    ways: Ways
    place_of: Callable[[str], tuple[str, str]]  # the names of school and class of a `sub`
    doors: Doors
    only_watched: Callable[[str], bool]  # whether classrooms do not speak in a lesson
