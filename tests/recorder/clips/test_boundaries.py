"""Where clips begin and end: lengths, marks, what is not to be recorded, and the best of all ways to divide."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recorder.clips.boundaries import (
    LEAST_MARKED_S,
    SNAP_S,
    WEIKE,
    Moment,
    Profile,
    Signals,
    divide,
    longest_pause,
    propose,
)
from recorder.clips.marks import Mark, begun_spans, private_spans, read_event
from recorder.clips.spans import overlap_s, union, without

LESSON_S = 2700.0
seconds = st.integers(0, 27_000).map(lambda tenths: tenths / 10)
spans = st.tuples(seconds, st.integers(1, 3000)).map(lambda pair: (pair[0], min(LESSON_S, pair[0] + pair[1] / 10)))
pauses = st.lists(st.tuples(seconds, st.integers(8, 60)).map(lambda p: (p[0], p[0] + p[1] / 10)), max_size=40).map(
    union
)
signals = st.builds(Signals, st.lists(seconds, max_size=30), pauses, st.lists(seconds, max_size=5))
points = st.lists(seconds.map(lambda at: Mark(at, "point")), max_size=6)
pairs = st.lists(seconds, max_size=8, unique=True).map(
    lambda all_at: [Mark(at, "end" if i % 2 else "begin") for i, at in enumerate(sorted(all_at))]
)
taken_out = st.lists(spans, max_size=4)


@settings(deadline=None, max_examples=150)
@given(st.one_of(points, pairs), taken_out, signals)
@example([], [], Signals())
@example([], [(0.0, LESSON_S)], Signals())
def test_every_clip_keeps_its_length_and_its_place(
    marks: list[Mark], removed: list[tuple[float, float]], found: Signals
) -> None:
    clips = propose(LESSON_S, marks, removed, found)
    assert clips == propose(LESSON_S, marks, removed, found)
    for clip in clips:
        length_s = clip.end_s - clip.start_s
        assert length_s <= WEIKE.hard_max_s + 0.01
        # Only what stands between two of the teacher's marks may be shorter.
        assert length_s >= (LEAST_MARKED_S - 2 * SNAP_S if marks else WEIKE.hard_min_s) - 0.01
        assert overlap_s((clip.start_s, clip.end_s), removed) < 0.01
        assert clip.start_s >= 0 and clip.end_s <= LESSON_S and 0 <= clip.confidence <= 1 and clip.why is not None
    assert all(a.end_s <= b.start_s + 0.002 for a, b in pairwise(clips))


@settings(deadline=None, max_examples=150)
@given(points, taken_out, signals)
def test_no_mark_is_inside_of_a_clip(marks: list[Mark], removed: list[tuple[float, float]], found: Signals) -> None:
    for clip in propose(LESSON_S, marks, removed, found):
        for mark in marks:
            assert not clip.start_s + SNAP_S < mark.at_s < clip.end_s - SNAP_S


@settings(deadline=None, max_examples=150)
@given(pairs, taken_out, signals)
def test_only_what_was_begun_is_proposed(marks: list[Mark], removed: list[tuple[float, float]], found: Signals) -> None:
    begun = begun_spans(marks, LESSON_S)
    for clip in propose(LESSON_S, marks, removed, found):
        if begun is not None:
            inside = overlap_s((clip.start_s, clip.end_s), [(a - SNAP_S, b + SNAP_S) for a, b in begun])
            assert inside == pytest.approx(clip.end_s - clip.start_s, abs=0.01)


@settings(deadline=None, max_examples=100)
@given(signals)
def test_without_marks_the_whole_lesson_is_in_clips(found: Signals) -> None:
    clips = propose(LESSON_S, [], [], found)
    assert clips[0].start_s == 0 and clips[-1].end_s == LESSON_S
    assert all(a.end_s == b.start_s for a, b in pairwise(clips))


SMALL = Profile("small", 2.0, 5.0, 8.0, 10.0)
places = st.lists(st.tuples(st.integers(1, 29), st.integers(-4, 8)), max_size=11, unique_by=lambda pair: pair[0]).map(
    lambda rows: [Moment(float(at), float(worth), ()) for at, worth in sorted(rows)]
)


@settings(deadline=None, max_examples=300)
@given(places, st.integers(1, 30))
def test_no_other_way_to_divide_is_better(found: list[Moment], end: int) -> None:
    def value(cuts: list[Moment]) -> float | None:
        lengths = [b - a for a, b in pairwise([0.0, *(m.at_s for m in cuts), float(end)])]
        if not all(SMALL.fits(length) for length in lengths):
            return None
        return sum(m.worth for m in cuts) - sum(SMALL.cost(length) for length in lengths)

    inside = [m for m in found if m.at_s < end]
    ways = [value(list(some)) for n in range(len(inside) + 1) for some in combinations(inside, n)]
    best = max((way for way in ways if way is not None), default=None)
    cuts = divide(0.0, float(end), found, SMALL)
    if best is None:
        # The given places alone cannot keep the limits: even ones stand in, unless it is too short for any clip.
        assert end < SMALL.hard_min_s or value(cuts) is not None
    else:
        assert value(cuts) == pytest.approx(best)


def test_a_new_topic_is_a_new_page_after_a_long_silence() -> None:
    topics = [400.0, 790.0, 1200.0, 1620.0, 1980.0, 2310.0]
    other = [at for at in range(60, 2700, 45) if all(abs(at - t) > 20 for t in topics)]
    silent = [(t - 3.0, t - 0.2) for t in topics] + [(at - 1.0, at) for at in other]
    clips = propose(LESSON_S, [], [], Signals(sorted([*topics, *map(float, other)]), union(silent)))
    cuts = [clip.end_s for clip in clips[:-1]]
    assert [min(abs(c - t) for c in cuts) < 5 for t in topics] == [True] * 6
    assert len(cuts) <= 8


def test_a_place_moves_to_the_middle_of_the_longest_pause_and_never_into_what_is_not_recorded() -> None:
    found = Signals(pauses=[(296.0, 297.0), (301.0, 304.0)])
    first, second = propose(600.0, [Mark(300.0, "point")], [], found)
    assert first.end_s == second.start_s == 302.5
    private = [(300.0, 330.0)]
    first, second = propose(630.0, [], private, Signals(pauses=[(297.0, 304.0)]))
    assert (first.end_s, second.start_s) == (300.0, 330.0)
    assert longest_pause([(0.0, 2.0), (4.0, 6.0)], 3.2, 5.0) == (4.0, 6.0)


def test_a_long_micro_lesson_is_divided_at_its_points() -> None:
    marks = [Mark(60, "begin"), Mark(400, "point"), Mark(900, "end"), Mark(1000, "point")]
    assert [(c.start_s, c.end_s) for c in propose(1200.0, marks, [], Signals())] == [(60, 400), (400, 900)]


def test_marks_are_read_and_what_is_private_begins_before_the_press() -> None:
    assert read_event(b'{"event": "marker", "title": "x"}') == read_event(
        b'{"event": "marker", "mark": "point", "title": "x"}'
    )
    assert read_event(b'{"event": "lesson_opened"}') is None and read_event(b"[") is None and read_event(b"[1]") is None
    assert read_event(b'{"event": "marker", "mark": "nonsense"}') is None
    stage = read_event(b'{"event": "stage"}')
    assert stage is not None and stage.mark is None
    presses = [Mark(10, "private"), Mark(15, "private"), Mark(40, "private", False), Mark(90, "private")]
    assert private_spans(presses, 120.0) == [(8.0, 40), (88.0, 120.0)]
    assert begun_spans([Mark(5, "point")], 60) is None


@given(st.lists(spans, max_size=6), st.lists(spans, max_size=6))
def test_what_is_taken_out_is_gone_and_the_rest_is_there(
    some: list[tuple[float, float]], holes: list[tuple[float, float]]
) -> None:
    left = without(some, holes)
    for at in {edge + 0.05 for span in [*some, *holes] for edge in span}:
        expected = any(a < at < b for a, b in some) and not any(a < at < b for a, b in holes)
        assert any(a < at < b for a, b in left) == expected
