"""One file of published figures: its shape, and everything that can be wrong with it, as sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeVar

from consult.audit.measures import MeasureSet
from consult.proforma.checks import Finding
from consult.proforma.dataset import Dataset
from consult.proforma.load import parse, refuse_any
from consult.proforma.strict import Strict

ROUNDED: Final = 0.51
"""By how many points a percentage that was published rounded may differ from its counts."""

T = TypeVar("T")


class Round(Strict, frozen=True, kw_only=True):
    """A round of the national audit."""

    number: int
    year: int
    cases: int | None = None
    caveat: str = ""
    source: tuple[str, ...]


class Figure(Strict, frozen=True, kw_only=True):
    """One published figure: of a measure, or of the context where `measure` is blank.

    A figure of the context may name the `field` and `code` whose share of the cases is the same thing here.
    """

    id: str
    measure: str = ""
    name: str
    round: int
    year: int
    value_percent: float
    numerator: int | None = None
    denominator: int | None = None
    unit: Literal["cases", "sites", "providers", "trusts", "unclear"]
    basis: str
    caveat: str = ""
    source: tuple[str, ...]
    field: str = ""
    code: str = ""

    @property
    def value(self) -> float:
        """The figure as a share."""
        return self.value_percent / 100


class Published(Strict, frozen=True, kw_only=True):
    """One file of published figures: of which audit they are, and by what method they were made."""

    audit: str
    method: str
    sources: dict[str, str]
    rounds: tuple[Round, ...]
    figures: tuple[Figure, ...]


def parse_file(
    text: str, file: str, measures: MeasureSet, dataset: Dataset, beside: Published | None = None
) -> Published:
    """The published figures in the text of a file; ContentError lists every problem.

    `beside` are the figures that ship, where the file is a service's own: it adds to them and replaces none.
    """
    published = parse(Published, text, file, "figures", "rounds")
    refuse_any(
        file, text, [*_check(published, measures, dataset), *(_check_added(published, beside) if beside else ())]
    )
    return published


def _check(published: Published, measures: MeasureSet, dataset: Dataset) -> Iterator[Finding]:
    rounds = {(r.number, r.year) for r in published.rounds}
    if not rounds:
        yield "", "there is no round; begin one with [[rounds]]"
    yield from ((f"round {n}", "another round has this number or year; give each its own") for n in _like(published))
    for figure in published.figures:
        if figure.measure and figure.measure not in measures.by_id:
            yield figure.id, f"measure {figure.measure} is not in measures.toml; correct the id or leave it out"
        if (figure.round, figure.year) not in rounds:
            yield figure.id, f"round {figure.round} of {figure.year} is not in [[rounds]]; add it or correct it"
        yield from ((figure.id, sentence) for sentence in (*_counts(figure), *_counterpart(figure, dataset)))
    for id_ in _twice(figure.id for figure in published.figures):
        yield id_, "another figure has this id; give each its own"
    for measure, year in _twice((f.measure, f.year) for f in published.figures if f.measure):
        yield f"{measure} of {year}", "two figures are of this measure and year; keep one"
    for id_, names in _sources(published):
        if not names:
            yield id_, "it has no source; name where it was read"
        yield from (
            (id_, f"source {n} is not in [sources]; add it there or correct it")
            for n in names
            if not _read(published, n)
        )


def _counts(figure: Figure) -> Iterator[str]:
    """What is wrong with the percentage and the counts of a figure: they must be able to be true, and agree."""
    if not 0 <= figure.value_percent <= 100:
        yield "a percentage lies between 0 and 100"
    k, n = figure.numerator, figure.denominator
    if n is not None and n < 1:
        yield "a denominator is 1 or more; leave it out where it was not published"
    elif k is not None and (n is None or not 0 <= k <= n):
        yield "a numerator stands with its denominator, and lies between 0 and it"
    elif k is not None and n is not None and abs(100 * k / n - figure.value_percent) > ROUNDED:
        yield f"{k} of {n} is {100 * k / n:.1f}%, not {figure.value_percent:g}%; correct one of the three"


def _counterpart(figure: Figure, dataset: Dataset) -> Iterator[str]:
    """What is wrong with the field and code that are the same thing in a case."""
    if not figure.field and not figure.code:
        return
    known = dataset.by_name.get(figure.field)
    if known is None or known.type != "choice" or figure.code not in known.options:
        yield f"{figure.field} {figure.code} is no field with a code of dataset.toml; correct it or leave both out"
    elif figure.measure:
        yield "a figure of a measure stands beside the measure; leave field and code out"


def _check_added(own: Published, shipped: Published) -> Iterator[Finding]:
    """What a file of a service may not do: stand in the place of anything that ships, or come without a caveat."""
    for r in own.rounds:
        if any(r.number == held.number or r.year == held.year for held in shipped.rounds):
            said = f"its number or year is held already ({_there(shipped)}) and is not replaced; give a later round"
            yield f"round {r.number}", said
    ids = {figure.id for figure in shipped.figures}
    for figure in own.figures:
        if figure.id in ids:
            yield figure.id, "this figure is held already and is not replaced; give it an id of its own"
        if not figure.caveat.strip():
            yield figure.id, "it has no caveat; write what a reader must know, such as what was not published"
    for name in own.sources:
        if name in shipped.sources:
            yield name, "this source is held already and is not replaced; give it a name of its own"


def _there(shipped: Published) -> str:
    return "; ".join(f"{r.number} of {r.year}" for r in shipped.rounds)


def _like(published: Published) -> set[int]:
    """The numbers of the rounds that share their number or year with another."""
    same = _twice(r.year for r in published.rounds) | _twice(-r.number for r in published.rounds)
    return {r.number for r in published.rounds if {r.year, -r.number} & same}


def _twice(found: Iterable[T]) -> set[T]:
    return {one for one, n in Counter(found).items() if n > 1}


def _read(published: Published, source: str) -> str:
    return published.sources.get(source, "").strip()


def _sources(published: Published) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ((figure.id, figure.source) for figure in published.figures)
    yield from ((f"round {r.number}", r.source) for r in published.rounds)
