"""The packet core over loopback: connect, forward, record, stop."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from bandwidth.columns import NO_TRANSPORT
from recorder.zwl import Kind, ZwlReader
from streaming._core import Core
from tests.streaming.ends import RIDS, End, connect, rid_encodings, until, video, write_camera

SLOT = [{"ssrc": 77, "rtx_ssrc": 78}]
HEADER = json.dumps(
    {
        "source": "camera",
        "participant": "1",
        "kind": "video",
        "codecs": [{"pt": 96, "codec": "VP8", "clock_rate": 90_000}],
        "ssrc": 0,
    }
).encode()


def publish(server: End, teacher: End, folder: Path, protocol: str) -> int:
    """A simulcast camera that plays from files into the server; its publication there."""
    here, there = connect(server, teacher, protocol)
    publication = server.core.add_publication(here, video("2", [{"rid": rid} for rid in RIDS]))
    played = video("0", [{}, {}, {}])
    played["extensions"] = {}
    player = teacher.core.add_player(teacher.lesson, write_camera(folder), played, 2_000_000)
    leg = teacher.core.add_subscription(there, video("2", rid_encodings()))
    teacher.core.connect(leg, player, all_encodings=True)
    server.wait("first_media", publication=publication)
    return publication


def attend(server: End, classroom: End, publication: int, protocol: str) -> tuple[int, int]:
    """A slot connected to the publication; the slot at the server and the received publication at the classroom."""
    here, there = connect(server, classroom, protocol)
    slot = server.core.add_subscription(here, video("0", SLOT))  # type: ignore[arg-type]
    received = classroom.core.add_publication(there, video("0", SLOT))  # type: ignore[arg-type]
    server.core.connect(slot, publication)
    classroom.wait("first_media", publication=received)
    return slot, received


def wait_height(classroom: End, received: int, height: int) -> None:
    """Until the classroom gets pictures of this height."""
    until(lambda: classroom.column("encodings", "height", publication=received) == height, f"{height} lines")


def more_media(server: End, publication: int) -> None:
    """Until the teacher has sent a hundred packets more."""
    best = len(RIDS) - 1
    before = server.column("encodings", "packets", publication=publication, encoding=best)
    until(
        lambda: server.column("encodings", "packets", publication=publication, encoding=best) > before + 100,
        "the teacher goes on",
    )


def set_layer(server: End, slot: int, spatial: int) -> None:
    """Decide one layer, as the control loop would."""
    slots, layers = np.array([slot], dtype=np.uint32), np.array([spatial], dtype=np.int8)
    server.core.apply(slots, layers, np.array([-1], dtype=np.int8), *NO_TRANSPORT)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_played_camera_reaches_a_classroom_and_the_log(tmp_path: Path, protocol: str, address: str) -> None:
    log = tmp_path / "log"
    with End(log, address=address) as server, End() as teacher, End() as classroom:
        publication = publish(server, teacher, tmp_path, protocol)
        server.core.add_tap(publication, 1, HEADER)
        slot, received = attend(server, classroom, publication, protocol)
        until(lambda: classroom.column("encodings", "packets", publication=received) > 50, "fifty packets")
        until(lambda: server.column("subscriptions", "packets", subscription=slot), "its packets are counted")
        assert server.column("transports", "tcp") == (protocol == "tcp")
        assert classroom.column("encodings", "lost", publication=received) == 0
        assert until(lambda: server.core.take_feedback()["expected"].sum(), "feedback of the classroom") > 0
        server.core.close_lesson(server.lesson)
        server.wait("log", sealed=True, error=None)
    records = list(ZwlReader(log / "00001-000001.zwl").read())
    kinds = [record.kind for record in records]
    assert kinds[0] == Kind.TRACK and kinds[-1] == Kind.END and kinds.count(Kind.RTP) > 20
    numbers = [int.from_bytes(record.body[2:4], "big") for record in records if record.kind == Kind.RTP]
    steps = {(after - before) & 0xFFFF for before, after in itertools.pairwise(numbers)}
    assert steps == {1}, "the log's numbers have no gap"
    sealed = [json.loads(line)["file"] for line in (log / "sealed.jsonl").read_text().splitlines()]
    assert "00001-000001.zwl" in sealed


def test_a_decision_changes_the_decoded_height_and_a_pause_stops_the_packets(tmp_path: Path) -> None:
    with End() as server, End() as teacher, End() as classroom:
        publication = publish(server, teacher, tmp_path, "udp")
        slot, received = attend(server, classroom, publication, "udp")
        for spatial, height in ((0, 180), (2, 720), (1, 360)):
            set_layer(server, slot, spatial)
            wait_height(classroom, received, height)
        assert classroom.column("encodings", "lost", publication=received) == 0, "a switch leaves no gap"
        set_layer(server, slot, -1)
        until(lambda: server.column("subscriptions", "spatial", subscription=slot) == -1, "the pause")
        more_media(server, publication)
        before = server.column("subscriptions", "packets", subscription=slot)
        more_media(server, publication)
        assert server.column("subscriptions", "packets", subscription=slot) == before


def test_removing_a_slot_stops_its_packets_at_once(tmp_path: Path) -> None:
    with End() as server, End() as teacher, End() as classroom:
        publication = publish(server, teacher, tmp_path, "udp")
        slot, received = attend(server, classroom, publication, "udp")
        server.core.remove(slot)
        server.core.remove(slot)  # idempotent
        until(lambda: not (server.core.take_stats()["subscriptions"]["subscription"] == slot).any(), "no row")
        more_media(server, publication)  # by now all that was on its way has come
        count = classroom.column("encodings", "packets", publication=received)
        more_media(server, publication)
        assert classroom.column("encodings", "packets", publication=received) == count
        with pytest.raises(ValueError, match=f"no subscription {slot}"):
            server.core.connect(slot, publication)


def test_a_tcp_connection_to_another_workers_port_is_handed_to_the_lessons_worker(tmp_path: Path) -> None:
    with End(workers=2) as server, End() as teacher:
        here, _ = connect(server, teacher, "tcp", port_offset=1)
        assert until(lambda: server.column("transports", "tcp", transport=here), "the transport is on TCP")


def test_closing_a_lesson_closes_its_transports_at_both_ends(tmp_path: Path) -> None:
    with End() as server, End() as classroom:
        here, there = connect(server, classroom)
        server.core.close_lesson(server.lesson)
        server.wait("closed", transport=here)
        classroom.wait("closed", transport=there)


def test_a_port_in_use_is_said_with_its_number_and_a_remedy() -> None:
    first = Core(addresses=["127.0.0.1"])
    with pytest.raises(OSError, match=rf"UDP port {first.port} cannot be opened, it is in use: stop the program"):
        Core(port=first.port)
    first.close()
    Core(port=first.port).close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"role": "both"}, 'role is "both", must be one of server, client'),
        ({"fingerprint": "AB:CD"}, "fingerprint must be 32 bytes"),
        ({"pwd": "short"}, "password has 22 to 256"),
        ({"profiles": ["NULL"]}, "profiles is"),
        ({"dtls": None}, "dtls is missing"),
        ({"ufrag": 7}, "ufrag:"),
        ({"role": "client"}, "needs the peer's candidates"),
        ({"local_ufrag": "abcd"}, "come together"),
    ],
)
def test_a_bad_transport_parameter_is_named(change: dict[str, object], words: str) -> None:
    with End() as end:
        good = {"ufrag": "abcd", "pwd": "a" * 24, "fingerprint": ":".join(["AB"] * 32), "dtls": "passive"}
        with pytest.raises(ValueError, match=words):
            end.core.open_transport(end.lesson, {**good, **change})  # type: ignore[typeddict-item]


def test_a_player_names_the_file_that_is_no_log(tmp_path: Path) -> None:
    bad = tmp_path / "slides.mp4"
    bad.write_bytes(b"ftyp" * 100)
    with End() as end, pytest.raises(ValueError, match=r"slides\.mp4: no RTP records"):
        end.core.add_player(end.lesson, [str(bad)], video("0", [{}]), 0)


def test_a_log_directory_has_one_writer(tmp_path: Path) -> None:
    with End(tmp_path / "log"), pytest.raises(OSError, match="another process writes this log"):
        End(tmp_path / "log")
