"""Logs of a process that has no more than the standard library, to standard error: one JSON object a line, or text."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """The keys of the other processes' logs: `event`, `level`, `timestamp`, and `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        words = {"event": record.getMessage(), "logger": record.name, "level": record.levelname.lower()}
        told = {"exception": self.formatException(record.exc_info)} if record.exc_info else {}
        return json.dumps({**words, **told, "timestamp": at}, ensure_ascii=False)


def configure_logs(level: str = "info", style: str = "json") -> None:
    """Make this the way of all loggers of the process; `style` is `json`, or `text` for people."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if style == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
