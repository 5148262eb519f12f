"""A number burnt into a picture as black and white blocks, so that a test can tell which frame it looks at.

Twelve bits, highest first, and four check bits; the strip fills the lower left of the picture at any size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

NUMBERS = 4096
BLOCKS = 16
BLOCK_SHARE = 1 / 32  # of the picture's width
DARK, LIGHT = 16, 235


def _bits(number: int) -> int:
    check = (number ^ (number >> 4) ^ (number >> 8) ^ 0b1010) & 0b1111
    return (number << 4) | check


def draw_counter(draw: ImageDraw.ImageDraw, size: tuple[int, int], number: int) -> None:
    """Burn `number` (taken modulo 4096) into a picture of `size` (width, height) in pixels."""
    width, height = size
    block = width * BLOCK_SHARE
    bits = _bits(number % NUMBERS)
    for place in range(BLOCKS):
        shade = LIGHT if bits >> (BLOCKS - 1 - place) & 1 else DARK
        box = (place * block, height - block, (place + 1) * block - 1, height - 1)
        draw.rectangle(box, fill=(shade, shade, shade))


def read_counter(luma: NDArray[np.uint8] | NDArray[Any]) -> int | None:
    """The number in a grey picture [height, width], or None where the check bits disagree."""
    height, width = luma.shape
    block = width * BLOCK_SHARE
    quarter = max(1, int(block / 4))
    middle_y = int(height - block / 2)
    bits = 0
    for place in range(BLOCKS):
        middle_x = int((place + 0.5) * block)
        patch = luma[middle_y - quarter : middle_y + quarter, middle_x - quarter : middle_x + quarter]
        bits = bits << 1 | int(float(patch.mean()) > (DARK + LIGHT) / 2)
    return number_from_bits(bits)


def number_from_bits(bits: int) -> int | None:
    """The number of a strip that was read elsewhere, or None where its check bits disagree."""
    number = bits >> 4
    return number if _bits(number) == bits else None
