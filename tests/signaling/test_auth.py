"""Tokens: LiveKit's own library mints what we accept; everything forged, stale or vague gives no rights."""

from __future__ import annotations

import base64
import datetime
import json
import time
from dataclasses import replace
from typing import Any

import jwt
import pytest
from livekit import api as livekit

from signaling.auth import (
    Rights,
    TokenRefused,
    classroom_rights,
    clean_name,
    mint,
    operator_rights,
    teacher_rights,
    verify,
)
from signaling.links import PAGES, link_key, link_rights, page_of_link

SECRET = "s" * 48
KEYS = {"one": SECRET, "two": "t" * 48}


def claims(**changes: Any) -> dict[str, Any]:
    until = int(time.time()) + 3600  # tokens made at collection outlive the run
    return {"iss": "one", "sub": "a", "exp": until, "video": {"roomJoin": True, "room": "r"}, **changes}


def token(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return raw(claims(**changes), secret, algorithm)


def raw(body: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    """Signed as it is, also what PyJWT itself would not sign."""
    return jwt.api_jws.encode(json.dumps(body).encode(), secret, algorithm=algorithm)


def test_a_token_of_livekits_own_library_is_understood() -> None:
    minted = (
        livekit.AccessToken("two", KEYS["two"])
        .with_identity("wang")
        .with_name("王老师")
        .with_ttl(datetime.timedelta(minutes=5))
        .with_grants(
            livekit.VideoGrants(
                room_join=True, room="r1", can_publish=True, can_publish_sources=["microphone", "screen_share"]
            )
        )
        .to_jwt()
    )
    rights = verify(minted, KEYS)
    assert (rights.sub, rights.name, rights.room, rights.role) == ("wang", "王老师", "r1", "teacher")
    assert rights.publish == {"microphone", "screen"} and rights.subscribe and not rights.admin


def test_livekits_own_library_understands_ours() -> None:
    expires_s = int(time.time()) + 60
    minted = mint(teacher_rights("wang", "王老师", "r1", expires_s), ("one", SECRET), time.time())
    read = livekit.TokenVerifier("one", SECRET).verify(minted)
    assert read.identity == "wang" and read.video is not None
    assert read.video.room == "r1" and read.video.can_publish and read.video.room_join


@pytest.mark.parametrize(
    "rights",
    [
        teacher_rights("t", "T", "r", 2_000_000_000),
        teacher_rights("t", "T", None, 2_000_000_000),
        classroom_rights("c", "C", "r", 2_000_000_000),
        operator_rights("o", "O", 2_000_000_000),
        replace(classroom_rights("c", "C", "r", 2_000_000_000), by_plan=True, session="s1"),
    ],
)
def test_rights_survive_the_journey(rights: Rights) -> None:
    assert verify(mint(rights, ("one", SECRET), time.time()), KEYS) == rights


def test_an_expired_token_has_a_code_of_its_own() -> None:
    with pytest.raises(TokenRefused) as caught:
        verify(token(exp=int(time.time()) - 60), KEYS)
    assert caught.value.code == "expired_token"


def unsigned() -> str:
    parts = [json.dumps(p).encode() for p in ({"alg": "none", "typ": "JWT"}, claims())]
    return ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts) + "."


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        "a.b.c",
        "x" * 10_000,
        unsigned(),
        token("wrong key, but long enough to be taken"),
        token(KEYS["two"]),  # signed by another key than `iss` names
        token("u" * 64, algorithm="HS512"),
        token(iss="three"),
        token(iss=["one"]),
        token(sub=""),
        token(sub="x" * 200),
        token(exp="soon"),
        token(exp=float("inf")),
        token(nbf=int(time.time()) + 600),
        raw({k: v for k, v in claims().items() if k != "exp"}),
        raw({k: v for k, v in claims().items() if k != "sub"}),
        token()[:-4] + "AAAA",
    ],
)
def test_a_forged_or_broken_token_gives_nothing(forged: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        verify(forged, KEYS)
    assert caught.value.code == "bad_token"


@pytest.mark.parametrize(
    "video",
    [
        {"roomJoin": True, "room": "r"},
        {"roomJoin": True, "room": "r", "canPublish": "true"},
        {"roomJoin": False, "room": "r", "canPublish": True},
        {"roomJoin": True, "room": "r", "canPublish": True, "canPublishSources": ["tv"]},
        [],
        None,
    ],
)
def test_publishing_must_be_granted_in_words(video: Any) -> None:
    assert verify(token(video=video), KEYS).publish == frozenset()


def test_watching_can_be_forbidden_and_roles_are_derived_only_where_none_is_named() -> None:
    assert not verify(token(video={"roomJoin": True, "canSubscribe": False}), KEYS).subscribe
    assert verify(token(video={"roomAdmin": True}), KEYS).role == "operator"
    assert verify(token(zd={"role": "emperor"}), KEYS).role == "classroom"


def test_names_for_peoples_eyes_are_one_clean_line() -> None:
    assert clean_name("王\n老\u202e师\x1b[31m" + "x" * 200) == ("王老师[31m" + "x" * 200)[:80]


def test_a_printed_link_stands_for_its_page_under_every_key_of_the_server_and_nothing_else_does() -> None:
    keys = {"old": "o" * 32, "new": "n" * 32}
    seen = {link_key(secret, page) for secret in keys.values() for page in PAGES}
    assert len(seen) == 2 * len(PAGES) and all(len(key) == 16 for key in seen)
    for secret in keys.values():
        for page in PAGES:
            assert page_of_link(link_key(secret, page), keys) == page
    for wrong in ("", "x" * 16, link_key("n" * 32, "operator")[:-1], link_key("other" * 8, "teacher"), "é"):
        assert page_of_link(wrong, keys) is None


def test_the_rights_behind_a_link_are_those_of_its_page() -> None:
    rights = {page: link_rights(page, "demo", "en", 100) for page in PAGES}
    assert rights["classroom"].room == "demo" and not rights["classroom"].publish
    assert rights["teacher"].publish and not rights["teacher"].record
    assert rights["operator"].admin and not rights["operator"].publish
    assert rights["library"].record and not (rights["library"].admin or rights["library"].create)
