"""What /metrics says, held to the naming rules of Prometheus (prometheus.io/docs/practices/naming)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from signaling.web.metrics import metrics_app
from tests.signaling.conftest import World, vector

NAME = re.compile(r"zhuandi(_[a-z][a-z0-9]*)+")
LABEL = re.compile(r"[a-z][a-z0-9_]*")
TYPES = {"counter", "gauge", "histogram"}
# Time in seconds, sizes in bytes, parts in ratios; a rate is a query's work.
OTHER_UNITS = re.compile(
    r"_(ms|us|ns|milliseconds|microseconds|minutes|hours|bits|bps|kb|kib|mb|mib|kilobytes|megabytes|percent|rate)(_|$)"
)
HELD_BACK = ("_total", "_count", "_sum", "_bucket")


@pytest.fixture
async def families(world: World) -> AsyncIterator[dict[str, Metric]]:
    """All families while a lesson is under way, parsed by the independent parser."""
    runner = web.AppRunner(metrics_app(world.hub))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with world.page(world.teacher(), "teacher") as teacher:
            await teacher.offer(vector("chromium_teacher"))
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
            async with world.http.get(url) as answer:
                assert answer.status == 200 and answer.content_type == "text/plain"
                text = await answer.text()
        yield {family.name: family for family in text_string_to_metric_families(text)}
    finally:
        await runner.cleanup()


async def test_every_name_is_ours_and_counts_in_base_units(families: dict[str, Metric]) -> None:
    assert len(families) > 15
    for name, family in families.items():
        assert NAME.fullmatch(name), name
        assert not OTHER_UNITS.search(name), name
        assert not name.endswith(HELD_BACK), name  # the parser takes a counter's `_total` off its family
        assert not set(name.split("_")) & (TYPES | {"metric", "summary", "info"} - _meant(family)), name


def _meant(family: Metric) -> set[str]:
    # A family that only carries labels is named `_info`.
    return {"info"} if all(sample.value == 1 for sample in family.samples) else set()


async def test_every_family_has_a_type_and_a_sentence(families: dict[str, Metric]) -> None:
    for name, family in families.items():
        assert family.type in TYPES, name
        assert re.fullmatch(r"[A-Z1].{5,}[^.]", family.documentation), (name, family.documentation)


async def test_counters_and_only_they_are_totals(families: dict[str, Metric]) -> None:
    for name, family in families.items():
        totals = {sample.name.endswith("_total") for sample in family.samples}
        assert totals <= {family.type == "counter"}, name


async def test_labels_are_plain_and_name_nobody(families: dict[str, Metric]) -> None:
    people = re.compile(r"王老师|lesson-1|\bt1\b|[0-9a-f]{16}")
    for name, family in families.items():
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert LABEL.fullmatch(label) and label not in name.split("_"), (name, label)
                assert not people.search(value), (name, value)


async def test_a_histogram_has_all_its_parts_and_grows_with_its_limits(families: dict[str, Metric]) -> None:
    histograms = [family for family in families.values() if family.type == "histogram"]
    assert histograms
    for family in histograms:
        parts = {sample.name.removeprefix(family.name) for sample in family.samples}
        assert parts == {"_bucket", "_sum", "_count"}
        buckets = [(float(s.labels["le"]), s.value) for s in family.samples if s.name.endswith("_bucket")]
        assert buckets == sorted(buckets) and buckets[-1][0] == float("inf")
        assert [value for _, value in buckets] == sorted(value for _, value in buckets)
