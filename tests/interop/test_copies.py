"""Chromium plays sound with copies of older frames, and hardly misses what a lossy link takes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import chromium
from tests.support.listening import listen, make_voice

if TYPE_CHECKING:
    from streaming._core import LinkDict

pytestmark = pytest.mark.e2e

LOSSY: LinkDict = {"loss": 0.2, "delay_us": 30_000}


async def test_copies_of_the_last_two_frames_cover_twenty_percent_loss_in_chromium(tmp_path: Path) -> None:
    voice = make_voice(tmp_path)
    async with chromium() as browser:
        bare, covered = await asyncio.gather(
            listen(browser, voice, LOSSY, nack=False), listen(browser, voice, LOSSY, copies=0b11, nack=False)
        )
    assert covered.concealed <= 0.015, covered
    assert bare.concealed > 2 * covered.concealed, (bare, covered)
