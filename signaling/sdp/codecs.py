"""Which payload formats of a section are ours, and what is answered about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from signaling.sdp.text import Section

Name = Literal["opus", "red", "VP8", "H264", "rtx"]
CLOCKS: dict[str, tuple[Name, int]] = {
    "opus": ("opus", 48000),
    "red": ("red", 48000),
    "vp8": ("VP8", 90000),
    "h264": ("H264", 90000),
    "rtx": ("rtx", 90000),
}
AUDIO: tuple[Name, ...] = ("opus", "red")
FEEDBACK = {
    "audio": ("nack", "transport-cc"),
    "video": ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"),
}


@dataclass(frozen=True)
class Codec:
    """One payload type; `apt` is the repaired payload type of RTX, `feedback` what both sides know."""

    pt: int
    name: Name
    clock_rate: int
    fmtp: str
    feedback: tuple[str, ...]
    apt: int | None = None


def chosen_codecs(section: Section) -> tuple[Codec, ...]:
    """Our codecs in the peer's order: one payload type each, RED and RTX only beside what they carry."""
    fmtp = _by_pt(section, "fmtp")
    feedback: dict[int, list[str]] = {}
    for attribute in section.all("rtcp-fb"):
        word, _, value = attribute.value.partition(" ")
        for number in section.formats if word == "*" else (word,):
            feedback.setdefault(_pt(number), []).append(value.strip())
    known: list[Codec] = []
    for pt, value in _rtpmaps(section).items():
        name, _, rest = value.partition("/")
        entry = CLOCKS.get(name.lower())
        if entry is None or (entry[0] in AUDIO) != (section.kind == "audio"):
            continue
        if rest.split("/")[0] != str(entry[1]):
            continue
        both = tuple(f for f in FEEDBACK[section.kind] if f in feedback.get(pt, ()))
        known.append(Codec(pt, entry[0], entry[1], fmtp.get(pt, ""), both, _apt(fmtp.get(pt, ""))))
    return _consistent(known)


def _consistent(known: list[Codec]) -> tuple[Codec, ...]:
    best: dict[str, Codec] = {}
    for codec in known:
        if codec.name in ("opus", "VP8"):
            best.setdefault(codec.name, codec)
        elif codec.name == "H264" and _h264_rank(codec.fmtp) > (_h264_rank(best["H264"].fmtp) if "H264" in best else 0):
            best[codec.name] = codec
    opus = best.get("opus")
    for codec in known:
        # RFC 2198: the fmtp lists the payload types of the blocks; ours is Opus in Opus.
        if codec.name == "red" and opus is not None and set(codec.fmtp.split("/")) == {str(opus.pt)}:
            best.setdefault("red", codec)
    media = {codec.pt for codec in best.values()}
    chosen = [c for c in known if c.pt in media or (c.name == "rtx" and c.apt in media)]
    unique: dict[tuple[str, int | None], Codec] = {}
    for codec in chosen:
        unique.setdefault((codec.name, codec.apt), codec)
    return tuple(unique.values())


def _h264_rank(fmtp: str) -> int:
    """2 constrained baseline, 1 baseline, 0 not ours."""
    pairs = (part.strip().partition("=") for part in fmtp.lower().split(";"))
    values = {name: value for name, _, value in pairs}
    profile = values.get("profile-level-id", "42000a")  # RFC 6184 8.1: the default is baseline, level 1
    if values.get("packetization-mode") != "1" or not profile.startswith("42"):
        return 0
    # The third digit holds constraint_set0..3; set1 makes baseline constrained.
    return 2 if profile[2:3] in tuple("4567cdef") else 1


def _apt(fmtp: str) -> int | None:
    for part in fmtp.split(";"):
        name, _, value = part.strip().partition("=")
        if name == "apt" and value.isascii() and value.isdigit() and int(value[:4]) <= 127:
            return int(value)
    return None


def _rtpmaps(section: Section) -> dict[int, str]:
    maps = _by_pt(section, "rtpmap")
    ordered = (_pt(number) for number in section.formats)
    return {pt: maps[pt] for pt in ordered if pt in maps}


def _by_pt(section: Section, name: str) -> dict[int, str]:
    table: dict[int, str] = {}
    for attribute in section.all(name):
        number, _, value = attribute.value.partition(" ")
        pt = _pt(number)
        if pt < 0:
            raise attribute.error("a payload type is a number up to 127")
        table.setdefault(pt, value.strip())
    return table


def _pt(number: str) -> int:
    return int(number) if number.isascii() and number.isdigit() and len(number) <= 3 and int(number) <= 127 else -1
