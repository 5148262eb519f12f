"""An offer (or an answer) as values: what the other side says about itself (PROTOCOL section 1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from signaling.sdp.codecs import Codec, chosen_codecs
from signaling.sdp.text import Attribute, SdpError, Section, parse_sections

__all__ = ["Codec", "Media", "Offer", "Setup", "parse_offer", "parse_trickle"]

Setup = Literal["actpass", "active", "passive"]
EXTENSIONS = {
    "urn:ietf:params:rtp-hdrext:sdes:mid": "mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": "rid",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": "repaired_rid",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": "twcc",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": "abs_send_time",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": "audio_level",
}
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
ICE_CHARS = re.compile(r"[A-Za-z0-9+/=_-]+")  # RFC 8839 4.4, and what some stacks add to it
FINGERPRINT = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}")
TOKEN = re.compile(r"[A-Za-z0-9._~+{}|^!#$%&'*-]{1,64}")
RID = re.compile(r"[A-Za-z0-9_-]{1,32}")
SCTP = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP")
MAX_RIDS = 3


@dataclass(frozen=True)
class Media:
    """One m-section. `codecs` are those that we know, in the peer's order; `rids` in the peer's order."""

    mid: str
    kind: Literal["audio", "video", "application"]
    direction: str
    protocol: str
    formats: tuple[str, ...]
    codecs: tuple[Codec, ...]
    extensions: dict[str, int]  # our name -> id
    uris: dict[int, str]
    rids: tuple[str, ...]
    ssrc: int | None
    rtx_ssrc: int | None
    rejected: bool
    rtcp_rsize: bool
    line: int


@dataclass(frozen=True)
class Offer:
    """One description: the association (all sections are bundled) and its media."""

    ufrag: str
    pwd: str
    fingerprint: str  # upper case, colons
    setup: Setup
    media: tuple[Media, ...]
    candidates: tuple[tuple[str, str, int], ...]  # (protocol, address, port), host candidates only

    @property
    def live(self) -> tuple[Media, ...]:
        """The audio and video sections that are not rejected."""
        return tuple(m for m in self.media if m.kind != "application" and not m.rejected)

    @property
    def channel(self) -> Media | None:
        """The section of data channels that we can serve, if it is offered (RFC 8841)."""
        wanted = (m for m in self.media if m.kind == "application" and not m.rejected)
        return next((m for m in wanted if m.protocol in SCTP and m.formats == ("webrtc-datachannel",)), None)


def parse_offer(text: str) -> Offer:
    """Read an offer; raises `SdpError` with the line and the reason, and nothing else."""
    session, sections = parse_sections(text)
    if not sections:
        raise SdpError("there is no m= line")
    media = tuple(_media(section, session, number) for number, section in enumerate(sections))
    mids = [m.mid for m in media]
    if len(set(mids)) != len(mids):
        raise SdpError("two media sections have the same mid")
    live = [section for section, m in zip(sections, media, strict=True) if not m.rejected]
    if not live:
        raise SdpError("every media section is rejected")
    _check_bundle(session, [m for m in media if not m.rejected])
    first = live[0]
    return Offer(
        ufrag=_credential(first, session, "ice-ufrag", 4),
        pwd=_credential(first, session, "ice-pwd", 22),
        fingerprint=_fingerprint(first, session),
        setup=_setup(first, session),
        media=media,
        candidates=_candidates(live),
    )


def parse_trickle(fragment: str) -> tuple[str, str] | None:
    """The ICE credentials of a trickle-ice-sdpfrag (RFC 8840), or None: candidates only; raises `SdpError`."""
    text = fragment.replace("\r\n", "\n").lstrip("\n")
    session, sections = parse_sections("v=0\n" + text)
    for section in (session, *sections):
        ufrag, pwd = section.first("ice-ufrag"), section.first("ice-pwd")
        if ufrag is not None and pwd is not None:
            return _credential(section, session, "ice-ufrag", 4), _credential(section, session, "ice-pwd", 22)
    if not any(section.first("candidate") or section.first("end-of-candidates") for section in (session, *sections)):
        raise SdpError("the fragment has neither candidates nor ICE credentials")
    return None


def _media(section: Section, session: Section, number: int) -> Media:
    if section.kind not in ("audio", "video", "application"):
        raise section.error("only audio, video and application sections are known")
    mid = section.first("mid")
    if mid is not None and not TOKEN.fullmatch(mid.value):
        raise mid.error("a mid is a token of at most 64 characters")
    bundle_only = section.first("bundle-only") is not None
    direction = next((a.name for a in section.attributes if a.name in DIRECTIONS), None)
    direction = direction or next((a.name for a in session.attributes if a.name in DIRECTIONS), "sendrecv")
    rejected = section.port == 0 and not bundle_only
    codecs: tuple[Codec, ...] = ()
    if section.kind != "application" and not rejected:
        if section.protocol not in ("UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF"):
            raise section.error("media travels as UDP/TLS/RTP/SAVPF")
        codecs = chosen_codecs(section)
        if not codecs and direction != "inactive":
            wanted = "opus" if section.kind == "audio" else "VP8 or H.264 baseline (packetization-mode=1)"
            raise section.error(f"none of the offered codecs is known here: offer {wanted}", "unknown_codec")
    extensions, uris = _extensions(section, session)
    ssrc, rtx_ssrc = _ssrcs(section)
    return Media(
        mid=mid.value if mid is not None else str(number),
        kind=section.kind,  # type: ignore[arg-type]
        direction=direction,
        protocol=section.protocol,
        formats=section.formats,
        codecs=codecs,
        extensions=extensions,
        uris=uris,
        rids=_rids(section),
        ssrc=ssrc,
        rtx_ssrc=rtx_ssrc,
        rejected=rejected,
        rtcp_rsize=section.first("rtcp-rsize") is not None,
        line=section.line,
    )


def _check_bundle(session: Section, live: list[Media]) -> None:
    if len(live) == 1:
        return
    group = next((a for a in session.all("group") if a.value.split()[:1] == ["BUNDLE"]), None)
    bundled = set(group.value.split()[1:]) if group is not None else set()
    for media in live:
        if media.mid not in bundled:
            raise SdpError("all sections must be bundled (a=group:BUNDLE)", media.line, f"m={media.kind}")


def _attribute(section: Section, session: Section, name: str) -> Attribute | None:
    return section.first(name) or session.first(name)


def _credential(section: Section, session: Section, name: str, shortest: int) -> str:
    attribute = _attribute(section, session, name)
    if attribute is None:
        raise section.error(f"there is no a={name}")
    if not shortest <= len(attribute.value) <= 256 or not ICE_CHARS.fullmatch(attribute.value):
        raise attribute.error(f"{shortest} to 256 ICE characters belong here")
    return attribute.value


def _fingerprint(section: Section, session: Section) -> str:
    found = list(section.all("fingerprint")) or list(session.all("fingerprint"))
    if not found:
        raise section.error("there is no a=fingerprint")
    for attribute in found:
        name, _, digest = attribute.value.partition(" ")
        if name.lower() == "sha-256":
            if not FINGERPRINT.fullmatch(digest.strip().upper()):
                raise attribute.error("a SHA-256 fingerprint is 32 hexadecimal pairs with colons")
            return digest.strip().upper()
    raise found[0].error("only sha-256 fingerprints are accepted")


def _setup(section: Section, session: Section) -> Setup:
    attribute = _attribute(section, session, "setup")
    match attribute.value if attribute is not None else "actpass":
        case "actpass":
            return "actpass"
        case "active":
            return "active"
        case "passive":
            return "passive"
    assert attribute is not None
    raise attribute.error("setup is actpass, active or passive")


def _extensions(section: Section, session: Section) -> tuple[dict[str, int], dict[int, str]]:
    names: dict[str, int] = {}
    uris: dict[int, str] = {}
    for attribute in (*session.all("extmap"), *section.all("extmap")):
        fields = attribute.value.split()
        number = fields[0].split("/")[0] if fields else ""
        if len(fields) < 2 or not (number.isascii() and number.isdigit()) or not 1 <= int(number[:4]) <= 255:
            raise attribute.error("an extmap is <id 1-255> <uri>")
        name = EXTENSIONS.get(fields[1])
        # Ids above 14 need two-byte headers, which nobody has to use for so few extensions (RFC 8285 4.2).
        if name is not None and int(number) <= 14 and name not in names:
            names[name] = int(number)
            uris[int(number)] = fields[1]
    return names, uris


def _rids(section: Section) -> tuple[str, ...]:
    simulcast = section.first("simulcast")
    if simulcast is None:
        return ()
    fields = simulcast.value.split()
    if len(fields) % 2 or not fields:
        raise simulcast.error("simulcast is a direction and a list of rids")
    known = {a.value.split()[0] for a in section.all("rid") if a.value}
    streams = dict(zip(fields[::2], fields[1::2], strict=True))
    listed = [alternatives.split(",")[0].lstrip("~") for alternatives in streams.get("send", "").split(";")]
    rids = [rid for rid in listed if rid]
    for rid in rids:
        if not RID.fullmatch(rid) or rid not in known:
            raise simulcast.error(f"there is no a=rid for {rid[:32]!r}")
    if len(set(rids)) != len(rids) or len(rids) > MAX_RIDS:
        raise simulcast.error(f"at most {MAX_RIDS} different rids")
    return tuple(rids)


def _ssrcs(section: Section) -> tuple[int | None, int | None]:
    listed: list[int] = []
    for attribute in section.all("ssrc"):
        number = attribute.value.split(" ")[0]
        if not (number.isascii() and number.isdigit()) or int(number[:11]) > 0xFFFFFFFF:
            raise attribute.error("an SSRC is a number below 2^32")
        listed.append(int(number))
    for attribute in section.all("ssrc-group"):
        fields = attribute.value.split()
        if len(fields) == 3 and fields[0] == "FID":
            if not all(f.isascii() and f.isdigit() and int(f[:11]) <= 0xFFFFFFFF for f in fields[1:]):
                raise attribute.error("an SSRC is a number below 2^32")
            return int(fields[1]), int(fields[2])
    return (listed[0] if listed else None), None


def _candidates(sections: list[Section]) -> tuple[tuple[str, str, int], ...]:
    found: list[tuple[str, str, int]] = []
    for section in sections:
        for attribute in section.all("candidate"):
            fields = attribute.value.split()
            if len(fields) < 8 or fields[6] != "typ":
                raise attribute.error("a candidate has 8 fields or more")
            port = fields[5]
            if not (port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
                raise attribute.error("the port is a number up to 65535")
            protocol = fields[2].lower()
            passive = protocol == "udp" or fields[8:10] == ["tcptype", "passive"]
            if fields[7] == "host" and passive and fields[1] == "1" and len(found) < 64:
                found.append((protocol, fields[4], int(port)))
    return tuple(dict.fromkeys(found))
