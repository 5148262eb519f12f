"""Timestamps onto the server's clock: what a real network, real crystals and real senders do to them."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recorder.clock import NTP_TO_UNIX_S, media_clocks, robust_slope
from recorder.packets import Int64s, ReceivedReport, Track, unwrap
from recorder.zwl import LogCodec, SenderReport, TrackHeader

BELL_US = 1_790_000_000_000_000
AHEAD_US = 3_700_000
RATE = 90_000


def track(
    media_s: NDArray[np.floating[Any]],
    arrival_us: Int64s,
    reports: list[tuple[float, int, int]],
    participant: str = "teacher",
) -> Track:
    """A track with one packet at each media time; reports as (sender's wall clock in s, timestamp, arrival in us)."""
    count = len(media_s)
    zeros = np.zeros(count, np.int64)
    header = TrackHeader("camera", participant, "video", (LogCodec(96, "VP8", RATE),), 1)
    received = [
        ReceivedReport(arrived, SenderReport(1, int((wall + NTP_TO_UNIX_S) * 2**32), ts & 0xFFFF_FFFF))
        for wall, ts, arrived in reports
    ]
    ts = np.rint(media_s * RATE).astype(np.int64)
    return Track(
        epoch="1", number=1, header=header, seq=np.arange(count), ts=ts, arrival_us=arrival_us, pt=zeros + 96,
        marker=zeros == 0, part=zeros, head=zeros, start=zeros, end=zeros, parts=[], reports=received,
    )  # fmt: skip


def lesson(seconds: int, drift: float, seed: int, fps: int = 25) -> Track:
    """A sender whose media clock drifts, over a network that delays by 40 ms and more."""
    rng = random.Random(seed)
    wall = np.arange(seconds * fps) / fps
    delay = np.array([40_000 + rng.expovariate(1 / 20_000) for _ in wall])
    arrival = (BELL_US + wall * 1e6 + delay).astype(np.int64)
    reports = []
    for at in range(1, seconds, 5):
        noise = rng.gauss(0, 0.001)
        came = round(BELL_US + at * 1e6 + 40_000 + rng.expovariate(1 / 20_000))
        reports.append(((BELL_US + AHEAD_US) / 1e6 + at + noise, round(at * (1 + drift) * RATE), came))
    return track(wall * (1 + drift), arrival, reports)


@pytest.mark.parametrize("seed", range(3))
def test_offset_and_drift_of_a_whole_lesson_are_removed(seed: int) -> None:
    seconds = 2700
    first, second = lesson(seconds, 100e-6, seed, 5), lesson(seconds, -60e-6, seed + 10, 5)
    clocks = media_clocks([first, second])
    wall = BELL_US + np.arange(seconds * 5) / 5 * 1e6
    off = [clock.at(t.ts) - wall for clock, t in zip(clocks, (first, second), strict=True)]
    # Between the two at any time, and against the true time.
    assert np.abs(off[0] - off[1]).max() < 5_000
    assert np.abs(off[0] - 40_000).max() < 20_000


def test_one_wild_report_changes_nothing() -> None:
    good = lesson(60, 0.0, 1)
    wild = lesson(60, 0.0, 1)
    wild.reports[4] = replace(wild.reports[4], report=replace(wild.reports[4].report, rtp_ts=12_345_678))
    assert np.abs(media_clocks([good])[0].at(good.ts) - media_clocks([wild])[0].at(wild.ts)).max() < 2_000


def test_a_media_clock_that_stood_still_is_followed() -> None:
    # The sender's capture stalls for 18 s; its timestamps go on without a step.
    wall = np.concatenate((np.arange(0, 30, 0.04), np.arange(48, 78, 0.04)))
    media = np.arange(len(wall)) * 0.04
    arrival = (BELL_US + wall * 1e6 + 40_000).astype(np.int64)
    reports = [
        ((BELL_US + AHEAD_US) / 1e6 + w, round(m * RATE), int(a))
        for w, m, a in list(zip(wall, media, arrival, strict=True))[::50]
    ]
    stalled = track(media, arrival, reports)
    assert np.abs(media_clocks([stalled])[0].at(stalled.ts) - arrival).max() < 5_000


def test_reports_of_a_clock_that_cannot_be_are_not_believed() -> None:
    good = lesson(30, 0.0, 1)
    odd = lesson(30, 0.0, 1)
    # Timestamps of another numbering: ten minutes off.
    odd.reports[:] = [replace(r, report=replace(r.report, rtp_ts=r.report.rtp_ts + 600 * RATE)) for r in odd.reports]
    clocks = media_clocks([good, odd])
    assert np.abs(clocks[0].at(good.ts) - clocks[1].at(odd.ts)).max() < 20_000


@given(
    start=st.sampled_from([0, 1, 127, 32767, 65534, 65535]),
    steps=st.lists(st.integers(-2000, 2000), min_size=1, max_size=200),
)
def test_numbers_unwrap_from_every_start(start: int, steps: list[int]) -> None:
    true = np.cumsum([start, *steps])
    assert np.array_equal(unwrap(true % 65536, 16) - start, true - start)


def test_the_slope_survives_outliers() -> None:
    x = np.arange(1000.0)
    y = 0.5 * x
    y[::4] += 1000
    assert abs(robust_slope(x, y) - 0.5) < 0.05
