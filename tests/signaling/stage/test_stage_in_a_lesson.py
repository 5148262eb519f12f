"""Called, heard, silenced: what the words of the teacher's room do to media and to the pages."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from signaling.config import Config
from tests.signaling.conftest import World, running
from tests.signaling.fake_media import FakeMedia
from tests.signaling.stage.seats import CLASSROOM, Seat, attending, seated, teaching


async def called(teacher: Seat, *seats: Seat) -> None:
    for seat in seats:
        await teacher.say("stage", id=seat.tile, on=True)
    await teacher.world.settled(lambda: all(seat.is_granted() for seat in seats))


async def test_what_a_classroom_sends_is_neither_granted_nor_recorded_until_it_is_called(world: World) -> None:
    async with teaching(world) as teacher, attending(world) as classroom:
        own = {c["transport"]: (c["granted"], c["recorded"]) for c in world.media.did("add_publication")}
        assert own == {teacher.handle: (True, True), classroom.handle: (False, False)}
        await called(teacher, classroom)
        told = await classroom.page.hear("stage")
        assert told["places"] == [{"id": classroom.tile, "name": "Village 1", "own": True}, None]
        slots = await teacher.page.hear("slots", lambda m: any(s["source"] == "stage0" for s in m["slots"]))
        assert [s["source"] for s in slots["slots"]] == ["stage0", None, "stage0", None, None, None]
        await teacher.say("stage", id=classroom.tile, on=False)
        await classroom.page.hear("stage", lambda m: m["places"] == [None, None])
        assert not classroom.is_granted() and not classroom.is_granted("camera")


async def test_everybody_hears_who_is_on_stage_and_nobody_ever_its_own_voice(world: World) -> None:
    async with AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(teaching(world))
        one, two, three = [await stack.enter_async_context(attending(world, f"c{n}")) for n in range(3)]
        again = await stack.enter_async_context(world.page(world.classroom(sub="c0"), tab="another tab"))
        beside = await seated(world, again, CLASSROOM)
        await called(teacher, one, two)
        voices = one.publication("microphone"), two.publication("microphone")
        for seat, expected in ((teacher, voices), (three, voices), (one, (None, voices[1])), (two, (voices[0], None))):
            await world.settled(lambda s=seat, e=expected: (s.hears("stage0"), s.hears("stage1")) == e)  # type: ignore[misc]
        assert beside.hears("stage0") is None, "another page of the same classroom stands in the same room"
        own = {seat.handle: {seat.publication("microphone"), seat.publication("camera")} for seat in (one, two)}
        for seat in (one, two):
            rows = world.media.transports[seat.handle]["subscriptions"]
            assert not own[seat.handle] & {world.media.connections.get(row["subscription"]) for row in rows}
            assert seat.hears("microphone") == teacher.publication("microphone")


async def test_a_third_is_refused_in_words_and_a_place_that_is_free_again_is_given(world: World) -> None:
    async with AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(teaching(world))
        seats = [await stack.enter_async_context(attending(world, f"c{n}")) for n in range(3)]
        await called(teacher, *seats[:2])
        await teacher.say("stage", id=seats[2].tile, on=True)
        assert (await teacher.page.hear("error"))["code"] == "full"
        await teacher.say("stage", id=seats[0].tile, on=False)
        await called(teacher, seats[2])
        assert not seats[0].is_granted() and seats[1].is_granted()
        await teacher.say("stage", id=99, on=True)
        assert (await teacher.page.hear("error"))["code"] == "bad_message"


async def test_a_hush_reaches_media_even_while_the_lesson_waits_for_something_else(world: World) -> None:
    async with teaching(world) as teacher, attending(world) as classroom:
        await called(teacher, classroom)
        room = world.hub.rooms["lesson-1"]
        async with room.lock:
            await teacher.say("hush", on=True)
            await world.settled(lambda: not classroom.is_granted())
            assert room.lock.locked()
        assert (await classroom.page.hear("hand"))["hush"] is True
        await classroom.say("hand", up=True)
        assert (await classroom.page.hear("error"))["code"] == "forbidden"
        await teacher.say("stage", id=classroom.tile, on=True)
        assert (await teacher.page.hear("error"))["code"] == "forbidden"


async def test_hands_queue_by_time_and_tell_each_classroom_its_place(world: World) -> None:
    async with AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(teaching(world))
        one, two = [await stack.enter_async_context(attending(world, f"c{n}")) for n in range(2)]
        await two.say("hand", up=True)
        assert (await two.page.hear("hand"))["place"] == 1
        await one.say("hand", up=True)
        assert (await one.page.hear("hand"))["place"] == 2
        tiles = await teacher.page.hear(
            "tiles", lambda m: any((r["id"], r["hand"]) == (one.tile, 2) for r in m["rows"])
        )
        assert tiles["order"] == [two.tile, one.tile]
        await called(teacher, two)
        assert (await two.page.hear("hand"))["place"] is None
        assert (await one.page.hear("hand"))["place"] == 1


async def test_a_tile_says_who_it_is_how_it_gets_the_lesson_and_how_its_microphone_is(world: World) -> None:
    async with teaching(world) as teacher, attending(world) as classroom:
        await classroom.say("voice", microphone="muted", level=127)
        told = await teacher.page.hear("tiles", lambda m: any(row["microphone"] == "muted" for row in m["rows"]))
        assert not (told["hush"] or told["locked"]) and told["order"] == [classroom.tile]
        (row,) = told["rows"]
        assert row == {
            "id": classroom.tile, "sub": "c1", "name": "Village 1", "school": "", "class": "", "online": True,
            "hand": None, "stage": None, "reason": "ok", "estimate_kbps": 0, "camera": None, "screen": None,
            "microphone": "muted",
        }  # fmt: skip


async def test_only_what_is_on_the_screen_is_asked_for_and_shown(world: World) -> None:
    async with teaching(world) as teacher, attending(world) as one, attending(world, "c2") as two:
        await teacher.say("wall", visible=[one.tile, 99], pinned=[])
        wanted = await one.page.hear("wanted")
        assert wanted == {"type": "wanted", "still_s": 2, "width": 320, "level": True, "camera": False}
        await world.settled(lambda: teacher.sees_stills_of() == [(one.handle, one.tile)])
        await one.say("voice", microphone="on", level=30)
        assert (await teacher.page.hear("levels"))["rows"] == [[one.tile, 30]]
        world.now_ms[0] += 2_000
        assert (await teacher.page.hear("levels", lambda m: m["rows"] != [[one.tile, 30]]))["rows"] == [[one.tile, 127]]
        await teacher.say("wall", visible=[], pinned=[two.tile])
        assert (await one.page.hear("wanted"))["still_s"] == 0
        assert (await two.page.hear("wanted"))["camera"] is True
        await world.settled(lambda: teacher.sees_stills_of() == [])
        await world.settled(lambda: two.is_granted("camera"))
        assert not two.is_granted("microphone") and not one.is_granted("camera")
        assert teacher.hears("pinned0", "video") == two.publication("camera")


async def test_who_looks_as_a_classroom_gets_the_own_camera_in_the_layer_of_that_classroom(world: World) -> None:
    async with teaching(world) as teacher, attending(world) as classroom:
        await classroom.page.hear("slots", lambda m: any(slot["source"] == "camera" for slot in m["slots"]))
        rung: dict[str, Any] = {"height": 180, "reason": "link_slow", "estimate_kbps": 90}
        world.media.say("rung", subscription=classroom.slot("camera", "video"), spatial=0, **rung)
        await classroom.page.hear("rung", lambda m: m["camera"] == 180)
        await teacher.say("look_as", id=classroom.tile)
        pinned = teacher.slot("pinned1", "video")
        await world.settled(lambda: world.media.connections.get(pinned) == teacher.publication("camera"))

        def caps() -> list[tuple[int, bool]]:
            return [(c["spatial"], c["fixed"]) for c in world.media.did("cap") if c["subscription"] == pinned]

        await world.settled(lambda: caps() == [(0, True)])
        world.media.say("rung", subscription=classroom.slot("camera", "video"), spatial=-1, **rung)
        await world.settled(lambda: caps()[-1] == (-1, True))
        await teacher.say("look_as", id=None)
        await world.settled(lambda: world.media.connections[pinned] is None)


async def test_on_stage_the_buffer_is_shallow_and_afterwards_what_the_page_said(world: World) -> None:
    async with teaching(world) as teacher, attending(world) as classroom:

        def told() -> list[int]:
            return [c["target_ms"] for c in world.media.did("play_out") if c["transport"] == classroom.handle]

        await classroom.say("report", jitter_target_ms=400)
        await world.settled(lambda: told() == [400])
        await called(teacher, classroom)
        await world.settled(lambda: told() == [400, 120])
        await teacher.say("stage", id=classroom.tile, on=False)
        await world.settled(lambda: told() == [400, 120, 400])


async def test_a_classroom_on_stage_may_lose_its_media_for_fifteen_seconds(world: World) -> None:
    async with teaching(world) as teacher, attending(world) as classroom:
        await called(teacher, classroom)
        world.media.say("disconnected", transport=classroom.handle)
        room = world.hub.rooms["lesson-1"]
        participant = room.lesson.participants[classroom.page.welcome["session"]]
        await world.settled(lambda: participant.transport is not None and not participant.transport.connected)
        for seconds, stands in ((0, True), (14, True), (1, False)):
            world.now_ms[0] += seconds * 1000
            await world.hub.tick()
            assert (room.lesson.stage.places == (classroom.tile, None)) is stands
        await classroom.page.hear("stage", lambda m: m["places"] == [None, None])
        assert not classroom.is_granted()


async def test_the_stage_outlives_a_restart_of_signalling(config: Config, tmp_path: Path) -> None:
    async with FakeMedia(tmp_path / "media.sock") as media:
        now_ms = [1_700_000_000_000]
        async with running(config, media, now_ms) as world, teaching(world) as teacher, attending(world) as classroom:
            await called(teacher, classroom)
            await world.settled(lambda: teacher.hears("stage0") is not None)
            session, tile = classroom.page.welcome["session"], classroom.tile
        async with (
            running(config, media, now_ms) as world,
            world.page(world.classroom(), tab="tab of c1", resume=session) as page,
        ):
            assert page.welcome["resumed"]
            told = await page.hear("stage")
            assert told["places"] == [{"id": tile, "name": "Village 1", "own": True}, None]
            assert classroom.is_granted()
            async with attending(world, "c2") as newcomer:
                assert newcomer.tile > tile


async def test_a_page_that_comes_back_in_its_seat_keeps_its_number_and_its_place_on_stage(world: World) -> None:
    async with teaching(world) as teacher, attending(world) as classroom:
        await called(teacher, classroom)
        async with attending(world) as again:
            assert (again.tile, again.handle != classroom.handle) == (classroom.tile, True)
            await world.settled(lambda: again.is_granted())
            assert (await classroom.page.hear("bye"))["reason"] == "replaced"
