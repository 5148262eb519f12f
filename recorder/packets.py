"""One run of the media process as columns: every track's packets in order of sequence number, late ones in their place.

Files are mapped, not read: a lesson of any length costs a few dozen bytes of memory a packet.
"""

from __future__ import annotations

import mmap
from array import array
from collections import defaultdict
from collections.abc import Container, Iterator
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
    RTP marker; `part`, `head`, `start` and `end` say where the packet and its payload stand.
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
    head: Int64s
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


def load_epoch(folder: Path, sources: Container[str] | None = None) -> list[Track]:
    """All tracks of one epoch, or of these sources, with a readable TRACK record and at least one packet."""
    files: dict[int, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.zwl")):
        number = path.name.split("-")[0]
        if number.isdecimal() and int(number):
            files[int(number)].append(path)
    if sources is not None:
        files = {number: paths for number, paths in files.items() if _source(paths[0]) in sources}
    return [track for number, paths in sorted(files.items()) for track in _load_tracks(folder.name, number, paths)]


class _Columns:
    """Raw columns in order of arrival, one block a part."""

    def __init__(self) -> None:
        self.blocks: list[Int64s] = []

    def add(self, data: memoryview, part: int, arrival_us: array[int], start: array[int], end: array[int]) -> None:
        """Parse the RTP headers (RFC 3550 5.1) of one part; packets that do not parse are left out."""
        if not len(start):
            return
        octets = np.frombuffer(data, np.uint8)
        last = len(octets) - 1
        begin, stop, arrived = (np.array(column, np.int64) for column in (start, end, arrival_us))
        whole = stop - begin >= _FIXED_HEADER
        begin, stop, arrived = begin[whole], stop[whole], arrived[whole]
        number = [octets[begin + i].astype(np.int64) for i in range(8)]
        payload = begin + _FIXED_HEADER + 4 * (number[0] & 0x0F)
        extended = (number[0] & 0x10) != 0
        words = octets[np.minimum(payload + 2, last)].astype(np.int64) << 8 | octets[np.minimum(payload + 3, last)]
        payload += np.where(extended, 4 + 4 * words, 0)
        finish = stop - np.where((number[0] & 0x20) != 0, octets[stop - 1], 0)
        good = (number[0] >> 6 == 2) & (payload <= stop)
        seq = number[2] << 8 | number[3]
        ts = number[4] << 24 | number[5] << 16 | number[6] << 8 | number[7]
        where = np.full(len(seq), part), begin, payload, np.maximum(payload, finish)
        rows = (seq, ts, arrived, number[1], *where)
        self.blocks.append(np.stack([row[good] for row in rows]))


class _Reading:
    """One track while its parts are read."""

    def __init__(self, epoch: str, number: int) -> None:
        self._epoch, self._number = epoch, number
        self._columns = _Columns()
        self._parts: list[memoryview] = []
        self._reports: list[ReceivedReport] = []
        self._dropped_us: list[int] = []
        self.header: TrackHeader | None = None
        self.ended = False

    def add(self, data: memoryview) -> None:
        """One part."""
        arrivals, starts, ends = array("q"), array("q"), array("q")
        rtp = int(Kind.RTP)
        for kind, _, arrival_us, start, end in scan(data, len(MAGIC)):
            if kind == rtp:
                arrivals.append(arrival_us)
                starts.append(start)
                ends.append(end)
            elif kind == Kind.TRACK:
                self.header = self.header or _header(bytes(data[start:end]))
            elif kind == Kind.SR and end - start == SenderReport.SIZE:
                self._reports.append(ReceivedReport(arrival_us, SenderReport.parse(bytes(data[start:end]))))
            elif kind == Kind.DROPPED:
                self._dropped_us.append(arrival_us)
            elif kind == Kind.END:
                self.ended = True
        self._columns.add(data, len(self._parts), arrivals, starts, ends)
        self._parts.append(data)

    def track(self) -> Track | None:
        """What was read, if it is a track."""
        if self.header is None or not self.header.codecs or not self._columns.blocks:
            return None
        raw = np.concatenate(self._columns.blocks, axis=1)
        if not raw.shape[1]:
            return None
        return _track(
            self._epoch, self._number, self.header, raw, self._parts, self._reports, self._dropped_us, self.ended
        )


def _load_tracks(epoch: str, number: int, paths: list[Path]) -> Iterator[Track]:
    """Usually one; a lesson that was closed and opened again in one run uses its numbers again."""
    readings = [_Reading(epoch, number)]
    for path in paths:
        data = _map(path)
        if data is None:
            continue
        header = _first_header(data)
        before = readings[-1]
        if before.ended or (header is not None and before.header is not None and header != before.header):
            readings.append(_Reading(epoch, number))
        readings[-1].add(data)
    for reading in readings:
        track = reading.track()
        if track is not None:
            yield track


def _source(path: Path) -> str | None:
    data = _map(path)
    header = _first_header(data) if data is not None else None
    return header.source if header is not None else None


def _first_header(data: memoryview) -> TrackHeader | None:
    for kind, _, _, start, end in scan(data, len(MAGIC)):
        return _header(bytes(data[start:end])) if kind == Kind.TRACK else None
    return None


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
    raw: Int64s,
    parts: list[memoryview],
    reports: list[ReceivedReport],
    dropped_us: list[int],
    ended: bool,
) -> Track:
    seq = unwrap(raw[0], 16)
    # The first of equal numbers stays: the one that came first.
    _, order = np.unique(seq, return_index=True)
    ts = unwrap(raw[1], 32)
    arrival_us, flags, part, head, start, end = (column[order] for column in raw[2:])
    return Track(
        epoch=epoch,
        number=number,
        header=header,
        seq=seq[order],
        ts=ts[order],
        arrival_us=arrival_us,
        pt=flags & 0x7F,
        marker=(flags & _MARKER) != 0,
        part=part,
        head=head,
        start=start,
        end=end,
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
