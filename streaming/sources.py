"""What each layer of each publication sends now: rates for the policy, heights for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.params import Source

LAYERS = 3
TEMPORAL_LAYERS = 4
# A better layer that sent nothing for this long was switched off by its sender.
SILENT_US = 3_000_000
# The core measures over whole seconds: until the first is over, what browsers usually send stands for it.
METER_US = 1_500_000
USUAL_BPS: Mapping[Source, tuple[int, int, int]] = {
    "microphone": (32_000, 32_000, 0),
    "camera": (100_000, 350_000, 1_200_000),
    "screen": (300_000, 600_000, 1_200_000),
}
USUAL_PACKET_BITS = 8_000
# A layer of ours to switch on and off counts as running while packets of it are at most so old.
RUNNING_US = 300_000
# Of its rate up to each temporal layer; a shared screen mostly has only one.
USUAL_PARTS: Mapping[Source, tuple[float, ...]] = {
    "microphone": (1.0, 1.0, 1.0, 1.0),
    "camera": (0.4, 0.6, 1.0, 1.0),
    "screen": (1.0, 1.0, 1.0, 1.0),
}
# A slide that is turned sends for a second what it saves for the next minute: a screen is judged over a longer time.
SMOOTH_US: Mapping[Source, float] = {"microphone": 2e6, "camera": 3e6, "screen": 6e6}
# A key frame makes one second of a picture larger than it is: no more than this over what it mostly is is believed.
LEAP = 1.5


@dataclass
class _Layer:
    packets: int = 0
    began_us: int = -1
    heard_us: int = -SILENT_US
    height: int = 0
    temporal_bps: list[float] = field(default_factory=lambda: [0.0] * TEMPORAL_LAYERS)
    packets_hz: float = 0.0
    taken_us: int = -1
    # What it sent while it ran: nobody could ever climb to a layer that is off if it counted as nothing.
    kept_bps: list[float] | None = None
    kept_hz: float = 0.0

    def take(self, packets: int, temporal_bps: list[int], now_us: int, smooth_us: float, usual_bps: float) -> None:
        """One more look at the counters."""
        span_us = now_us - self.taken_us if self.taken_us >= 0 else 0
        grew = packets > self.packets
        if grew:
            self.heard_us = now_us
            if self.began_us < 0:
                self.began_us = now_us
        if span_us > 0:
            keep = float(np.exp(-span_us / smooth_us)) if self.measured(now_us) else 0.0
            pace = (packets - self.packets) * 1e6 / span_us
            self.packets_hz = pace if keep == 0 and self.packets_hz == 0 else self._mixed(pace, span_us)
            believed = [
                min(now, LEAP * max(before, usual_bps))
                for before, now in zip(self.temporal_bps, temporal_bps, strict=True)
            ]
            rates = zip(self.temporal_bps, believed, strict=True)
            self.temporal_bps = [keep * before + (1 - keep) * now for before, now in rates]
            if grew and self.measured(now_us):
                self.kept_bps, self.kept_hz = self.temporal_bps, self.packets_hz
        self.packets, self.taken_us = packets, now_us

    def _mixed(self, pace: float, span_us: int) -> float:
        keep = float(np.exp(-span_us / 1e6))
        return keep * self.packets_hz + (1 - keep) * pace

    def measured(self, now_us: int) -> bool:
        """Whether the meter has run once since the first packet."""
        return self.began_us >= 0 and now_us - self.began_us > METER_US

    def sends(self, now_us: int) -> bool:
        """Whether anything came lately."""
        return now_us - self.heard_us < SILENT_US

    def runs(self, now_us: int) -> bool:
        """Whether it was not switched off."""
        return now_us - self.heard_us < RUNNING_US

    def wake(self, now_us: int) -> None:
        """It was just asked for: its first packets take their time, and its first second says little."""
        if not self.runs(now_us):
            self.heard_us, self.began_us = now_us, -1


class SourceRates:
    """Follows the encodings table of `Core.take_stats`; `of` tells what a publication is."""

    def __init__(self) -> None:
        self._layers: dict[tuple[int, int], _Layer] = {}
        self._asked: dict[int, int] = {}  # encodings that are to run, counted from the lowest

    def take(self, table: Mapping[str, NDArray[Any]], now_us: int, of: Mapping[int, Source]) -> None:
        """The table of now; layers that are no longer in it are forgotten."""
        names = ("publication", "encoding", "packets", "temporal_bps", "height")
        seen: dict[tuple[int, int], _Layer] = {}
        for publication, encoding, packets, temporal_bps, height in zip(
            *(table[name].tolist() for name in names), strict=True
        ):
            layer = seen[publication, encoding] = self._layers.get((publication, encoding), _Layer())
            source = of.get(publication, "camera")
            usual_bps = USUAL_BPS[source][min(encoding, LAYERS - 1)] * USUAL_PARTS[source][0]
            layer.take(packets, temporal_bps, now_us, SMOOTH_US[source], usual_bps)
            layer.height = height
        self._layers = seen
        self._asked = {publication: count for publication, count in self._asked.items() if (publication, 0) in seen}

    def ask(self, publication: int, count: int, now_us: int) -> None:
        """So many of its encodings are to run from now on."""
        before = self._asked.get(publication, LAYERS)
        self._asked[publication] = count
        for spatial in range(before, count):
            if (layer := self._layers.get((publication, spatial))) is not None:
                layer.wake(now_us)

    def encodings(self, publication: int) -> int:
        """How many it has, running or not."""
        return sum((publication, spatial) in self._layers for spatial in range(LAYERS))

    def arrives(self, publication: int, spatial: int, now_us: int) -> bool:
        """Whether packets of this encoding came lately."""
        layer = self._layers.get((publication, spatial))
        return layer is not None and layer.sends(now_us)

    def rates(self, publication: int, source: Source, now_us: int) -> tuple[list[list[float]], list[float]]:
        """Bit/s up to each temporal layer of each layer, and packets a second; 0 where a layer is not to be had.

        The base layer always is: a still screen may be silent for long. One that was switched off is, at its last rate.
        """
        rates = [[0.0] * TEMPORAL_LAYERS for _ in range(LAYERS)]
        paces = [0.0] * LAYERS
        asked = self._asked.get(publication, LAYERS)
        for spatial in range(LAYERS):
            layer = self._layers.get((publication, spatial))
            if layer is None:
                continue
            off = spatial >= asked and not layer.runs(now_us)
            if off or (layer.sends(now_us) and not layer.measured(now_us)):
                rates[spatial], paces[spatial] = _expected(layer, source, spatial)
            elif layer.sends(now_us):
                rates[spatial] = [max(rate, 1.0) for rate in layer.temporal_bps]
                paces[spatial] = layer.packets_hz
        if not any(rate[-1] for rate in rates):
            rates[0] = [1.0] * TEMPORAL_LAYERS
        return rates, paces

    def height(self, publication: int, spatial: int) -> int:
        """Picture height of a layer, 0 when unknown."""
        layer = self._layers.get((publication, spatial))
        return layer.height if layer is not None else 0

    def sends(self, publication: int) -> bool:
        """Whether any packet of it ever came."""
        layers = (self._layers.get((publication, spatial)) for spatial in range(LAYERS))
        return any(layer is not None and layer.packets > 0 for layer in layers)


def _expected(layer: _Layer, source: Source, spatial: int) -> tuple[list[float], float]:
    """What a layer will send: what it sent before, or what browsers usually send."""
    if layer.kept_bps is not None:
        return [max(rate, 1.0) for rate in layer.kept_bps], layer.kept_hz
    usual = USUAL_BPS[source][spatial]
    return [max(usual * part, 1.0) for part in USUAL_PARTS[source]], usual / USUAL_PACKET_BITS
