"""Benchmarks: the published figures that results stand beside; what is not held is absent, never zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypeVar

from consult.audit.measures import MeasureSet
from consult.proforma.load import ContentError, Problem, parse, read_text
from consult.proforma.rules import Strict

FILE: Final = "benchmarks.toml"
ADDED: Final = "benchmarks-added.toml"
"""The file of the instance folder in which a service adds rounds that came later."""

NOT_HELD: Final = "not held"
ROUNDED: Final = 0.51
"""By how many points a percentage that was published rounded may differ from its counts."""

T = TypeVar("T")


class Round(Strict):
    """A round of the national audit."""

    number: int
    year: int
    cases: int | None = None
    caveat: str = ""
    source: tuple[str, ...]


class Figure(Strict):
    """One published figure: of a measure, or of the context where `measure` is blank."""

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

    @property
    def value(self) -> float:
        """The figure as a share."""
        return self.value_percent / 100


class Published(Strict):
    """One file of published figures: of which audit they are, and by what method they were made."""

    audit: str
    method: str
    sources: dict[str, str]
    rounds: tuple[Round, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Benchmarks:
    """All published figures: those that ship, and beside them the rounds that the service added in a file of its own.

    Only the shipped ones are ever compared with: an added figure stands beside a result, without a test or a verdict.
    """

    shipped: Published
    added: Published | None = None

    @cached_property
    def _files(self) -> tuple[Published, ...]:
        return (self.shipped, self.added) if self.added else (self.shipped,)

    @cached_property
    def _by_measure(self) -> dict[tuple[str, int], Figure]:
        return {(figure.measure, figure.year): figure for figure in self.figures if figure.measure}

    @cached_property
    def _methods(self) -> dict[int, str]:
        return {round_.year: file.method for file in self._files for round_ in file.rounds}

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure, the shipped ones first."""
        return tuple(figure for file in self._files for figure in file.figures)

    @cached_property
    def years(self) -> list[int]:
        """The years of the rounds, newest first."""
        return sorted(self._methods, reverse=True)

    @cached_property
    def compared(self) -> int:
        """The year that results are compared with: that of the newest round that ships."""
        return max(round_.year for round_ in self.shipped.rounds)

    def figure(self, measure: str, year: int) -> Figure | None:
        """The published figure of a measure in a year; None where it is not held."""
        return self._by_measure.get((measure, year))

    def national(self, measure: str) -> Figure | None:
        """The figure that a result of this measure is compared with; None where it is not held."""
        return self.figure(measure, self.compared)

    def of(self, measure: str) -> dict[str, float | None]:
        """The shares of a measure by year, newest first; None where not held."""
        return {str(year): figure.value if (figure := self.figure(measure, year)) else None for year in self.years}

    def label(self, year: int) -> str:
        """A round as it heads its figures: "2011, from case notes"."""
        return f"{year}, {self._methods[year]}"

    def percent(self, measure: str, year: int) -> str:
        """A published figure as it was published, or "not held"."""
        figure = self.figure(measure, year)
        return f"{figure.value_percent:g}%" if figure else NOT_HELD

    def words(self, measure: str, year: int) -> str:
        """A benchmark as it is printed beside a result: "55% (2011, from case notes)", or "not held"."""
        said = self.percent(measure, year)
        return said if said == NOT_HELD else f"{said} ({self.label(year)})"

    def source(self, figure: Figure) -> str:
        """What a figure was read in, in words."""
        (file,) = (file for file in self._files if figure in file.figures)
        return "; ".join(file.sources[name] for name in figure.source)

    def notes(self, measure: str) -> tuple[str, ...]:
        """What must be printed with the figures of a measure: of each its caveat and its source, the newest first."""
        held = [figure for year in self.years if (figure := self.figure(measure, year))]
        return tuple(self._note(figure) for figure in held)

    def _note(self, figure: Figure) -> str:
        said = f"{self.label(figure.year)}: {figure.value_percent:g}%."
        return " ".join(filter(None, [said, figure.caveat, f"Source: {self.source(figure)}."]))

    def said_of_added(self) -> str:
        """One sentence about the rounds that the service added; "" where there are none."""
        if self.added is None:
            return ""
        rounds = "; ".join(self.label(r.year) for r in self.added.rounds)
        return f"{rounds}: {self.added.audit}, figures that this service added; no test is made against them."

    def context(self) -> list[Figure]:
        """The figures that belong to no measure."""
        return [figure for figure in self.figures if not figure.measure]


def load_benchmarks(folder: Path, measures: MeasureSet) -> Benchmarks:
    """Read benchmarks.toml of a proforma's folder; ContentError lists every problem."""
    return parse_benchmarks(read_text(folder / FILE), measures)


def parse_benchmarks(text: str, measures: MeasureSet) -> Benchmarks:
    """The benchmarks in a text; ContentError lists every problem."""
    return Benchmarks(_parsed(text, FILE, measures, _check))


def with_added(shipped: Benchmarks, text: str, measures: MeasureSet) -> Benchmarks:
    """The benchmarks with the rounds of a service's own file beside them; ContentError lists every problem of that.

    The file adds and never replaces: no round, figure or source of the shipped file may stand in it.
    """

    def check(own: Published, held: MeasureSet) -> Iterator[Finding]:
        yield from _check(own, held)
        yield from _check_added(own, shipped.shipped)

    return Benchmarks(shipped.shipped, _parsed(text, ADDED, measures, check))


Finding = tuple[str, str]
Check = Callable[[Published, MeasureSet], Iterator[Finding]]


def _parsed(text: str, file: str, measures: MeasureSet, check: Check) -> Published:
    published = parse(Published, text, file, "figures", "rounds")
    problems = [Problem(file, id_, sentence) for id_, sentence in check(published, measures)]
    if problems:
        raise ContentError(problems)
    return published


def _check(published: Published, measures: MeasureSet) -> Iterator[Finding]:
    rounds = {(r.number, r.year) for r in published.rounds}
    if not rounds:
        yield "", "there is no round; begin one with [[rounds]]"
    yield from ((f"round {n}", "another round has this number or year; give each its own") for n in _like(published))
    for figure in published.figures:
        if figure.measure and figure.measure not in measures.by_id:
            yield figure.id, f"measure {figure.measure} is not in measures.toml; correct the id or leave it out"
        if (figure.round, figure.year) not in rounds:
            yield figure.id, f"round {figure.round} of {figure.year} is not in [[rounds]]; add it or correct it"
        yield from ((figure.id, sentence) for sentence in _counts(figure))
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
