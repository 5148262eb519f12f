"""What was found, and what that means: the table of `rules.json`, which the pages read as well (PROTOCOL 4.4)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["zh", "en"]
Level = Literal["well", "limited", "not_now", "unfinished"]
Kbps = Annotated[int, Field(ge=0, le=1_000_000)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Way = Literal["ok", "blocked"]
Device = Literal["ok", "none", "denied", "unheard"]


class Facts(BaseModel):
    """What a check found; None: not tried, or not known. Numbers are those of the better way, UDP before TCP."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: Literal["page", "doctor"] = "doctor"
    purpose: Literal["receive", "teach"] = "receive"
    reach: Literal["ok", "no_network", "no_name", "refused", "silent"] | None = None
    tls: Literal["ok", "plain", "untrusted", "expired", "too_early", "wrong_name", "no_tls"] | None = None
    http: Literal["ok", "stranger", "fault"] | None = None
    socket: Way | None = None
    entry: Literal["ok", "refused", "busy"] | None = None
    media: Literal["ok", "unsupported", "interrupted"] | None = None
    udp: Way | None = None
    tcp: Way | None = None
    media_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    rtt_ms: Annotated[int, Field(ge=0, le=600_000)] | None = None
    down_kbps: Kbps | None = None
    down_loss: Ratio | None = None
    height: Annotated[int, Field(ge=0, le=10_000)] | None = None  # of the picture that arrived at the end; 0: none
    up_kbps: Kbps | None = None
    up_loss: Ratio | None = None
    camera: Device | None = None
    microphone: Device | None = None
    speaker: Device | None = None

    def values(self) -> dict[str, Any]:
        """By name, with what sentences need besides."""
        loss = self.down_loss
        percent = None if loss is None else round(100 * loss)
        return {**self.model_dump(), "down_loss_percent": percent}


@dataclass(frozen=True)
class Verdict:
    """The first rule that holds, in words of one language."""

    rule: str
    level: Level
    sentence: str
    cause: str
    steps: list[str]


@cache
def table() -> dict[str, Any]:
    """The rules as they are written."""
    value: dict[str, Any] = json.loads(Path(__file__).with_name("rules.json").read_text(encoding="utf-8"))
    return value


def judge(facts: Facts) -> dict[str, Any]:
    """The first rule that holds."""
    values = facts.values()
    return next(rule for rule in table()["rules"] if all(_holds(values, *condition) for condition in rule["when"]))


def verdict(facts: Facts, language: Language) -> Verdict:
    """What to tell people."""
    rule, values = judge(facts), facts.values()
    steps = [_fill(table()["steps"][step][language], values) for step in rule["steps"]]
    sentence = table()["levels"][rule["level"]][language]
    return Verdict(rule["id"], rule["level"], sentence, _fill(rule[language], values), steps)


def _holds(values: dict[str, Any], fact: str, how: str, wanted: Any) -> bool:
    """One condition; what is not known meets none."""
    value = values[fact]
    if value is None:
        return False
    match how:
        case "is":
            return bool(value == wanted)
        case "in":
            return value in wanted
        case "below":
            return bool(value < wanted)
        case "at_least":
            return bool(value >= wanted)
    raise ValueError(f"no such comparison: {how}")


def _fill(sentence: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        sentence = sentence.replace(f"{{{name}}}", "?" if value is None else str(value))
    return sentence
