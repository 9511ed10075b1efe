"""Papers as tagged PDF (PDF/UA-1), set by typst from data: no word of a paper is ever read as markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.resources import files
from threading import Lock
from typing import Any, Final, Literal

from msgspec import Struct

from consult.documents.leaflet import Format
from consult.documents.words import DRAFT

SIZES: Final[Mapping[str, tuple[str, int]]] = {
    "a4": ("a4", 12),
    "a5": ("a5", 12),
    "large": ("a4", 16),
    "giant": ("a4", 24),
}
"""Paper and size of the letters, in points, by format; nothing in the body is smaller."""

ROOM: Final = {"a4": 250_000, "a5": 110_000}
"""Half a page in square points: a framed section whose letters, each as a square, take more may not fit one page."""

STANDARD: Final = "ua-1"
_SPACES: Final = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
"""Controls, private characters, and marks that would turn words round."""
_NO_GLYPH: Final = "could not be displayed"


class NotSet(Exception):
    """No PDF was made; the message says why and what to do."""


class Run(Struct, frozen=True):
    """Words in one hand; `href` makes a link of them."""

    text: str
    strong: bool = False
    em: bool = False
    href: str = ""


Runs = tuple[Run, ...]


class Paragraph(Struct, frozen=True):
    """A paragraph; `indent` sets it in, in steps, and one to `keep` stays on the page of what follows it."""

    runs: Runs
    indent: int = 0
    keep: bool = False


class Heading(Struct, frozen=True):
    """A heading inside a section, below the section's own."""

    runs: Runs


class Listing(Struct, frozen=True):
    """A list, one item each."""

    items: tuple[Runs, ...]
    numbered: bool = False


class Facts(Struct, frozen=True):
    """Pairs of a name and what it is, such as "Employee" and who that is."""

    pairs: tuple[tuple[str, str], ...]


class Picture(Struct, frozen=True):
    """An SVG drawing with words for those who can't see it; `width` in mm, 0 for the usual one."""

    svg: str
    alt: str
    width: float = 0


class Beside(Struct, frozen=True):
    """A picture with its words beside it."""

    picture: Picture
    runs: Runs


class Table(Struct, frozen=True):
    """A table under its row of headings, which stands again on each page.

    `widths` are the shares of the columns, `numbers` the columns (from 0) set to the right. A table in `small` letters
    is for packs, whose tables are wide; leaflets and letters have none.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()
    numbers: tuple[int, ...] = ()
    small: bool = False


class Lines(Struct, frozen=True):
    """Empty lines to be written on, such as for a signature or a reflection: each begins with its words."""

    words: tuple[str, ...]


Piece = Paragraph | Heading | Listing | Facts | Picture | Beside | Table | Lines


class Section(Struct, frozen=True):
    """A part of a paper under its heading ("" for none).

    `kind` frames it: "key", "emergency", "today" or "soon". A framed one stays whole on one page where it fits one.
    """

    heading: str
    pieces: tuple[Piece, ...]
    kind: str = ""
    new_page: bool = False


class Sheet(Struct, frozen=True):
    """A paper: what it says, and how it is set.

    `foot` stands on each page before "Page n of m": id, version and date, or the step of the record it was made at.
    `above` stands above the title (whom it is for), `about` in small letters below the text, and beside it `code`, a QR
    code with its words; `key` and `subject` stand only among what the file says of itself. `language` is a tag such as
    "en-GB" or "he"; `dir` is "rtl" for a script read from right to left.
    """

    title: str
    sections: tuple[Section, ...]
    foot: str
    format: Format = "a4"
    language: str = "en-GB"
    dir: Literal["ltr", "rtl"] = "ltr"
    draft: bool = False
    above: str = ""
    about: str = ""
    code: Picture | None = None
    points: int = 0
    landscape: bool = False
    key: str = ""
    subject: str = ""


def pdf(sheet: Sheet) -> bytes:
    """The sheet as a tagged PDF; NotSet where it holds a character that none of the fonts has."""
    return _press.pdf(data_of(sheet))


def words(text: str) -> Runs:
    """Words as they are."""
    return (Run(text),)


def paragraph(text: str, before: str = "", indent: int = 0) -> Paragraph:
    """A paragraph of plain words, those `before` it in bold."""
    runs = (Run(before, strong=True), Run(" "), Run(text)) if before else words(text)
    return Paragraph(runs, indent)


def listing(lines: Iterable[str]) -> Listing:
    """A list of plain words."""
    return Listing(tuple(words(line) for line in lines))


def data_of(sheet: Sheet) -> str:
    """The JSON that paper.typ reads: each part under its kind, without what no paper shows."""
    paper, points = SIZES[sheet.format]
    language, _, region = sheet.language.partition("-")
    of_setting = {
        "paper": paper,
        "size": max(points, sheet.points),
        "lang": language,
        "region": region.upper() if len(region) == 2 else "GB" if language == "en" else "",
        "draft": DRAFT if sheet.draft else "",
    }
    plain = _plain(sheet) | of_setting
    for section in plain["sections"]:
        section["long"] = bool(section["kind"]) and _letters(section) * plain["size"] ** 2 > ROOM[paper]
    return json.dumps(plain, ensure_ascii=False)


def _letters(part: Any) -> int:
    if isinstance(part, str):
        return len(part)
    if isinstance(part, dict):
        return sum(map(_letters, part.values()))
    return sum(map(_letters, part)) if isinstance(part, list) else 0


def _plain(part: Any) -> Any:
    if isinstance(part, str):
        return _UNSEEN.sub("", _SPACES.sub(" ", part))
    if isinstance(part, tuple):
        return [_plain(one) for one in part]
    if isinstance(part, Struct):
        named = {name: _plain(getattr(part, name)) for name in part.__struct_fields__}
        return {"part": type(part).__name__.lower(), **named}
    return part


class _Press:
    """One compiler for the process: fonts are read once, and one paper is set at a time."""

    def __init__(self) -> None:
        self._lock = Lock()

    @cached_property
    def _compiler(self) -> Any:
        import typst  # seven MB of memory, once the first paper is set

        fonts = str(files("consult.documents").joinpath("fonts"))
        return typst.Compiler(font_paths=[fonts], ignore_system_fonts=True)

    @cached_property
    def _template(self) -> str:
        return files("consult.documents").joinpath("paper.typ").read_text("utf-8")

    def _source(self, data: str) -> bytes:
        """The template with its data before it, as one text in quotation marks, in which nothing but these ends it.

        What is given to typst apart from the text has it forget all that it has set before.
        """
        quoted = data.replace("\\", "\\\\").replace('"', '\\"')
        return f'#let d = json(bytes("{quoted}"))\n{self._template}'.encode()

    def pdf(self, data: str) -> bytes:
        from typst import TypstError

        with self._lock:
            try:
                made = self._compiler.compile(input=self._source(data), format="pdf", pdf_standards=[STANDARD])
            except TypstError as error:
                raise NotSet(_sentence(error.message)) from error
        if not isinstance(made, bytes):
            raise TypeError("one document was asked for")
        return made


_press: Final = _Press()


def _sentence(said: str) -> str:
    instead = "print the page from the browser instead"
    if _NO_GLYPH in said:
        return f"The text holds a character that the PDF's fonts don't have; {instead}, or write it in another way."
    return f"The PDF could not be made ({said}); {instead}."
