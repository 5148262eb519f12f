"""Which pictures of a screen are a new page, and the smallest legible file of one."""

from __future__ import annotations

import io
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Look = NDArray[np.int16]

SIZE = (1280, 720)
MAX_BYTES = 256 << 10
_LOOK = (320, 180)
# A pixel of a small look that changed by so much counts; what a codec makes of a picture at rest differs by less.
_PIXEL = 24
# So many of them are something new: a line of small print is 100. So many are another page.
_SOME = 60
_PAGE = 1_500
# What changes a little, a clock or a pen, is shown again no more often than this.
SOME_AFTER_S = 20.0
PAGE_AFTER_S = 2.0
_SOFT = 40
_COLOURS = 16


class Slide(NamedTuple):
    """One page as a file."""

    format: Literal["webp", "png"]
    size: tuple[int, int]
    file: bytes


class Pages:
    """The pages of one screen."""

    def __init__(self) -> None:
        self._shown: Look | None = None
        self._shown_s = 0.0

    def see(self, picture: Image.Image, now_s: float) -> bool:
        """Whether this picture is to be shown to everybody; it counts as shown then."""
        look = np.asarray(picture.convert("L").resize(_LOOK, Image.Resampling.BOX)).astype(np.int16)
        if self._shown is not None:
            changed = int((np.abs(look - self._shown) > _PIXEL).sum())
            wait_s = PAGE_AFTER_S if changed >= _PAGE else SOME_AFTER_S
            if changed < _SOME or now_s - self._shown_s < wait_s:
                return False
        self._shown, self._shown_s = look, now_s
        return True


def encode(picture: Image.Image) -> Slide | None:
    """The smaller of a soft WebP and one of few colours without loss; None where neither is small enough.

    A picture that came out of a codec has noise, which is all that a lossless file of all its colours would hold.
    """
    picture = picture.convert("RGB")
    picture.thumbnail(SIZE, Image.Resampling.LANCZOS)
    plain = picture.quantize(_COLOURS, dither=Image.Dither.NONE).convert("RGB")
    files = (_webp(picture, quality=_SOFT), _webp(plain, lossless=True))
    file = min(files, key=len)
    return Slide("webp", picture.size, file) if len(file) <= MAX_BYTES else None


def _webp(picture: Image.Image, *, quality: int = 80, lossless: bool = False) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, lossless=lossless)
    return file.getvalue()
