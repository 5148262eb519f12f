"""What the teacher said with the four keys, and what happened in class, out of the log's EVENT records (PROTOCOL 6)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from recorder.clips.spans import Span, union

MarkName = Literal["begin", "end", "point", "private"]
NAMES: tuple[MarkName, ...] = get_args(MarkName)
# A press comes after its cause: so much before it is not to be recorded either.
BEFORE_PRIVATE_S = 2.0
MAX_TITLE = 80


@dataclass(frozen=True)
class Mark:
    """One press of a key; `on` is false where 不要录 ends. Seconds on the lesson's timeline."""

    at_s: float
    name: MarkName
    on: bool = True
    title: str = ""


@dataclass(frozen=True)
class Said:
    """An EVENT record that matters here: a mark, or the name of a class event."""

    mark: MarkName | None
    event: str
    on: bool = True
    title: str = ""


def read_event(body: bytes) -> Said | None:
    """One record's body; None for what is no class event, and for what does not parse."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("event"), str):
        return None
    event: str = value["event"]
    if event.startswith("lesson_"):
        return None
    if event != "marker":
        return Said(None, event)
    name = value.get("mark", "point")
    known = next((n for n in NAMES if n == name), None)
    title = str(value.get("title") or "")[:MAX_TITLE]
    return Said(known, event, value.get("on") is not False, title) if known is not None else None


def private_spans(marks: Iterable[Mark], duration_s: float) -> list[Span]:
    """What is not to be recorded: to the second press, or to the end."""
    spans: list[Span] = []
    since: float | None = None
    for mark in sorted((m for m in marks if m.name == "private"), key=lambda m: m.at_s):
        if mark.on and since is None:
            since = mark.at_s
        elif not mark.on and since is not None:
            spans.append((max(0.0, since - BEFORE_PRIVATE_S), mark.at_s))
            since = None
    if since is not None:
        spans.append((max(0.0, since - BEFORE_PRIVATE_S), max(duration_s, since)))
    return union(spans)


def begun_spans(marks: Iterable[Mark], duration_s: float) -> list[Span] | None:
    """From each 开始微课 to 结束, or to the next 开始微课, or to the end; None where the key was never pressed."""
    spans: list[Span] = []
    since: float | None = None
    for mark in sorted((m for m in marks if m.name in ("begin", "end")), key=lambda m: m.at_s):
        if since is not None:
            spans.append((since, mark.at_s))
        since = mark.at_s if mark.name == "begin" else None
    if since is not None:
        spans.append((since, duration_s))
    return spans if any(m.name == "begin" for m in marks) else None
