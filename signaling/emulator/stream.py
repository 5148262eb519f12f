"""One direction of a TCP connection through the bucket.

The relay ends TCP on both sides, so the sender's congestion control is played here: segments enter the link inside a
window that grows by acknowledgements and halves at losses (RFC 5681, RFC 6928), lost ones enter again after a round
trip or a timeout (RFC 6298), and bytes come out in order. So a download beside a lesson fills the queue as it would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from signaling.emulator.bucket import Direction

SEGMENT = 1400
HEADERS = 52  # IPv4, TCP and its timestamps
FIRST_WINDOW, LEAST_WINDOW, MOST_WINDOW = 10.0, 2.0, 64.0
LEAST_TIMEOUT_S, MOST_TIMEOUT_S = 0.2, 10.0
DUPLICATE_ACKS = 3


class Stream:
    """Bytes given to `send` come out at `write`, late."""

    def __init__(self, forward: Direction, backward: Direction, write: Callable[[bytes], None]) -> None:
        self._forward = forward
        self._backward = backward
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._window, self._threshold = FIRST_WINDOW, MOST_WINDOW
        self._flying = 0
        self._room = asyncio.Event()
        self._sent = 0
        self._wanted = 0
        self._early: dict[int, bytes] = {}
        self._halved_s = 0.0
        self._closed = False

    async def send(self, data: bytes) -> None:
        """Let `data` enter as far as the window allows; an empty one is a segment of its own."""
        for start in range(0, max(1, len(data)), SEGMENT):
            while self._flying >= self._window:
                self._room.clear()
                await self._room.wait()
            self._flying += 1
            self._transmit(self._sent, data[start : start + SEGMENT], 0)
            self._sent += 1

    async def drained(self) -> None:
        """Wait until everything is at the other end."""
        while self._flying:
            self._room.clear()
            await self._room.wait()

    def close(self) -> None:
        """Deliver nothing any more."""
        self._closed = True

    def _transmit(self, number: int, segment: bytes, tries: int) -> None:
        if self._closed:
            return
        fate = self._forward.send(len(segment) + HEADERS, lambda: self._arrived(number, segment))
        if isinstance(fate, str):
            self._lost(number, segment, tries)

    def _lost(self, number: int, segment: bytes, tries: int) -> None:
        round_trip_s = self._round_trip_s()
        wait_s = round_trip_s
        if tries > 0 or self._flying <= DUPLICATE_ACKS:  # nothing behind it tells the sender: its timer must
            wait_s = min(MOST_TIMEOUT_S, max(LEAST_TIMEOUT_S, 2 * round_trip_s) * 2**tries)
        now_s = self._loop.time()
        if now_s >= self._halved_s + round_trip_s:
            self._halved_s = now_s
            self._threshold = self._window = max(LEAST_WINDOW, self._window / 2)
        self._loop.call_later(wait_s, self._transmit, number, segment, tries + 1)

    def _arrived(self, number: int, segment: bytes) -> None:
        if self._closed or number < self._wanted or number in self._early:
            return  # closed, or the link made a copy
        if number % 2:  # every second segment is acknowledged; that costs the way back
            self._backward.send(HEADERS, _nothing)
        self._loop.call_later(self._backward.queue_s() + self._backward.delay_s, self._acknowledged)
        self._early[number] = segment
        while (ready := self._early.pop(self._wanted, None)) is not None:
            self._wanted += 1
            self._write(ready)

    def _acknowledged(self) -> None:
        self._flying -= 1
        slow_start = self._window < self._threshold
        self._window = min(MOST_WINDOW, self._window + (1 if slow_start else 1 / self._window))
        self._room.set()

    def _round_trip_s(self) -> float:
        return sum(way.queue_s() + way.delay_s for way in (self._forward, self._backward))


def _nothing() -> None:
    """What an acknowledgement does at the other end: the window is opened by a timer of its own."""
