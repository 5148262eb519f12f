"""Sheets as people make them: every fault is named by its row and column, and nothing is guessed."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from signaling.people.sheet_files import MAX_UNPACKED
from signaling.people.sheet_templates import csv_list, xlsx_template
from signaling.people.sheets import MAX_BYTES, MAX_ROWS, Column, SheetRefused, Table, letter, read_table

COLUMNS = (
    Column("school", ("学校", "school")),
    Column("name", ("姓名", "name")),
    Column("login", ("账号", "login"), required=False),
)
HEADER = ["学校", "姓名", "账号"]
ROWS = [["石门小学", "张伟", "zhangwei"], ["枫林小学", "李娜", ""]]


def xlsx(rows: Sequence[Sequence[object]], change: Callable[[Workbook], None] = lambda _: None) -> bytes:
    """A workbook of these rows."""
    workbook = Workbook()
    for row in rows:
        workbook.worksheets[0].append(list(row))
    change(workbook)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def text(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    """The same as CSV."""
    return "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"


def plain(table: Table) -> list[tuple[int, str, str, str]]:
    return [(row.number, row["school"], row["name"], row["login"]) for row in table.rows]


def faults(data: bytes) -> list[tuple[int, str, str]]:
    """Row, column and code of everything that is wrong."""
    with pytest.raises(SheetRefused) as refused:
        read_table(data, COLUMNS)
    assert all(e.detail_zh and e.detail_en for e in refused.value.errors)
    return [(e.row, e.column, e.code) for e in refused.value.errors]


GOOD = [(2, "石门小学", "张伟", "zhangwei"), (3, "枫林小学", "李娜", "")]


@pytest.mark.parametrize(
    "data",
    [
        xlsx([HEADER, *ROWS]),
        text([HEADER, *ROWS]).encode(),
        text([HEADER, *ROWS]).encode("utf-8-sig"),
        text([HEADER, *ROWS]).encode("utf-16"),
        b"\xfe\xff" + text([HEADER, *ROWS]).encode("utf-16-be"),
        text([HEADER, *ROWS]).encode("gb18030"),
        text([HEADER, *ROWS], ";").encode(),
        text([HEADER, *ROWS], "\t").encode("gb18030"),
        text([["School", " NAME *", "Ｌｏｇｉｎ"], *ROWS]).encode(),
    ],
    ids=["xlsx", "utf-8", "bom", "utf-16-le", "utf-16-be", "gb18030", "semicolons", "tabs", "english"],
)
def test_what_a_spreadsheet_saves_is_read(data: bytes) -> None:
    table = read_table(data, COLUMNS)
    assert plain(table) == GOOD
    assert table.columns == {"school": "A", "name": "B", "login": "C"}


def test_a_title_above_the_header_and_empty_rows_keep_the_spreadsheets_row_numbers() -> None:
    rows = [["2026 秋季花名册"], [], ["姓名", "学校"], [], ["张伟", "石门小学"]]
    for data in (xlsx(rows), text(rows).encode()):
        table = read_table(data, COLUMNS)
        assert plain(table) == [(5, "石门小学", "张伟", "")] and table.columns["name"] == "A"


def test_numbers_times_and_dates_become_the_text_that_people_see() -> None:
    cells = [12, 3.0, datetime.time(8, 5), datetime.datetime(2026, 9, 1), datetime.timedelta(hours=14, minutes=30)]
    table = read_table(xlsx([HEADER, *[[cell, "x"] for cell in cells]]), COLUMNS)
    assert [row["school"] for row in table.rows] == ["12", "3", "08:05", "2026-09-01", "14:30"]


def test_a_cell_with_semicolons_is_one_cell() -> None:
    rows = [["花名册"], HEADER, ["a;b;c;d;e;f", "张伟", "x"]]
    assert plain(read_table(text(rows).encode(), COLUMNS)) == [(3, "a;b;c;d;e;f", "张伟", "x")]


def test_wrong_columns_are_named() -> None:
    assert faults(text([["学校", "账号", "电话", "学校"], ["a", "b", "c", "d"]]).encode()) == [
        (1, "C", "unknown_column"),
        (1, "D", "double_column"),
        (1, "", "missing_column"),
    ]
    assert faults(text([["甲", "乙"], ["a", "b"]]).encode()) == [(0, "", "no_header")]
    assert faults(b"") == [(0, "", "no_header")]
    assert faults(text([HEADER]).encode()) == [(0, "", "empty")]


def test_merged_cells_are_named_by_their_range() -> None:
    def merge(workbook: Workbook) -> None:
        workbook.worksheets[0].merge_cells("A2:A3")

    assert faults(xlsx([HEADER, *ROWS], merge)) == [(2, "A", "merged_cells")]
    with pytest.raises(SheetRefused, match="A2:A3"):
        read_table(xlsx([HEADER, *ROWS], merge), COLUMNS)


def test_only_the_first_sheet_counts() -> None:
    def remarks(workbook: Workbook) -> None:
        workbook.create_sheet("说明").merge_cells("A1:C9")

    assert plain(read_table(xlsx([HEADER, *ROWS], remarks), COLUMNS)) == GOOD


@pytest.mark.parametrize("encoding", ["shift-jis", "euc-kr", "utf-32"])
def test_an_encoding_that_is_not_known_is_said(encoding: str) -> None:
    words = {"shift-jis": "ｶﾅ,名前ー\r\n", "euc-kr": "학교,이름똠\r\n", "utf-32": "学校,姓名\r\n"}
    assert faults(words[encoding].encode(encoding, "ignore") * 3)[0][2] in ("encoding", "no_header")


def test_bytes_that_are_no_text_are_refused_as_an_encoding() -> None:
    assert faults(bytes(range(256))) == [(0, "", "encoding")]


def test_an_open_quotation_mark_is_found_in_its_row() -> None:
    assert faults(text([HEADER, *ROWS]).encode() + b'"abc,x\r\n') == [(4, "", "bad_csv")]


def test_sizes_are_bounded_before_anything_is_unpacked() -> None:
    assert faults(b"x" * (MAX_BYTES + 1)) == [(0, "", "too_big")]
    assert faults(text([HEADER, *[["a", "b", "c"]] * MAX_ROWS]).encode()) == [(MAX_ROWS + 1, "", "too_many_rows")]
    assert faults(text([["学校", "姓名", *["x"] * 70]]).encode()) == [(1, "BM", "too_many_columns")]
    assert faults(text([HEADER, ["a" * 300, "b", "c"]]).encode()) == [(2, "A", "too_long")]


def test_a_zip_bomb_is_not_opened() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (MAX_UNPACKED + 1))
    assert len(file.getvalue()) < 100_000
    assert faults(file.getvalue()) == [(0, "", "too_big")]


def test_a_cell_at_the_end_of_the_world_costs_nothing() -> None:
    def far_away(workbook: Workbook) -> None:
        workbook.worksheets[0]["XFD1048576"] = "x"

    assert faults(xlsx([HEADER, *ROWS], far_away)) == [(MAX_ROWS + 1, "", "too_many_rows")]


def test_entities_and_damaged_files_are_refused() -> None:
    good = xlsx([HEADER, *ROWS])
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename.endswith("sheet1.xml"):
                content = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + content
            new.writestr(part.filename, content)
    assert faults(file.getvalue()) == [(0, "", "damaged")]
    assert faults(good[: len(good) // 2]) == [(0, "", "damaged")]
    assert faults(b"PK\x03\x04" + b"\0" * 100) == [(0, "", "damaged")]
    assert faults(b"\xd0\xcf\x11\xe0" + b"\0" * 100) == [(0, "", "old_excel")]
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    assert faults(empty.getvalue()) == [(0, "", "damaged")]


@given(st.binary(max_size=400), st.integers(0, 200))
def test_no_bytes_raise_anything_but_a_refusal(noise: bytes, at: int) -> None:
    good = xlsx([HEADER, *ROWS])
    for data in (noise, b"PK\x03\x04" + noise, good[: at * 20] + noise + good[at * 20 + len(noise) :]):
        try:
            read_table(data, COLUMNS)
        except SheetRefused:
            continue


def test_columns_are_called_as_spreadsheets_call_them() -> None:
    assert [letter(i) for i in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_our_own_templates_and_lists_can_be_read_back() -> None:
    assert plain(read_table(xlsx_template("花名册", HEADER, ROWS, ["每行一人"]), COLUMNS)) == GOOD
    assert plain(read_table(csv_list(HEADER, ROWS), COLUMNS)) == GOOD


def test_a_name_never_becomes_a_formula_in_a_list_of_ours() -> None:
    table = read_table(csv_list(HEADER, [["=1+1", "@x", "ok"]]), COLUMNS)
    assert plain(table) == [(2, "'=1+1", "'@x", "ok")]
