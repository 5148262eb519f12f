"""Key frames out of a log that grows: each as soon as its last packet is there, decoded alone."""

from __future__ import annotations

from typing import NamedTuple

import av
from aiortc.rtp import RtpPacket
from PIL.Image import Image

from recorder.depayload import PIECE_OF, Piece
from recorder.zwl import TrackHeader

# Frames that may be incomplete at a time: later packets overtake, but not by seconds.
MAX_OPEN = 4
MAX_FRAME_PACKETS = 2_000
_SPS = 7  # NAL unit type of a sequence parameter set (H.264 7.4.1)
_DECODER = {"VP8": "vp8", "H264": "h264"}


class KeyFrame(NamedTuple):
    """One whole key frame as its codec knows it."""

    codec: str
    data: bytes


class KeyFrames:
    """Assembles the key frames of one track; other frames are passed over."""

    def __init__(self, header: TrackHeader) -> None:
        self._codec_of = {codec.pt: codec.codec for codec in header.codecs if codec.codec in PIECE_OF}
        # By timestamp, then by sequence number: the piece and whether it carries the marker.
        self._open: dict[int, dict[int, tuple[Piece, bool]]] = {}
        self._done: int | None = None

    def take(self, packet: bytes) -> KeyFrame | None:
        """The key frame that this RTP packet completes."""
        try:
            rtp = RtpPacket.parse(packet)
        except ValueError:
            return None
        codec = self._codec_of.get(rtp.payload_type)
        piece = PIECE_OF[codec](rtp.payload) if codec is not None and rtp.payload else None
        if codec is None or piece is None or rtp.timestamp == self._done:
            return None
        frame = self._open.setdefault(rtp.timestamp, {})
        if len(frame) < MAX_FRAME_PACKETS:
            frame[rtp.sequence_number] = piece, bool(rtp.marker)
        while len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]
        pieces = _whole(frame, codec)
        if pieces is None:
            return None
        self._done = rtp.timestamp
        self._open.pop(rtp.timestamp, None)
        return KeyFrame(codec, b"".join(piece.data for piece in pieces))


def _whole(frame: dict[int, tuple[Piece, bool]], codec: str) -> list[Piece] | None:
    """The pieces from the beginning of a key frame to the marker, if none is missing."""
    last = next((number for number, (_, marker) in frame.items() if marker), None)
    if last is None:
        return None
    pieces: list[Piece] = []
    number = last
    while number in frame:
        pieces.insert(0, frame[number][0])
        number = (number - 1) & 0xFFFF
    begin = next((at for at, piece in enumerate(pieces) if _begins(piece, codec)), None)
    return None if begin is None else pieces[begin:]


def _begins(piece: Piece, codec: str) -> bool:
    """Whether a key frame that can be decoded alone begins here: H.264 needs its parameter sets."""
    alone = codec != "H264" or (len(piece.data) > 4 and piece.data[4] & 0x1F == _SPS)
    return piece.first and piece.key and alone


def decode(frame: KeyFrame) -> Image | None:
    """The picture; None where it does not decode, as when its parameter sets were lost."""
    decoder = av.CodecContext.create(_DECODER[frame.codec], "r")
    decoder.thread_count = 1
    try:
        pictures = [*decoder.decode(av.Packet(frame.data)), *decoder.decode(None)]  # type: ignore[attr-defined]
    except av.FFmpegError:
        return None
    return pictures[0].to_image() if pictures else None
