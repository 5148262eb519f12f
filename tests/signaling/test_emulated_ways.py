"""Ways in over emulated links, as the pages see them: who is told, who may change one, and where media is sent."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.config import Config, ConfigError, load_config
from signaling.emulator.ways import Ways
from tests.signaling.conftest import Page, World, running, vector
from tests.signaling.fake_media import FakeMedia

HERE = "127.0.0.1"


@pytest.fixture
async def weak(tmp_path: Path) -> AsyncIterator[World]:
    """A server with one emulated link of its own, and one that another process serves."""
    config = load_config(
        None, {"data": str(tmp_path / "data"), "recording.min_free_bytes": 0, "links": "0:64k-loss10,9443"}
    )
    async with FakeMedia(tmp_path / "media.sock") as media, running(config, media, [1_700_000_000_000]) as world:
        await world.hub.ways.start(HERE, (HERE, 1), None, [HERE])
        yield world
        await world.hub.ways.stop()


def port_of(world: World) -> int:
    """Of the link that the server serves itself."""
    return world.hub.ways.ports()["link"]


def by(port: int) -> dict[str, str]:
    """Headers of a page that came by a port."""
    return {"Host": f"{HERE}:{port}"}


def candidate_ports(answer: str) -> set[tuple[str, int]]:
    """Protocol and port of every candidate."""
    return {(m[1], int(m[2])) for m in re.finditer(r"a=candidate:\d+ 1 (\w+) \d+ \S+ (\d+) ", answer)}


async def test_a_page_that_came_by_a_link_is_told_to_send_its_media_there(weak: World) -> None:
    port = port_of(weak)
    async with weak.page(weak.teacher(), "teacher"), weak.page(weak.classroom(), headers=by(port)) as page:
        ports = candidate_ports(await page.offer(vector("chromium_classroom")))
    assert ports == {("udp", port), ("tcp", port)}
    async with weak.page(weak.classroom(), headers=by(9443)) as page:
        assert {number for _, number in candidate_ports(await page.offer(vector("chromium_classroom")))} == {9443}
    async with weak.page(weak.classroom()) as page:
        assert port not in {number for _, number in candidate_ports(await page.offer(vector("chromium_classroom")))}


async def test_what_one_way_carried_is_not_remembered_of_another(weak: World) -> None:
    async with weak.page(weak.teacher(), "teacher"):
        for headers in ({}, by(port_of(weak))):
            async with weak.page(weak.classroom(), headers=headers) as page:
                await page.offer(vector("chromium_classroom"))
    direct, emulated = (command["link"] for command in weak.media.did("open_transport"))
    assert direct != emulated


async def test_an_encoder_that_came_by_a_link_is_told_so_too_and_again_when_it_restarts_ice(weak: World) -> None:
    port = port_of(weak)
    token = weak.teacher()
    headers = {**by(port), "Content-Type": "application/sdp"}
    offer = vector("ffmpeg_whip")
    _, answer, told = await weak.request("POST", "/whip/lesson-1", token, data=offer, headers=headers)
    assert candidate_ports(answer) == {("udp", port), ("tcp", port)}
    fresh = "a=ice-ufrag:fresh\r\na=ice-pwd:" + "n" * 24 + "\r\n"
    headers = {**by(port), "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
    status, fragment, _ = await weak.request("PATCH", told["Location"], token, data=fresh, headers=headers)
    assert status == 200 and candidate_ports(fragment) == {("udp", port), ("tcp", port)}


async def test_people_in_charge_and_pages_of_a_link_see_and_change_it(weak: World) -> None:
    port = port_of(weak)
    async with (
        weak.page(weak.teacher(), "teacher") as teacher,
        weak.page(weak.operator(), "operator") as operator,
        weak.page(weak.classroom(), headers=by(port)) as page,
    ):
        for one, own in ((teacher, None), (operator, None), (page, port)):
            told = await one.hear("links")
            assert told["links"] == [{"link": port, "profile": "64k-loss10"}] and told["own"] == own
            assert "satellite" in told["profiles"]
        for one, profile in ((page, "satellite"), (operator, "clean"), (teacher, "2g-64k")):
            await one.say({"type": "link", "link": port, "profile": profile})
            for listener in (teacher, operator, page):
                assert await listener.hear("links", lambda m, now=profile: m["links"][0]["profile"] == now)  # type: ignore[misc]


async def test_others_neither_see_nor_change_a_link(weak: World) -> None:
    port = port_of(weak)
    async with weak.page(weak.teacher(), "teacher") as teacher, weak.page(weak.classroom()) as page:
        await page.say({"type": "link", "link": port, "profile": "clean"})
        assert (await first_of(page, "links", "error"))["code"] == "forbidden"
        await teacher.hear("links")
        for link, profile, code in ((port, "dial-up", "bad_message"), (9443, "clean", "forbidden")):
            await teacher.say({"type": "link", "link": link, "profile": profile})
            assert (await teacher.hear("error"))["code"] == code


async def test_a_server_without_configured_links_emulates_nothing(world: World) -> None:
    assert world.hub.config.emulated_links == ()
    await world.hub.ways.start(HERE, (HERE, 1), (HERE, 2), [HERE])
    assert world.hub.ways.ports() == {}
    async with world.page(world.teacher(), "teacher", headers=by(8444)) as teacher:
        await teacher.say({"type": "link", "link": 8444, "profile": "clean"})
        assert (await first_of(teacher, "links", "error"))["code"] == "forbidden"


def test_only_the_demonstration_has_a_link_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZHUANDI_LINKS", raising=False)
    assert load_config().emulated_links == ()
    [link] = load_config(None, {"demo.enabled": True}).emulated_links
    assert (link.port, link.profile) == (8444, "64k-loss10")
    assert load_config(None, {"demo.enabled": True, "links": ""}).emulated_links == ()
    monkeypatch.setenv("ZHUANDI_LINKS", "9000:satellite, 9001")
    assert [(link.port, link.profile) for link in load_config().emulated_links] == [(9000, "satellite"), (9001, "")]
    assert Config.model_validate_json(load_config().model_dump_json()).links == load_config().links


@pytest.mark.parametrize("links", ["x", "9000:dial-up", "70000"])
def test_a_mistaken_link_stops_the_start(links: str) -> None:
    with pytest.raises(ConfigError, match="links"):
        load_config(None, {"links": links})


async def test_what_is_no_port_of_ours_is_no_way() -> None:
    ways = Ways([])
    for host in ("", "localhost", "a:b", "a:8444", "[::1]", "[::1]:8444"):
        assert ways.of_host(host) is None


async def first_of(page: Page, *kinds: str) -> dict[str, object]:
    """The next message of one of these kinds."""
    while True:
        message: dict[str, object] = await page.socket.receive_json(timeout=10)
        if message["type"] in kinds:
            return message
