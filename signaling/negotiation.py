"""Which m-sections of an offer become publications, which become slots, and which are refused (PROTOCOL section 1)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from signaling.auth import Rights
from signaling.lesson import AUDIO_PLACES, VIDEO_PLACES, Kind, Slot
from signaling.messages import Refused
from signaling.sdp import Accepted, Media, Offer, accept_channel, accept_slot, accept_track, refuse
from streaming.params import Source, Stills

LOW_RATE_PLACE = 1  # among the audio sections
LOW_RATE_PTIME_MS = 60
# Browsers play one voice and one picture of a stream in step: the camera goes with the voice.
STREAMS = {0: "zhuandi", 1: "zhuandi-screen", 2: "zhuandi-spare"}


@dataclass
class Negotiated:
    """The parts of one answer; `sections` covers every live section of the offer."""

    tracks: list[tuple[Source, Accepted]] = field(default_factory=list)
    slots: list[tuple[Slot, Accepted]] = field(default_factory=list)
    sections: list[Accepted] = field(default_factory=list)
    stills: Stills = "none"


def negotiate(
    offer: Offer,
    rights: Rights,
    kind: Kind,
    *,
    taken: Callable[[Source], bool],
    keep: list[Slot] | None = None,
    screen: bool = False,
) -> Negotiated:
    """Divide an offer; raises `Refused` when nothing of it may flow.

    `taken` tells sources that somebody else sends now; `keep` are the slots of the living transport (an ICE restart
    keeps their SSRCs); `screen`: the only picture of a WHIP or WHEP client is the screen.
    """
    result = Negotiated()
    kept = {slot.mid: slot for slot in keep or ()}
    forbidden, busy = False, False
    for media, place in _placed(offer, screen=screen):
        use = _use(media, rights, kind)
        if use == "slot":
            slot = kept.get(media.mid) or _new_slot(media, place)
            stream = STREAMS[min(place, 2)] if media.kind == "video" else STREAMS[0]
            section = accept_slot(media, slot.ssrc, slot.rtx_ssrc, stream)
            result.slots.append((slot, section))
        elif use == "track":
            source = _source(media, place)
            low_rate = media.kind == "audio" and place == LOW_RATE_PLACE
            # A page's low rate is nothing without the voice itself; an encoder's second voice goes nowhere.
            has_voice = kind != "page" or any(name == "microphone" for name, _ in result.tracks)
            allowed = (low_rate and has_voice) or source in rights.publish
            is_taken = source is not None and taken(source)
            forbidden, busy = forbidden or not allowed, busy or is_taken
            if not allowed or is_taken:
                section = refuse(media)
            else:
                section = accept_track(media, LOW_RATE_PTIME_MS if low_rate else None)
                if source is not None:
                    result.tracks.append((source, section))
        else:
            section = refuse(media)
            forbidden = forbidden or media.direction != "inactive"
        result.sections.append(section)
    _check(result, kind, forbidden=forbidden, busy=busy)
    if kind == "page":
        result.tracks = [_with_low_rate(track, result.sections) for track in result.tracks]
    if offer.channel is not None and kind == "page":
        result.stills = _stills(result, rights)
        if result.stills != "none":
            result.sections.append(accept_channel(offer.channel))
    return result


def _stills(result: Negotiated, rights: Rights) -> Stills:
    """Who looks on gets stills, who may show a screen gives them."""
    if result.slots:
        return "to_peer"
    return "from_peer" if "screen" in rights.publish else "none"


def _with_low_rate(track: tuple[Source, Accepted], sections: list[Accepted]) -> tuple[Source, Accepted]:
    source, section = track
    low = next((s for s in sections if s.ptime_ms == LOW_RATE_PTIME_MS and s.direction == "recvonly"), None)
    return (source, replace(section, low=low)) if source == "microphone" else track


def _check(result: Negotiated, kind: Kind, *, forbidden: bool, busy: bool) -> None:
    nothing = not result.tracks and not result.slots
    # WHIP wants all or nothing (RFC 9725 4.2); a page always offers all its sections.
    if busy and (nothing or kind == "whip"):
        raise Refused("already_publishing", "somebody else publishes this source in the lesson")
    if forbidden and (nothing or kind == "whip"):
        raise Refused("forbidden", "your token does not allow what this offer asks for")
    if nothing:
        raise Refused("bad_sdp", "the offer has neither a track to send nor a slot to receive")


def _placed(offer: Offer, *, screen: bool) -> Iterator[tuple[Media, int]]:
    counts = {"audio": 0, "video": 1 if screen else 0}
    for media in offer.media:
        if media.kind == "application":
            continue
        place = counts[media.kind]
        counts[media.kind] += 1
        if not media.rejected:
            yield media, place


def _use(media: Media, rights: Rights, kind: Kind) -> str:
    sends = media.direction in ("sendonly", "sendrecv") and kind != "whep"
    receives = media.direction in ("recvonly", "sendrecv") and kind != "whip"
    if sends and (rights.publish or not receives):
        return "track"
    return "slot" if receives and rights.subscribe else "none"


def _source(media: Media, place: int) -> Source | None:
    places = AUDIO_PLACES if media.kind == "audio" else VIDEO_PLACES
    return places[place] if place < len(places) else None


def _new_slot(media: Media, place: int) -> Slot:
    kind: Literal["audio", "video"] = "audio" if media.kind == "audio" else "video"
    rtx = new_ssrc() if any(c.name == "rtx" for c in media.codecs) else None
    return Slot(0, media.mid, kind, place, new_ssrc(), rtx)


def new_ssrc() -> int:
    """A random SSRC; zero is left out because some stacks take it for none."""
    return secrets.randbelow(0xFFFFFFFF) + 1
