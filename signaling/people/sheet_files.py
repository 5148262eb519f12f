"""Files that hold a table: XLSX (ECMA-376) and CSV (RFC 4180) to a grid of texts, bounded in every direction."""

from __future__ import annotations

import csv
import datetime
import io
import unicodedata
import warnings
import zipfile
import zlib

from openpyxl import load_workbook

from signaling.people.sheets import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    Grid,
    RowError,
    SheetRefused,
    letter,
    refuse,
)

MAX_UNPACKED = 16 * 1024 * 1024
MAX_PARTS = 500
ZIP_BEGINS = b"PK\x03\x04"
OLD_OFFICE_BEGINS = b"\xd0\xcf\x11\xe0"
BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
DELIMITERS = (",", ";", "\t")


def read_grid(data: bytes) -> Grid:
    """The first sheet's texts; raises `SheetRefused`."""
    if len(data) > MAX_BYTES:
        raise refuse("too_big", "文件太大：最多 2 MB", "the file is too big: at most 2 MB")
    if data.startswith(OLD_OFFICE_BEGINS):
        raise refuse(
            "old_excel",
            "这是旧版 .xls 或加了密码的文件：请另存为不带密码的 .xlsx",
            "this is an old .xls file, or it has a password: save it as .xlsx without one",
        )
    return _xlsx(data) if data.startswith(ZIP_BEGINS) else _csv(data)


def _xlsx(data: bytes) -> Grid:
    _check_archive(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and other things that we do not read
            workbook = load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
        sheet = workbook.worksheets[0]
        merged = [str(found) for found in sheet.merged_cells.ranges]
        too_long, too_wide = sheet.max_row > MAX_ROWS, sheet.max_column > MAX_COLUMNS
    except Exception as error:  # hostile parts make the reader fail in any way; all mean the same to people
        raise _damaged() from error
    if merged:
        raise SheetRefused([_merged(name) for name in sorted(merged)])
    _check_size(too_long, too_wide)
    return [[_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]


def _check_archive(data: bytes) -> None:
    """What unpacks to much, or brings definitions of its own, is not opened at all."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise refuse("too_big", "文件解压后太大", "the file is too big when it is unpacked")
            # A part never yields more than its announced size; entities would multiply it afterwards.
            for part in parts:
                if part.filename.endswith((".xml", ".rels")) and b"<!" in archive.read(part).replace(b"<!--", b""):
                    raise _damaged()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise _damaged() from error


def _merged(name: str) -> RowError:
    first = name.split(":")[0]
    column, row = first.rstrip("0123456789"), first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    zh = f"{name} 是合并单元格：请取消合并，每一行都填完整"
    return RowError(int(row), column, "merged_cells", zh, f"{name} is merged: split it and fill every row")


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer():
            return str(int(value))
        case datetime.datetime() if value.time() == datetime.time():
            return f"{value:%Y-%m-%d}"
        case datetime.datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case datetime.date():
            return f"{value:%Y-%m-%d}"
        case datetime.time():
            return f"{value:%H:%M}"
        case datetime.timedelta():
            minutes = round(value.total_seconds() / 60)
            return f"{minutes // 60:02}:{minutes % 60:02}"
        case _:
            return _one_line(str(value))


def _csv(data: bytes) -> Grid:
    text = _decode(data)
    # The first line with any of them is the header; further down a cell may list several classes with semicolons.
    first = next((line for line in text.splitlines() if any(sign in line for sign in DELIMITERS)), "")
    delimiter = max(DELIMITERS, key=first.count)
    grid: Grid = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            grid.append([_one_line(cell) for cell in cells])
            if len(grid) > MAX_ROWS or len(cells) > MAX_COLUMNS:
                break
    except csv.Error as error:
        zh, en = "引号不成对，或不是 CSV 文件", "a quotation mark is not closed, or this is no CSV file"
        raise SheetRefused([RowError(len(grid) + 1, "", "bad_csv", zh, en)]) from error
    _check_size(len(grid) > MAX_ROWS, any(len(cells) > MAX_COLUMNS for cells in grid))
    return grid


def _decode(data: bytes) -> str:
    named = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), None)
    for encoding in (named,) if named else ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Another encoding read as GB18030 yields characters that no roster has.
        if not any(unicodedata.category(sign) in ("Cc", "Cn", "Co") and sign not in "\r\n\t" for sign in text):
            return text
    raise refuse(
        "encoding",
        "认不出文字编码：请另存为 .xlsx，或“CSV UTF-8”",
        "the encoding is not known: save the file as .xlsx, or as “CSV UTF-8”",
    )


def _check_size(too_long: bool, too_wide: bool) -> None:
    if too_long:
        zh, en = f"行数太多：最多 {MAX_ROWS} 行", f"too many rows: at most {MAX_ROWS}"
        raise SheetRefused([RowError(MAX_ROWS + 1, "", "too_many_rows", zh, en)])
    if too_wide:
        zh, en = f"列数太多：最多 {MAX_COLUMNS} 列", f"too many columns: at most {MAX_COLUMNS}"
        raise SheetRefused([RowError(1, letter(MAX_COLUMNS), "too_many_columns", zh, en)])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _damaged() -> SheetRefused:
    return refuse(
        "damaged",
        "文件打不开：它已损坏，或不是 .xlsx 或 .csv",
        "the file cannot be opened: it is damaged, or neither .xlsx nor .csv",
    )
