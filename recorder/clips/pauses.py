"""Where nobody speaks, from how loud each packet is, or how large: nothing is decoded. Values in, values out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recorder.clips.spans import Span

Floats = NDArray[np.float64]

LEAST_S = 0.8
# Loudness is looked at in windows of this length; a single click does not end a pause.
_WINDOW_S = 0.1
_CLICK_S = 0.2
# Speech and room are what is loud and quiet around a moment.
_AROUND_S = 60.0
_LOUD, _QUIET = 90, 10
# Nearer together than this (dB, or the logarithm of sizes) there are no pauses to be seen.
_LEAST_RANGE_DB, _LEAST_RANGE_SIZE = 12.0, 0.35
# A pause is in the lower part of the range.
_LOWER = 0.35
SILENT_LEVEL = 127.0


def pauses_of_levels(at_s: Floats, level: Floats, end_s: float) -> list[Span]:
    """From audio levels (RFC 6464: 0 loud, 127 silent, in -dBov) of packets; where none came nobody spoke."""
    return _pauses(at_s, SILENT_LEVEL - np.minimum(level, SILENT_LEVEL), end_s, 0.0, _LEAST_RANGE_DB)


def pauses_of_sizes(at_s: Floats, size: Floats, end_s: float) -> list[Span]:
    """From the bytes of Opus packets of a variable rate or with DTX; a constant rate tells nothing."""
    return _pauses(at_s, np.log(np.maximum(size, 1.0)), end_s, 0.0, _LEAST_RANGE_SIZE)


def _pauses(at_s: Floats, loudness: Floats, end_s: float, nothing: float, least_range: float) -> list[Span]:
    if not len(at_s):
        return []
    count = max(1, int(np.ceil(end_s / _WINDOW_S)))
    window = np.clip((at_s / _WINDOW_S).astype(np.int64), 0, count - 1)
    loudest = np.full(count, nothing)
    np.maximum.at(loudest, window, loudness)
    quiet = _quiet(loudest, least_range)
    return _runs(quiet, end_s)


def _quiet(loudness: Floats, least_range: float) -> NDArray[np.bool_]:
    step = int(_AROUND_S / _WINDOW_S)
    out = np.zeros(len(loudness), np.bool_)
    for start in range(0, len(loudness), step):
        around = loudness[max(0, start - step) : start + 2 * step]
        low, high = np.percentile(around, (_QUIET, _LOUD))
        if high - low >= least_range:
            out[start : start + step] = loudness[start : start + step] < low + _LOWER * (high - low)
    return out


def _runs(quiet: NDArray[np.bool_], end_s: float) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], quiet, [False])).astype(np.int8)))
    spans: list[Span] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        begin_s, over_s = start * _WINDOW_S, min(end_s, stop * _WINDOW_S)
        if spans and begin_s - spans[-1][1] < _CLICK_S - 1e-6:
            spans[-1] = (spans[-1][0], over_s)
        else:
            spans.append((begin_s, over_s))
    return [(round(a, 3), round(b, 3)) for a, b in spans if b - a >= LEAST_S - 1e-6]
