"""Puts media into logs as the media process would: packets, reports, a network in between, files in parts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiortc.rtp import RtpPacket

from recorder.clock import NTP_TO_UNIX_S
from recorder.zwl import LogCodec, SenderReport, TrackHeader, ZwlWriter, part_name, seal
from tests.recorder.media import Unit

# The lesson starts here on the server's clock; the sender's is off by some seconds.
BELL_US = 1_790_000_000_000_000
SENDER_AHEAD_S = 3.7
DELAY_S = 0.05
CODECS = {
    "VP8": (LogCodec(96, "VP8", 90_000),),
    "H264": (LogCodec(98, "H264", 90_000),),
    "opus": (LogCodec(111, "opus", 48_000), LogCodec(63, "red", 48_000)),
}


@dataclass(frozen=True)
class Sending:
    """How a source is sent. Times are seconds since the bell; `drift` is of the media clock against the wall clock."""

    source: str
    codec: str
    units: Sequence[Unit]
    seq: int = 1000
    ts: int = 5000
    drift: float = 0.0
    begin_s: float = 0.0
    report_s: float | None = 1.0
    pt: int | None = None
    participant: str = "teacher"

    @property
    def header(self) -> TrackHeader:
        kind = "audio" if self.codec == "opus" else "video"
        return TrackHeader(self.source, self.participant, kind, CODECS[self.codec], 77)


@dataclass
class Network:
    """What happens to packets: a function from (index, packet) to arrival delays; empty when lost."""

    fate: Callable[[int, bytes], list[float]] = field(default=lambda index, packet: [DELAY_S])


def rough(seed: int, lost: float = 0.0, late: float = 0.1, twice: float = 0.02) -> Network:
    """Jitter and reordering; a share of the packets comes by retransmission, some twice, some never."""
    rng = random.Random(seed)

    def fate(_: int, __: bytes) -> list[float]:
        delay = DELAY_S + rng.random() * 0.03
        if rng.random() < lost:
            return []
        if rng.random() < late:
            delay += 0.35 + rng.random() * 0.55
        return [delay, delay + 0.1] if rng.random() < twice else [delay]

    return Network(fate)


def packets(sending: Sending) -> list[tuple[float, bytes]]:
    """(when sent, RTP packet), in order."""
    out = []
    clock = 48_000 if sending.codec == "opus" else 90_000
    seq = sending.seq
    for unit in sending.units:
        for i, payload in enumerate(unit.payloads):
            packet = RtpPacket(
                payload_type=sending.pt or CODECS[sending.codec][0].pt,
                marker=1 if sending.codec != "opus" and i == len(unit.payloads) - 1 else 0,
                sequence_number=seq & 0xFFFF,
                timestamp=(sending.ts + round(unit.at_s * clock)) & 0xFFFF_FFFF,
                ssrc=77,
            )
            packet.payload = payload
            # A fast media clock reaches the same timestamp earlier.
            at = unit.at_s / (1 + sending.drift) + sending.begin_s + 0.001 * i
            out.append((at, packet.serialize()))
            seq += 1
    return out


def reports(sending: Sending) -> list[tuple[float, SenderReport]]:
    """(when sent, report), one each `report_s`."""
    if sending.report_s is None:
        return []
    clock = 48_000 if sending.codec == "opus" else 90_000
    last = sending.units[-1].at_s
    out, at = [], 0.5
    while at <= last:
        wall = BELL_US / 1e6 + SENDER_AHEAD_S + sending.begin_s + at
        ntp = int((wall + NTP_TO_UNIX_S) * (1 << 32))
        ts = sending.ts + round(at * (1 + sending.drift) * clock)
        out.append((sending.begin_s + at, SenderReport(77, ntp, ts & 0xFFFF_FFFF)))
        at += sending.report_s
    return out


def write_track(
    epoch: Path, number: int, sending: Sending, network: Network | None = None, part_s: float = 60.0, ended: bool = True
) -> None:
    """The log files of one track."""
    epoch.mkdir(parents=True, exist_ok=True)
    network = network or Network()
    rows: list[tuple[float, bytes | SenderReport]] = []
    for index, (at, packet) in enumerate(packets(sending)):
        rows += [(at + delay, packet) for delay in network.fate(index, packet)]
    rows += [(at + DELAY_S, report) for at, report in reports(sending)]
    rows.sort(key=lambda row: row[0])
    part, writer = 0, _part(epoch, number, 0, sending, rows[0][0])
    part_began = rows[0][0]
    for at, body in rows:
        if at - part_began > part_s:
            writer.close()
            seal(writer.path)
            part, part_began = part + 1, at
            writer = _part(epoch, number, part, sending, at)
        if isinstance(body, bytes):
            writer.rtp(_us(at), body)
        else:
            writer.sender_report(_us(at), body)
    if ended:
        writer.end(_us(rows[-1][0]), "closed")
    writer.close()


def _part(epoch: Path, number: int, part: int, sending: Sending, at: float) -> ZwlWriter:
    return ZwlWriter(epoch / part_name(number, part), number, sending.header, _us(at))


def _us(at: float) -> int:
    return BELL_US + round(at * 1e6)


def write_epoch(epoch: Path, sendings: Iterable[Sending], network: Network | None = None, ended: bool = True) -> None:
    """All tracks of one run."""
    for number, sending in enumerate(sendings, 1):
        write_track(epoch, number, sending, network, ended=ended)


def write_facts(recording: Path, state: str, **more: object) -> None:
    """`lesson.json`, as signalling writes it."""
    recording.mkdir(parents=True, exist_ok=True)
    value = {"id": recording.name, "title": "分数的意义", "teacher": "李老师", "state": state, "created_ms": 1, **more}
    temporary = recording / "lesson.json.new"
    temporary.write_text(json.dumps(value), encoding="utf-8")
    temporary.rename(recording / "lesson.json")
