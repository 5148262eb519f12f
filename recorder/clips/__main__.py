"""`python -m recorder.clips --data DIR`: started and looked after by the recorder."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from recorder.clips.child import Clips
from recorder.logs import LEVELS, STYLES, configure

NICENESS = 10
POLL_S = 0.5


def main() -> None:
    """Until the process that started this one is gone."""
    parser = argparse.ArgumentParser(prog="recorder.clips", description="Proposes and cuts micro-lessons.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--log-level", choices=LEVELS, default="info")
    parser.add_argument("--log-format", choices=STYLES, default="json")
    arguments = parser.parse_args()
    configure(arguments.log_level, arguments.log_format)
    os.nice(NICENESS)
    parent, clips = os.getppid(), Clips(arguments.data)
    while os.getppid() == parent:
        if not clips.step(time.time()):
            time.sleep(POLL_S)


if __name__ == "__main__":
    main()
