"""Key frames for the recording: rare, and only where they are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.model import Lesson, Publication
from streaming.params import Source
from streaming.seek_points import ASK_AGAIN_US, LONGEST_US, SeekPoints

OLD_US = 70_000_000


def publications(log_dir: str | None = "/log") -> dict[int, Publication]:
    lesson = Lesson("l", 1, log_dir, None)
    sources: tuple[Source, ...] = ("microphone", "camera", "screen")
    return {handle: Publication(handle, lesson, source, None) for handle, source in enumerate(sources, 1)}


def table(*rows: tuple[int, int, int, int]) -> dict[str, NDArray[Any]]:
    names = ("publication", "encoding", "bitrate_bps", "last_keyframe_us")
    return {name: np.array([row[i] for row in rows], np.int64) for i, name in enumerate(names)}


def test_a_source_without_a_key_frame_for_long_is_asked_but_not_again_at_once() -> None:
    points, rows = SeekPoints(), table((2, 0, 80_000, OLD_US), (3, 0, 50_000, OLD_US))
    assert points.due(rows, publications(), 0) == [2, 3]
    assert points.due(rows, publications(), ASK_AGAIN_US - 1) == []
    assert points.due(rows, publications(), ASK_AGAIN_US) == [2, 3]


def test_where_the_source_gives_key_frames_none_is_asked_for() -> None:
    rows = table((2, 0, 80_000, LONGEST_US), (3, 0, 50_000, LONGEST_US - 1))
    assert SeekPoints().due(rows, publications(), 0) == [2]


def test_what_sends_nothing_new_or_is_not_recorded_or_is_sound_is_left_alone() -> None:
    assert SeekPoints().due(table((3, 0, 0, OLD_US)), publications(), 0) == []
    assert SeekPoints().due(table((2, 0, 80_000, OLD_US)), publications(None), 0) == []
    assert SeekPoints().due(table((1, 0, 30_000, OLD_US)), publications(), 0) == []
    assert SeekPoints().due(table((9, 0, 30_000, OLD_US)), publications(), 0) == []


def test_the_best_encoding_that_arrives_counts() -> None:
    rows = table((2, 0, 80_000, 1), (2, 1, 300_000, OLD_US), (2, 2, 0, 1))
    assert SeekPoints().due(rows, publications(), 0) == [2]
