"""Evidence: papers made of parts, each page with what it was counted from; the mapping that a service may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import Struct

from consult.audit.figures import Figure
from consult.audit.measures import MeasureSet
from consult.documents import pdf as press
from consult.documents import saved_page
from consult.documents.words import INVENTED, INVENTED_SHORT
from consult.proforma.checks import Finding
from consult.proforma.dataset import Dataset
from consult.proforma.load import parse, refuse_any
from consult.proforma.strict import Strict
from consult.proforma.wording import beginning

FILE: Final = "evidence.toml"
MOST_ROWS: Final = 60
PartId = Literal["protocol", "audit_report", "action_plan", "closed_loop", "calendar", "use", "incidents", "access"]
SlideKind = Literal["title", "words", "standards", "method", "overview", "measure", "actions", "next"]


class Standards(Strict, frozen=True, kw_only=True):
    """The standards in force, as the service names them."""

    name: str
    note: str


class MappedPart(Strict, frozen=True, kw_only=True):
    """A part of the SEQOHS pack: its heading, its domain, the reference of the service, and lines to fill in."""

    id: PartId
    title: str
    domain: str
    reference: str = ""
    box: tuple[str, ...] = ()


class ReportWords(Strict, frozen=True, kw_only=True):
    """What the audit report says of the cases, by what it compares, and its caveats."""

    context: tuple[str, ...]
    compare_by: tuple[str, ...]
    caveats: tuple[str, ...]


class Form(Strict, frozen=True, kw_only=True):
    """A form for appraisal or revalidation: facts to print, and boxes that are always empty."""

    id: str
    roles: tuple[Literal["doctor", "nurse", "physiotherapist"], ...]
    title: str
    body: str
    source: str
    facts: tuple[str, ...]
    boxes: tuple[str, ...]


class MappedSlide(Strict, frozen=True, kw_only=True):
    """One slide: what it shows, its title, and the lines that stand first on it."""

    kind: SlideKind
    title: str
    measure: str = ""
    lines: tuple[str, ...] = ()


class Mapping(Strict, frozen=True, kw_only=True):
    """What packs and slides are made of."""

    version: str
    standards: Standards
    parts: tuple[MappedPart, ...]
    report: ReportWords
    forms: tuple[Form, ...]
    slides: tuple[MappedSlide, ...]

    def form_of(self, role: str) -> Form | None:
        """The form of a role; None where there is none."""
        return next((form for form in self.forms if role in form.roles), None)


def parse_mapping(text: str, measures: MeasureSet, dataset: Dataset) -> Mapping:
    """The mapping in a text; ContentError lists every problem."""
    found = parse(Mapping, text, FILE, "parts", "forms")
    refuse_any(FILE, text, _check(found, measures, dataset))
    return found


def _check(found: Mapping, measures: MeasureSet, dataset: Dataset) -> Iterator[Finding]:
    for name, ids in (("parts", [p.id for p in found.parts]), ("forms", [f.id for f in found.forms])):
        if len(set(ids)) < len(ids):
            yield name, "an id stands twice; give each its own"
    broken_down = {breakdown.field for breakdown in measures.breakdowns}
    for field in found.report.context:
        if (
            field not in dataset.by_name
            or dataset.by_name[field].type != "choice"
            or dataset.by_name[field].never_leaves
        ):
            yield "report", f"context names {field}, which is no field with options of dataset.toml; correct the name"
    for field in set(found.report.compare_by) - broken_down:
        yield "report", f"compare_by names {field}, which is not among the breakdowns of measures.toml; add it there"
    for slide in found.slides:
        if (slide.kind == "measure") != bool(slide.measure):
            yield "slides", f"the slide {slide.title} needs a measure exactly where its kind is measure"
        elif slide.measure and slide.measure not in measures.by_id:
            yield "slides", f"the slide {slide.title} names measure {slide.measure}, which is not known; correct the id"


class Words(Struct, frozen=True):
    """A paragraph; `strong` for a finding."""

    text: str
    strong: bool = False


class Points(Struct, frozen=True):
    """A list."""

    items: tuple[str, ...]


class Table(Struct, frozen=True):
    """A table with its caption; the first cell of each row heads it. `widths` are shares of the columns."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    widths: tuple[float, ...] = ()


class Drawn(Struct, frozen=True):
    """A figure: its finding, chart and table."""

    figure: Figure


class Box(Struct, frozen=True):
    """An empty box under its words, to be filled in by hand: the program never does."""

    words: str


Block = Words | Points | Table | Drawn | Box


class Part(Struct, frozen=True):
    """A part of a paper under its heading; `standard` says what it is offered for ("" for nothing)."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    standard: str = ""


class Stamp(Struct, frozen=True):
    """What every page bears: provider, period, n, measures with digest, use, day, and the head it was made at.

    `invented` is of what a demonstration makes.
    """

    provider: str
    period: str
    n: str
    measures: str
    use: str
    made: str
    step: int
    hash: str
    invented: bool = False

    @property
    def warning(self) -> str:
        """What every page says first of what a demonstration makes; else ""."""
        return f"{INVENTED_SHORT} " if self.invented else ""

    @property
    def head(self) -> str:
        """The head of the log, as `consult verify` reads it."""
        return f"Step {self.step} of the record, {self.hash}"

    @property
    def line(self) -> str:
        """All of it in one line."""
        counted = f"{self.provider}. {self.period}. {self.n}. {self.measures}."
        return f"{self.warning}{counted} {beginning(self.use)}. Made {self.made}. {self.head}."


class Paper(Struct, frozen=True):
    """A paper of evidence before its parts are made; `about` stands below the title, `key` is what it is known by."""

    kind: str
    title: str
    about: tuple[str, ...]
    stamp: Stamp
    titles: tuple[str, ...]
    key: str
    draft: bool = False


def pieces(
    paper: Paper, parts: Iterable[Part], stylesheet: str = "", onward: Iterable[tuple[str, str]] = ()
) -> Iterator[str]:
    """The paper as HTML, piece by piece as its parts come: what is read grows while it is made.

    `stylesheet` is the address of the style; without it the style stands in the page, which then needs nothing else.
    `onward` are links of the page, as (address, words).
    """
    template = saved_page.templates().get_template("evidence/paper.html")
    yield from template.generate(
        paper=paper,
        parts=parts,
        stylesheet=stylesheet,
        style="" if stylesheet else saved_page.static("evidence.css"),
        onward=list(onward),
        invented=INVENTED,
    )


def html(paper: Paper, parts: Iterable[Part]) -> str:
    """The paper as one page that needs nothing else."""
    return "".join(pieces(paper, parts))


def pdf(paper: Paper, parts: Iterable[Part]) -> bytes:
    """The paper as a tagged PDF on A4 across; charts stand as their tables."""
    about = (INVENTED, *paper.about) if paper.stamp.invented else paper.about
    first = press.Section("", tuple(press.paragraph(line) for line in about))
    sections = tuple(press.Section(part.title, tuple(_pressed(part))) for part in parts)
    foot = f"{paper.title}. {paper.stamp.line}"
    return press.pdf(
        press.Sheet(
            paper.title,
            (first, *sections),
            foot,
            draft=paper.draft,
            points=10,
            landscape=True,
            key=paper.key,
            subject=paper.stamp.head,
        )
    )


def _pressed(part: Part) -> Iterator[press.Piece]:
    if part.standard:
        yield press.paragraph(part.standard)
    for block in part.blocks:
        if isinstance(block, Words):
            yield press.Heading(press.words(block.text)) if block.strong else press.paragraph(block.text)
        elif isinstance(block, Points):
            yield press.listing(block.items)
        elif isinstance(block, Box):
            yield press.Lines((block.words, "", ""))
        elif isinstance(block, Table):
            yield from _pressed_table(block)
        else:
            figure = block.figure
            yield press.Heading(press.words(figure.title))
            yield from _pressed_table(Table("", figure.head, figure.rows, (figure.finding, *figure.notes)))


def _pressed_table(table: Table) -> Iterator[press.Piece]:
    if table.caption:
        yield press.Heading(press.words(table.caption))
    if table.rows:
        head = tuple(cell or "Result" for cell in table.head)
        yield press.Table(head, table.rows, table.widths, small=True)
    else:
        yield press.paragraph("Nothing to list.")
    yield from (press.paragraph(note) for note in table.notes if note)
