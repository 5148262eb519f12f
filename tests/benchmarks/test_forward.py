"""`benchmarks.forward` accounts for every packet."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.forward import UNPACED, WORDS, measure
from benchmarks.traffic import AUDIO_PAYLOAD, VIDEO_PAYLOAD, make_traffic
from recorder.zwl import Kind, ZwlReader

LIMIT = {"limit_cpu_us_per_packet", "ratio"}


async def test_every_packet_reaches_every_receiver() -> None:
    figures = await measure(receivers=3, seconds=1, policy=UNPACED, warm_s=1.5)
    assert figures["delivered_ratio"] == 1.0
    assert figures["cpu_us_per_packet"] > 0
    assert set(figures) | LIMIT == set(WORDS)


def test_the_traffic_is_what_it_says(tmp_path: Path) -> None:
    traffic = make_traffic(tmp_path, 3)
    sizes = [
        [len(record.body) - 12 for record in ZwlReader(Path(path)).read() if record.kind == Kind.RTP][1:]
        for path in (traffic.video, traffic.audio)
    ]
    assert [set(track) for track in sizes] == [{VIDEO_PAYLOAD}, {AUDIO_PAYLOAD}]
    assert sum(len(track) for track in sizes) == traffic.packets
    assert 8 * sum(sizes[0]) / 3 == pytest.approx(1_000_000, rel=0.01)
