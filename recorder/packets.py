"""One run of the media process as columns: every track's packets in order of sequence number, late ones in their place.

Files are mapped, not read: a lesson of any length costs a few dozen bytes of memory a packet.
"""

from __future__ import annotations

import mmap
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recorder.zwl import MAGIC, Kind, SenderReport, TrackHeader, scan

Int64s = NDArray[np.int64]

_FIXED_HEADER = 12
_MARKER = 0x80


@dataclass(frozen=True, slots=True)
class ReceivedReport:
    """A sender report and when it came (Unix microseconds of the server)."""

    arrival_us: int
    report: SenderReport


@dataclass
class Track:
    """One track of one epoch. Columns have one row a packet, by `seq`, without duplicates.

    `seq` and `ts` are unwrapped to 64 bits; `arrival_us` is the server's Unix time; `pt` the payload type; `marker` the
    RTP marker; `part`, `start` and `end` say where the payload stands.
    """

    epoch: str
    number: int
    header: TrackHeader
    seq: Int64s
    ts: Int64s
    arrival_us: Int64s
    pt: Int64s
    marker: NDArray[np.bool_]
    part: Int64s
    start: Int64s
    end: Int64s
    parts: list[memoryview] = field(repr=False)
    reports: list[ReceivedReport] = field(default_factory=list)
    dropped_us: list[int] = field(default_factory=list)
    ended: bool = False

    def __len__(self) -> int:
        return len(self.seq)

    @property
    def clock_rate(self) -> int:
        """RTP ticks a second."""
        return self.header.codecs[0].clock_rate

    def codec_of(self) -> dict[int, str]:
        """Payload type -> codec name as PROTOCOL section 6 writes it."""
        return {c.pt: c.codec for c in self.header.codecs}


def load_epoch(folder: Path) -> list[Track]:
    """All tracks of one epoch that have a readable TRACK record and at least one packet."""
    files: dict[int, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.zwl")):
        number = path.name.split("-")[0]
        if number.isdecimal() and int(number):
            files[int(number)].append(path)
    tracks = (_load_track(folder.name, number, paths) for number, paths in sorted(files.items()))
    return [track for track in tracks if track is not None]


class _Columns:
    """Raw columns while records are read, in order of arrival."""

    def __init__(self) -> None:
        self.seq, self.ts, self.arrival = array("q"), array("q"), array("q")
        self.flags, self.part = array("q"), array("q")
        self.start, self.end = array("q"), array("q")

    def add(self, data: memoryview, part: int, arrival_us: int, start: int, end: int) -> None:
        """Parse one RTP header (RFC 3550 5.1); a packet that does not parse is left out."""
        if end - start < _FIXED_HEADER:
            return
        first = data[start]
        payload = start + _FIXED_HEADER + 4 * (first & 0x0F)
        if first & 0x10:
            if payload + 4 > end:
                return
            payload += 4 + 4 * (data[payload + 2] << 8 | data[payload + 3])
        finish = end - data[end - 1] if first & 0x20 else end
        if first >> 6 != 2 or payload > end:
            return
        self.flags.append(data[start + 1])
        self.seq.append(data[start + 2] << 8 | data[start + 3])
        self.ts.append(int.from_bytes(data[start + 4 : start + 8], "big"))
        self.arrival.append(arrival_us)
        self.part.append(part)
        self.start.append(payload)
        self.end.append(max(payload, finish))


def _load_track(epoch: str, number: int, paths: list[Path]) -> Track | None:
    header: TrackHeader | None = None
    columns, parts = _Columns(), []
    reports: list[ReceivedReport] = []
    dropped: list[int] = []
    ended = False
    for path in paths:
        data = _map(path)
        if data is None:
            continue
        parts.append(data)
        for kind, _, arrival_us, start, end in scan(data, len(MAGIC)):
            if kind == Kind.RTP:
                columns.add(data, len(parts) - 1, arrival_us, start, end)
            elif kind == Kind.TRACK:
                header = header or _header(bytes(data[start:end]))
            elif kind == Kind.SR and end - start == SenderReport.SIZE:
                reports.append(ReceivedReport(arrival_us, SenderReport.parse(bytes(data[start:end]))))
            elif kind == Kind.DROPPED:
                dropped.append(arrival_us)
            elif kind == Kind.END:
                ended = True
    if header is None or not header.codecs or not len(columns.seq):
        return None
    return _track(epoch, number, header, columns, parts, reports, dropped, ended)


def _header(body: bytes) -> TrackHeader | None:
    try:
        return TrackHeader.parse(body)
    except ValueError:
        return None


def _map(path: Path) -> memoryview | None:
    """The file's bytes, or nothing when it is not a log."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return None
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _track(
    epoch: str,
    number: int,
    header: TrackHeader,
    raw: _Columns,
    parts: list[memoryview],
    reports: list[ReceivedReport],
    dropped_us: list[int],
    ended: bool,
) -> Track:
    seq = unwrap(np.array(raw.seq, np.int64), 16)
    # The first of equal numbers stays: the one that came first.
    _, order = np.unique(seq, return_index=True)
    flags = np.array(raw.flags, np.int64)[order]
    return Track(
        epoch=epoch,
        number=number,
        header=header,
        seq=seq[order],
        ts=unwrap(np.array(raw.ts, np.int64), 32)[order],
        arrival_us=np.array(raw.arrival, np.int64)[order],
        pt=flags & 0x7F,
        marker=(flags & _MARKER) != 0,
        part=np.array(raw.part, np.int64)[order],
        start=np.array(raw.start, np.int64)[order],
        end=np.array(raw.end, np.int64)[order],
        parts=parts,
        reports=reports,
        dropped_us=dropped_us,
        ended=ended,
    )


def unwrap(numbers: Int64s, bits: int) -> Int64s:
    """Counters of `bits` bits in order of arrival -> 64-bit ones: each step is the nearest one (RFC 3550 A.1)."""
    half, whole = 1 << (bits - 1), 1 << bits
    steps = (np.diff(numbers) + half) % whole - half
    return np.concatenate((numbers[:1], numbers[:1] + np.cumsum(steps)))
