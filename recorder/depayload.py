"""RTP payloads -> video frames and Opus packets, in order, never across a hole that would smear the picture.

A frame is complete when its packets run without a gap from the first to the marker. After a broken frame nothing is
shown until the next key frame, or until the intact base layer where the stream says that it has temporal layers
(RFC 7741 4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor

from recorder.packets import Track

_NAL_IDR, _NAL_SPS, _NAL_STAP_A, _NAL_FU_A = 5, 7, 24, 28
_OPUS_FRAME_TICKS = (480, 960, 1920, 2880)
_MOST_RED_BLOCKS = 16
_EVERY_LAYER = 7


class Frame(NamedTuple):
    """One decodable video frame; `after_hole` when frames before it were lost."""

    ts: int
    data: bytes
    key: bool
    after_hole: bool


class OpusPacket(NamedTuple):
    """One Opus packet; `after_hole` when packets before it were lost for good."""

    ts: int
    data: bytes
    after_hole: bool


class Piece(NamedTuple):
    """One RTP payload of a frame."""

    data: bytes
    first: bool
    key: bool
    layer: int | None
    base_index: int | None
    sync: bool


def video_frames(track: Track, codec: str) -> Iterator[Frame]:
    """Decodable frames of the packets with that codec ("VP8" or "H264"), by sequence number."""
    parse = PIECE_OF[codec]
    wanted = {pt for pt, name in track.codec_of().items() if name == codec}
    chain = _Chain()
    pieces: list[Piece] = []
    frame_ts, last_seq, after_marker = -1, None, True
    parts = track.parts
    # The log goes over to another encoding in the middle of a frame, whose rest then never comes; only encoders that
    # mark no frame at all have ends that nothing marks.
    ends_are_marked = bool(track.marker.any())
    columns = zip(
        track.seq.tolist(), track.ts.tolist(), track.pt.tolist(), track.marker.tolist(),
        track.part.tolist(), track.start.tolist(), track.end.tolist(), strict=True,
    )  # fmt: skip
    for seq, ts, pt, marker, part, start, end in columns:
        if last_seq is not None and seq != last_seq + 1:
            pieces, after_marker = [], False
            chain.broke()
        last_seq = seq
        if start == end:
            continue
        piece = parse(bytes(parts[part][start:end])) if pt in wanted else None
        if piece is None:
            pieces, after_marker = [], False
            chain.broke()
            continue
        if pieces and ts != frame_ts:
            if ends_are_marked:
                chain.cut()
            else:
                yield from chain.admit(frame_ts, pieces)
            pieces, after_marker = [], True
        if not pieces and not (piece.first and (after_marker or codec == "VP8" or piece.key)):
            chain.broke()
            after_marker = marker
            continue
        pieces.append(piece)
        frame_ts, after_marker = ts, marker
        if marker:
            yield from chain.admit(frame_ts, pieces)
            pieces = []


class _Chain:
    """Which frames may follow which: the decoder must never see one whose reference is missing."""

    def __init__(self) -> None:
        # The highest temporal layer that may follow; None: only a key frame may, or the next base frame.
        self._top: int | None = None
        self._started = False
        self._hole = False
        self._base: int | None = None

    def broke(self) -> None:
        """Something is missing here."""
        self._hole = self._started
        self._top = None

    def cut(self) -> None:
        """A frame was left unfinished for a key frame: no time is missing."""
        self._top = None

    def admit(self, ts: int, pieces: list[Piece]) -> Iterator[Frame]:
        """The frame, when it can be decoded."""
        head = pieces[0]
        key = any(piece.key for piece in pieces)
        if key:
            self._top = _EVERY_LAYER
        elif not self._follows(head):
            self._hole = self._started
            return
        if head.layer in (0, None):
            self._base = head.base_index
        hole, self._hole, self._started = self._hole, False, True
        yield Frame(ts, b"".join(piece.data for piece in pieces), key, hole)

    def _follows(self, head: Piece) -> bool:
        layer = head.layer or 0
        if self._top is None:
            known = head.layer == 0 and self._base is not None and head.base_index is not None
            if not (known and head.base_index == ((self._base or 0) + 1) % 256):
                return False
            self._top = 0
        if layer > self._top and head.sync and head.base_index == self._base:
            self._top = layer
        return layer <= self._top


def _vp8(payload: bytes) -> Piece | None:
    try:
        descriptor, data = VpxPayloadDescriptor.parse(payload)
    except ValueError:
        return None
    if not data:
        return None
    first = bool(descriptor.partition_start) and descriptor.partition_id == 0
    layer, sync = (descriptor.tid[0], bool(descriptor.tid[1])) if descriptor.tid else (None, False)
    key = first and not data[0] & 1 and len(data) > 3
    return Piece(data, first, key, layer, descriptor.tl0picidx, sync)


def _h264(payload: bytes) -> Piece | None:
    try:
        data = h264_depayload(payload)
    except ValueError:
        return None
    kind = payload[0] & 0x1F
    first, kinds = True, {kind}
    if kind == _NAL_FU_A:
        first, kinds = bool(payload[1] & 0x80), {payload[1] & 0x1F}
    elif kind == _NAL_STAP_A:
        kinds = {unit[0] & 0x1F for unit in data.split(b"\0\0\0\1")[1:] if unit}
    # A key frame that starts with its parameter sets needs nothing before it.
    return Piece(data, first, bool(kinds & {_NAL_IDR, _NAL_SPS}), None, None, False)


# How a payload is read, by codec.
PIECE_OF: dict[str, Callable[[bytes], Piece | None]] = {"VP8": _vp8, "H264": _h264}


def opus_packets(track: Track) -> Iterator[OpusPacket]:
    """Opus packets by timestamp; holes are filled from the redundant blocks of later packets (RFC 2198)."""
    codec_of = track.codec_of()
    primary: dict[int, bytes] = {}
    redundant: dict[int, bytes] = {}
    missing_before: set[int] = set()
    last_seq = None
    rows = zip(
        track.seq.tolist(),
        track.ts.tolist(),
        track.pt.tolist(),
        track.part.tolist(),
        strict=True,
    )
    for row, (seq, ts, pt, part) in enumerate(rows):
        payload = bytes(track.parts[part][track.start[row] : track.end[row]])
        blocks = [(0, payload)] if codec_of.get(pt) == "opus" else []
        if codec_of.get(pt) == "red":
            blocks = red_blocks(payload)
        for offset, data in blocks:
            if data and offset == 0:
                primary.setdefault(ts, data)
            elif data:
                redundant.setdefault(ts - offset, data)
        if last_seq is not None and seq != last_seq + 1:
            missing_before.add(ts)
        last_seq = seq
    yield from _in_order(primary, redundant, missing_before)


def _in_order(primary: dict[int, bytes], redundant: dict[int, bytes], missing_before: set[int]) -> Iterator[OpusPacket]:
    end = None
    for ts in sorted(primary.keys() | redundant.keys()):
        data = primary.get(ts) or redundant[ts]
        # A redundant copy may stand a little off its original when timestamps were rewritten in between.
        if end is not None and ts < end and ts not in primary:
            continue
        hole = end is not None and ts > end and _lost_between(ts, missing_before, primary)
        yield OpusPacket(ts, data, hole)
        end = ts + opus_ticks(data)


def _lost_between(ts: int, missing_before: set[int], primary: dict[int, bytes]) -> bool:
    return ts in missing_before or ts not in primary


def opus_ticks(data: bytes) -> int:
    """Length of an Opus packet in 48 kHz ticks, from its first bytes (RFC 6716 3.1)."""
    config, code = data[0] >> 3, data[0] & 3
    if config < 12:
        frame = _OPUS_FRAME_TICKS[config & 3]
    elif config < 16:
        frame = _OPUS_FRAME_TICKS[config & 1]
    else:
        frame = 120 << (config & 3)
    count = (1, 2, 2)[code] if code < 3 else (data[1] & 0x3F if len(data) > 1 else 0)
    return frame * count


def red_blocks(payload: bytes) -> list[tuple[int, bytes]]:
    """(ticks before the packet's timestamp, data) of each block, the primary one (0) last; empty when malformed."""
    headers: list[tuple[int, int]] = []
    at = 0
    while at + 4 <= len(payload) and payload[at] & 0x80 and len(headers) < _MOST_RED_BLOCKS:
        word = int.from_bytes(payload[at : at + 4], "big")
        headers.append((word >> 10 & 0x3FFF, word & 0x3FF))
        at += 4
    if at >= len(payload) or payload[at] & 0x80:
        return []
    at += 1
    blocks = []
    for offset, length in headers:
        blocks.append((offset, payload[at : at + length]))
        at += length
    return [*blocks, (0, payload[at:])] if at <= len(payload) else []
