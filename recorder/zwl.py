"""The RTP log on disk (PROTOCOL section 6): a reader that follows a growing file, and a writer of the same bytes.

The live log is written by the media process; this writer makes played media and test lessons.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

MAGIC = b"ZWL1"
# A longer body than any datagram or event: such a length field is damage, not a record.
MAX_BODY = 1 << 20

_HEADER = struct.Struct("<IIBHQ")
_COVERED = struct.Struct("<BHQ")
_CRC_START = 8
_SR = struct.Struct("<IQI")
_COUNT = struct.Struct("<I")
_CHUNK = 4 << 20


class Kind(IntEnum):
    """The record types."""

    RTP = 1
    SR = 2
    TRACK = 3
    END = 4
    LAYER = 5
    KEYFRAME_ASKED = 6
    EVENT = 7
    DROPPED = 8


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `arrival_us` is Unix time of the server, `kind` a `Kind` or a number that a later version made."""

    kind: int
    track: int
    arrival_us: int
    body: bytes


@dataclass(frozen=True, slots=True)
class SenderReport:
    """Body of SR: `ntp` is 32.32 fixed-point seconds since 1900 on the sender's clock (RFC 3550 6.4.1)."""

    SIZE: ClassVar[int] = _SR.size

    ssrc: int
    ntp: int
    rtp_ts: int

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises `ValueError` on a wrong length."""
        if len(body) != _SR.size:
            raise ValueError("an SR record has 16 bytes")
        return cls(*_SR.unpack(body))

    def pack(self) -> bytes:
        """The record's body."""
        return _SR.pack(self.ssrc, self.ntp, self.rtp_ts)


@dataclass(frozen=True, slots=True)
class LogCodec:
    """One payload type of a track."""

    pt: int
    codec: str
    clock_rate: int


@dataclass(frozen=True, slots=True)
class TrackHeader:
    """Body of TRACK, the first record of a track file; `audio_level`: id of that element in the packets' headers."""

    source: str
    participant: str
    kind: str
    codecs: tuple[LogCodec, ...]
    ssrc: int
    audio_level: int | None = None

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises `ValueError` when it is not the JSON of PROTOCOL section 6."""
        try:
            value = json.loads(body)
            codecs = tuple(LogCodec(int(c["pt"]), str(c["codec"]), int(c["clock_rate"])) for c in value["codecs"])
            return cls(
                str(value["source"]),
                str(value["participant"]),
                str(value["kind"]),
                codecs,
                int(value["ssrc"]),
                int(value["audio_level"]) if value.get("audio_level") else None,
            )
        except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f"bad TRACK record: {error}") from error

    def pack(self) -> bytes:
        """The record's body."""
        codecs = [{"pt": c.pt, "codec": c.codec, "clock_rate": c.clock_rate} for c in self.codecs]
        value = {
            "source": self.source,
            "participant": self.participant,
            "kind": self.kind,
            "codecs": codecs,
            "ssrc": self.ssrc,
            "audio_level": self.audio_level,
        }
        return json.dumps(value, ensure_ascii=False).encode()


def encode(kind: int, track: int, arrival_us: int, body: bytes) -> bytes:
    """One record as bytes."""
    if len(body) > MAX_BODY:
        raise ValueError(f"a record's body has at most {MAX_BODY} bytes")
    crc = zlib.crc32(body, zlib.crc32(_COVERED.pack(kind, track, arrival_us)))
    return _HEADER.pack(len(body), crc, kind, track, arrival_us) + body


def scan(data: memoryview, start: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Whole good records from `start`: (kind, track, arrival_us, body start, body end).

    Ends at the first record that is short or damaged; the next record would start at the last body's end.
    """
    unpack, crc32, size = _HEADER.unpack_from, zlib.crc32, _HEADER.size
    length = len(data)
    while start + size <= length:
        body_len, crc, kind, track, arrival_us = unpack(data, start)
        end = start + size + body_len
        if body_len > MAX_BODY or end > length or crc32(data[start + _CRC_START : end]) != crc:
            return
        yield kind, track, arrival_us, start + size, end
        start = end


class ZwlReader:
    """Follows one log file: `read` yields what is whole since the last call, `offset` is where to resume."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self) -> Iterator[Record]:
        """Whole good records from `offset` on; stops at a short or damaged one and may be called again later."""
        with self.path.open("rb") as file:
            if self.offset < len(MAGIC):
                if file.read(len(MAGIC)) != MAGIC:
                    return
                self.offset = len(MAGIC)
            file.seek(self.offset)
            rest = b""
            while chunk := file.read(_CHUNK):
                rest += chunk
                done = 0
                for kind, track, arrival_us, start, end in scan(memoryview(rest), 0):
                    done = end
                    self.offset += end - start + _HEADER.size
                    yield Record(kind, track, arrival_us, rest[start:end])
                rest = rest[done:]
                if len(rest) > _HEADER.size + MAX_BODY:
                    return

    def damaged(self) -> bool:
        """Whether bytes stand after the last good record: a cut write or damage."""
        return self.path.stat().st_size > max(self.offset, len(MAGIC))


class ZwlWriter:
    """Writes one log file of one track; a context manager."""

    def __init__(
        self,
        path: Path,
        track: int,
        header: TrackHeader | None = None,
        arrival_us: int = 0,
    ) -> None:
        self.path = path
        self.track = track
        self._file: BinaryIO = path.open("wb")
        self._file.write(MAGIC)
        if header is not None:
            self.write(Kind.TRACK, arrival_us, header.pack())

    def write(self, kind: int, arrival_us: int, body: bytes) -> None:
        """Append any record."""
        self._file.write(encode(kind, self.track, arrival_us, body))

    def rtp(self, arrival_us: int, packet: bytes) -> None:
        """Append one RTP packet as it was on the wire before SRTP."""
        self.write(Kind.RTP, arrival_us, packet)

    def sender_report(self, arrival_us: int, report: SenderReport) -> None:
        """Append one sender report."""
        self.write(Kind.SR, arrival_us, report.pack())

    def event(self, arrival_us: int, value: dict[str, Any]) -> None:
        """Append one lesson event."""
        self.write(Kind.EVENT, arrival_us, json.dumps(value, ensure_ascii=False).encode())

    def dropped(self, arrival_us: int, count: int) -> None:
        """Append the note that `count` records were lost to back-pressure here."""
        self.write(Kind.DROPPED, arrival_us, _COUNT.pack(count))

    def end(self, arrival_us: int, reason: str) -> None:
        """Append the record of an orderly end."""
        self.write(Kind.END, arrival_us, json.dumps({"reason": reason}).encode())

    def flush(self) -> None:
        """Hand what was written to the kernel."""
        self._file.flush()

    def close(self) -> None:
        """Flush, sync and close; idempotent."""
        if not self._file.closed:
            self._file.flush()
            os.fdatasync(self._file.fileno())
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def part_name(track: int, part: int) -> str:
    """File name of a part of a track."""
    return f"{track:05d}-{part:06d}.zwl"


def seal(path: Path) -> None:
    """List a finished part in the `sealed.jsonl` beside it."""
    data = path.read_bytes()
    line = {
        "file": path.name,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    with (path.parent / "sealed.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
