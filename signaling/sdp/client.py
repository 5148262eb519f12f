"""The other way round: offers of our own client ends, and what the answers to them say (PROTOCOL section 1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from signaling.sdp.answer import MAX_MESSAGE, SCTP_PORT, Accepted
from signaling.sdp.offer import EXTENSIONS, Media, parse_offer
from signaling.sdp.text import SdpError
from streaming.params import Source

if TYPE_CHECKING:
    from streaming._core import EncodingDict, RtpParameters, TransportParams

Kind = Literal["publish", "attend"]
Sent = Source | Literal["low_voice"]
"""What an end sends: a source, or the voice once more at a low rate."""
PLACES: tuple[Sent, ...] = ("microphone", "low_voice", "camera", "screen")
IDS = {"audio_level": 1, "abs_send_time": 2, "twcc": 3, "mid": 4, "rid": 10, "repaired_rid": 11}
URIS = {name: uri for uri, name in EXTENSIONS.items()}
AUDIO_IDS = ("audio_level", "abs_send_time", "twcc", "mid")
VIDEO_IDS = ("abs_send_time", "twcc", "mid", "rid", "repaired_rid")
OPUS = 111
AUDIO_CODECS: dict[int, tuple[str, str, tuple[str, ...]]] = {
    OPUS: ("opus/48000/2", "minptime=10;useinbandfec=1", ("transport-cc", "nack")),
    63: ("red/48000/2", "111/111", ()),
}
VIDEO_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
VIDEO_CODECS: dict[int, tuple[str, str, tuple[str, ...]]] = {
    96: ("VP8/90000", "", VIDEO_FEEDBACK),
    97: ("rtx/90000", "apt=96", ()),
    98: ("H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", VIDEO_FEEDBACK),
    99: ("rtx/90000", "apt=98", ()),
}
STILLS_MID = "stills"
H264_FIRST = (98, 99, 96, 97)


@dataclass(frozen=True)
class OfferedSection:
    """One section of an offer of ours; a publisher has an (SSRC, RTX SSRC) for each rid, or one without rids."""

    mid: str
    source: Sent
    rids: tuple[str, ...]
    ssrcs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ClientOffer:
    """What we offered; `sdp` goes to the server, the rest is for `parse_answer`."""

    kind: Kind
    sdp: str
    ufrag: str
    pwd: str
    sections: tuple[OfferedSection, ...]


@dataclass(frozen=True)
class AnswerParams:
    """What the server's answer says, ready for `Core.open_transport` and `add_subscription` / `add_publication`."""

    transport: TransportParams
    media: dict[Sent, RtpParameters]


def build_offer(
    kind: Kind,
    ufrag: str,
    pwd: str,
    fingerprint: str,
    *,
    sources: Sequence[Sent] = ("microphone", "camera", "screen"),
    rids: Mapping[str, tuple[str, ...]] | None = None,
    h264: bool = False,
    stills: bool = False,
) -> ClientOffer:
    """An offer of a headless end; `rids` maps a source to its simulcast streams, `h264` puts H.264 first,
    `stills` asks for the data channel.

    The order of sources is the order of PROTOCOL section 1, whatever `sources` says.
    """
    ordered: list[Sent] = [s for s in PLACES if s in sources]
    # A screen without a camera would be taken for the camera: its place is kept by an inactive section.
    placed: list[Sent] = ["camera", *ordered] if ordered and "camera" not in ordered and "screen" in ordered else []
    sections = [_offered(number, source, rids or {}) for number, source in enumerate(placed or ordered)]
    lines = ["v=0", f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    mids = [section.mid for section in sections] + ([STILLS_MID] if stills else [])
    lines.append("a=group:BUNDLE " + " ".join(mids))
    direction = "sendonly" if kind == "publish" else "recvonly"
    for section in sections:
        wanted = direction if section.source in ordered else "inactive"
        lines += _section_lines(section, wanted, (ufrag, pwd, fingerprint), h264=h264)
    lines += _channel_lines(ufrag, pwd, fingerprint) if stills else []
    kept = tuple(section for section in sections if section.source in ordered)
    return ClientOffer(kind, "\r\n".join(lines) + "\r\n", ufrag, pwd, kept)


def parse_answer(text: str, offer: ClientOffer) -> AnswerParams:
    """Read the server's answer to `offer`; raises `SdpError`."""
    answer = parse_offer(text)
    by_mid = {media.mid: media for media in answer.media}
    if answer.setup == "actpass":
        raise SdpError("an answer chooses active or passive")
    candidates = [{"protocol": p, "address": a, "port": n} for p, a, n in answer.candidates]
    transport: TransportParams = {
        "role": "client",
        "ufrag": answer.ufrag,
        "pwd": answer.pwd,
        "fingerprint": answer.fingerprint,
        "dtls": "active" if answer.setup == "passive" else "passive",
        "candidates": candidates,  # type: ignore[typeddict-item]
        "local_ufrag": offer.ufrag,
        "local_pwd": offer.pwd,
    }
    if answer.channel is not None:
        transport["stills"] = "to_peer" if offer.kind == "publish" else "from_peer"
    wanted = "recvonly" if offer.kind == "publish" else "sendonly"
    media: dict[Sent, RtpParameters] = {}
    for section in offer.sections:
        answered = by_mid.get(section.mid)
        if answered is not None and not answered.rejected and answered.direction == wanted:
            media[section.source] = _parameters(offer.kind, section, answered)
    return AnswerParams(transport, media)


def _parameters(kind: Kind, section: OfferedSection, answered: Media) -> RtpParameters:
    rtp = Accepted(answered, "recvonly").rtp
    if kind == "publish":
        rtp["encodings"] = _own_encodings(section)
    return rtp


def _own_encodings(section: OfferedSection) -> list[EncodingDict]:
    if not section.rids:
        ((ssrc, rtx_ssrc),) = section.ssrcs
        return [{"ssrc": ssrc, "rtx_ssrc": rtx_ssrc} if not _is_audio(section) else {"ssrc": ssrc}]
    return [
        {"rid": rid, "ssrc": ssrc, "rtx_ssrc": rtx_ssrc}
        for rid, (ssrc, rtx_ssrc) in zip(section.rids, section.ssrcs, strict=True)
    ]


def _is_audio(section: OfferedSection) -> bool:
    return section.source in {"microphone", "low_voice"}


def _offered(number: int, source: Sent, rids: Mapping[str, tuple[str, ...]]) -> OfferedSection:
    streams = rids.get(source, ())
    pairs = tuple((_ssrc(), _ssrc()) for _ in streams or ("one",))
    return OfferedSection(str(number), source, streams, pairs)


def _ssrc() -> int:
    return secrets.randbelow(0xFFFFFFFE) + 1


def _section_lines(
    section: OfferedSection, direction: str, association: tuple[str, str, str], *, h264: bool
) -> list[str]:
    audio = _is_audio(section)
    codecs = AUDIO_CODECS if audio else VIDEO_CODECS
    pts = H264_FIRST if h264 and not audio else tuple(codecs)
    if section.source == "low_voice":  # its receivers get their copies from the server
        pts = (OPUS,)
    ufrag, pwd, fingerprint = association
    lines = [
        f"m={'audio' if audio else 'video'} 9 UDP/TLS/RTP/SAVPF " + " ".join(map(str, pts)),
        "c=IN IP4 0.0.0.0",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{pwd}",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
        f"a=mid:{section.mid}",
    ]
    lines += [f"a=extmap:{IDS[name]} {URIS[name]}" for name in (AUDIO_IDS if audio else VIDEO_IDS)]
    lines += [f"a={direction}", "a=rtcp-mux", "a=rtcp-rsize"]
    for pt in pts:
        name, fmtp, feedback = codecs[pt]
        lines.append(f"a=rtpmap:{pt} {name}")
        lines += [f"a=rtcp-fb:{pt} {value}" for value in feedback]
        lines += [f"a=fmtp:{pt} {fmtp}"] if fmtp else []
    if direction == "sendonly":
        lines += _sender_lines(section, audio=audio)
    return lines


def _channel_lines(ufrag: str, pwd: str, fingerprint: str) -> list[str]:
    return [
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{pwd}",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
        f"a=mid:{STILLS_MID}",
        f"a=sctp-port:{SCTP_PORT}",
        f"a=max-message-size:{MAX_MESSAGE}",
    ]


def _sender_lines(section: OfferedSection, *, audio: bool) -> list[str]:
    if section.rids:
        return [*(f"a=rid:{rid} send" for rid in section.rids), "a=simulcast:send " + ";".join(section.rids)]
    ((ssrc, rtx_ssrc),) = section.ssrcs
    if audio:
        return [f"a=ssrc:{ssrc} cname:end"]
    return [f"a=ssrc-group:FID {ssrc} {rtx_ssrc}", f"a=ssrc:{ssrc} cname:end", f"a=ssrc:{rtx_ssrc} cname:end"]
