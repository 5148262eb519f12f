"""What each m-section of a page carries, by its place among those of its kind and direction (PROTOCOL section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from streaming.params import Source

MediaKind = Literal["audio", "video"]
End = Literal["output", "classroom"]
Carried = Literal["microphone", "camera", "screen", "stage0", "stage1", "pinned0", "pinned1"]
"""What a slot is for: a source of the lesson, a place on stage, or a classroom that an output end looks at."""
STAGE: tuple[Carried, Carried] = ("stage0", "stage1")
PINNED: tuple[Carried, Carried] = ("pinned0", "pinned1")

# None among the sent: the same voice at a low rate; among the received: its twin, which carries nothing of its own.
SENT: Mapping[tuple[End, MediaKind], tuple[Source | None, ...]] = {
    ("output", "audio"): ("microphone", None),
    ("output", "video"): ("camera", "screen"),
    ("classroom", "audio"): ("microphone",),
    ("classroom", "video"): ("camera",),
}
RECEIVED: Mapping[tuple[End, MediaKind], tuple[Carried | None, ...]] = {
    ("output", "audio"): STAGE,
    ("output", "video"): (*STAGE, *PINNED),
    ("classroom", "audio"): ("microphone", None, *STAGE),
    ("classroom", "video"): ("camera", "screen", *STAGE),
}


def sent(end: End, kind: MediaKind, place: int) -> Source | None:
    """The source that an end sends at a place."""
    places = SENT[end, kind]
    return places[place] if place < len(places) else None


def received(end: End, kind: MediaKind, place: int) -> Carried | None:
    """What an end gets at a place."""
    places = RECEIVED[end, kind]
    return places[place] if place < len(places) else None


def stream_of(carried: Carried | None) -> str:
    """Browsers play one voice and one picture of a stream in step: the camera goes with the voice."""
    if carried in (None, "microphone", "camera"):
        return "zhuandi"
    return f"zhuandi-{carried}"
