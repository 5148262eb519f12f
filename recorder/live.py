"""The child process that makes stills of live lessons whose teacher's page makes none: WHIP encoders, files, the demo.

It follows the logs of the screens as they grow, decodes key frames alone, and hands each new page to the media process.
Killed at any point, the next start goes on with the newest page.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import structlog

from recorder import slides
from recorder.keyframes import KeyFrame, KeyFrames, decode
from recorder.logs import LEVELS, STYLES, configure
from recorder.recording import is_being_written, read_lesson
from recorder.slides import Pages
from recorder.zwl import Kind, TrackHeader, ZwlReader, part_name
from streaming.client import MediaClient
from streaming.errors import CommandFailed, MediaUnavailable

log = structlog.get_logger("recorder.live")

POLL_S = 0.3
# New screens are looked for this often.
SEARCH_S = 1.5
NICENESS = 5
MAX_SCREENS = 64
# A screen whose sender media does not know yet is asked about this often, not for every key frame.
ASK_S = 1.0


@dataclass
class Screen:
    """One screen that is being recorded now."""

    lesson: str
    folder: Path
    track: int
    part: int
    reader: ZwlReader
    keys: KeyFrames | None = None
    participant: int = 0
    wanted: bool | None = None  # whether no page makes its stills; None: media did not say yet
    asked_s: float = -ASK_S
    waiting: KeyFrame | None = None  # the newest key frame that nobody has looked at
    pages: Pages = field(default_factory=Pages)
    ended: bool = False

    def newest(self) -> KeyFrame | None:
        """The newest key frame since the last call."""
        found = None
        while True:
            for record in self.reader.read():
                found = self._take(record.kind, record.body) or found
            following = self.folder / part_name(self.track, self.part + 1)
            if not following.exists():
                return found
            self.part, self.reader = self.part + 1, ZwlReader(following)

    def _take(self, kind: int, body: bytes) -> KeyFrame | None:
        if kind == Kind.TRACK and self.keys is None:
            header = TrackHeader.parse(body)
            self.keys, self.participant = KeyFrames(header), _number(header.participant)
        elif kind == Kind.END:
            self.ended = True
        elif kind == Kind.RTP and self.keys is not None:
            return self.keys.take(body)
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def find(recordings: Path, known: set[Path]) -> Iterator[Screen]:
    """Screens of live lessons that are not known yet; each begins with its newest part."""
    for folder in sorted(path for path in recordings.iterdir() if path.is_dir()):
        if read_lesson(folder).state == "closed":
            continue
        for epoch in (path for path in folder.iterdir() if path.is_dir()):
            parts: dict[int, int] = {}
            for path in epoch.glob("*-*.zwl"):
                track, _, part = path.stem.partition("-")
                parts[int(track)] = max(int(part), parts.get(int(track), 0))
            # A writer has its lock before the first file.
            for number, newest in parts.items() if parts and is_being_written(epoch) else ():
                if number == 0 or epoch / str(number) in known:
                    continue
                path = epoch / part_name(number, newest)
                header = _header(path)
                if header is not None:
                    known.add(epoch / str(number))
                    if header.source == "screen":
                        yield Screen(folder.name, epoch, number, newest, ZwlReader(path))


def _header(path: Path) -> TrackHeader | None:
    record = next(ZwlReader(path).read(), None)
    try:
        return TrackHeader.parse(record.body) if record is not None and record.kind == Kind.TRACK else None
    except ValueError:
        return None


class Live:
    """All screens of a data folder; `step` is one look around."""

    def __init__(self, data: Path) -> None:
        self._recordings = data / "recordings"
        self._socket = data / "run" / "media.sock"
        self._known: set[Path] = set()
        self._screens: list[Screen] = []
        self._searched_s = -SEARCH_S

    async def step(self, now_s: float) -> None:
        """Look for screens, then hand on the new pages of those that are known. `now_s` is monotonic."""
        if now_s - self._searched_s >= SEARCH_S and self._recordings.is_dir():
            self._searched_s = now_s
            self._screens = [one for one in self._screens if not one.ended and is_being_written(one.folder)]
            room = MAX_SCREENS - len(self._screens)
            self._screens += islice(find(self._recordings, self._known), room)
        for screen in self._screens:
            await self._look(screen, now_s)

    async def _look(self, screen: Screen, now_s: float) -> None:
        try:
            screen.waiting = screen.newest() or screen.waiting
        except (OSError, ValueError) as error:
            log.warning("unreadable", lesson=screen.lesson, error=str(error))
            screen.ended = True
            return
        if screen.waiting is None or not await self._is_wanted(screen, now_s):
            return
        frame, screen.waiting = screen.waiting, None
        slide = await asyncio.to_thread(_slide, screen.pages, frame, now_s)
        if slide is None:
            return
        try:
            async with MediaClient(str(self._socket)) as media:
                await media.put_still(screen.lesson, "screen", slide.format, slide.size, slide.file)
        except (CommandFailed, MediaUnavailable, OSError) as error:
            log.warning("not_taken", lesson=screen.lesson, error=str(error))
            screen.pages = Pages()
            return
        log.info("still", lesson=screen.lesson, bytes=len(slide.file))

    async def _is_wanted(self, screen: Screen, now_s: float) -> bool:
        """Whether nobody else makes the stills of this screen."""
        if screen.wanted is not None or now_s - screen.asked_s < ASK_S:
            return bool(screen.wanted)
        screen.asked_s = now_s
        try:
            async with MediaClient(str(self._socket)) as media:
                await media.wait_connected()
                state = media.state
        except (MediaUnavailable, OSError):
            return False
        transports = [one for lesson in state if lesson["lesson"] == screen.lesson for one in lesson["transports"]]
        owner = next((one for one in transports if one["transport"] == screen.participant), None)
        if owner is None:
            return False
        screen.wanted = owner["stills"] != "from_peer"
        return screen.wanted


def _slide(pages: Pages, frame: KeyFrame, now_s: float) -> slides.Slide | None:
    picture = decode(frame)
    return slides.encode(picture) if picture is not None and pages.see(picture, now_s) else None


async def run(data: Path, parent: int) -> None:
    """Until the process that started this one is gone."""
    live = Live(data)
    log.info("started", data=str(data))
    while os.getppid() == parent:
        await live.step(time.monotonic())
        await asyncio.sleep(POLL_S)


def main() -> None:
    """The command line of the recorder's child."""
    parser = argparse.ArgumentParser(prog="recorder.live", description="Makes stills of the screens of live lessons.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--log-level", choices=LEVELS, default="info")
    parser.add_argument("--log-format", choices=STYLES, default="json")
    arguments = parser.parse_args()
    configure(arguments.log_level, arguments.log_format)
    os.nice(NICENESS)
    asyncio.run(run(arguments.data, os.getppid()))


if __name__ == "__main__":
    main()
