"""What a saved paper is known by, and its words line by line: so that it can be made again and compared."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any, Final

from msgspec import Struct

from consult.record.timekeeping import stamp

BLOCKS: Final = {"tr", "p", "li", "h1", "h2", "h3", "caption", "svg", "text", "desc", "summary"}
LEFT_OUT: Final = {"nav", "style", "script", "head", "header"}
GEOMETRY: Final = {"x", "y", "cx", "cy", "r", "d", "x1", "x2", "y1", "y2", "points"}
META: Final = re.compile(r'<meta name="consult-paper" content="([^"]*)"')
IN_PDF: Final = re.compile(rb"<pdf:Keywords>([^<]*)</pdf:Keywords>")

MOST_UNPACKED: Final = 100_000_000
MOST_PARTS: Final = 5_000
PIECE: Final = 65_536
"""What an office file may hold once it is unpacked; a hundred times what one of ours does."""
PDF_SUBJECT: Final = re.compile(rb"<dc:description><rdf:Alt><rdf:li[^>]*>([^<]*)</rdf:li>")


class Key(Struct, frozen=True):
    """Which paper it is, of which round, site and person ("" for none), and when it was made."""

    paper: str
    round: str
    made: datetime
    site: str
    person: str


def key(paper: str, round_: str, made: datetime, site: str = "", person: str = "") -> str:
    """What a paper is known by, as it stands in the file."""
    known = {"paper": paper, "round": round_, "made": stamp(made), "site": site, "person": person}
    return json.dumps(known, separators=(",", ":"))


def key_of(content: bytes) -> Key | None:
    """What a saved file is known by; None where it is none of these papers."""
    try:
        known = json.loads(_key_text(content))
        made = datetime.fromisoformat(known.pop("made"))
        if any(not isinstance(value, str) for value in known.values()) or made.tzinfo is None:
            return None
        return Key(made=made, **known)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _key_text(content: bytes) -> str:
    if content.startswith(b"%PDF"):
        found = IN_PDF.search(content)
        return unescape(found[1].decode("utf-8", errors="replace")) if found else ""
    if content.startswith(b"PK"):
        return _office_key(content)
    held = META.search(content.decode("utf-8", errors="replace"))
    return unescape(held[1]) if held else ""


def pdf_subject(content: bytes) -> str:
    """What a PDF says that it is about, which is the head it was made at; "" where it says nothing."""
    found = PDF_SUBJECT.search(content)
    return unescape(found[1].decode("utf-8", errors="replace")) if found else ""


def form_of(content: bytes) -> str:
    """The kind of file: pdf, pptx, docx or html."""
    if content.startswith(b"%PDF"):
        return "pdf"
    if not content.startswith(b"PK"):
        return "html"
    return "pptx" if b"ppt/presentation.xml" in content else "docx"


def lines(content: bytes) -> list[str]:
    """The words of a page or an office file, a line for each row, paragraph and bar of a chart, in order."""
    form = form_of(content)
    if form == "html":
        reader = _Page()
        reader.feed(content.decode("utf-8", errors="replace"))
        return reader.found
    return list(_of_slides(content) if form == "pptx" else _of_document(content))


class _Page(HTMLParser):
    """Gathers the words of each block; of a drawing also where its marks stand."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._words: list[str] = []
        self._out = 0
        self._drawing = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LEFT_OUT:
            self._out += 1
        if tag in BLOCKS:
            self._end()
        self._drawing = self._drawing or tag == "svg"
        if self._drawing and not self._out:
            self._words += [f"{name}={value}" for name, value in attrs if name in GEOMETRY]

    def handle_endtag(self, tag: str) -> None:
        if tag in LEFT_OUT:
            self._out -= 1
        if tag in BLOCKS:
            self._end()
        if tag in ("td", "th"):
            self._words.append("|")
        if tag == "svg":
            self._drawing = False

    def handle_data(self, data: str) -> None:
        if not self._out:
            self._words.append(data)

    def _end(self) -> None:
        line = " ".join(" ".join(self._words).split()).strip("| ")
        self._words = []
        if line:
            self.found.append(line)


# ---------------------------------------------------------------- office files


class NotReadable(Exception):
    """The file can't be read as what it says it is."""


def _opened(content: bytes) -> Any:
    try:
        _check_unpacked(content)
        if form_of(content) == "pptx":
            from pptx import Presentation

            return Presentation(io.BytesIO(content))
        from docx import Document

        return Document(io.BytesIO(content))
    except Exception as error:  # whatever the library meets in a file that somebody else wrote
        raise NotReadable(type(error).__name__) from error


def _check_unpacked(content: bytes) -> None:
    """Refuse a file that would be too large unpacked, before the library unpacks any of it: NotReadable.

    Each part is then read piece by piece and let go, so that one which says less than it holds is refused too.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise NotReadable("it is larger than any file of ours")
        for part in parts:
            with packed.open(part) as pieces:
                while pieces.read(PIECE):
                    pass


def _office_key(content: bytes) -> str:
    try:
        return str(_opened(content).core_properties.keywords)
    except NotReadable:
        return ""


def _of_slides(content: bytes) -> Iterator[str]:
    for number, slide in enumerate(_opened(content).slides, 1):
        for shape in slide.shapes:
            if shape.has_text_frame:
                yield from (f"Slide {number}: {p.text}" for p in shape.text_frame.paragraphs if p.text)
            elif shape.has_chart:
                yield from (f"Slide {number}, chart: {line}" for line in _of_chart(shape.chart))
            elif shape.has_table:
                yield from (f"Slide {number}: {' | '.join(c.text for c in row.cells)}" for row in shape.table.rows)
        if slide.has_notes_slide:
            frame = slide.notes_slide.notes_text_frame
            yield from (f"Slide {number}, notes: {p.text}" for p in frame.paragraphs if p.text)


def _of_chart(chart: Any) -> Iterator[str]:
    from pptx.oxml.ns import qn

    categories = [str(category) for category in chart.plots[0].categories]
    for series in chart.plots[0].series:
        for category, value in zip(categories, series.values, strict=False):
            if value is not None:
                yield f"{category}: {value!r}, {series.name}"
        bars = series._element.findall(qn("c:errBars"))
        reach = [v.text for bar in bars for v in bar.iter(qn("c:v"))]
        if reach:
            yield f"{series.name}, intervals: {' '.join(reach)}"


def _of_document(content: bytes) -> Iterator[str]:
    document = _opened(content)
    yield from (p.text for p in document.paragraphs if p.text)
    for table in document.tables:
        yield from (" | ".join(cell.text for cell in row.cells) for row in table.rows)
    for section in document.sections:
        yield from (p.text for p in section.footer.paragraphs if p.text)
