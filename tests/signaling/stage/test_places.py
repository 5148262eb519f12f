"""Which m-sections of the new pages become what; older pages, encoders and players keep what they had."""

from __future__ import annotations

import time

import pytest

from signaling.auth import Rights, classroom_rights, rights_for, teacher_rights
from signaling.messages import Refused
from signaling.negotiation import Negotiated, negotiate
from signaling.sdp import parse_offer
from tests.signaling.conftest import vector

SOON_S = int(time.time()) + 600
TEACHER = teacher_rights("t1", "王老师", "lesson", SOON_S)
CLASSROOM = classroom_rights("c1", "Village", "lesson", SOON_S)
STAGE = ("stage0", "stage1")


def divided(name: str, rights: Rights, kind: str = "page") -> Negotiated:
    return negotiate(parse_offer(vector(name)), rights, kind, taken=lambda _: False)  # type: ignore[arg-type]


def carried(result: Negotiated, kind: str) -> list[str | None]:
    return [slot.carries for slot, _ in result.slots if slot.kind == kind]


def test_a_classroom_hears_the_lesson_and_the_stage_and_its_own_voice_waits_for_a_call() -> None:
    result = divided("chromium_stage_classroom", CLASSROOM)
    assert carried(result, "audio") == ["microphone", None, *STAGE]
    assert carried(result, "video") == ["camera", "screen", *STAGE]
    assert [source for source, _ in result.tracks] == ["microphone", "camera"] and result.on_call
    assert [e["rid"] for e in result.tracks[1][1].rtp["encodings"]] == ["l", "m"]
    assert all(section.ptime_ms is None for section in result.sections), "one voice alone is no low-rate twin"
    assert result.stills == "to_peer"


def test_a_teacher_gets_two_places_on_stage_and_two_pinned_pictures_beside_what_it_sends() -> None:
    result = divided("chromium_stage_teacher", TEACHER)
    assert [source for source, _ in result.tracks] == ["microphone", "camera", "screen"] and not result.on_call
    assert carried(result, "audio") == [*STAGE]
    assert carried(result, "video") == [*STAGE, "pinned0", "pinned1"]
    assert len(result.tracks[0][1].rtp["encodings"]) == 2, "the low-rate voice is still the same publication"
    assert result.stills == "from_peer"


@pytest.mark.parametrize(
    ("name", "rights", "kind", "tracks", "audio", "video"),
    [
        ("chromium_teacher", TEACHER, "page", ["microphone", "camera", "screen"], [], []),
        (
            "chromium_classroom", CLASSROOM, "page", [],
            ["microphone", None, "stage0"], ["camera", "screen", "stage0"],
        ),
        ("ffmpeg_whip", TEACHER, "whip", ["microphone", "camera"], [], []),
        ("aiortc_whep", CLASSROOM, "whep", [], ["microphone"], ["camera"]),
    ],
)  # fmt: skip
def test_older_pages_encoders_and_players_keep_their_places(
    name: str, rights: Rights, kind: str, tracks: list[str], audio: list[str | None], video: list[str | None]
) -> None:
    result = divided(name, rights, kind)
    assert [source for source, _ in result.tracks] == tracks
    assert (carried(result, "audio"), carried(result, "video")) == (audio, video)


def test_who_may_not_speak_is_answered_inactive_and_gets_the_lesson() -> None:
    reviewer = rights_for("reviewer", "r1", "R", "lesson", SOON_S)
    result = divided("chromium_stage_classroom", reviewer)
    assert not result.tracks and len(result.slots) == 8
    assert [s.direction for s in result.sections if s.media.direction == "sendonly"] == ["inactive", "inactive"]


def test_a_classroom_never_gets_in_as_an_output_end() -> None:
    with pytest.raises(Refused) as caught:
        divided("chromium_teacher", CLASSROOM)
    assert caught.value.code == "forbidden"
    assert divided("chromium_stage_teacher", CLASSROOM).on_call


def test_what_a_section_both_ways_is_for_depends_on_who_offers_it() -> None:
    both = vector("aiortc_whep").replace("a=recvonly", "a=sendrecv")
    seen = negotiate(parse_offer(both), CLASSROOM, "page", taken=lambda _: False)
    assert carried(seen, "audio") == ["microphone"] and not seen.tracks
    sent = negotiate(parse_offer(both), TEACHER, "page", taken=lambda _: False)
    assert [source for source, _ in sent.tracks] == ["microphone", "camera"]


def test_voice_and_picture_of_one_place_are_played_in_step_and_apart_from_the_lesson() -> None:
    result = divided("chromium_stage_classroom", CLASSROOM)
    streams = {(slot.kind, slot.carries): section.stream for slot, section in result.slots}
    assert streams["audio", "stage0"] == streams["video", "stage0"] != streams["audio", "stage1"]
    assert streams["audio", "microphone"] == streams["video", "camera"]
