"""Lessons that repeat themselves, as the demo does, keep only their newest recordings; all others stay for ever."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

from recorder.recording import LessonInfo, read_epochs, read_lesson


def superseded(recordings: Path) -> list[str]:
    """Ids of closed lessons of a series that newer closed ones of the same series have pushed out."""
    series: dict[str, list[LessonInfo]] = defaultdict(list)
    for folder in recordings.iterdir():
        if folder.is_dir():
            info = read_lesson(folder)
            if info.series and info.keep and info.state == "closed":
                series[info.series].append(info)
    out = []
    for lessons in series.values():
        newest_first = sorted(lessons, key=lambda lesson: (lesson.created_ms, lesson.id), reverse=True)
        kept = newest_first[0].keep or len(newest_first)
        out += [lesson.id for lesson in newest_first[kept:]]
    return out


def remove(lesson: str, recordings: Path, library: Path) -> bool:
    """Remove a lesson's library entry, then its logs; not while anybody writes them."""
    if any(epoch.writing for epoch in read_epochs(recordings / lesson)):
        return False
    # The manifest goes first, so that nobody is offered half a lesson; the logs last, so that a second try finds it.
    (library / lesson / "manifest.json").unlink(missing_ok=True)
    shutil.rmtree(library / lesson, ignore_errors=True)
    shutil.rmtree(recordings / lesson)
    return True
