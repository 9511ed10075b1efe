"""The text of a case file: its records, line by line, and the names of its columns."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Container, Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

from consult.proforma.dataset import Dataset

MAX_FILE_BYTES: Final = 100_000_000

MAX_RECORD: Final = 100_000


class CaseFileRefused(Exception):
    """The file as a whole was not read, and nothing was written; the message says why and what to do."""


def read_text(content: bytes) -> str:
    """The text of a case file; CaseFileRefused if it is too large, holds NUL bytes or is not UTF-8."""
    if len(content) > MAX_FILE_BYTES:
        raise CaseFileRefused(f"The file is larger than {MAX_FILE_BYTES:,} bytes; split it into several files.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CaseFileRefused("The file is UTF-16; save it again as CSV in UTF-8.")
    if b"\0" in content:
        raise CaseFileRefused("The file holds NUL bytes and is no text; save it again as CSV in UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CaseFileRefused(f"Line {line} is not UTF-8; save the file again as CSV in UTF-8.") from error


class Record(Struct, frozen=True):
    """One record of a file: the line it begins on and its cells, or a sentence that says why they could not be read."""

    line: int
    cells: list[str]
    wrong: str = ""


def records(text: str, width: int = 0, free: Container[int] | None = None) -> Iterator[Record]:
    """The records of a text, each of `width` cells (0: of any number); lines without a word in them are passed over.

    Such are empty lines, and the rows of commas that a spreadsheet leaves where rows were cleared.

    A quotation mark that is never closed would swallow the rows after it. So a record over several lines that does not
    come out right, or has a line end elsewhere than in the columns `free` (all, if not given), is given up at its first
    line, and reading goes on with the next: no good row is lost with it.
    """
    lines = list(io.StringIO(text, newline="\n"))
    at = 0
    while at < len(lines):
        used = _extent(lines, at)
        cells, wrong = _cells("".join(lines[at : at + used])) if used else ([], UNCLOSED)
        if not wrong and width and cells and len(cells) != width:
            wrong = f"The row has {len(cells)} cells, not {width}; write one for each column of the first line."
        if used > 1 and (wrong or _strays(cells, free)):
            cells, wrong, used = [], UNCLOSED, 1
        if cells or wrong:
            yield Record(at + 1, cells, wrong)
        at += max(used, 1)


def _strays(cells: list[str], free: Container[int] | None) -> bool:
    return free is not None and any("\n" in cell for at, cell in enumerate(cells) if at not in free)


BEYOND: Final = "A cell to the right of the last column with a name holds something; remove it."

UNCLOSED: Final = "A quotation mark in this row is not closed or not doubled; correct it."


def _extent(lines: list[str], at: int) -> int:
    """How many lines a record takes: up to where its quotation marks are even; 0 if that never comes."""
    quotes = length = 0
    for used, line in enumerate(islice(lines, at, None), 1):
        quotes += line.count('"')
        length += len(line)
        if quotes % 2 == 0:
            return used
        if length > MAX_RECORD:
            break
    return 0


def _cells(record: str) -> tuple[list[str], str]:
    record = record.removesuffix("\n").removesuffix("\r")
    if len(record) > MAX_RECORD:
        return [], f"The row is longer than {MAX_RECORD:,} characters; shorten its free text."
    if not record.strip():
        return [], ""
    try:
        cells = next(csv.reader([record], strict=True))
        return (cells, "") if any(cell.strip() for cell in cells) else ([], "")
    except csv.Error as error:
        return [], UNCLOSED if '"' in record else f"The row can't be read as CSV ({error}); correct it."


def columns(header: Record | None, dataset: Dataset) -> list[str]:
    """The fields that the columns of a file hold; CaseFileRefused unless each field of the data set is there once."""
    if header is None:
        raise CaseFileRefused("The file is empty; its first line must hold the names of all fields.")
    if header.wrong:
        raise CaseFileRefused(f"The first line can't be read. {header.wrong}")
    names = _named(header)
    for mark, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            raise CaseFileRefused(f"The columns are separated by {called}; save the file again with commas.")
    wrong = _wrong_columns(names, [field.name for field in dataset.fields])
    if wrong:
        raise CaseFileRefused(
            f"The first line does not fit: {'; '.join(wrong)}. Start from a file made by cases export."
        )
    return names


def _named(header: Record) -> list[str]:
    """The names of the columns, without the blank ones that a spreadsheet adds to the right of them."""
    names = [cell.strip() for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    return names


def _wrong_columns(names: list[str], known: list[str]) -> list[str]:
    found = {
        "missing": [name for name in known if name not in names],
        "not known": [name or "(blank)" for name in names if name not in known],
        "twice": [name for name, n in Counter(names).items() if n > 1 and name in known],
    }
    return [f"{what}: {', '.join(those)}" for what, those in found.items() if those]
