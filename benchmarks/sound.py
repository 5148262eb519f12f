"""How much of the voice a real Chromium has to make up on lossy links, with copies of older frames and with repairs."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import Browser

from benchmarks.report import parser, positive, progress
from tests.support.browser import chromium
from tests.support.listening import Heard, listen, make_voice

if TYPE_CHECKING:
    from streaming._core import LinkDict

DELAY_US = 40_000
AT_ONCE = 3
LINKS: dict[str, LinkDict] = {
    "10 %": {"loss": 0.1, "delay_us": DELAY_US},
    "20 %": {"loss": 0.2, "delay_us": DELAY_US},
    "20 % in bursts of 3": {"loss": 0.2, "burst": 3.0, "delay_us": DELAY_US},
    "20 %, 600 ms round trip": {"loss": 0.2, "delay_us": 300_000},
}
# name: (distances as a mask, repairs, play-out target)
WAYS: dict[str, tuple[int, bool, int | None]] = {
    "plain": (0b0, False, None),
    "repairs": (0b0, True, None),
    "copies 1+2": (0b11, False, None),
    "copies 1+2 and repairs": (0b11, True, None),
    "copies 2+4, 600 ms, repairs": (0b1010, True, 600),
    "copy 15, 800 ms, repairs": (1 << 14, True, 800),
}


async def measure(span_s: float) -> list[dict[str, Any]]:
    """One row per link and way."""
    with tempfile.TemporaryDirectory() as name:
        voice = make_voice(Path(name))
        cases = [(link, way) for link in LINKS for way in WAYS]
        rows: list[dict[str, Any]] = []
        async with chromium() as browser:
            for begin in range(0, len(cases), AT_ONCE):
                part = cases[begin : begin + AT_ONCE]
                progress(", ".join(f"{link}: {way}" for link, way in part))
                heard = await asyncio.gather(*(_one(browser, voice, link, way, span_s) for link, way in part))
                rows += [
                    {"link": link, "way": way, **asdict(one)} for (link, way), one in zip(part, heard, strict=True)
                ]
        return rows


async def _one(browser: Browser, voice: list[str], link: str, way: str, span_s: float) -> Heard:
    copies, nack, target_ms = WAYS[way]
    return await listen(browser, voice, LINKS[link], copies=copies, nack=nack, target_ms=target_ms, span_s=span_s)


def main() -> None:
    """Measure and print."""
    command = parser("sound", str(__doc__), ("", "--seconds 60 --json"))
    command.add_argument("--seconds", type=positive, default=30, help="what is listened to each time")
    options = command.parse_args()
    rows = asyncio.run(measure(options.seconds))
    if options.json:
        print(json.dumps({"sound": rows}))
        return
    print(f"{'link':<26}{'way':<30}{'concealed':>10}{'events':>8}{'lost':>8}{'delay':>9}{'stretched':>11}")
    for row in rows:
        figures = f"{row['concealed']:>10.2%}{row['events']:>8}{row['lost']:>8.1%}{row['delay_ms']:>6.0f} ms"
        print(f"{row['link']:<26}{row['way']:<30}{figures}{row['stretched']:>11.2%}")


if __name__ == "__main__":
    main()
