"""`python -m recorder --data DIR`: the recorder process; writes its log to standard error, as JSON lines or text."""

from __future__ import annotations

import argparse
from pathlib import Path

from recorder.live_child import LiveChild
from recorder.logs import LEVELS, STYLES, configure
from recorder.service import RecorderConfig, run_recorder


def main() -> None:
    """Parse the command line and run until a signal."""
    parser = argparse.ArgumentParser(prog="recorder", description="Turns the logs of lessons into library entries.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--poll", type=float, default=0.5, help="seconds between two looks")
    parser.add_argument("--jobs", type=int, default=2, help="lessons that are made at once")
    parser.add_argument(
        "--exit-with-parent",
        action="store_true",
        help="stop when the process that started this one is gone",
    )
    parser.add_argument("--log-level", choices=LEVELS, default="info")
    parser.add_argument("--log-format", choices=STYLES, default="json")
    arguments = parser.parse_args()
    configure(arguments.log_level, arguments.log_format)
    options = ("--log-level", arguments.log_level, "--log-format", arguments.log_format)
    beside = tuple(LiveChild(module, arguments.data, options) for module in ("recorder.live", "recorder.clips"))
    config = RecorderConfig(arguments.data, arguments.poll, arguments.jobs, arguments.exit_with_parent)
    run_recorder(config, beside=beside)


if __name__ == "__main__":
    main()
