"""Reads back the workbooks that tests make, without the library that wrote them."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(content: bytes) -> dict[str, list[dict[str, str]]]:
    """The rows of each sheet by the names of its columns, each value as text; no cell may hold a formula."""
    book = zipfile.ZipFile(io.BytesIO(content))
    shared = ["".join(t.text or "" for t in item.iter(f"{MAIN}t")) for item in _xml(book, "xl/sharedStrings.xml")]
    found = {}
    for at, sheet in enumerate(_xml(book, "xl/workbook.xml").iter(f"{MAIN}sheet"), 1):
        page = _xml(book, f"xl/worksheets/sheet{at}.xml")
        assert not list(page.iter(f"{MAIN}f"))
        rows = [{_letters(c.get("r", "")): _text(c, shared) for c in row} for row in page.iter(f"{MAIN}row")]
        found[sheet.get("name", "")] = [{rows[0][k]: v for k, v in row.items()} for row in rows[1:]]
    return found


def _xml(book: zipfile.ZipFile, name: str) -> Element:
    return ElementTree.fromstring(book.read(name))  # noqa: S314 - our own file


def _letters(ref: str) -> str:
    return ref.rstrip("0123456789")


def _text(cell: Element, shared: list[str]) -> str:
    value = cell.find(f"{MAIN}v")
    if value is None:
        return ""
    return shared[int(value.text or "")] if cell.get("t") == "s" else value.text or ""
