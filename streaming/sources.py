"""What each layer of each publication sends now: rates for the policy, heights for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYERS = 3
# A better layer that sent nothing for this long was switched off by its sender.
SILENT_US = 3_000_000


@dataclass
class _Layer:
    packets: int = 0
    heard_us: int = -SILENT_US
    bitrate_bps: int = 0
    height: int = 0


class SourceRates:
    """Follows the encodings table of `Core.take_stats`."""

    def __init__(self) -> None:
        self._layers: dict[tuple[int, int], _Layer] = {}

    def take(self, table: Mapping[str, NDArray[Any]], now_us: int) -> None:
        """The table of now; layers that are no longer in it are forgotten."""
        names = ("publication", "encoding", "packets", "bitrate_bps", "height")
        seen: dict[tuple[int, int], _Layer] = {}
        for publication, encoding, packets, bitrate_bps, height in zip(
            *(table[name].tolist() for name in names), strict=True
        ):
            layer = seen[publication, encoding] = self._layers.get((publication, encoding), _Layer())
            if packets > layer.packets:
                layer.packets, layer.heard_us = packets, now_us
            layer.bitrate_bps, layer.height = bitrate_bps, height
        self._layers = seen

    def rates_bps(self, publication: int, now_us: int) -> list[int]:
        """One rate a layer, 0 where it is off. The base layer never is: a still screen may be silent for long."""
        rates = [0] * LAYERS
        for spatial in range(LAYERS):
            layer = self._layers.get((publication, spatial))
            if spatial == 0 or (layer is not None and now_us - layer.heard_us < SILENT_US):
                rates[spatial] = max(layer.bitrate_bps if layer is not None else 0, 1)
        return rates

    def matrix_bps(self, publications: list[int], now_us: int) -> NDArray[np.uint64]:
        """`rates_bps` of many, one row each."""
        rows = {publication: self.rates_bps(publication, now_us) for publication in set(publications)}
        rates = [rows[publication] for publication in publications]
        return np.array(rates, dtype=np.uint64).reshape(len(publications), LAYERS)

    def height(self, publication: int, spatial: int) -> int:
        """Picture height of a layer, 0 when unknown."""
        layer = self._layers.get((publication, spatial))
        return layer.height if layer is not None else 0

    def sends(self, publication: int) -> bool:
        """Whether any packet of it ever came."""
        return any(key[0] == publication and layer.packets > 0 for key, layer in self._layers.items())
