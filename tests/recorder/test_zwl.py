"""The RTP log: what is written is read, and damage never goes further than its own place."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.zwl import (
    MAGIC,
    Kind,
    LogCodec,
    Record,
    SenderReport,
    TrackHeader,
    ZwlReader,
    ZwlWriter,
    encode,
)

records = st.lists(
    st.builds(
        Record,
        kind=st.integers(0, 255),
        track=st.integers(0, 65535),
        arrival_us=st.integers(0, 2**64 - 1),
        body=st.binary(max_size=200),
    ),
    max_size=20,
)


def as_bytes(values: list[Record]) -> bytes:
    return MAGIC + b"".join(encode(r.kind, r.track, r.arrival_us, r.body) for r in values)


@given(values=records)
def test_a_reader_returns_what_was_written(values: list[Record]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zwl"
        path.write_bytes(as_bytes(values))
        reader = ZwlReader(path)
        assert list(reader.read()) == values
        assert not reader.damaged()


@given(values=records, data=st.data())
def test_a_growing_file_is_followed_from_any_cut(values: list[Record], data: st.DataObject) -> None:
    whole = as_bytes(values)
    cut = data.draw(st.integers(0, len(whole)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zwl"
        path.write_bytes(whole[:cut])
        reader = ZwlReader(path)
        first = list(reader.read())
        assert first == values[: len(first)]
        path.write_bytes(whole)
        resumed = ZwlReader(path, reader.offset)
        assert first + list(resumed.read()) == values


@given(values=records.filter(bool), data=st.data())
def test_a_damaged_byte_loses_only_what_follows(values: list[Record], data: st.DataObject) -> None:
    whole = bytearray(as_bytes(values))
    place = data.draw(st.integers(len(MAGIC), len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    intact, end = 0, len(MAGIC)
    for value in values:
        end += len(encode(value.kind, value.track, value.arrival_us, value.body))
        if end > place:
            break
        intact += 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zwl"
        path.write_bytes(bytes(whole))
        reader = ZwlReader(path)
        assert list(reader.read()) == values[:intact]
        assert reader.damaged()


def test_a_file_of_something_else_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "a.zwl"
    path.write_bytes(b"RIFF" + bytes(100))
    assert list(ZwlReader(path).read()) == []


def test_the_writer_makes_typed_records(tmp_path: Path) -> None:
    header = TrackHeader("camera", "李老师", "video", (LogCodec(96, "VP8", 90000),), 7)
    report = SenderReport(7, 0xE000_0000_8000_0000, 90)
    with ZwlWriter(tmp_path / "a.zwl", 3, header, 5) as writer:
        writer.rtp(6, b"\x80packet")
        writer.sender_report(7, report)
        writer.dropped(8, 2)
        writer.end(9, "closed")
    read = list(ZwlReader(tmp_path / "a.zwl").read())
    assert [r.kind for r in read] == [
        Kind.TRACK,
        Kind.RTP,
        Kind.SR,
        Kind.DROPPED,
        Kind.END,
    ]
    assert TrackHeader.parse(read[0].body) == header
    assert SenderReport.parse(read[2].body) == report
    assert {r.track for r in read} == {3}


@given(body=st.binary(max_size=60))
def test_garbage_in_a_known_record_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="TRACK"):
        TrackHeader.parse(b"{" + body)
    if len(body) != 16:
        with pytest.raises(ValueError, match="SR"):
            SenderReport.parse(body)
