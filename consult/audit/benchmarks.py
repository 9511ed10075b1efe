"""Benchmarks: the published figures that results stand beside; what is not held is absent, never zero."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict

from consult.audit.measures import MeasureSet
from consult.proforma.load import ContentError, Problem, parse, read_text
from consult.proforma.rules import Strict

FILE: Final = "benchmarks.toml"
NOT_HELD: Final = "not held"


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


class Benchmarks(Strict):
    """All published figures, the newest round first."""

    audit: str
    method: str
    sources: dict[str, str]
    rounds: tuple[Round, ...]
    figures: tuple[Figure, ...]

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", populate_by_name=True, ignored_types=(cached_property,)
    )

    @cached_property
    def _by_measure(self) -> dict[tuple[str, int], Figure]:
        return {(figure.measure, figure.year): figure for figure in self.figures if figure.measure}

    @property
    def years(self) -> list[int]:
        """The years of the rounds, newest first."""
        return sorted((r.year for r in self.rounds), reverse=True)

    def figure(self, measure: str, year: int) -> Figure | None:
        """The published figure of a measure in a year; None where it is not held."""
        return self._by_measure.get((measure, year))

    def of(self, measure: str) -> dict[str, float | None]:
        """The shares of a measure by year, newest first; None where not held."""
        return {str(year): figure.value if (figure := self.figure(measure, year)) else None for year in self.years}

    def words(self, measure: str, year: int) -> str:
        """A benchmark as it is printed beside a result: "55% (2011, from case notes)", or "not held"."""
        figure = self.figure(measure, year)
        return f"{figure.value_percent:g}% ({year}, {self.method})" if figure else NOT_HELD

    def context(self) -> list[Figure]:
        """The figures that belong to no measure."""
        return [figure for figure in self.figures if not figure.measure]


def load_benchmarks(folder: Path, measures: MeasureSet) -> Benchmarks:
    """Read benchmarks.toml of a proforma's folder; ContentError lists every problem."""
    return parse_benchmarks(read_text(folder / FILE), measures)


def parse_benchmarks(text: str, measures: MeasureSet) -> Benchmarks:
    """The benchmarks in a text; ContentError lists every problem."""
    benchmarks = parse(Benchmarks, text, FILE, "figures", "rounds")
    problems = [Problem(FILE, id_, sentence) for id_, sentence in _check(benchmarks, measures)]
    if problems:
        raise ContentError(problems)
    return benchmarks


def _check(benchmarks: Benchmarks, measures: MeasureSet) -> Iterator[tuple[str, str]]:
    rounds = {(r.number, r.year) for r in benchmarks.rounds}
    seen: set[str] = set()
    for figure in benchmarks.figures:
        if figure.id in seen:
            yield figure.id, "another figure has this id; give each its own"
        seen.add(figure.id)
        if figure.measure and figure.measure not in measures.by_id:
            yield figure.id, f"measure {figure.measure} is not in measures.toml; correct the id or leave it out"
        if (figure.round, figure.year) not in rounds:
            yield figure.id, f"round {figure.round} of {figure.year} is not in [[rounds]]; add it or correct it"
        if not 0 <= figure.value_percent <= 100:
            yield figure.id, "a percentage lies between 0 and 100"
    for id_, source in _sources(benchmarks):
        if source not in benchmarks.sources:
            yield id_, f"source {source} is not in [sources]; add it there or correct it"


def _sources(benchmarks: Benchmarks) -> Iterator[tuple[str, str]]:
    for figure in benchmarks.figures:
        yield from ((figure.id, source) for source in figure.source)
    for round_ in benchmarks.rounds:
        yield from ((f"round {round_.number}", source) for source in round_.source)
