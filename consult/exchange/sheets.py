"""Tables as files: CSV and workbooks that no spreadsheet runs anything of.

A cell that a spreadsheet would run as a formula (it begins with = + - @, a tab or a line end) is written with an
apostrophe before it, and a cell that already looks so guarded gets one more; reading takes exactly one away. A NUL
character, which cuts a text short in many programs, is written as U+2400 and 0, and U+2400 itself twice. A workbook
holds the same guarded text, in cells that are text: it stays harmless when somebody saves it as CSV.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

Cell = str | int | float | None
NUL_SIGN: Final = "\u2400"
MOST_ROWS: Final = 1_048_575
"""Rows of a worksheet below its header."""
MOST_CHARACTERS: Final = 32_767
"""Characters of a cell of a worksheet."""
NOTHING_RUNS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

_RUNS: Final = r"[=+\-@\t\r\n＝＋－＠]"
_TO_GUARD: Final = re.compile(rf"'*{_RUNS}")
_GUARDED: Final = re.compile(rf"'+{_RUNS}")
_RUNS_IF_PARTED: Final = re.compile(rf"[;\t]['\s]*{_RUNS}")
"""What would be run where a program parts cells at semicolons and tabs too, as some spreadsheets can."""


class SheetRefused(Exception):
    """A table does not fit in a workbook; the message says why and what to do."""


class Sheet(Struct, frozen=True):
    """One table: its name, the names of its columns, and its rows."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def guarded(cell: str) -> str:
    """A text as it is written: with an apostrophe before it where a spreadsheet would run it, and without NUL."""
    if "\0" in cell or NUL_SIGN in cell:
        cell = cell.replace(NUL_SIGN, NUL_SIGN * 2).replace("\0", f"{NUL_SIGN}0")
    return f"'{cell}" if _TO_GUARD.match(cell) else cell


def unguarded(cell: str) -> str:
    """A text as it was before `guarded`."""
    cell = cell[1:] if _GUARDED.match(cell) else cell
    if NUL_SIGN in cell:
        return re.sub(f"{NUL_SIGN}([{NUL_SIGN}0])", lambda found: "\0" if found[1] == "0" else NUL_SIGN, cell)
    return cell


def csv_records(sheet: Sheet) -> Iterator[str]:
    """The records of a table as CSV (UTF-8 when encoded, RFC 4180), header first; None is a blank."""
    yield _record(sheet.header)
    for row in sheet.rows:
        yield _record(row)


def _record(cells: Sequence[Cell]) -> str:
    line = io.StringIO(newline="")
    written = [guarded(cell) if isinstance(cell, str) else cell for cell in cells]
    parted = any(isinstance(cell, str) and _RUNS_IF_PARTED.search(cell) for cell in written)
    quoted = csv.writer(line, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC if parted else csv.QUOTE_MINIMAL)
    quoted.writerow(written)
    return line.getvalue()


def workbook(sheets: Iterable[Sheet], made: datetime, about: str = "") -> bytes:
    """A workbook (xlsx) of some tables: text as text, numbers as numbers, no formula and no link; None is a blank.

    `about` stands among its properties.

    SheetRefused if a text or a table is larger than a worksheet holds: nothing is ever cut short. A number keeps 16
    digits, as Excel does.
    """
    stream = io.BytesIO()
    import xlsxwriter  # a server that writes no workbook does without

    with xlsxwriter.Workbook(stream, {**NOTHING_RUNS, "in_memory": True}) as book:
        book.set_properties({"created": made.replace(tzinfo=None), "comments": about})
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"num_format": "@", "bold": True})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.freeze_panes(1, 0)
            _write_row(page, 0, sheet.header, bold)
            for at, row in enumerate(sheet.rows, 1):
                _write_row(page, at, row, text)
    return stream.getvalue()


def _write_row(page: Any, at: int, cells: Sequence[Cell], text: Any) -> None:
    if at > MOST_ROWS:
        raise SheetRefused(f"There are more than {MOST_ROWS:,} rows, which no worksheet holds; choose CSV.")
    for column, cell in enumerate(cells):
        if isinstance(cell, str):
            written = guarded(cell)
            if len(written) > MOST_CHARACTERS:
                raise SheetRefused(
                    f"Row {at} has a text of more than {MOST_CHARACTERS:,} characters, which no worksheet holds; "
                    "choose CSV."
                )
            page.write_string(at, column, written, text)
        elif cell is not None:
            page.write_number(at, column, cell)
