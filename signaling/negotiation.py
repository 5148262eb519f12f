"""Which m-sections of an offer become publications, which become slots, and which are refused (PROTOCOL section 1)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from signaling.auth import Rights
from signaling.lesson import Kind
from signaling.messages import Refused
from signaling.sdp import Accepted, Media, Offer, accept_channel, accept_slot, accept_track, refuse
from signaling.stage.places import End, MediaKind, received, sent, stream_of
from signaling.transport import Slot
from streaming.params import Source, Stills

LOW_RATE_PLACE = 1  # among the audio sections
LOW_RATE_PTIME_MS = 60
Use = Literal["track", "slot", "none"]


@dataclass
class Negotiated:
    """The parts of one answer; `sections` covers every live section of the offer.

    `on_call`: the tracks are a classroom's own, whose packets end at the door until it is called (PROTOCOL 3.3).
    """

    tracks: list[tuple[Source, Accepted]] = field(default_factory=list)
    slots: list[tuple[Slot, Accepted]] = field(default_factory=list)
    sections: list[Accepted] = field(default_factory=list)
    stills: Stills = "none"
    on_call: bool = False


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
    end = _end_of(offer, rights, kind)
    result = Negotiated(on_call=end == "classroom")
    kept = {slot.mid: slot for slot in keep or ()}
    forbidden, busy = False, False
    for media, use, place in _placed(offer, rights, kind, screen=screen):
        if use == "slot":
            slot = kept.get(media.mid) or _new_slot(media, end, place)
            section = accept_slot(media, slot.ssrc, slot.rtx_ssrc, stream_of(slot.carries))
            result.slots.append((slot, section))
        elif use == "track":
            source = sent(end, _kind(media), place)
            allowed = _may_send(result, rights, kind, media, place, source)
            is_taken = end == "output" and source is not None and taken(source)
            forbidden, busy = forbidden or not allowed, busy or is_taken
            if not allowed or is_taken:
                section = refuse(media)
            else:
                section = accept_track(media, LOW_RATE_PTIME_MS if _is_low_rate(end, media, place) else None)
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


def _end_of(offer: Offer, rights: Rights, kind: Kind) -> End:
    """Who may publish and offers to is an output end; the same person as a mere player is not."""
    if kind != "page" or not rights.publish:
        return "output" if kind == "whip" else "classroom"
    sends = any(media.direction in ("sendonly", "sendrecv") for media in offer.live)
    return "output" if sends else "classroom"


def _may_send(result: Negotiated, rights: Rights, kind: Kind, media: Media, place: int, source: Source | None) -> bool:
    if result.on_call:
        return kind == "page" and source is not None and rights.may("raise_hand")
    # A page's low rate is nothing without the voice itself; an encoder's second voice goes nowhere.
    has_voice = kind != "page" or any(name == "microphone" for name, _ in result.tracks)
    return (_is_low_rate("output", media, place) and has_voice) or source in rights.publish


def _is_low_rate(end: End, media: Media, place: int) -> bool:
    return end == "output" and media.kind == "audio" and place == LOW_RATE_PLACE


def _stills(result: Negotiated, rights: Rights) -> Stills:
    """Who looks on gets stills and gives its own, who may show a screen gives the lesson's."""
    if result.on_call:
        return "to_peer" if result.slots else "none"
    return "from_peer" if "screen" in rights.publish else "none"


def _with_low_rate(track: tuple[Source, Accepted], sections: list[Accepted]) -> tuple[Source, Accepted]:
    source, section = track
    low = next((s for s in sections if s.ptime_ms == LOW_RATE_PTIME_MS and s.direction == "recvonly"), None)
    return (source, replace(section, low=low)) if source == "microphone" else track


def _check(result: Negotiated, kind: Kind, *, forbidden: bool, busy: bool) -> None:
    # A classroom's own voice is nothing without a lesson that it hears.
    nothing = not result.slots and (result.on_call or not result.tracks)
    # WHIP wants all or nothing (RFC 9725 4.2); a page always offers all its sections.
    if busy and (nothing or kind == "whip"):
        raise Refused("already_publishing", "somebody else publishes this source in the lesson")
    if forbidden and (nothing or kind == "whip"):
        raise Refused("forbidden", "your token does not allow what this offer asks for")
    if nothing:
        raise Refused("bad_sdp", "the offer has neither a track to send nor a slot to receive")


def _placed(offer: Offer, rights: Rights, kind: Kind, *, screen: bool) -> Iterator[tuple[Media, Use, int]]:
    """The live sections, what becomes of each, and its place among those of its kind and direction."""
    counts = {(kind, way): 0 for kind in ("audio", "video") for way in ("sent", "received")}
    if screen:
        counts["video", "sent"] = counts["video", "received"] = 1
    for media in offer.media:
        if media.kind == "application":
            continue
        use = _use(media, rights, kind)
        ways = _ways(media, use)
        place = counts[media.kind, ways[0]]
        for way in ways:
            counts[media.kind, way] += 1
        if not media.rejected:
            yield media, use, place


def _ways(media: Media, use: Use) -> tuple[str, ...]:
    """An inactive section keeps a place in both directions: nobody knows which one it is for."""
    if media.direction == "inactive":
        return ("sent", "received")
    if media.direction == "sendrecv":
        return ("sent",) if use == "track" else ("received",)
    return ("sent",) if media.direction == "sendonly" else ("received",)


def _use(media: Media, rights: Rights, kind: Kind) -> Use:
    sends = media.direction in ("sendonly", "sendrecv") and kind != "whep"
    receives = media.direction in ("recvonly", "sendrecv") and kind != "whip"
    if sends and (rights.publish or not receives):
        return "track"
    return "slot" if receives and rights.subscribe else "none"


def _kind(media: Media) -> MediaKind:
    return "audio" if media.kind == "audio" else "video"


def _new_slot(media: Media, end: End, place: int) -> Slot:
    rtx = new_ssrc() if any(c.name == "rtx" for c in media.codecs) else None
    kind = _kind(media)
    return Slot(0, media.mid, kind, place, new_ssrc(), rtx, received(end, kind, place))


def new_ssrc() -> int:
    """A random SSRC; zero is left out because some stacks take it for none."""
    return secrets.randbelow(0xFFFFFFFF) + 1
