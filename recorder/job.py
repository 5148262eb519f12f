"""The child process that makes one lesson's files: libav may crash here without harm, at a low priority.

Reads an order as JSON from standard input and writes JSON lines: what it works on, then how it went.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from recorder.derive import Order, derive

NICENESS = 10


def order_to_json(order: Order) -> str:
    """One line for the child's standard input."""
    return json.dumps(dataclasses.asdict(order), default=str)


def order_from_json(text: str) -> Order:
    """The child's side of `order_to_json`."""
    value: dict[str, Any] = json.loads(text)
    value["recording"], value["library"] = (
        Path(value["recording"]),
        Path(value["library"]),
    )
    value["epochs"], value["skip"] = tuple(value["epochs"]), tuple(value["skip"])
    return Order(**value)


def main() -> None:
    """Derive one lesson and say how it went."""
    os.nice(NICENESS)
    order = order_from_json(sys.stdin.read())
    started = time.monotonic()
    manifest = derive(order, lambda source: _tell(making=source))
    if manifest is None:
        _tell(done="empty")
        return
    _tell(
        done="published",
        version=manifest.version,
        duration_s=manifest.duration_s,
        took_s=round(time.monotonic() - started, 3),
        cpu_s=round(time.process_time(), 3),
        gaps=len(manifest.gaps),
    )


def _tell(**words: object) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    main()
