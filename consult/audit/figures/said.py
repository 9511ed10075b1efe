"""A figure: chart, table and one sentence of finding made from the same results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from consult.audit.benchmarks import Benchmarks
from consult.audit.charts import Level, Plane, Rate, RowChart, Shape
from consult.audit.comparison import PERCENT_FROM, interval, percent, rate, recorded, whole_rate
from consult.audit.leaving import leaves
from consult.audit.results import Result

TOO_FEW: Final = "too few to say"
Cells = tuple[str, ...]


class Figure(Struct, frozen=True):
    """What a page shows of one question: the first cell of each row of the table heads it.

    `charts` are the same picture in each frame, none where there is too little to draw; `key` says what marks mean, as
    (mark, words).
    """

    id: str
    title: str
    describes: str
    finding: str
    head: Cells
    rows: tuple[Cells, ...]
    charts: Sequence[RowChart | Plane] = ()
    key: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def planar(self) -> bool:
        """Whether the chart has an axis up as well as across."""
        return any(isinstance(chart, Plane) for chart in self.charts)


WITHHELD: Final[Cells] = ("withheld", "", "")


def told(result: Result, leaving: bool = False) -> Cells:
    """The count, the rate and the interval as cells; withheld where a copy leaves and this measure does not."""
    if leaving and not leaves(result):
        return WITHHELD
    return recorded(result), rate(result), interval(result)


def as_rate(label: str, result: Result, least: int = PERCENT_FROM, shape: Shape = "dot") -> Rate:
    """A result as a row of a chart; without a mark under `least` cases."""
    if result.applicable < least or result.rate is None or result.interval is None:
        return Rate(label, None, words=whole_rate(result), shape=shape)
    return Rate(label, result.rate, *result.interval, words=whole_rate(result), shape=shape)


def levels(measure: str, benchmarks: Benchmarks, target: float | None = None) -> list[Level]:
    """The published figures of a measure, and the service's own target, as lines across a chart."""
    held = [(year, figure) for year in benchmarks.years if (figure := benchmarks.figure(measure, year))]
    found = [Level(f"{year}: {figure.value_percent:g}%", figure.value, "national") for year, figure in held]
    return found + ([Level(f"target: {percent(target)}", target, "target")] if target is not None else [])


def lines_key(lines: Sequence[Level]) -> list[tuple[str, str]]:
    """What the lines across mean, of the kinds that are there."""
    words = {"national": "published figure", "target": "target of this service"}
    there = dict.fromkeys(line.kind for line in lines)
    return [(kind, words[kind]) for kind in there if kind in words]
