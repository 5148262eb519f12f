"""What a newcomer is told: places and megabits that are taken go in, a verdict comes out. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from signaling.admission.words import sentences

Kind = Literal["accept", "rung", "wait", "recording"]
Cause = Literal["lesson_receivers", "node_receivers", "lesson_mbit", "node_mbit", "pace"]
SOUND, WHOLE = -1, 2  # the lowest rung, sound and slides, and the highest layer of a picture
PLACES_AGAIN_S = 30  # somebody has to leave first
MBIT_AGAIN_S = 15


@dataclass(frozen=True)
class Costs:
    """What one receiver is expected to take, in bit/s, with sound and slides alone and with layer 0, 1 and 2."""

    sound: int
    layers: tuple[int, int, int]

    def of(self, layer: int) -> int:
        """Up to this layer."""
        return self.sound if layer == SOUND else self.layers[layer]


@dataclass(frozen=True)
class Scope:
    """A limit and what is taken of it; 0 bit/s: no limit."""

    receivers_full: Cause
    mbit_full: Cause
    max_receivers: int
    max_bps: int
    receivers: int
    bps: int


@dataclass(frozen=True)
class Verdict:
    """In, in with less (`layer` is the highest), or not now; `seconds` until it is worth another try."""

    kind: Kind
    cause: Cause | None = None
    layer: int = WHOLE
    seconds: int | None = None

    @property
    def comes_in(self) -> bool:
        """Whether there is a place."""
        return self.kind in ("accept", "rung")

    def plain(self) -> dict[str, Any] | None:
        """As PROTOCOL 4.5 has it; None where there is nothing to say."""
        if self.kind == "accept":
            return None
        zh, en = sentences(self.kind, self.cause, self.layer, self.seconds)
        layer = self.layer if self.kind == "rung" else None
        return {"kind": self.kind, "cause": self.cause, "layer": layer, "seconds": self.seconds, "zh": zh, "en": en}


ACCEPT = Verdict("accept")


def judge(scopes: Sequence[Scope], costs: Costs, *, may_watch: bool) -> Verdict:
    """The verdict on one newcomer; `may_watch`: there will be a recording, and it may watch it."""
    later: Kind = "recording" if may_watch else "wait"
    for scope in scopes:
        if scope.receivers >= scope.max_receivers:
            return Verdict(later, scope.receivers_full, seconds=PLACES_AGAIN_S)
    tight = min((s for s in scopes if s.max_bps), key=lambda s: s.max_bps - s.bps, default=None)
    if tight is None:
        return ACCEPT
    layer = affordable(tight.max_bps - tight.bps, costs)
    if layer is None:
        return Verdict(later, tight.mbit_full, seconds=MBIT_AGAIN_S)
    return ACCEPT if layer == WHOLE else Verdict("rung", tight.mbit_full, layer)


def affordable(free_bps: int, costs: Costs) -> int | None:
    """The highest layer that fits, or None where not even sound does."""
    return next((layer for layer in (2, 1, 0, SOUND) if costs.of(layer) <= free_bps), None)
