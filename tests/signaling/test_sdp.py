"""SDP of real peers as values and back; malformed text is refused with its line, never with a crash."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.auth import Rights
from signaling.negotiation import negotiate
from signaling.sdp import (
    SdpError,
    accept_slot,
    accept_track,
    build_answer,
    build_offer,
    parse_answer,
    parse_offer,
    parse_trickle,
    refuse,
    transport_params,
)
from signaling.sdp.answer import lowest_first
from tests.signaling.conftest import vector

FINGERPRINT = ":".join(["AB"] * 32)
LOCAL: Any = {
    "transport": 7,
    "ufrag": "abcd",
    "pwd": "p" * 24,
    "fingerprint": FINGERPRINT,
    "candidates": [
        {"protocol": "tcp", "address": "192.0.2.7", "port": 7882},
        {"protocol": "udp", "address": "192.0.2.7", "port": 7882},
        {"protocol": "udp", "address": "2001:db8::7", "port": 7882},
    ],
}


def answered(name: str) -> str:
    offer = parse_offer(vector(name))
    sections = [
        accept_slot(m, 100 + n, 200 + n) if m.direction == "recvonly" else accept_track(m, 60 if n == 1 else None)
        for n, m in enumerate(offer.live)
    ]
    return build_answer(offer, sections, LOCAL)


def test_a_browser_teachers_layers_come_lowest_first_and_are_answered_in_its_order() -> None:
    offer = parse_offer(vector("chromium_teacher"))
    camera = accept_track(offer.live[2]).rtp
    assert [e["rid"] for e in camera["encodings"]] == ["l", "m", "h"]
    assert camera["nack"] and camera["twcc"]
    assert camera["extensions"] == {"abs_send_time": 2, "twcc": 3, "mid": 4, "rid": 10, "repaired_rid": 11}
    assert [(c["pt"], c["codec"]) for c in camera["codecs"]] == [(96, "VP8"), (97, "rtx"), (108, "H264"), (109, "rtx")]
    answer = answered("chromium_teacher")
    assert "a=simulcast:recv l;m;h" in answer and "a=rid:h recv" in answer
    assert lowest_first(["h", "l"]) == ("l", "h") and lowest_first(["f", "q", "h"]) == ("q", "h", "f")


def test_a_page_sends_its_voice_in_two_encodings_and_an_encoder_in_one() -> None:
    offer = parse_offer(vector("chromium_teacher"))
    rights = Rights("t", "t", "teacher", "lesson", 0, publish=frozenset({"microphone", "camera"}))
    page = dict(negotiate(offer, rights, "page", taken=lambda _: False).tracks)["microphone"].rtp
    assert page["mid"] == "0" and page["encodings"] == [{"mid": "1", "ssrc": 2657018077}, {"ssrc": 3755313060}]
    assert [(c["pt"], c["codec"]) for c in page["codecs"]] == [(111, "opus"), (63, "red")]
    elsewhere = negotiate(offer, rights, "page", taken=lambda source: source == "microphone")
    assert [(s.media.mid, s.direction) for s in elsewhere.sections[:2]] == [("0", "inactive"), ("1", "inactive")]
    rights = Rights("t", "t", "teacher", "lesson", 0, publish=frozenset({"microphone", "camera", "screen"}))
    encoder = dict(negotiate(offer, rights, "whip", taken=lambda _: False).tracks)["microphone"].rtp
    assert encoder["encodings"] == [{"ssrc": 3755313060}]


def test_an_answer_is_ice_lite_bundled_passive_and_carries_all_candidates_once_udp_first() -> None:
    lines = answered("chromium_teacher").split("\r\n")
    assert "a=ice-lite" in lines and "a=group:BUNDLE 0 1 2 3" in lines
    assert lines.count("a=setup:passive") == 4 and lines.count("a=rtcp-mux") == 4
    candidates = [line.split() for line in lines if line.startswith("a=candidate")]
    assert [c[2] for c in candidates] == ["udp", "udp", "tcp"]
    assert candidates[2][-4:] == ["typ", "host", "tcptype", "passive"]
    assert [int(c[3]) for c in candidates] == sorted((int(c[3]) for c in candidates), reverse=True)
    assert lines.count("a=end-of-candidates") == 1
    assert lines.count("a=ptime:60") == 1
    assert any(line.startswith("m=application 0 ") for line in lines)


def test_audio_is_answered_with_nack_though_browsers_never_offer_it() -> None:
    assert "a=rtcp-fb:111 nack" in answered("chromium_classroom")


def test_a_slot_names_its_ssrcs_and_repairs_only_where_the_player_takes_them() -> None:
    answer = answered("chromium_classroom")
    assert "a=ssrc-group:FID 102 202" in answer and "a=ssrc:202 cname:zhuandi" in answer
    assert "a=ssrc-group:FID 100" not in answer  # sound has no RTX
    slots = [accept_slot(m, 5, 6) for m in parse_offer(vector("chromium_classroom")).live]
    assert slots[0].rtp["encodings"] == [{"ssrc": 5}]
    assert slots[2].rtp["encodings"] == [{"ssrc": 5, "rtx_ssrc": 6}]


def test_a_browser_classroom_offers_its_slots_in_the_order_of_the_protocol() -> None:
    offer = parse_offer(vector("chromium_classroom"))
    kinds = [m.kind for m in offer.live]
    assert kinds == ["audio", "audio", "video", "video", "audio", "video"]
    assert all(m.direction == "recvonly" for m in offer.live)


def test_ffmpeg_insists_on_being_the_passive_side_so_we_begin_the_handshake() -> None:
    offer = parse_offer(vector("ffmpeg_whip"))
    assert transport_params(offer)["dtls"] == "active"
    assert "a=setup:active" in answered("ffmpeg_whip")
    video = accept_track(offer.live[1]).rtp
    assert video["extensions"] == {} and not video["twcc"] and video["nack"]
    assert "rtx_ssrc" in video["encodings"][0]


def test_aiortc_names_three_fingerprints_and_the_sha_256_one_is_taken() -> None:
    offer = parse_offer(vector("aiortc_whep"))
    assert len(offer.fingerprint) == 95
    assert [c.name for c in offer.live[1].codecs] == ["VP8", "rtx", "H264", "rtx"]
    assert offer.live[1].codecs[2].pt == 101  # constrained baseline wins


def test_refused_sections_are_inactive_and_the_rest_of_the_bundle_stands() -> None:
    offer = parse_offer(vector("chromium_teacher"))
    sections = [accept_track(offer.live[0]), *(refuse(m) for m in offer.live[1:])]
    answer = build_answer(offer, sections, LOCAL)
    assert answer.count("a=inactive") == 4  # three refused, and the data channel
    assert "a=group:BUNDLE 0 1 2 3" in answer


@pytest.mark.parametrize("kind", ["publish", "attend"])
def test_our_own_offer_is_understood_by_our_server_and_the_answer_by_us(kind: Any) -> None:
    own = build_offer(kind, "uuuu", "q" * 24, FINGERPRINT, rids={"camera": ("l", "m", "h")})
    offer = parse_offer(own.sdp)
    slots = [accept_slot(m, 10 + n, 20 + n) for n, m in enumerate(offer.live)]
    sections = [accept_track(m) for m in offer.live] if kind == "publish" else slots
    params = parse_answer(build_answer(offer, sections, LOCAL), own)
    assert params.transport["dtls"] == "active" and params.transport["local_ufrag"] == "uuuu"
    assert {c["protocol"] for c in params.transport["candidates"]} == {"udp", "tcp"}
    assert set(params.media) == {"microphone", "camera", "screen"}
    encodings = params.media["camera"]["encodings"]
    if kind == "publish":
        assert [e["rid"] for e in encodings] == ["l", "m", "h"]
        assert len({e["ssrc"] for e in encodings} | {e["rtx_ssrc"] for e in encodings}) == 6
    else:
        assert encodings == [{"ssrc": 11, "rtx_ssrc": 21}]


def test_our_own_teacher_sends_its_voice_twice_as_a_page_does() -> None:
    own = build_offer("publish", "uuuu", "q" * 24, FINGERPRINT, sources=["camera", "low_voice", "microphone"])
    offer = parse_offer(own.sdp)
    rights = Rights("t", "t", "teacher", "lesson", 0, publish=frozenset({"microphone", "camera"}))
    result = negotiate(offer, rights, "page", taken=lambda _: False)
    ours = parse_answer(build_answer(offer, result.sections, LOCAL), own).media
    assert list(ours) == ["microphone", "low_voice", "camera"]
    theirs = dict(result.tracks)["microphone"].rtp["encodings"]
    assert [e["ssrc"] for e in theirs] == [
        ours["low_voice"]["encodings"][0]["ssrc"],
        ours["microphone"]["encodings"][0]["ssrc"],
    ]


def test_a_screen_without_a_camera_keeps_the_second_place() -> None:
    offer = parse_offer(build_offer("publish", "uuuu", "q" * 24, FINGERPRINT, sources=["screen"]).sdp)
    assert [m.direction for m in offer.live] == ["inactive", "sendonly"]


GOOD = vector("ffmpeg_whip")


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("v=0", "v=1", "bad_sdp", "line 1"),
        ("a=fingerprint:sha-256 ", "a=fingerprint:sha-1 ", "bad_sdp", "sha-256"),
        ("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 ZZ", "bad_sdp", "hexadecimal"),
        ("a=fingerprint", "a=finger", "bad_sdp", "no a=fingerprint"),
        ("a=ice-ufrag", "a=ice-u", "bad_sdp", "no a=ice-ufrag"),
        ("a=ice-pwd:", "a=ice-pwd:§", "bad_sdp", "ICE characters"),
        ("opus/48000", "speex/48000", "unknown_codec", "offer opus"),
        ("H264/90000", "H265/90000", "unknown_codec", "VP8 or H.264"),
        ("packetization-mode=1", "packetization-mode=0", "unknown_codec", "VP8 or H.264"),
        ("profile-level-id=42", "profile-level-id=64", "unknown_codec", "VP8 or H.264"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0", "bad_sdp", "bundled"),
        ("a=mid:1", "a=mid:0", "bad_sdp", "same mid"),
        ("m=audio 9", "m=audio 99999", "bad_sdp", "port"),
        ("m=audio 9", "m=text 9", "bad_sdp", "audio, video"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "bad_sdp", "UDP/TLS/RTP/SAVPF"),
        ("a=setup:passive", "a=setup:holdconn", "bad_sdp", "setup"),
        ("a=ssrc-group:FID ", "a=ssrc-group:FID 99999999999 ", "bad_sdp", ""),
        ("a=rtpmap:111", "a=rtpmap:999", "bad_sdp", "payload type"),
        ("s=FF", "s\0=FF", "bad_sdp", "printable"),
    ],
)  # fmt: skip
def test_a_malformed_offer_is_refused_with_a_sentence(old: str, new: str, code: str, words: str) -> None:
    assert old in GOOD
    broken = GOOD.replace(old, new)
    if "FID" in new:
        broken = GOOD.replace("a=ssrc-group:FID 30", "a=ssrc-group:FID 9999999999930")
    with pytest.raises(SdpError) as caught:
        parse_offer(broken)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_bounds_hold() -> None:
    section = GOOD[GOOD.index("m=audio") : GOOD.index("m=video")]
    head = GOOD[: GOOD.index("m=audio")]
    with pytest.raises(SdpError, match="64 media sections"):
        parse_offer(head + section * 65)
    with pytest.raises(SdpError, match="262144 bytes"):
        parse_offer(GOOD + "a=x\r\n" * 60_000)
    with pytest.raises(SdpError, match="2048 attributes"):
        parse_offer(head + section + "a=x\r\n" * 2100)
    with pytest.raises(SdpError, match="no m= line"):
        parse_offer("v=0\r\n")


def test_a_trickle_fragment_has_credentials_or_candidates() -> None:
    assert parse_trickle("a=ice-ufrag:abcd\r\na=ice-pwd:" + "x" * 22 + "\r\n") == ("abcd", "x" * 22)
    assert parse_trickle("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n") is None
    with pytest.raises(SdpError):
        parse_trickle("a=nothing\r\n")


NAMES = ("chromium_teacher", "aiortc_whep", "ffmpeg_whip")
LINES = sorted({line for name in NAMES for line in vector(name).split("\r\n")})


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=30)), max_size=40),
    st.booleans(),
)
def test_shuffled_and_broken_lines_are_never_anything_but_refused(lines: list[str], with_head: bool) -> None:
    text = "\r\n".join((["v=0"] if with_head else []) + lines)
    for parse in (parse_offer, parse_trickle):
        try:
            parse(text)
        except SdpError:
            continue


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_cut_or_scratched_offer_is_never_anything_but_refused(data: st.DataObject) -> None:
    text = vector(data.draw(st.sampled_from(NAMES)))
    at = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(at, min(len(text), at + 40)))
    scratched = text[:at] + data.draw(st.text(max_size=8)) + text[end:]
    try:
        offer = parse_offer(scratched)
    except SdpError:
        return
    build_answer(offer, [accept_track(m) for m in offer.live], LOCAL)
    assert [accept_track(m).rtp for m in offer.live]
