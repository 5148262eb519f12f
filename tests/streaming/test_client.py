"""What waits for a slow reader of media's events: bounded, and nothing that counts is lost without a word."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from streaming.client import EVENT_LIMIT, MediaClient
from streaming.errors import MediaUnavailable
from tests.signaling.fake_media import FakeMedia

SLOTS = 100


async def test_what_passes_gives_way_first_and_the_rest_keeps_its_order(tmp_path: Path) -> None:
    async with FakeMedia(tmp_path / "media.sock") as media, MediaClient(str(media.path)) as client:
        await client.wait_connected()
        events = client.events()
        assert (await anext(events))["event"] == "hello"
        media.say("connected", transport=1)
        for number in range(EVENT_LIMIT + 10):
            media.say("rung" if number % 2 else "stats", subscription=number % SLOTS, height=number)
        media.say("failed", transport=1)
        await client.open_lesson("math", None)  # its answer comes after all of them
        async with asyncio.timeout(60):
            heard = [await anext(events)]
            while heard[-1]["event"] != "failed":
                heard.append(await anext(events))
        assert [e["event"] for e in heard if "transport" in e] == ["connected", "failed"]
        assert len(heard) < EVENT_LIMIT
        rungs = {e["subscription"]: e["height"] for e in heard if e["event"] == "rung"}
        last = EVENT_LIMIT + 10
        assert rungs == {number % SLOTS: number for number in range(last - SLOTS, last) if number % 2}


async def test_a_reader_that_is_too_slow_for_what_counts_is_told_all_anew(tmp_path: Path) -> None:
    async with FakeMedia(tmp_path / "media.sock") as media, MediaClient(str(media.path)) as client:
        await client.wait_connected()
        events = client.events()
        assert (await anext(events))["event"] == "hello"
        for number in range(2 * EVENT_LIMIT):
            media.say("first_media", publication=number)
        with pytest.raises(MediaUnavailable):
            await client.open_lesson("math", None)
        async with asyncio.timeout(60):
            heard = [await anext(events)]
            while heard[-1]["event"] != "hello":
                heard.append(await anext(events))
        assert heard[-2]["event"] == "lost" and len(heard) < 2 * EVENT_LIMIT
