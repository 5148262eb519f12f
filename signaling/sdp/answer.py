"""Our answers: what is accepted of each section, as text and as the core's parameters (PROTOCOL section 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from signaling.sdp.offer import Codec, Media, Offer

if TYPE_CHECKING:
    from streaming._core import CodecDict, EncodingDict, LocalTransport, RtpParameters, TransportParams

Direction = Literal["recvonly", "sendonly", "sendrecv", "inactive"]
LADDERS = (("l", "m", "h"), ("q", "h", "f"))  # lowest first: ours, and the common one of other publishers
CNAME = "zhuandi"
# RFC 8445 5.1.2.2 and RFC 6544 4.2: host UDP first, host TCP passive after all of them.
UDP_PREFERENCE, TCP_PREFERENCE = 126, 90
PASSIVE_PREFERENCE = 4 << 13
SCTP_PORT = 5000
MAX_MESSAGE = 1100  # bytes; PROTOCOL 1.1


@dataclass(frozen=True)
class Accepted:
    """One section of an answer.

    `recvonly`: the peer's track; `sendonly`: a slot with our SSRCs; `sendrecv`: the data channel; `inactive`: none.
    """

    media: Media
    direction: Direction
    ssrc: int | None = None
    rtx_ssrc: int | None = None
    stream: str = CNAME
    ptime_ms: int | None = None
    low: Accepted | None = None  # the same voice at a low rate, in a section of its own

    @property
    def rtp(self) -> RtpParameters:
        """What the packet path needs of it."""
        media = self.media
        return {
            "mid": media.mid,
            "kind": "audio" if media.kind == "audio" else "video",
            "codecs": [_codec_dict(codec) for codec in self._codecs()],
            "extensions": dict(media.extensions),
            "encodings": self._encodings(),
            "nack": media.kind == "audio" or any("nack" in c.feedback for c in media.codecs),
            "twcc": _twcc(media),
        }

    def _codecs(self) -> list[Codec]:
        codecs = list(self.media.codecs)
        known = {codec.pt for codec in codecs}
        others = self.low.media.codecs if self.low is not None else ()
        return codecs + [codec for codec in others if codec.pt not in known]

    def _encodings(self) -> list[EncodingDict]:
        if self.direction == "sendonly":
            return [_encoding(None, self.ssrc, self.rtx_ssrc)]
        if self.media.rids:
            return [_encoding(rid, None, None) for rid in lowest_first(self.media.rids)]
        normal = _encoding(None, self.media.ssrc, self.media.rtx_ssrc)
        if self.low is None:
            return [normal]
        low = self.low.media
        return [{**_encoding(None, low.ssrc, low.rtx_ssrc), "mid": low.mid}, normal]


def accept_track(media: Media, ptime_ms: int | None = None) -> Accepted:
    """The peer may send here."""
    return Accepted(media, "recvonly", ptime_ms=ptime_ms)


def accept_slot(media: Media, ssrc: int, rtx_ssrc: int | None, stream: str = CNAME) -> Accepted:
    """We send here, always under these SSRCs; slots of one `stream` are played in step."""
    return Accepted(media, "sendonly", ssrc, rtx_ssrc if has_rtx(media) else None, stream)


def accept_channel(media: Media) -> Accepted:
    """The data channel of stills."""
    return Accepted(media, "sendrecv")


def refuse(media: Media) -> Accepted:
    """Nothing flows here; the rest of the bundle stands."""
    return Accepted(media, "inactive")


def has_rtx(media: Media) -> bool:
    """Whether the peer can take repairs as RFC 4588 packets."""
    return any(codec.name == "rtx" for codec in media.codecs)


def lowest_first(rids: Sequence[str]) -> tuple[str, ...]:
    """The simulcast streams from the smallest picture to the largest; unknown names keep the offer's order."""
    for ladder in LADDERS:
        if set(rids) <= set(ladder):
            return tuple(sorted(rids, key=ladder.index))
    return tuple(rids)


def transport_params(offer: Offer) -> TransportParams:
    """What the offer says about the association; FFmpeg insists on `passive`, then we begin the handshake."""
    return {
        "role": "server",
        "ufrag": offer.ufrag,
        "pwd": offer.pwd,
        "fingerprint": offer.fingerprint,
        "dtls": _dtls_role(offer),
    }


def build_answer(offer: Offer, sections: Sequence[Accepted], local: LocalTransport, version: int = 1) -> str:
    """The answer's text; `sections` covers every live section of the offer, `version` grows with each answer."""
    accepted = {section.media.mid: section for section in sections}
    bundled = [m.mid for m in offer.media if m.mid in accepted]
    lines = [
        "v=0",
        f"o=zhuandi {local['transport']} {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE " + " ".join(bundled),
        f"a=msid-semantic: WMS {CNAME}",
    ]
    for media in offer.media:
        section = accepted.get(media.mid)
        if section is None:
            lines += _rejected(media)
        else:
            lines += _section(offer, section, local, with_candidates=media.mid == bundled[0])
    return "\r\n".join(lines) + "\r\n"


def build_fragment(local: LocalTransport) -> str:
    """Our side of an ICE restart as trickle-ice-sdpfrag (RFC 8840)."""
    lines = ["a=ice-lite", f"a=ice-ufrag:{local['ufrag']}", f"a=ice-pwd:{local['pwd']}", *_candidate_lines(local)]
    return "\r\n".join(lines) + "\r\n"


def _rejected(media: Media) -> list[str]:
    formats = " ".join(media.formats)
    return [f"m={media.kind} 0 {media.protocol} {formats}", "c=IN IP4 0.0.0.0", "a=inactive", f"a=mid:{media.mid}"]


def _section(offer: Offer, section: Accepted, local: LocalTransport, *, with_candidates: bool) -> list[str]:
    media = section.media
    codecs = media.codecs
    formats = " ".join(str(codec.pt) for codec in codecs) or " ".join(media.formats)
    address, port = _default(local)
    lines = [
        f"m={media.kind} {port} {media.protocol} {formats}",
        f"c=IN {'IP6' if ':' in address else 'IP4'} {address}",
        f"a=ice-ufrag:{local['ufrag']}",
        f"a=ice-pwd:{local['pwd']}",
        f"a=fingerprint:sha-256 {local['fingerprint']}",
        f"a=setup:{_dtls_role(offer)}",
        f"a=mid:{media.mid}",
    ]
    if media.kind == "application":
        return [*lines, f"a=sctp-port:{SCTP_PORT}", f"a=max-message-size:{MAX_MESSAGE}"]
    lines += [f"a=extmap:{number} {uri}" for number, uri in sorted(media.uris.items())]
    lines += [f"a={section.direction}", "a=rtcp-mux"]
    if media.rtcp_rsize:
        lines.append("a=rtcp-rsize")
    for codec in codecs:
        lines += _codec_lines(codec, media.kind)
    if section.ptime_ms is not None:
        lines.append(f"a=ptime:{section.ptime_ms}")
    if section.direction == "recvonly" and media.rids:
        lines += [f"a=rid:{rid} recv" for rid in media.rids]
        lines.append("a=simulcast:recv " + ";".join(media.rids))
    if section.direction == "sendonly":
        lines += _slot_lines(section)
    if with_candidates:
        lines += _candidate_lines(local)
    return lines


def _codec_lines(codec: Codec, kind: str) -> Iterator[str]:
    names = {"opus": "opus/48000/2", "red": "red/48000/2"}
    yield f"a=rtpmap:{codec.pt} {names.get(codec.name, f'{codec.name}/{codec.clock_rate}')}"
    if codec.name == "opus" or kind == "video":
        feedback = list(codec.feedback)
        # Browsers answer NACKs for Opus though they never offer it (DECISIONS: audio repair).
        if codec.name == "opus" and "nack" not in feedback:
            feedback.append("nack")
        yield from (f"a=rtcp-fb:{codec.pt} {value}" for value in feedback)
    if codec.fmtp:
        yield f"a=fmtp:{codec.pt} {codec.fmtp}"


def _slot_lines(section: Accepted) -> Iterator[str]:
    track = f"{section.stream} {section.stream}-{section.media.mid}"
    yield f"a=msid:{track}"
    ssrcs = [ssrc for ssrc in (section.ssrc, section.rtx_ssrc) if ssrc is not None]
    if len(ssrcs) == 2:
        yield f"a=ssrc-group:FID {ssrcs[0]} {ssrcs[1]}"
    for ssrc in ssrcs:
        yield f"a=ssrc:{ssrc} cname:{CNAME}"
        yield f"a=ssrc:{ssrc} msid:{track}"


def _candidate_lines(local: LocalTransport) -> Iterator[str]:
    ordered = sorted(local["candidates"], key=lambda c: c["protocol"] != "udp")
    for number, candidate in enumerate(ordered):
        udp = candidate["protocol"] == "udp"
        rank = 255 - number
        type_preference, local_preference = (
            (UDP_PREFERENCE, rank) if udp else (TCP_PREFERENCE, PASSIVE_PREFERENCE + rank)
        )
        priority = (type_preference << 24) + (local_preference << 8) + 255
        tcp = "" if udp else " tcptype passive"
        where = f"{candidate['address']} {candidate['port']}"
        yield f"a=candidate:{number + 1} 1 {candidate['protocol']} {priority} {where} typ host{tcp}"
    yield "a=end-of-candidates"


def _default(local: LocalTransport) -> tuple[str, int]:
    first = next((c for c in local["candidates"] if c["protocol"] == "udp"), None)
    return (first["address"], first["port"]) if first is not None else ("0.0.0.0", 9)


def _dtls_role(offer: Offer) -> Literal["active", "passive"]:
    return "active" if offer.setup == "passive" else "passive"


def _twcc(media: Media) -> bool:
    return "twcc" in media.extensions and any("transport-cc" in codec.feedback for codec in media.codecs)


def _codec_dict(codec: Codec) -> CodecDict:
    entry: CodecDict = {"pt": codec.pt, "codec": codec.name, "clock_rate": codec.clock_rate}
    if codec.apt is not None:
        entry["apt"] = codec.apt
    return entry


def _encoding(rid: str | None, ssrc: int | None, rtx_ssrc: int | None) -> EncodingDict:
    entry: EncodingDict = {}
    if rid is not None:
        entry["rid"] = rid
    if ssrc is not None:
        entry["ssrc"] = ssrc
    if rtx_ssrc is not None:
        entry["rtx_ssrc"] = rtx_ssrc
    return entry
