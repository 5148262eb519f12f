"""`zhuandi doctor` against a real server, over emulated links and through a router that lets no UDP pass."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from signaling.addresses import machine_addresses
from signaling.checks.code import code_of_day
from signaling.checks.doctor import Visit, examine
from signaling.checks.rules import Facts, Verdict, verdict
from signaling.emulator.relay import Relay
from tests.support.school_router import only_tcp
from tests.support.server import SECRET, Server, free_port, make_token, zhuandi

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
TWO_MBIT: Any = {"capacity_bps": 2_000_000, "delay_us": 20_000, "queue_ms": 300}


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Ways in: an emulated one of the server's, and one that each test serves itself."""
    return {"2g-64k": free_port(), "own": free_port()}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Server]:
    links = f"{ports['2g-64k']}:2g-64k,{ports['own']}"
    with Server(tmp_path_factory.mktemp("checked"), settings={"ZHUANDI_LINKS": links}) as server:
        yield server


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


async def found_at(server: Server, port: int, cache: Path, **visit: Any) -> tuple[Facts, Verdict, str | None]:
    """What a classroom's computer finds by this port."""
    facts, code = await examine(
        Visit(f"https://{server.host}:{port}", token=make_token("classroom", "x"), insecure=True, cache=cache, **visit)
    )
    found = Facts(**facts)
    return found, verdict(found, "en"), code


def media_of(server: Server) -> tuple[str, int]:
    """Where media listens, as an answer names it."""
    return machine_addresses()[0], server.media_port


async def test_a_line_of_2_mbit_is_well_and_the_operator_reads_it_under_its_code(
    checked: Server, ports: dict[str, int], cache: Path
) -> None:
    relay = Relay(
        {"down": TWO_MBIT, "up": TWO_MBIT}, (checked.host, checked.port), host="", addresses=machine_addresses(), seed=1
    )
    await relay.start(ports["own"])
    relay.media_port(media_of(checked))
    try:
        facts, said, code = await found_at(checked, ports["own"], cache)
    finally:
        await relay.stop()
    assert (facts.udp, facts.tcp) == ("ok", "ok")
    assert facts.height is not None and facts.height >= 360, facts
    assert said.level == "well", (facts, said)
    assert 500 < (facts.down_kbps or 0) < 2600, facts
    assert code is not None
    row = await checked.fetch(f"/api/checks/{code}", make_token("operator", None))
    assert (row["rule"], row["facts"]["down_kbps"]) == ("well", facts.down_kbps)
    assert set(row) == {"code", "at_ms", "device", "name", "lesson", "rule", "level", "facts"}


async def test_at_64_kbit_the_sentence_speaks_of_sound_and_slides(
    checked: Server, ports: dict[str, int], cache: Path
) -> None:
    facts, said, code = await found_at(checked, ports["2g-64k"], cache)
    assert said.rule == "sound_and_slides", facts
    assert said.sentence == "You can hear the lesson and see the slides; the video may be unclear."
    assert 20 <= (facts.down_kbps or 0) < 100, facts
    assert code is not None


async def test_where_udp_is_blocked_the_verdict_says_so_and_which_port_to_open(
    checked: Server, ports: dict[str, int], cache: Path
) -> None:
    async with only_tcp(ports["own"], (checked.host, checked.port), media_of(checked)):
        facts, said, _ = await found_at(checked, ports["own"], cache)
    assert (facts.udp, facts.tcp) == ("blocked", "ok")
    assert said.rule == "udp_blocked", facts
    assert any(f"UDP port {ports['own']}" in step for step in said.steps)


async def test_where_all_media_is_blocked_no_lesson_is_promised(
    checked: Server, ports: dict[str, int], cache: Path
) -> None:
    async with only_tcp(ports["own"], (checked.host, checked.port), None):
        facts, said, _ = await found_at(checked, ports["own"], cache)
    assert (facts.udp, facts.tcp, said.rule, said.level) == ("blocked", "blocked", "media_blocked", "not_now"), facts


async def test_a_check_touches_no_lesson_and_leaves_nothing_behind(checked: Server, cache: Path) -> None:
    lesson = await checked.create_lesson()
    await found_at(checked, checked.port, cache)
    rows = (await checked.fetch("/api/lessons", make_token("operator", None)))["lessons"]
    assert [row["id"] for row in rows] == [lesson["id"]]
    assert rows[0]["receivers"] == 0
    kept = checked.data / "recordings"
    assert not kept.exists() or list(kept.iterdir()) == []


async def doctor(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The command as people type it: its status and what it says."""
    process = await asyncio.create_subprocess_exec(
        *zhuandi("doctor", *arguments, "--json"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode is not None and out, err.decode()
    return process.returncode, json.loads(out)


async def test_the_command_says_what_is_wrong_in_the_language_that_was_asked_for(checked: Server) -> None:
    status, said = await doctor(checked.url, "--language", "en")
    assert (status, said["rule"], said["code"]) == (1, "untrusted", None)
    status, said = await doctor(f"https://{checked.host}:{free_port()}", "--language", "zh")
    assert (status, said["rule"]) == (1, "refused")
    assert said["sentence"] == "暂时无法上课。"
    status, said = await doctor(checked.url, "--insecure", "--language", "en")
    assert (status, said["rule"]) == (1, "not_admitted")


async def test_the_code_of_the_day_is_enough_and_the_authority_can_be_named(checked: Server, tmp_path: Path) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://{checked.host}:{checked.http_port}/ca.crt") as answer,
    ):
        authority = tmp_path / "ca.crt"
        authority.write_bytes(await answer.read())
    token = make_token("operator", None)
    code = (await checked.fetch("/api/checks/today", token))["code"]
    assert len(code_of_day(SECRET, 0)) == len(code) == 6
    status, said = await doctor(checked.url, "--code", code, "--ca", str(authority), "--language", "en")
    assert (status, said["rule"]) == (0, "well"), said
    assert len(said["code"]) == 6
