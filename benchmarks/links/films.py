"""What the modelled teacher sends: a camera in three VP8 layers of L1T3, and a microphone in two Opus encodings.

Frame sizes are drawn from the spread that talking heads have at the layers of `web_client/src/shared/simulcast.ts`:
the base temporal layer takes 40 % of the bytes, the next 20 %, the top 40 % (libwebrtc's split); a key frame is about
eleven mean frames large.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

LOOP_US = 48_000_000  # whole turns of every pattern below
SEED = 20_261_122
# Payload of one packet at most, as the simulator cuts frames, and what each packet carries besides on a link:
# IPv4, UDP, RTP with two extensions, VP8 descriptor inside the payload, SRTP tag.
PACKET_BYTES = 1_130
HEADER_BYTES = 28 + 12 + 12 + 16
# A pattern of four frames: temporal layer, whether it refers to the base alone, share of the pattern's bytes.
PATTERN = ((0, 0, 0.40), (2, 1, 0.20), (1, 1, 0.20), (2, 0, 0.20))
SPREAD = 0.30  # of the logarithm of frame sizes
KEY_FRAMES = 11.0  # mean frames


@dataclass(frozen=True)
class Layer:
    """One encoding of a picture."""

    height: int
    width: int
    bitrate_bps: int
    fps: int


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

    def media_bps(self, encoding: int, temporal: int) -> float:
        """Media bit/s of one encoding up to a temporal layer."""
        mine = (self.encoding == encoding) & (self.temporal <= temporal)
        return float(self.bytes[mine].sum()) * 8e6 / self.loop_us

    def link_bps(self, encoding: int, temporal: int) -> float:
        """The same on a link at IP level, headers included."""
        mine = (self.encoding == encoding) & (self.temporal <= temporal)
        packets = np.ceil(self.bytes[mine] / PACKET_BYTES).sum()
        return self.media_bps(encoding, temporal) + float(packets) * HEADER_BYTES * 8e6 / self.loop_us


CAMERA = (Layer(180, 320, 90_000, 15), Layer(360, 640, 350_000, 25), Layer(720, 1280, 1_200_000, 25))
# Frame length and bitrate of the microphone's encodings.
LOW_VOICE = (60_000, 13_000)
VOICE = (20_000, 28_000)


@cache
def camera(layers: tuple[Layer, ...] = CAMERA) -> Film:
    """The teacher's camera."""
    chance = np.random.default_rng(SEED)
    parts = [_layer(number, layer, chance) for number, layer in enumerate(layers)]
    at_us, encoding, temporal, sync, size = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((encoding, at_us))
    keys = [
        (layer.height, layer.width, _spread(layer.bitrate_bps / 8 / layer.fps * KEY_FRAMES, 16, chance).tolist())
        for layer in layers
    ]
    return Film(
        "video", "camera", at_us[order], encoding[order], temporal[order], sync[order], size[order], LOOP_US, keys
    )


@cache
def microphone(both: bool) -> Film:
    """The teacher's voice, in two encodings or in the better one alone."""
    rows = [
        (at_us, number, bitrate_bps * length_us // 8_000_000)
        for number, (length_us, bitrate_bps) in enumerate((LOW_VOICE, VOICE) if both else (VOICE,))
        for at_us in range(0, LOOP_US, length_us)
    ]
    rows.sort()
    at_us, encoding, size = (np.array(column) for column in zip(*rows, strict=True))
    nothing = np.zeros(len(rows), dtype=np.uint8)
    lengths: list[tuple[int, int, list[int]]] = [
        (length_us, 0, []) for length_us, _ in ((LOW_VOICE, VOICE) if both else (VOICE,))
    ]
    return Film(
        "audio",
        "microphone",
        at_us.astype(np.int64),
        encoding.astype(np.uint8),
        nothing,
        nothing,
        size.astype(np.uint32),
        LOOP_US,
        lengths,
    )


def _layer(number: int, layer: Layer, chance: np.random.Generator) -> tuple[NDArray[np.generic], ...]:
    count = LOOP_US * layer.fps // 1_000_000
    turn = np.arange(count) % len(PATTERN)
    temporal, sync, share = (np.array(column)[turn] for column in zip(*PATTERN, strict=True))
    mean = layer.bitrate_bps / 8 / layer.fps * len(PATTERN)
    return (
        (np.arange(count) * 1_000_000 // layer.fps).astype(np.int64),
        np.full(count, number, dtype=np.uint8),
        temporal.astype(np.uint8),
        sync.astype(np.uint8),
        (mean * share * _noise(count, chance)).astype(np.uint32),
    )


def _noise(count: int, chance: np.random.Generator) -> NDArray[np.float64]:
    noise = np.exp(chance.normal(0.0, SPREAD, count))
    return np.asarray(noise / noise.mean())


def _spread(mean: float, count: int, chance: np.random.Generator) -> NDArray[np.int64]:
    return (mean * _noise(count, chance)).astype(np.int64)
