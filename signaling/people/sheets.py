"""Tables that people bring: XLSX or CSV in, rows of text with their places out; every fault has its cell."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 10_000
MAX_COLUMNS = 64
MAX_CELL = 200  # characters
HEADER_WITHIN = 10  # rows: a title and remarks may stand above


@dataclass(frozen=True)
class RowError:
    """One fault; `row` 0: the whole file, `column` "": the whole row. The details are for people."""

    row: int
    column: str
    code: str
    detail_zh: str
    detail_en: str

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class SheetRefused(Exception):
    """The table cannot be used; `errors` says where and why."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__("; ".join(f"{e.column}{e.row}: {e.detail_en}" for e in errors[:5]))
        self.errors = tuple(errors)


@dataclass(frozen=True)
class Column:
    """A column that is known; the first name is the one that templates show, any of them finds it."""

    field: str
    names: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True)
class Row:
    """One row below the header: texts by field, "" where nothing stands; `number` as the spreadsheet counts."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.cells[field]


@dataclass(frozen=True)
class Table:
    """The rows that hold something, and in which column (A, B, …) each field stands."""

    rows: tuple[Row, ...]
    columns: Mapping[str, str]

    def error(self, row: Row, field: str, code: str, detail_zh: str, detail_en: str) -> RowError:
        """A fault in one cell, or with an empty `field` in one row."""
        return RowError(row.number, self.columns.get(field, ""), code, detail_zh, detail_en)


Grid = list[list[str]]  # texts by row and column, from the first on


def read_table(data: bytes, columns: Sequence[Column]) -> Table:
    """The table in a file; raises `SheetRefused`. It takes its time: call it in a thread."""
    from signaling.people.sheet_files import read_grid

    return table_of(read_grid(data), columns)


def table_of(grid: Grid, columns: Sequence[Column]) -> Table:
    """Rows by field; the header is found by its names. Raises `SheetRefused`."""
    header, places = _header(grid, columns)
    letters = {field: letter(index) for field, index in places.items()}
    rows: list[Row] = []
    errors: list[RowError] = []
    for number, cells in enumerate(grid[header + 1 :], start=header + 2):
        texts = {c.field: _cell(cells, places.get(c.field)) for c in columns}
        if any(texts.values()):
            rows.append(Row(number, texts))
        for field, text in texts.items():
            if len(text) > MAX_CELL:
                errors.append(
                    RowError(
                        number, letters[field], "too_long",
                        f"文字太长：最多 {MAX_CELL} 个字", f"the text is too long: at most {MAX_CELL} characters",
                    )
                )  # fmt: skip
    if not rows:
        errors.append(RowError(0, "", "empty", "表头下面没有内容", "there is nothing below the header"))
    if errors:
        raise SheetRefused(errors)
    return Table(tuple(rows), letters)


def letter(index: int) -> str:
    """A column as spreadsheets call it: 0 is A, 26 is AA."""
    name = ""
    while index >= 0:
        index, rest = divmod(index, 26)
        name, index = chr(ord("A") + rest) + name, index - 1
    return name


def refuse(code: str, detail_zh: str, detail_en: str) -> SheetRefused:
    """A fault of the whole file."""
    return SheetRefused([RowError(0, "", code, detail_zh, detail_en)])


def _header(grid: Grid, columns: Sequence[Column]) -> tuple[int, dict[str, int]]:
    known = {_plain(name): c.field for c in columns for name in c.names}
    hits = [sum(1 for text in row if _plain(text) in known) for row in grid[:HEADER_WITHIN]]
    wanted = "、".join(c.names[0] for c in columns if c.required)
    wanted_en = ", ".join(c.names[-1] for c in columns if c.required)
    if not hits or max(hits) < min(2, len(columns)):
        raise refuse(
            "no_header",
            f"找不到表头：前 {HEADER_WITHIN} 行里要有一行写着 {wanted}",
            f"there is no header: one of the first {HEADER_WITHIN} rows must name {wanted_en}",
        )
    header = hits.index(max(hits))
    errors: list[RowError] = []
    places: dict[str, int] = {}
    for index, text in enumerate(grid[header]):
        field = known.get(_plain(text))
        if field is not None and field not in places:
            places[field] = index
        elif text:
            code, zh, en = (
                ("unknown_column", f"不认识的列“{text[:40]}”：请删除", f"unknown column “{text[:40]}”: remove it")
                if field is None
                else ("double_column", f"列“{text[:40]}”出现了两次", f"column “{text[:40]}” stands twice")
            )
            errors.append(RowError(header + 1, letter(index), code, zh, en))
    for column in columns:
        if column.required and column.field not in places:
            zh, en = f"缺少列“{column.names[0]}”", f"column “{column.names[-1]}” is missing"
            errors.append(RowError(header + 1, "", "missing_column", zh, en))
    if errors:
        raise SheetRefused(errors)
    return header, places


def _cell(cells: Sequence[str], index: int | None) -> str:
    return cells[index] if index is not None and index < len(cells) else ""


def _plain(text: str) -> str:
    """A name without what makes no difference: case, width, spaces, the star of a required column."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split()).strip("*")
