"""`python -m tests.support.one_end URL TOKEN`: attend until media comes, and say by which way it did."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from signaling.ends.client_core import ClientCore
from signaling.ends.door import DoorPlan
from signaling.ends.receive_end import ReceiveEnd


class OneEnd(ReceiveEnd):
    """Keeps how it connected."""

    way = ""

    def _transport_event(self, event: dict[str, Any]) -> None:
        if event["event"] == "connected":
            self.way = event["protocol"]
        super()._transport_event(event)


async def main(url: str, token: str) -> None:
    """Attend as a classroom that trusts any certificate."""
    with ClientCore() as client:
        end = OneEnd(DoorPlan(url, token, "classroom", insecure=True), client)
        attending = asyncio.create_task(end.run())
        await end.first_media.wait()
        print(end.way)
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
