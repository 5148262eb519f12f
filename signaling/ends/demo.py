"""The demo teacher as a program: `python -m signaling.ends.demo`, its plan as JSON on standard input.

{"url", "token", "ca_file", "lesson"}; it ends with its parent, whose end of the pipe it watches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys

from signaling.ends.client_core import ClientCore
from signaling.ends.demo_media import prepare_media
from signaling.ends.door import DoorPlan, Refused
from signaling.ends.publish_end import PublishEnd
from streaming.logs import configure_logs

RETRY_S = 5.0

_log = logging.getLogger("zhuandi.demo")


async def teach(plan: DoorPlan, lesson: str) -> None:
    """Publish the demo lesson for ever, each repetition a recording of its own."""
    media = await prepare_media()
    with ClientCore() as client:
        while True:
            try:
                await PublishEnd(plan, client, media, roll_lesson=lesson).run()
            except Refused as refused:
                _log.error("the demo teacher was refused: %s", refused)
            await asyncio.sleep(RETRY_S)


async def _main() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    value = json.loads(await reader.readline())
    lesson = value.pop("lesson")
    teaching = asyncio.create_task(teach(DoorPlan(page="teacher", **value), lesson))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, teaching.cancel)
    parent = asyncio.create_task(reader.read())
    await asyncio.wait({teaching, parent}, return_when=asyncio.FIRST_COMPLETED)
    if not teaching.done():
        teaching.cancel()
    try:
        await teaching
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m signaling.ends.demo", description="The demo teacher of Zhuandi.")
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--log-format", default="json")
    arguments = parser.parse_args()
    configure_logs(arguments.log_level, arguments.log_format)
    asyncio.run(_main())
