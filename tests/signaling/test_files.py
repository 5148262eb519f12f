"""Database, secrets, certificates, addresses and the names that become files."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from signaling.addresses import machine_addresses
from signaling.certificates import dtls_identity, server_certificate
from signaling.config import Config, Tls
from signaling.database.database import Database
from signaling.recordings import Recordings, next_recording_id
from signaling.secret_files import api_keys
from signaling.store import LessonRow, Store, Taken

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
ROW = LessonRow("l1", "分数", "t1", "王老师", "123456", "open", "l1", 1000, 1000)


async def test_a_lesson_is_kept_found_by_code_and_its_code_is_free_after_it_ends(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "z.db") as database:
        store = Store(database)
        await store.add(ROW)
        with pytest.raises(Taken):
            await store.add(replace(ROW, id="l2", recording="l2"))
        assert await store.by_code("123456") == ROW
        closed = await store.close_lesson(ROW, 5000)
        assert closed.closed_ms == 5000 and await store.by_code("123456") is None
        await store.add(replace(ROW, id="l2", recording="l2"))
        await store.saw_teacher("l2", 7000)
    async with await Database.open(tmp_path / "z.db") as database:
        store = Store(database)
        assert [r.id for r in await store.open_lessons()] == ["l2"]
        assert (await store.open_lessons())[0].last_teacher_ms == 7000
        assert await store.lesson("l1") == closed


async def test_every_recording_of_a_lesson_leads_back_to_it(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "z.db") as database:
        store = Store(database)
        await store.add(ROW)
        await store.start_recording("l1", "l1-20261122000000", 9000)
        for recording in ("l1", "l1-20261122000000"):
            row = await store.lesson_of_recording(recording)
            assert row is not None and row.recording == "l1-20261122000000"
        assert await store.lesson_of_recording("l9") is None


async def test_a_revocation_is_for_one_lesson(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "z.db") as database:
        store = Store(database)
        await store.revoke("l1", "c1", 0)
        assert await store.revoked("l1", "c1") and not await store.revoked("l2", "c1")


def test_the_servers_certificate_is_made_anew_only_when_addresses_change_or_time_runs_out(tmp_path: Path) -> None:
    first = server_certificate(tmp_path, Tls(), ["192.0.2.7", "2001:db8::7"], NOW)
    text = first.chain.read_bytes()
    assert server_certificate(tmp_path, Tls(), ["192.0.2.7", "2001:db8::7"], NOW).chain.read_bytes() == text
    moved = server_certificate(tmp_path, Tls(), ["192.0.2.8"], NOW).chain.read_bytes()
    assert moved != text
    later = NOW + datetime.timedelta(days=380)
    assert server_certificate(tmp_path, Tls(), ["192.0.2.8"], later).chain.read_bytes() != moved
    leaf, authority = x509.load_pem_x509_certificates(first.chain.read_bytes())
    leaf.verify_directly_issued_by(authority)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ipaddress.ip_address("192.0.2.8") in names.get_values_for_type(x509.IPAddress)
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert isinstance(first.context(), ssl.SSLContext)


def test_secrets_are_ours_alone_and_stay(tmp_path: Path) -> None:
    config = Config(data=str(tmp_path))
    keys = api_keys(config)
    assert api_keys(config) == keys and all(len(s) >= 32 for s in keys.values())
    dtls = dtls_identity(tmp_path / "secrets", NOW)
    before = dtls.read_bytes()
    assert dtls_identity(tmp_path / "secrets", NOW).read_bytes() == before
    server_certificate(tmp_path / "secrets", Tls(), [], NOW)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "secrets").iterdir()}
    assert modes == {0o600}


def test_addresses_are_those_that_others_reach() -> None:
    found = [ipaddress.ip_address(a) for a in machine_addresses()]
    assert found and len(set(found)) == len(found)
    assert not any(a.version == 6 and a.is_link_local for a in found)
    assert len(found) == 1 or not any(a.is_loopback for a in found)


def test_lesson_json_says_whose_recording_it_is_and_when_it_ended(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path, min_free_bytes=0)
    second = replace(ROW, recording=next_recording_id("l1", NOW))
    recordings.write_state(second, "live", None, ("demo", 3))
    recordings.write_state(second, "closed", 9000, ("demo", 3))
    (folder,) = (tmp_path / "recordings").iterdir()
    state = json.loads((folder / "lesson.json").read_text())
    assert folder.name == "l1-20261122000000"
    assert state == {
        "id": "l1-20261122000000", "lesson": "l1", "title": "分数", "teacher": "王老师", "state": "closed",
        "created_ms": int(NOW.timestamp() * 1000), "closed_ms": 9000, "series": "demo", "keep": 3,
    }  # fmt: skip
    assert [p.name for p in folder.iterdir()] == ["lesson.json"]


def test_a_disk_with_too_little_room_is_known(tmp_path: Path) -> None:
    assert Recordings(tmp_path, min_free_bytes=1 << 60).disk_is_full()
    assert not Recordings(tmp_path, min_free_bytes=0).disk_is_full()


@pytest.mark.parametrize(
    ("recording", "file"),
    [
        ("..", "manifest.json"), ("l1", "../secret.json"), ("l1", "..%2fsecret.json"), ("l1", "/etc/passwd"),
        ("l1", "link.mp4"), ("l1", "manifest.json"), ("l1", "x.mp4\0"), ("l1", "x.exe"), ("L1/../l1", "x.mp4"),
        ("l1", "．．.mp4"), ("l1" + "x" * 5000, "x.mp4"), ("", "x.mp4"),
    ],
)  # fmt: skip
def test_names_never_lead_out_of_the_library(tmp_path: Path, recording: str, file: str) -> None:
    folder = tmp_path / "library" / "l1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"id": "l1", "started_ms": 5}')
    (folder / "x.mp4").write_bytes(b"x")
    (tmp_path / "library" / "secret.json").write_text("{}")
    (folder / "link.mp4").symlink_to(tmp_path / "library" / "secret.json")
    recordings = Recordings(tmp_path, min_free_bytes=0)
    assert recordings.media_file(recording, file) is None
    assert recordings.media_file("l1", "x.mp4") is not None
    assert [e["id"] for e in recordings.entries()] == ["l1"]
