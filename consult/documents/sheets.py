"""The papers of a consultation as sheets for the PDF: note, urgent letter, report to the manager and its copy."""

from __future__ import annotations

from collections.abc import Iterable
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
        cut = f"{self.name[: SHOWN_IN_FOOT - 1]}…" if len(self.name) > SHOWN_IN_FOOT else self.name
        return f"{cut}, born {self.born}" if cut else "Identity removed"


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


def note_sheet(parts: list[Part], later: list[str], signed_by: str, about: Named, made: Made, mark: str = "") -> Sheet:
    """The note with whom it is about, who signed it and what came after; `signed_by` is "" while it is not signed.

    `mark` says on top that it was entered in error, "" where it was not.

    The name stands in this print alone, and on each page of it: the note itself is kept, and copied, without.
    """
    (title, heading), *others = parts
    sections = [Section("", (Facts((("Employee", about.whole),)), *map(paragraph, heading)))]
    sections += [Section(name, _noted(lines)) for name, lines in others]
    if later:
        sections.append(Section("After signing", _noted(later)))
    signed = f"Signed by {signed_by}" if signed_by else "Draft: not signed"
    sections.append(Section("", (paragraph(signed + ".", ""),)))
    sheet = _sheet(title, sections, made, "Note", mark or ("" if signed_by else "Draft: not signed"))
    return replace(sheet, foot=made.foot("Note", about.short))


def _noted(lines: Iterable[str]) -> tuple[Piece, ...]:
    return tuple(_line(line) for line in lines)


def _line(line: str) -> Paragraph:
    text = line.lstrip(" ")
    return Paragraph(words(text), indent=(len(line) - len(text)) // 2)


def letter_sheet(letter: Letter, facts: list[tuple[str, str]], made: Made) -> Sheet:
    """The urgent letter; `facts` say who the employee is, when seen and by whom."""
    sections = [
        Section(f"Numbers of {letter.site}", (Facts(tuple(letter.routes)),)),
        Section("Who", (Facts(tuple(facts)),)),
        Section("What was recorded", (*_findings(letter), *_others(letter))),
        Section("", (paragraph(_disclaimer(letter)), Lines(("Signed:", "Date and time:")))),
    ]
    return _sheet("Urgent referral from occupational health", sections, made, "Urgent referral", letter.mark)


def _findings(letter: Letter) -> tuple[Piece, ...]:
    if not letter.findings:
        return (paragraph("No answer with an emergency or same-day text is recorded."),)
    rows = tuple((f.question, f.answer, f.at, f.decision) for f in letter.findings)
    return (Table(("Asked", "Answer", "Time", "Decision"), rows, (5, 3, 2, 4)),)


def _others(letter: Letter) -> tuple[Piece, ...]:
    beside = (Table(("Also asked", "Answer"), tuple(letter.beside), (6, 5)),) if letter.beside else ()
    lists = (paragraph("; ".join(asks) + ".", label) for label, asks in letter.lists())
    against = (paragraph(one, "These answers do not agree:") for one in letter.disagreeing)
    return (*beside, *lists, *against)


def _disclaimer(letter: Letter) -> str:
    decided = " The clinician above made the decisions shown." if letter.has_decision else ""
    return f"This letter lists what was recorded by the time it was printed. It is not a diagnosis.{decided}"


def report_sheet(text: str, made: Made, above: str, to_sign: bool) -> Sheet:
    """The report to the manager as it leaves; `above` says whose copy it is, or that it is not final."""
    title, sections = _of_blocks(blocks(text))
    if to_sign:
        sections.append(Section("", (Lines(("Signed:", "Date:")),)))
    return _sheet(title, sections, made, "Occupational health report", above)


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


def who_and_when(employee: str, seen: str, by: str) -> list[tuple[str, str]]:
    """The facts at the head of a letter."""
    return [("Employee", employee), ("Seen", seen), ("By", by)]


__all__ = ["Made", "Named", "letter_sheet", "note_sheet", "report_sheet", "who_and_when"]
