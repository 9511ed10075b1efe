"""One measure beside the published figures, and what may be said of it there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consult.audit import charts
from consult.audit.benchmarks import Benchmarks
from consult.audit.charts import Rate
from consult.audit.comparison import PERCENT_FROM, interval, percent, rate, recorded, standing
from consult.audit.figures.said import Cells, Figure, as_rate, told
from consult.audit.leaving import leaves
from consult.audit.measures import Measure
from consult.audit.published import Figure as Published
from consult.audit.results import Result

TARGET: Final = "Target of this service"


def benchmark(
    measure: Measure,
    result: Result,
    beside: Iterable[tuple[Measure, Result]],
    benchmarks: Benchmarks,
    mode: str,
    target: float | None = None,
    *,
    leaving: bool = False,
) -> Figure:
    """One measure with its interval, and what must stand beside it, against the published figures.

    `leaving`: made for a copy that leaves the provider, with what is of under ten cases withheld.
    """
    own = [(measure, result), *beside]
    published = [
        (benchmarks.label(year), benchmarks.figure(measure.id, year), benchmarks.percent(measure.id, year))
        for year in benchmarks.years
    ]
    rates = [as_rate(m.title, r) for m, r in own if leaves(r) or not leaving]
    rates += [Rate(label, one.value if one else None, words=said, shape="diamond") for label, one, said in published]
    table: list[Cells] = [(m.title, *told(r, leaving)) for m, r in own]
    table += [(label, _published(one), said, "") for label, one, said in published]
    if target is not None:
        rates.append(Rate(TARGET, target, words=percent(target), shape="triangle"))
        table.append((TARGET, "", percent(target), ""))
    key = [("dot", "rate with its 95% interval"), ("diamond", "published figure; no interval")]
    return Figure(
        id="benchmark",
        title="Beside the national figures",
        describes=(
            f"{measure.title}: the rate and its 95% interval, on a line from 0 to 100%, above the published figures."
        ),
        finding=against_national(measure, result, benchmarks, mode),
        head=("", "Recorded", "Rate", "95% interval"),
        rows=tuple(table),
        charts=charts.row_charts(rates),
        key=(*key, *([("triangle", "target")] if target is not None else [])),
        notes=benchmarks.notes(measure.id),
    )


def _published(figure: Published | None) -> str:
    """The counts of a published figure, where they were published."""
    if figure is None or figure.numerator is None or figure.denominator is None:
        return "not published"
    return f"{figure.numerator} of {figure.denominator}"


def against_national(measure: Measure, result: Result, benchmarks: Benchmarks, mode: str) -> str:
    """The finding about one measure; a verdict beside 2011 only for case notes read afterwards."""
    if not result.applicable:
        return "No case yet to which this applies."
    if result.applicable < PERCENT_FROM:
        return f"Recorded in {recorded(result)} cases: too few for a percentage."
    said = f"Recorded in {recorded(result)} cases: {rate(result)}, 95% interval {interval(result)}."
    figure = benchmarks.national(measure.id)
    if figure is None:
        return said
    said += f" {benchmarks.label(figure.year)}: {figure.value_percent:g}%."
    verdict = standing(result, figure.value, mode)
    return f"{said} Beside it: {verdict}." if verdict else said
