"""What strangers and broken pages send to the socket: each meets its limit and a clear word, nobody else notices."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from signaling.admission.desk import Admission
from signaling.messages import MAX_HELLO_BYTES, MAX_MESSAGE_BYTES, Hello
from signaling.session import CLOSE_BYE, CLOSE_FLOOD, CLOSE_TOO_BIG
from tests.signaling.conftest import World, vector

HELLO: dict[str, Any] = {"type": "hello", "protocol": 1, "page": "classroom", "tab": "t"}


async def ends_with(world: World, *frames: str | bytes) -> tuple[int | None, str | None]:
    """Send frames on a socket that never said hello: how it is closed, and the code of what was said before."""
    async with world.http.ws_connect(world.url + "/ws") as socket:
        for frame in frames:
            await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
        said = None
        async with asyncio.timeout(60):
            while True:
                message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return socket.close_code, said
                said = json.loads(message.data)["code"]


async def still_serves(world: World) -> None:
    """A teacher and a classroom meet as if nothing had happened."""
    async with world.page(world.teacher(), "teacher"), world.page(world.classroom(sub="fresh"), tab="fresh") as page:
        await page.say({"type": "ping", "t": 3})
        assert (await page.hear("pong"))["t"] == 3


@pytest.mark.parametrize("size", [MAX_HELLO_BYTES + 1, MAX_MESSAGE_BYTES + 1, 2_000_000])
async def test_what_is_too_big_before_the_hello_is_hung_up(world: World, size: int) -> None:
    assert (await ends_with(world, json.dumps({**HELLO, "token": "x" * size})))[0] == CLOSE_TOO_BIG
    await still_serves(world)


async def test_a_message_in_endless_pieces_ends_where_a_whole_one_would(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as page:
        writer = page.socket._writer
        for piece in range(MAX_MESSAGE_BYTES // 4096 + 2):
            kind = aiohttp.WSMsgType.TEXT if piece == 0 else aiohttp.WSMsgType.CONTINUATION
            try:
                # Without the bit that says that it is the last one.
                await _send_piece(writer.transport, kind, b"x" * 4096)
            except ConnectionError:
                break
        assert await page.close_code() in (CLOSE_TOO_BIG, 1006)
    await still_serves(world)


async def _send_piece(transport: Any, kind: int, payload: bytes) -> None:
    """One masked WebSocket frame with FIN = 0 (RFC 6455 5.2)."""
    head = bytes([int(kind), 0x80 | 126]) + len(payload).to_bytes(2, "big") + bytes(4)
    if transport.is_closing():
        raise ConnectionResetError
    transport.write(head + payload)
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    "first",
    [
        "",
        "null",
        "[" * 4000,
        '{"type": "hello"}',
        json.dumps({"type": "offer", "id": 1, "sdp": "v=0"}),
        json.dumps({"type": "stage", "id": 1, "on": True}),
        json.dumps({"type": "end_lesson"}),
        json.dumps({**HELLO, "token": 5}),
        json.dumps({**HELLO, "token": "t", "protocol": 2}),
        json.dumps({**HELLO, "token": "t", "tab": ""}),
        b"\x00\x01",
    ],
)
async def test_a_wrong_first_word_is_named_and_ends_it(world: World, first: str | bytes) -> None:
    assert await ends_with(world, first) == (CLOSE_BYE, "bad_message")
    await still_serves(world)


async def test_words_out_of_order_or_out_of_shape_are_named_and_the_page_goes_on(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as page:
        for word in (
            {**HELLO, "token": world.teacher()},
            {"type": "welcome"},
            {"type": "quality", "choice": "best"},
            {"type": "wall", "visible": list(range(1, 66))},
            {"type": "stage", "id": -1, "on": True},
            {"type": "report", "rtt_ms": 1e309},
            {"type": "offer", "id": 1},
        ):
            await page.say(word)
            assert (await page.hear("error"))["code"] == "bad_message", word
        await page.say({"type": "offer", "id": 9, "sdp": "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 65})
        refusal = await page.hear("error")
        assert refusal["id"] == 9 and refusal["code"] == "bad_sdp" and refusal["detail"]
        assert "m=audio" in await page.offer(vector("chromium_teacher"), 10)


async def test_a_flood_of_good_words_is_hung_up_and_others_are_heard(world: World) -> None:
    async with world.page(world.teacher(), "teacher") as calm, world.page(world.classroom()) as mad:
        for number in range(1000):
            await mad.socket.send_str(json.dumps({"type": "ping", "t": number}))
        assert await mad.close_code() == CLOSE_FLOOD
        await calm.say({"type": "ping", "t": 1})
        await calm.hear("pong")


async def test_a_compressed_bomb_has_nothing_to_go_off_in(world: World) -> None:
    async with world.http.ws_connect(world.url + "/ws", compress=15) as socket:
        assert socket.compress == 0


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "file://", "https://127.0.0.1.evil.example"])
async def test_a_page_of_another_origin_never_opens_a_socket(world: World, origin: str) -> None:
    own = world.url.removeprefix("http://")
    for one in (origin, f"http://sub.{own}", f"ftp://{own}"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await world.http.ws_connect(world.url + "/ws", headers={"Origin": one})
        assert refused.value.status == 403, one


class Deaf:
    """A page that hears nothing."""

    def send(self, message: object) -> None:
        """Nothing."""

    def bye(self, reason: str) -> None:
        """Nothing."""


async def test_a_thousand_coming_and_going_leave_nothing_behind(world: World) -> None:
    async with world.page(world.teacher(), "teacher"):
        room = world.hub.rooms["lesson-1"]
        seconds = iter(range(10_000))
        world.hub.admission = Admission(world.hub, lambda: next(seconds))
        for number in range(1000):
            rights = await world.hub.rights(world.classroom(sub=f"c{number}"))
            hello = Hello(type="hello", protocol=1, token="-", page="classroom", tab=f"t{number}")
            _, seat, _ = await world.hub.join(hello, rights, Deaf())
            await world.hub.gone(room, seat, room.outboxes[seat.session])
            if number % 100 == 99:
                world.now_ms[0] += 61_000
                await world.hub.tick()
        left = [p for p in room.lesson.participants.values() if not p.is_output]
        assert left == [] and len(room.outboxes) == 1 and room.offline_since_ms == {}
