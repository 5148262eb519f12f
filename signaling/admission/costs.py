"""What a receiver of a lesson takes, from the rates that are measured where they arrive; values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from signaling.admission.verdict import Costs
from streaming.params import PublicationStats, Source

if TYPE_CHECKING:
    from signaling.transport import Publication

SLIDES_BPS = 20_000  # stills, and the feedback of the voice
VOICE_BPS = 40_000
CAMERA_BPS = (120_000, 400_000, 1_300_000)  # what our own page sends of its three encodings
SCREEN_BPS = 300_000


def costs_of(on_air: Mapping[Source, Publication], rows: Mapping[int, PublicationStats]) -> Costs:
    """As it is measured where that is possible; what is off now would take what it usually takes, once it is on."""
    sound = SLIDES_BPS + _rate(on_air, rows, "microphone", -1, VOICE_BPS)
    least = sound + _rate(on_air, rows, "screen", 0, SCREEN_BPS)
    layers = [least + _rate(on_air, rows, "camera", layer, usual) for layer, usual in enumerate(CAMERA_BPS)]
    low, middle, high = accumulate(layers, max)  # a higher layer is never the cheaper one
    return Costs(sound, (low, middle, high))


def _rate(
    on_air: Mapping[Source, Publication], rows: Mapping[int, PublicationStats], source: Source, layer: int, usual: int
) -> int:
    row = rows.get(on_air[source].handle) if source in on_air else None
    encodings = row["encodings"] if row is not None else []
    if not encodings:
        return usual
    return encodings[-1 if layer < 0 else min(layer, len(encodings) - 1)]["bitrate_bps"] or usual
