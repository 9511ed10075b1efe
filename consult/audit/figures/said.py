"""A figure: chart, table and one sentence of finding made from the same results; and how a result is said in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from consult.audit.benchmarks import Benchmarks
from consult.audit.charts import Level, Plane, Rate, RowChart, Shape
from consult.audit.comparison import PERCENT_FROM, percent
from consult.audit.leaving import leaves
from consult.audit.results import Result

TOO_FEW: Final = "too few to say"
NO_COMPARISON: Final = "fewer than 10: no comparison"
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


def recorded(result: Result) -> str:
    """The count: "22 of 40"."""
    return f"{result.met} of {result.applicable}"


WITHHELD: Final[Cells] = ("withheld", "", "")


def told(result: Result, leaving: bool = False) -> Cells:
    """The count, the rate and the interval as cells; withheld where a copy leaves and this measure does not."""
    if leaving and not leaves(result):
        return WITHHELD
    return recorded(result), rate(result), interval(result)


def rate(result: Result) -> str:
    """The rate in words; no percentage under 5 cases."""
    if result.applicable < PERCENT_FROM or result.rate is None:
        return "too few for a percentage" if result.applicable else "no case"
    return percent(result.rate)


def interval(result: Result) -> str:
    """The 95% interval in words, where there is a percentage."""
    if result.applicable < PERCENT_FROM or result.interval is None:
        return ""
    return f"{percent(result.interval[0])} to {percent(result.interval[1])}"


def whole_rate(result: Result) -> str:
    """Rate, interval and count as one phrase: "55% (40% to 69%), 22 of 40"."""
    said = f"{rate(result)} ({interval(result)})" if interval(result) else ""
    return ", ".join(filter(None, [said, recorded(result)])) if result.applicable else rate(result)


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
