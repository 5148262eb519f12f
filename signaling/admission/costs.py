"""What a receiver of a lesson takes, from the rates that are measured where they arrive; values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from signaling.admission.verdict import Costs
from streaming.params import PublicationStats, Source

if TYPE_CHECKING:
    from signaling.transport import Publication

SLIDES_BPS = 20_000  # stills, and the feedback of the voice
VOICE_BPS = 40_000
CAMERA_BPS = (120_000, 400_000, 1_300_000)  # what our own page sends of its three encodings
SCREEN_BPS = 300_000
_SOUND_BPS = VOICE_BPS + SLIDES_BPS
_LOW, _MIDDLE, _HIGH = (_SOUND_BPS + SCREEN_BPS + rate for rate in CAMERA_BPS)
NOMINAL = Costs(_SOUND_BPS, (_LOW, _MIDDLE, _HIGH))


def costs_of(on_air: Mapping[Source, Publication], rows: Mapping[int, PublicationStats]) -> Costs:
    """What is on air decides; an encoding that is switched off now would take what it usually takes."""
    if not on_air:
        return NOMINAL
    sound = SLIDES_BPS + (_rate(on_air, rows, "microphone", -1, VOICE_BPS) if "microphone" in on_air else 0)
    screen = _rate(on_air, rows, "screen", 0, SCREEN_BPS) if "screen" in on_air else 0
    layers, least = [], sound + screen
    for layer, usual in enumerate(CAMERA_BPS):
        camera = _rate(on_air, rows, "camera", layer, usual) if "camera" in on_air else 0
        least = max(least, sound + screen + camera)
        layers.append(least)
    return Costs(sound, (layers[0], layers[1], layers[2]))


def _rate(
    on_air: Mapping[Source, Publication], rows: Mapping[int, PublicationStats], source: Source, layer: int, usual: int
) -> int:
    row = rows.get(on_air[source].handle)
    encodings = row["encodings"] if row is not None else []
    if not encodings:
        return usual
    return encodings[-1 if layer < 0 else min(layer, len(encodings) - 1)]["bitrate_bps"] or usual
