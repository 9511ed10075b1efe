"""One measure beside the published figures, and what may be said of it there."""

from __future__ import annotations

from collections.abc import Iterable

from consult.audit import charts
from consult.audit.benchmarks import Benchmarks
from consult.audit.charts import Rate
from consult.audit.comparison import PERCENT_FROM, interval, percent, rate, recorded, standing
from consult.audit.figures.said import Cells, Figure, as_rate, told
from consult.audit.leaving import leaves
from consult.audit.measures import Measure
from consult.audit.published import Figure as Published
from consult.audit.results import Result


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
    rates = [as_rate(m.title, r) for m, r in own if leaves(r) or not leaving]
    table: list[Cells] = [(m.title, *told(r, leaving)) for m, r in own]
    for year in benchmarks.years:
        figure, label, value = (
            benchmarks.figure(measure.id, year),
            benchmarks.label(year),
            benchmarks.percent(measure.id, year),
        )
        rates.append(Rate(label, figure.value if figure else None, words=value, shape="diamond"))
        table.append((label, _published(figure), value, ""))
    if target is not None:
        rates.append(Rate("Target of this service", target, words=percent(target), shape="triangle"))
        table.append(("Target of this service", "", percent(target), ""))
    key = [("dot", "rate with its 95% interval"), ("diamond", "published figure; no interval")]
    return Figure(
        "benchmark",
        "Beside the national figures",
        f"{measure.title}: the rate and its 95% interval, on a line from 0 to 100%, above the published figures.",
        against_national(measure, result, benchmarks, mode),
        ("", "Recorded", "Rate", "95% interval"),
        tuple(table),
        charts.row_charts(rates),
        (*key, *([("triangle", "target")] if target is not None else [])),
        benchmarks.notes(measure.id),
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
