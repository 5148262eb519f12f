"""Turned pages in small grey pictures of a screen, one a second. Values in, values out.

A pixel counts that was at rest and is at rest at another value: a pointer, the middle of a fade and an embedded video
are not at rest. And a page takes old ink away, where an animation, a formula that is built up or a pen only adds some.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LOOK = (128, 72)  # width, height
Look = NDArray[np.uint8]
_Floats = NDArray[np.float32]
_Times = NDArray[np.float64]
_Flags = NDArray[np.bool_]

# A pixel is at rest that changed by less for so many seconds; at another value when by more than that.
_QUIET, _QUIET_STEPS = 8.0, 2
_OTHER = 20.0
# What moves so often is a video.
_MOVING, _FORGET = 0.35, 0.88
# A run of settling pixels begins with this share of the picture, and is over when two looks bring less, or after some.
_RUN, _RUN_OVER, _RUN_MOST = 0.004, 2, 6
# Ink stands out of its ground by so much. A page takes away so much of it, or changes most of the picture.
_INK, _BLOCK = 16.0, 8
_ERASED, _LEAST_CHANGED, _MOST_CHANGED = 0.21, 0.006, 0.35
_BLANK, _FILLED = 0.004, 0.02
_HARDLY_KNOWN = 0.05


class _Run(NamedTuple):
    """Pixels that settled lately."""

    steps: int
    calm: int


class SlideChanges:
    """Feed `see` once a second; each answers the moments that it proved, `finish` the last."""

    def __init__(self) -> None:
        shape = LOOK[1], LOOK[0]
        self._before: _Floats | None = None
        self._before_s = 0.0
        self._run: _Run | None = None
        self._rest: _Floats = np.zeros(shape, np.float32)
        self._old: _Floats = self._rest
        self._quiet: NDArray[np.int64] = np.zeros(shape, np.int64)
        # Of what moves now: its greatest step, and when that was; of what came to rest: when it had turned.
        self._biggest: _Floats = np.zeros(shape, np.float32)
        self._biggest_s: _Times = np.zeros(shape, np.float64)
        self._turned_s: _Times = np.zeros(shape, np.float64)
        self._activity: _Floats = np.zeros(shape, np.float32)
        self._changed: _Flags = np.zeros(shape, np.bool_)

    def see(self, at_s: float, look: Look) -> list[float]:
        """The next picture; moments of pages that were turned some seconds before."""
        now = look.astype(np.float32)
        if self._before is None:
            self._begin(now, at_s)
            return []
        step = np.abs(now - self._before)
        moved = step > _QUIET
        bigger = moved & (step > self._biggest)
        self._biggest = np.where(bigger, step, self._biggest).astype(np.float32)
        self._biggest_s = np.where(bigger, (at_s + self._before_s) / 2, self._biggest_s)
        self._quiet = np.where(moved, 0, self._quiet + 1)
        self._activity = (_FORGET * self._activity + (1 - _FORGET) * moved).astype(np.float32)
        self._before, self._before_s = now, at_s
        settled = self._quiet == _QUIET_STEPS
        return self._settle(now, settled)

    def finish(self) -> list[float]:
        """What was not proved yet when the pictures ended."""
        return self._judge() if self._run is not None else []

    def _begin(self, now: _Floats, at_s: float) -> None:
        self._before, self._before_s = now, at_s
        self._rest = now

    def _settle(self, now: _Floats, settled: _Flags) -> list[float]:
        turned = settled & (np.abs(now - self._rest) > _OTHER) & (self._activity < _MOVING)
        share = float(turned.mean())
        if self._run is None and share >= _RUN:
            self._run = _Run(0, 0)
            self._old = self._rest.copy()
            self._changed = np.zeros(now.shape, np.bool_)
        if self._run is not None:
            self._changed |= turned
            self._turned_s = np.where(turned, self._biggest_s, self._turned_s)
        self._rest = np.where(settled, now, self._rest)
        self._biggest = np.where(settled, 0, self._biggest).astype(np.float32)
        if self._run is None:
            return []
        self._run = _Run(self._run.steps + 1, self._run.calm + 1 if share < _RUN else 0)
        over = self._run.calm >= _RUN_OVER or self._run.steps >= _RUN_MOST
        return self._judge() if over else []

    def _judge(self) -> list[float]:
        self._run = None
        known = self._activity < _MOVING
        changed = self._changed & known
        if float(known.mean()) < _HARDLY_KNOWN:
            return []
        share = float(changed.sum() / known.sum())
        if share < _LEAST_CHANGED:
            return []
        ink = (np.abs(self._old - ground(self._old)) > _INK) & known
        if float(ink.mean()) < _BLANK:
            page = share >= _FILLED
        else:
            page = float((changed & ink).sum() / ink.sum()) >= _ERASED or share >= _MOST_CHANGED
        return [float(np.median(self._turned_s[changed]))] if page else []


def ground(picture: _Floats) -> _Floats:
    """What the ink stands on: the median of each block, of which text covers less than a half."""
    height, width = picture.shape
    rows, columns = height // _BLOCK, width // _BLOCK
    blocks = picture.reshape(rows, _BLOCK, columns, _BLOCK)
    middle = np.median(blocks, axis=(1, 3))
    return np.kron(middle, np.ones((_BLOCK, _BLOCK))).astype(np.float32)
