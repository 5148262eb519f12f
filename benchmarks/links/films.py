"""What the modelled teacher sends: the frames of a real Chromium, as `benchmarks.links.record` wrote them down.

A camera in three VP8 layers of L1T3 (`web_client/src/shared/simulcast.ts`) and a microphone in two Opus encodings.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RECORDED = Path(__file__).with_name("teacher.csv")
# Payload of one packet at most, as the simulator cuts frames, and what each packet carries besides on a link:
# IPv4, UDP, RTP with two extensions, VP8 descriptor inside the payload, SRTP tag.
PACKET_BYTES = 1_130
HEADER_BYTES = 28 + 12 + 12 + 16
# Frame lengths of the microphone's encodings, lowest rate first.
VOICES_US = (60_000, 20_000)


class Row(NamedTuple):
    """One frame of the camera."""

    at_us: int
    encoding: int
    temporal: int
    sync: int
    bytes: int


@dataclass(frozen=True)
class Recording:
    """What a teacher sent in `loop_us`."""

    loop_us: int
    camera: list[Row]
    layers: list[tuple[int, int, list[int]]]  # height, width, sizes of key frames
    voices: list[list[int]]  # sizes of the frames of each encoding, lowest rate first

    def write(self, file: Path) -> None:
        """As CSV: one line a layer, a key frame, a frame, a frame of sound."""
        with file.open("w", newline="") as out:
            to = csv.writer(out, lineterminator="\n")
            to.writerow(("loop", self.loop_us))
            for number, (height, width, keys) in enumerate(self.layers):
                to.writerow(("layer", number, height, width, *keys))
            to.writerows(("frame", *row) for row in self.camera)
            for number, sizes in enumerate(self.voices):
                to.writerows(("voice", number, size) for size in sizes)

    @classmethod
    def read(cls, file: Path) -> Recording:
        """The same back."""
        loop_us, camera, layers = 0, [], []
        voices: list[list[int]] = [[] for _ in VOICES_US]
        with file.open(newline="") as lines:
            for kind, *words in csv.reader(lines):
                numbers = [int(word) for word in words]
                if kind == "loop":
                    loop_us = numbers[0]
                elif kind == "layer":
                    layers.append((numbers[1], numbers[2], numbers[3:]))
                elif kind == "frame":
                    camera.append(Row(*numbers))
                else:
                    voices[numbers[0]].append(numbers[1])
        return cls(loop_us, camera, layers, voices)


@dataclass(frozen=True)
class Film:
    """The arguments of `Sim.publish` after the teacher's handle."""

    kind: str
    mid: str
    at_us: NDArray[np.int64]
    encoding: NDArray[np.uint8]
    temporal: NDArray[np.uint8]
    sync: NDArray[np.uint8]
    bytes: NDArray[np.uint32]
    loop_us: int
    encodings: list[tuple[int, int, list[int]]]

    @classmethod
    def of(
        cls, kind: str, mid: str, rows: list[Row], loop_us: int, encodings: list[tuple[int, int, list[int]]]
    ) -> Film:
        """A film of frames."""
        table = np.array(sorted(rows), dtype=np.int64)
        at_us, encoding, temporal, sync, size = table.T.copy()
        return cls(
            kind,
            mid,
            at_us,
            encoding.astype(np.uint8),
            temporal.astype(np.uint8),
            sync.astype(np.uint8),
            size.astype(np.uint32),
            loop_us,
            encodings,
        )

    def media_bps(self, encoding: int, temporal: int) -> float:
        """Media bit/s of one encoding up to a temporal layer."""
        mine = (self.encoding == encoding) & (self.temporal <= temporal)
        return float(self.bytes[mine].sum()) * 8e6 / self.loop_us

    def link_bps(self, encoding: int, temporal: int) -> float:
        """The same on a link at IP level, headers included."""
        mine = (self.encoding == encoding) & (self.temporal <= temporal)
        packets = np.ceil(self.bytes[mine] / PACKET_BYTES).sum()
        return self.media_bps(encoding, temporal) + float(packets) * HEADER_BYTES * 8e6 / self.loop_us


@cache
def recorded() -> Recording:
    """The teacher of all simulated lessons."""
    return Recording.read(RECORDED)


def camera(source: Recording | None = None) -> Film:
    """The teacher's camera."""
    source = source or recorded()
    return Film.of("video", "camera", source.camera, source.loop_us, source.layers)


def microphone(both: bool, source: Recording | None = None) -> Film:
    """The teacher's voice, in two encodings or in the better one alone."""
    source = source or recorded()
    chosen = list(zip(VOICES_US, source.voices, strict=True))[0 if both else 1 :]
    rows = [
        Row(at * length_us, number, 0, 0, size)
        for number, (length_us, sizes) in enumerate(chosen)
        for at, size in enumerate(sizes)
    ]
    return Film.of("audio", "microphone", rows, source.loop_us, [(length_us, 0, []) for length_us, _ in chosen])
