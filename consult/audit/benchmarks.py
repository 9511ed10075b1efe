"""Benchmarks: the published figures that results stand beside; what is not held is absent, never zero."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec import Struct

from consult.audit.measures import MeasureSet
from consult.audit.published import Figure, Published, Round, parse_file
from consult.proforma.dataset import Dataset
from consult.proforma.load import read_text

FILE: Final = "benchmarks.toml"
ADDED: Final = "benchmarks-added.toml"
"""The file of the instance folder in which a service adds rounds that came later."""

NOT_HELD: Final = "not held"


class Benchmarks(Struct, frozen=True, dict=True):
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
        """A benchmark as it is printed beside a result: "2011, from case notes: 55%", or "not held" in its place."""
        return f"{self.label(year)}: {self.percent(measure, year)}"

    def source(self, one: Figure | Round) -> str:
        """What a figure, or the size of a round, was read in, in words."""
        sources = {name: words for file in self._files for name, words in file.sources.items()}
        return "; ".join(sources[name] for name in one.source)

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

    def rounds(self) -> list[tuple[Published, Round]]:
        """The rounds with the file they stand in, the newest first."""
        found = [(file, round_) for file in self._files for round_ in file.rounds]
        return sorted(found, key=lambda one: -one[1].year)

    def of_year(self, year: int) -> list[Figure]:
        """Every figure of a round, in the order of its file."""
        return [figure for figure in self.figures if figure.year == year]


def load_benchmarks(folder: Path, measures: MeasureSet, dataset: Dataset) -> Benchmarks:
    """Read benchmarks.toml of a proforma's folder; ContentError lists every problem."""
    return parse_benchmarks(read_text(folder / FILE), measures, dataset)


def parse_benchmarks(text: str, measures: MeasureSet, dataset: Dataset) -> Benchmarks:
    """The benchmarks in a text; ContentError lists every problem."""
    return Benchmarks(parse_file(text, FILE, measures, dataset))


def with_added(shipped: Benchmarks, text: str, measures: MeasureSet, dataset: Dataset) -> Benchmarks:
    """The benchmarks with the rounds of a service's own file beside them; ContentError lists every problem of that.

    The file adds and never replaces: no round, figure or source of the shipped file may stand in it.
    """
    return Benchmarks(shipped.shipped, parse_file(text, ADDED, measures, dataset, shipped.shipped))
