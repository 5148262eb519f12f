"""`python -m recorder --data DIR`: the recorder process; writes its log to standard error, as JSON lines or text."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import structlog

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
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.add_argument("--log-format", choices=("json", "text"), default="json")
    arguments = parser.parse_args()
    _configure_logs(arguments.log_level, arguments.log_format)
    run_recorder(RecorderConfig(arguments.data, arguments.poll, arguments.jobs, arguments.exit_with_parent))


def _configure_logs(level: str, style: str) -> None:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


if __name__ == "__main__":
    main()
