"""An association as its last offer described it: what it sends, and the slots in which it receives."""

from __future__ import annotations

from dataclasses import dataclass, field

from signaling.stage.places import Carried, MediaKind
from streaming.params import Reason, Source, Wanted


@dataclass
class Publication:
    """One source that a transport sends; `active` since its first packet."""

    handle: int
    source: Source
    codec: str
    active: bool = False
    wanted: Wanted | None = None  # of its encodings, as media says
    granted: bool = True  # as media was told; a classroom's own is not until it is called


@dataclass
class Slot:
    """One receive section of a page; `shown` is what the page was told that it carries."""

    handle: int
    mid: str
    kind: MediaKind
    place: int
    ssrc: int
    rtx_ssrc: int | None
    carries: Carried | None = None  # what it is for; `shown`: what it carries now
    publication: int | None = None
    shown: Carried | None = None
    capped: tuple[int, bool] = (2, False)
    spatial: int = -1
    height: int | None = None
    reason: Reason = "no_source"
    estimate_kbps: int = 0


@dataclass
class Transport:
    """The association of a participant, as its last offer described it."""

    handle: int
    fingerprint: str
    ufrag: str
    version: int = 1
    connected: bool = False
    offered_s: float | None = None  # steady clock, until it is connected
    play_out_ms: int | None = None  # depth of the page's buffer, as media knows it
    publications: dict[Source, Publication] = field(default_factory=dict)
    slots: list[Slot] = field(default_factory=list)
