"""Tables that we give: templates to fill in as XLSX, lists to keep as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would take the rest for a formula


def xlsx_template(
    title: str, headings: Sequence[str], examples: Sequence[Sequence[str]], notes: Sequence[str]
) -> bytes:
    """A workbook with a header and examples on its first sheet and remarks on its second."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = title
    for row in (headings, *examples):
        sheet.append(list(row))
    for index in range(1, len(headings) + 1):
        sheet.cell(1, index).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(index)].width = 18
    sheet.freeze_panes = "A2"
    remarks = workbook.create_sheet("说明 Notes")
    remarks.column_dimensions["A"].width = 100
    for note in notes:
        remarks.append([note])
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def csv_list(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A CSV file that spreadsheets open in the right encoding and in which nothing is a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([f"'{cell}" if cell.startswith(RISKY) else cell for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()
