"""A leaflet as tagged PDF: its clean HTML read into the parts of a sheet, and each print made once by content."""

from __future__ import annotations

from functools import lru_cache
from html.parser import HTMLParser

from msgspec import Struct
from msgspec.structs import replace

from consult.documents.leaflet import Format, Leaflet
from consult.documents.leaflet_text import picture_address
from consult.documents.pdf import (
    Beside,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Piece,
    Run,
    Runs,
    Section,
    Sheet,
    pdf,
)
from consult.documents.words import uk_date

EASY_READ_POINTS = 16
KEPT = 64
"""How many prints are kept in memory; a leaflet names nobody."""


class Look(Struct, frozen=True):
    """How a leaflet is printed: its format, the day, whether it is a draft here, the code, and of what it is a reprint.

    All of it is the key under which the print is kept, with the leaflet's digest.
    """

    format: Format
    printed_on: str
    draft: bool
    approved_by: str = ""
    code: Picture | None = None
    reprint: str = ""


def leaflet_pdf(leaflet: Leaflet, look: Look) -> bytes:
    """A leaflet as PDF, made once for each digest and look."""
    return _made(_Printed(leaflet.digest, look, leaflet))


class _Printed:
    """A key that bears what it is the key of: two of one digest and look are one."""

    def __init__(self, digest: str, look: Look, leaflet: Leaflet) -> None:
        self.known, self.leaflet = (digest, look), leaflet

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Printed) and other.known == self.known

    def __hash__(self) -> int:
        return hash(self.known)


@lru_cache(maxsize=KEPT)
def _made(printed: _Printed) -> bytes:
    return pdf(leaflet_sheet(printed.leaflet, printed.known[1]))


def leaflet_sheet(leaflet: Leaflet, look: Look) -> Sheet:
    """The leaflet as a sheet, with the same words as its page."""
    return Sheet(
        leaflet.title,
        _sections(leaflet.html, tuple(leaflet.pictures.values())),
        foot_of(leaflet, look.printed_on),
        look.format,
        leaflet.language,
        leaflet.dir,
        look.draft,
        look.reprint,
        about_of(leaflet, "" if look.draft else look.approved_by),
        look.code,
        EASY_READ_POINTS if leaflet.easy_read else 0,
    )


@lru_cache(maxsize=KEPT)
def _sections(html: str, pictures: tuple[str, ...]) -> tuple[Section, ...]:
    """The sections of a leaflet, each picture beside its words; read once for each text, whatever day and format."""
    reader = _Reader(pictures)
    reader.feed(html)
    reader.close()
    reader.end_section()
    return tuple(
        replace(s, kind="" if s.kind == "steps" else s.kind, pieces=_side_by_side(s.pieces)) for s in reader.sections
    )


def foot_of(leaflet: Leaflet, printed_on: str) -> str:
    """What stands at the foot of each page."""
    parts = (leaflet.id, f"version {leaflet.version}", printed_on)
    return " · ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def about_of(leaflet: Leaflet, approved_by: str) -> str:
    """The line below the text: what it is, who keeps it, until when it stands, who approved it."""
    approved = f" Approved by {approved_by}." if approved_by else ""
    return (
        f"{leaflet.id}, version {leaflet.version}. Owner: {leaflet.owner}. Review by {uk_date(leaflet.review_by)}."
        f"{approved} Ask us for the list of sources."
    )


class _Reader(HTMLParser):
    """Reads the clean HTML of a leaflet into sections; a list inside a list goes on as items of the outer one."""

    def __init__(self, pictures: tuple[str, ...]) -> None:
        super().__init__()
        self.svg_of = {picture_address(svg): svg for svg in pictures}
        self.sections: list[Section] = []
        self.section = Section("", ())
        self.pieces: list[Piece] = []
        self.runs: list[Run] = []
        self.items: list[Runs] = []
        self.lists: list[str] = []
        self.hand = Run("")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "section":
            self.begin_section(known.get("class", "").split())
        elif tag in ("strong", "em"):
            self.hand = replace(self.hand, strong=self.hand.strong or tag == "strong", em=self.hand.em or tag == "em")
        elif tag == "a":
            self.hand = replace(self.hand, href=known.get("href", ""))
        elif tag in ("ul", "ol"):
            self.end_item()
            self.lists.append(tag)
        elif tag == "img":
            if svg := self.svg_of.get(known.get("src", "")):
                self.pieces.append(Picture(svg, known.get("alt", "")))
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self.end_section()
        elif tag in ("strong", "em"):
            self.hand = replace(self.hand, strong=self.hand.strong and tag != "strong", em=self.hand.em and tag != "em")
        elif tag == "a":
            self.hand = replace(self.hand, href="")
        elif tag == "h2":
            self.section = replace(self.section, heading="".join(r.text for r in self.taken()))
        elif tag == "li":
            self.end_item()
        elif tag in ("ul", "ol"):
            self.end_list(self.lists.pop())
        elif tag in ("p", "h3") and not self.lists and (runs := self.taken()):
            self.pieces.append(Paragraph(runs) if tag == "p" else Heading(runs))

    def handle_data(self, data: str) -> None:
        if self.runs or data.strip():
            self.runs.append(replace(self.hand, text=" ".join(data.split("\n"))))

    def begin_section(self, classes: list[str]) -> None:
        self.end_section()
        kind = next((k for k in classes if k != "page"), "")
        self.section = Section("", (), kind, "page" in classes)

    def end_section(self) -> None:
        if self.section.heading or self.pieces:
            self.sections.append(replace(self.section, pieces=tuple(self.pieces)))
        self.section, self.pieces, self.runs = Section("", ()), [], []

    def end_item(self) -> None:
        if self.lists and (runs := self.taken()):
            self.items.append(runs)

    def end_list(self, tag: str) -> None:
        if not self.lists and self.items:
            self.pieces.append(Listing(tuple(self.items), numbered=tag == "ol"))
            self.items = []

    def taken(self) -> Runs:
        """The runs read since the last piece, without space at either end; none where there are no words."""
        runs, self.runs = self.runs, []
        if not "".join(r.text for r in runs).strip():
            return ()
        runs = [r for r in runs if r.text]
        runs[0] = replace(runs[0], text=runs[0].text.lstrip())
        runs[-1] = replace(runs[-1], text=runs[-1].text.rstrip())
        return tuple(r for r in runs if r.text)


def _side_by_side(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Each picture with the paragraph after it in one row."""
    found: list[Piece] = []
    for piece in pieces:
        if found and isinstance(before := found[-1], Picture) and isinstance(piece, Paragraph):
            found[-1] = Beside(before, piece.runs)
        else:
            found.append(piece)
    return tuple(found)
