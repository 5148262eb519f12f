"""WHIP and WHEP, line by line of their checklists (RFC 9725, draft-ietf-wish-whep-04)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.signaling.conftest import World, vector

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = "application/trickle-ice-sdpfrag"
OFFER, PLAYER = vector("ffmpeg_whip"), vector("aiortc_whep")
RESTART = "a=ice-ufrag:fresh\r\na=ice-pwd:" + "n" * 24 + "\r\n"
CANDIDATES = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=end-of-candidates\r\n"


async def publish(world: World, path: str = "/whip/lesson-1", token: str | None = None) -> tuple[int, Any, Any]:
    return await world.request("POST", path, token or world.teacher(), data=OFFER, headers=SDP)


async def on_air(world: World) -> None:
    """A publisher whose first packets came."""
    status, _, _ = await publish(world)
    assert status == 201
    room = world.hub.rooms["lesson-1"]
    for row in world.media.transports[next(iter(world.media.transports))]["publications"]:
        await room.first_media(row["publication"])


@pytest.mark.parametrize("path", ["/whip/lesson-1", "/lesson-1/whip"])
async def test_an_offer_is_answered_201_with_location_and_etag(world: World, path: str) -> None:
    status, answer, headers = await publish(world, path)
    assert status == 201 and headers["Content-Type"].startswith("application/sdp")
    assert headers["Location"].startswith("/whip/session/") and headers["ETag"].startswith('"')
    assert "Location" in headers["Access-Control-Expose-Headers"]
    assert "a=setup:active" in answer and "a=end-of-candidates" in answer
    (opened,) = world.media.did("open_transport")
    assert opened["params"]["dtls"] == "active"
    assert [c["source"] for c in world.media.did("add_publication")] == ["microphone", "camera"]


@pytest.mark.parametrize(
    ("method", "path", "kind", "changes", "status"),
    [
        ("POST", "/whip/lesson-1", None, {}, 401),
        ("POST", "/whip/lesson-1", "classroom", {}, 403),
        ("POST", "/whip/lesson-2", "teacher", {}, 403),
        ("POST", "/whip/lesson-1", "teacher", {"headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/whip/lesson-1", "teacher", {"data": "v=0\r\n"}, 400),
        ("POST", "/whip/lesson-1", "teacher", {"data": b"\xff\xfe"}, 400),
        ("POST", "/whip/lesson-1", "teacher", {"data": OFFER.replace("H264/", "H266/")}, 422),
        ("POST", "/whip/lesson-1", "teacher", {"data": "v=0\r\n" + "a=x\r\n" * 70_000}, 400),
        ("POST", "/whep/lesson-1", "classroom", {"data": PLAYER}, 404),
        ("GET", "/whip/lesson-1", None, {}, 200),
        ("GET", "/whip/session/none", None, {}, 200),
        ("HEAD", "/whep/lesson-1", None, {}, 200),
        ("OPTIONS", "/whip/lesson-1", None, {}, 200),
        ("DELETE", "/whip/session/none", "teacher", {}, 404),
        ("DELETE", "/whip/session/none", None, {}, 401),
        ("PATCH", "/whip/session/none", "teacher", {}, 404),
        ("PUT", "/whip/lesson-1", "teacher", {}, 405),
    ],
)
async def test_the_status_of_a_request(
    world: World, method: str, path: str, kind: str | None, changes: dict[str, Any], status: int
) -> None:
    token = {"teacher": world.teacher(), "classroom": world.classroom()}.get(kind or "")
    body = {"data": OFFER} if method == "POST" else {}
    request = {"headers": SDP, **body, **changes}
    got, _, headers = await world.request(method, path, token, **request)
    assert got == status
    if method == "OPTIONS":
        assert headers["Accept-Post"] == "application/sdp"
        assert "Authorization" in headers["Access-Control-Allow-Headers"]
    if method == "HEAD":
        assert headers["Content-Type"].startswith("application/sdp")
    assert not world.media.did("open_transport")


async def test_delete_ends_the_session_whatever_its_etag(world: World) -> None:
    _, _, headers = await publish(world)
    location = headers["Location"]
    status, _, _ = await world.request("DELETE", location, world.teacher(sub="other"))
    assert status == 403
    status, _, _ = await world.request("DELETE", location, world.teacher(), headers={"If-Match": '"stale"'})
    assert status == 200 and not world.media.transports
    assert (await world.request("DELETE", location, world.teacher()))[0] == 404


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"If-Match": "*", "Content-Type": FRAGMENT}, CANDIDATES, 204),
        ({"Content-Type": FRAGMENT}, CANDIDATES, 428),
        ({"If-Match": '"stale"', "Content-Type": FRAGMENT}, RESTART, 412),
        ({"If-Match": "*", "Content-Type": "application/sdp"}, OFFER, 415),
        ({"If-Match": "*", "Content-Type": FRAGMENT}, "nonsense", 400),
    ],
)
async def test_a_patch_needs_the_right_words(world: World, headers: dict[str, str], body: str, status: int) -> None:
    _, _, created = await publish(world)
    got, _, answer = await world.request("PATCH", created["Location"], world.teacher(), data=body, headers=headers)
    assert got == status and "ETag" not in answer
    assert not world.media.did("restart_ice")


async def test_new_credentials_by_patch_are_an_ice_restart_with_a_new_etag(world: World) -> None:
    _, _, created = await publish(world)
    headers = {"If-Match": created["ETag"], "Content-Type": FRAGMENT}
    status, body, answer = await world.request(
        "PATCH", created["Location"], world.teacher(), data=RESTART, headers=headers
    )
    assert status == 200 and answer["ETag"] != created["ETag"] and answer["Content-Type"].startswith(FRAGMENT)
    assert "a=ice-ufrag:new" in body and "a=candidate" in body
    (restart,) = world.media.did("restart_ice")
    assert restart["ufrag"] == "fresh"
    status, _, _ = await world.request("PATCH", created["Location"], world.teacher(), data=RESTART, headers=headers)
    assert status == 412


async def test_a_player_waits_for_a_publisher_and_then_gets_its_slots(world: World) -> None:
    await publish(world)
    status, body, headers = await world.request("POST", "/whep/lesson-1", world.classroom(), data=PLAYER, headers=SDP)
    assert status == 409 and headers["Retry-After"] and body["code"] == "busy"
    room = world.hub.rooms["lesson-1"]
    for row in next(iter(world.media.transports.values()))["publications"]:
        await room.first_media(row["publication"])
    status, answer, headers = await world.request("POST", "/lesson-1/whep", world.classroom(), data=PLAYER, headers=SDP)
    assert status == 201 and headers["Location"].startswith("/whep/session/")
    assert "a=sendonly" in answer and "a=ssrc-group:FID" in answer
    assert set(world.media.connections.values()) == {2, 3}  # microphone and camera


async def test_a_player_with_one_picture_gets_the_screen_while_there_is_no_camera(world: World) -> None:
    path = "/whip/lesson-1?source=screen"
    video_only = OFFER.replace("BUNDLE 0 1", "BUNDLE 1").replace("m=audio 9", "m=audio 0")
    status, _, _ = await world.request("POST", path, world.teacher(), data=video_only, headers=SDP)
    assert status == 201
    (published,) = world.media.did("add_publication")
    assert published["source"] == "screen"
    await world.hub.rooms["lesson-1"].first_media(2)
    await world.request("POST", "/whep/lesson-1", world.classroom(), data=PLAYER, headers=SDP)
    assert [c for c in world.media.connections.values() if c is not None] == [2]


async def test_the_same_publisher_replaces_itself_and_another_is_refused(world: World) -> None:
    await on_air(world)
    status, body, _ = await publish(world, token=world.teacher(sub="t2"))
    assert (status, body["code"]) == (409, "already_publishing")
    status, _, _ = await publish(world)
    assert status == 201 and len(world.media.transports) == 1


async def test_too_many_posts_are_turned_away(world: World) -> None:
    for _ in range(500):
        status, _, headers = await world.request("POST", "/whip/lesson-1", "x", data="", headers=SDP)
        if status == 429:
            assert headers["Retry-After"]
            return
        assert status == 401
    raise AssertionError("nobody was turned away")
