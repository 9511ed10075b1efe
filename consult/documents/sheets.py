"""The papers of a consultation as sheets for the PDF: note, urgent letter, report to the manager and its copy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consult.documents.blocks import Block, blocks
from consult.documents.leaflet import Format
from consult.documents.letter import Letter
from consult.documents.note import Part
from consult.documents.pdf import Facts, Lines, Paragraph, Piece, Section, Sheet, Table, listing, paragraph, words

SHOWN_IN_FOOT: Final = 28
"""Letters of a name that stand at the foot of each page; the head of the first page has it whole."""


class Named(Struct, frozen=True):
    """Who a paper is about, as the identity table says it; all "" where the identity was removed."""

    name: str = ""
    born: str = ""
    number: str = ""

    @property
    def whole(self) -> str:
        """The name with the date of birth, and the local number where there is one."""
        number = f", number {self.number}" if self.number else ""
        return f"{self.name}, born {self.born}{number}" if self.name else "Identity removed"

    @property
    def short(self) -> str:
        """The same on one line, for the foot of a page."""
        return f"{shortened(self.name)}, born {self.born}" if self.name else "Identity removed"


def shortened(name: str) -> str:
    """A name that leaves room at the foot of a page for what else stands there."""
    return f"{name[: SHOWN_IN_FOOT - 1]}…" if len(name) > SHOWN_IN_FOOT else name


class Made(Struct, frozen=True):
    """How a paper is printed: its format, the day, the step of the record it was made at, and whether it is a draft."""

    format: Format
    day: str
    step: int
    hash: str
    draft: bool

    def foot(self, what: str, about: str = "") -> str:
        """What stands at the foot of each page; `about` whom, where the paper goes into that person's record."""
        kept = [part.replace(" ", "\N{NO-BREAK SPACE}") for part in (what, f"step {self.step}", self.day)]
        return " · ".join([kept[0], about, *kept[1:]] if about else kept)

    @property
    def about(self) -> str:
        """Where in the record the paper stands, whole, in groups so that it stays on the page in any format."""
        groups = " ".join(self.hash[n : n + 16] for n in range(0, len(self.hash), 16))
        return f"Made at step {self.step} of the record, {groups}"


def note_sheet(parts: list[Part], later: list[str], signed_by: str, about: Named, made: Made, above: str = "") -> Sheet:
    """The note with whom it is about, who signed it and what came after; `signed_by` is "" while it is not signed.

    `above` says on top that it was entered in error, or is not signed; "" where it is neither.

    The name stands in this print alone, and on each page of it: the note itself is kept, and copied, without.
    """
    (title, heading), *others = parts
    sections = [Section("", (Facts((("Employee", about.whole),)), *map(paragraph, heading)))]
    sections += [Section(name, _noted(lines)) for name, lines in others]
    if later:
        sections.append(Section("After signing", _noted(later)))
    if signed_by:
        sections.append(Section("", (paragraph(f"Signed by {signed_by}."),)))
    sheet = _sheet(title, sections, made, "Note", above)
    return replace(sheet, foot=made.foot("Note", about.short))


def _noted(lines: Sequence[str]) -> tuple[Piece, ...]:
    return tuple(_line(line, following) for line, following in zip_longest(lines, lines[1:], fillvalue=""))


def _line(line: str, following: str) -> Paragraph:
    """A line of the note; one that those after it are set in under stays with them."""
    text, indent = line.lstrip(" "), _indent(line)
    return Paragraph(words(text), indent=indent // 2, keep=_indent(following) > indent)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def letter_sheet(letter: Letter, about: Named, seen: str, by: str, made: Made) -> Sheet:
    """The urgent letter, with whom it is about on each page, when that person was seen and by whom."""
    sections = [
        Section(f"Numbers of {letter.site}", (Facts(tuple(letter.routes)),)),
        Section("Who", (Facts((("Employee", about.whole), ("Seen", seen), ("By", by), *_reached(letter))),)),
        Section("What was recorded", (*_findings(letter), *_others(letter))),
        Section("", (paragraph(_disclaimer(letter)), Lines(("Signed:", "Date and time:")))),
    ]
    sheet = _sheet("Urgent referral from occupational health", sections, made, "Urgent referral", letter.mark)
    return replace(sheet, foot=made.foot("Urgent referral", about.short))


def _reached(letter: Letter) -> tuple[tuple[str, str], ...]:
    return (("Telephone", letter.telephone),) if letter.telephone else ()


def _findings(letter: Letter) -> tuple[Piece, ...]:
    if not letter.findings:
        return (paragraph("No answer with an emergency or same-day text is recorded."),)
    rows = tuple((f.question, f.answer, f.at) for f in letter.findings)
    decisions = (paragraph(" ".join([said, *_about(asks)]), "Decision:") for said, asks in letter.decisions())
    return (Table(("Asked", "Answer", "Time"), rows, (7, 4, 2)), *decisions)


def _about(asks: Sequence[str]) -> list[str]:
    return [f"For: {'; '.join(asks)}."] if asks else []


def _others(letter: Letter) -> tuple[Piece, ...]:
    beside = (Table(("Also asked", "Answer"), tuple(letter.beside), (6, 5)),) if letter.beside else ()
    lists = (paragraph("; ".join(asks) + ".", label) for label, asks in letter.lists())
    against = (paragraph(one, "These answers do not agree:") for one in letter.disagreeing)
    return (*beside, *lists, *against)


def _disclaimer(letter: Letter) -> str:
    decided = " The clinician above made the decisions shown." if letter.has_decision else ""
    return f"This letter lists what was recorded by the time it was printed. It is not a diagnosis.{decided}"


def report_sheet(text: str, made: Made, above: str, to_sign: bool, employee: str = "") -> Sheet:
    """The report to the manager as it leaves; `above` says whose copy it is, or that it is not final.

    The name of the `employee` stands at the foot of each page, without the date of birth, which the report never holds.
    """
    title, sections = _of_blocks(blocks(text))
    if to_sign:
        sections.append(Section("", (Lines(("Signed:", "Date:")),)))
    sheet = _sheet(title, sections, made, "Occupational health report", above)
    return replace(sheet, foot=made.foot("Occupational health report", shortened(employee)))


def _of_blocks(found: list[Block]) -> tuple[str, list[Section]]:
    title, sections = "", [Section("", ())]
    for block in found:
        if block.kind == "title":
            title = block.lines[0]
        elif block.kind == "heading":
            sections.append(Section(block.lines[0], ()))
        else:
            piece = listing(block.lines) if block.kind == "list" else paragraph(block.lines[0])
            sections[-1] = replace(sections[-1], pieces=(*sections[-1].pieces, piece))
    return title, [s for s in sections if s.heading or s.pieces]


def _sheet(title: str, sections: list[Section], made: Made, what: str, above: str) -> Sheet:
    return Sheet(title, tuple(sections), made.foot(what), made.format, draft=made.draft, above=above, about=made.about)


__all__ = ["Made", "Named", "letter_sheet", "note_sheet", "report_sheet"]
