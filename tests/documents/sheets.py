"""Reads back the PDFs that tests make: their words, tags, fonts and letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

HEBREW = """+++
id = "invented-test"
title = "טקסט בדיקה מומצא"
version = "0.1"
language = "he"
dir = "rtl"
owner = "Nobody: an invented text for a test"
status = "draft"
approved_by = ""
approved_on = ""
review_by = 2027-11-01
sources = ["Invented: https://example.org/"]
formats = ["a4", "a5", "large", "giant"]
translation_of = "back-pain-core/en"
source_digest = "{digest}"
translator = "Nobody: an invented text for a test"
+++
זה טקסט מומצא לבדיקה בלבד.

## כותרת מומצאת {{.emergency}}

- שורה ראשונה
- שורה שנייה עם 999
"""
"""An invented leaflet in a script read from right to left."""


def read(made: bytes) -> PdfReader:
    return PdfReader(BytesIO(made))


@dataclass(frozen=True)
class Letter:
    """A letter as it stands on a page; `size` and places in points from the lower left corner."""

    text: str
    size: float
    left: float
    right: float


def page_texts(made: bytes) -> list[str]:
    """The words of each page, spaces and line ends made one."""
    with closing(pdfium.PdfDocument(made)) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def words(made: bytes) -> str:
    """All words of all pages."""
    return " ".join(page_texts(made))


def letters(made: bytes) -> list[list[Letter]]:
    """The letters of each page, in the order of the file."""
    with closing(pdfium.PdfDocument(made)) as document:
        return [list(_letters(page.get_textpage())) for page in document]


def _letters(page: Any) -> Iterator[Letter]:
    for n in range(page.count_chars()):
        left, _, right, _ = page.get_charbox(n)
        if (text := page.get_text_range(n, 1)).strip():
            yield Letter(text, round(raw.FPDFText_GetFontSize(page.raw, n), 1), left, right)


def bare(text: str) -> str:
    """Without any space, as where lines break is no part of the text."""
    return "".join(text.split())


def tags(made: bytes) -> list[str]:
    """The kinds of the structure elements, in reading order."""
    return [str(e["/S"]) for e in elements(read(made).trailer["/Root"]["/StructTreeRoot"]) if "/S" in e]


def elements(node: Any) -> Iterator[DictionaryObject]:
    found = node.get_object()
    if isinstance(found, list):
        for one in found:
            yield from elements(one)
    elif isinstance(found, DictionaryObject):
        yield found
        if "/K" in found:
            yield from elements(found["/K"])


def fonts(made: bytes) -> dict[str, bool]:
    """The fonts of all pages, and whether each is embedded."""
    found = {}
    for page in read(made).pages:
        for font in page["/Resources"].get_object()["/Font"].values():
            held = font.get_object()
            (descendant,) = held["/DescendantFonts"]
            descriptor = descendant.get_object()["/FontDescriptor"].get_object()
            found[str(held["/BaseFont"]).partition("+")[2]] = any(f"/FontFile{n}" in descriptor for n in ("", 2, 3))
    return found
