"""Encoded frames -> RTP packets, for media that is made ahead and played later."""

from __future__ import annotations

import struct
from collections.abc import Iterator

PAYLOAD_BYTES = 1150  # of one packet, below the smallest path MTU that WebRTC counts on
_HEADER = struct.Struct("!BBHII")
_VERSION = 2 << 6
_MARKER = 0x80


class RtpStream:
    """Numbers the packets of one SSRC (RFC 3550 5.1)."""

    def __init__(self, ssrc: int, payload_type: int) -> None:
        self.ssrc = ssrc
        self.payload_type = payload_type
        self._sequence = 0

    def packet(self, timestamp: int, payload: bytes, *, marker: bool) -> bytes:
        """The next packet; `timestamp` in units of the clock rate."""
        second = self.payload_type | (_MARKER if marker else 0)
        header = _HEADER.pack(_VERSION, second, self._sequence, timestamp % (1 << 32), self.ssrc)
        self._sequence = (self._sequence + 1) % (1 << 16)
        return header + payload


def vp8_payloads(frame: bytes, picture_id: int) -> Iterator[tuple[bytes, bool]]:
    """Payloads of one VP8 frame and whether each is the last; a 15-bit picture id (RFC 7741 4.2).

    The pieces differ by one byte at most, so that a run of them leaves in few system calls.
    """
    room = PAYLOAD_BYTES - 4
    pieces = -(-len(frame) // room)
    start = 0
    for piece in range(pieces):
        end = start + (len(frame) - start) // (pieces - piece)
        first_byte = 0x80 | (0x10 if piece == 0 else 0)  # X, S
        descriptor = struct.pack("!BBH", first_byte, 0x80, 0x8000 | picture_id % 0x8000)  # I; M and the id
        yield descriptor + frame[start:end], piece == pieces - 1
        start = end
