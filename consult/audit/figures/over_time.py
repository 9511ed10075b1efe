"""One measure over time: a p-chart or a run chart, with the actions of the service marked on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from consult.audit import charts, spc
from consult.audit.charts import Action, Level, Period
from consult.audit.comparison import PERCENT_FROM, interval, percent, rate, recorded
from consult.audit.figures.said import TOO_FEW, Cells, Figure, lines_key
from consult.audit.measures import Measure
from consult.audit.results import Result
from consult.audit.suppression import LEAVES_FROM

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FEWEST_POINTS: Final = 3
LIMITS: Final = ("Limits of chance", "More than chance")
Dated = tuple[date, str]


def month_label(index: int, size: int) -> str:
    """A month (or quarter, `size` 3) by its number since the year 0."""
    year, month = divmod(index * size, 12)
    return f"{MONTHS[month]} {year}" if size == 1 else f"{MONTHS[month]} to {MONTHS[month + size - 1]} {year}"


def letter(at: int) -> str:
    """The letter of an action by its place: A to Z, then AA to AZ, BA and so on."""
    before = letter(at // 26 - 1) if at >= 26 else ""
    return before + chr(ord("A") + at % 26)


def in_periods(months: Mapping[str, Result]) -> tuple[int, list[tuple[int, Result]]]:
    """The results by month, or by quarter where most months hold fewer than 5; the size in months, then by number."""
    by_month = {int(m[:4]) * 12 + int(m[5:7]) - 1: r for m, r in months.items()}
    few = sum(r.applicable < PERCENT_FROM for r in by_month.values())
    size = 3 if 2 * few > len(by_month) else 1
    found: dict[int, Result] = {}
    for month, result in sorted(by_month.items()):
        found[month // size] = found.get(month // size, Result(0, 0, 0, 0)).with_more(result)
    return size, list(found.items())


def trend(
    measure: Measure,
    months: Mapping[str, Result],
    lines: Sequence[Level] = (),
    actions: Sequence[Dated] = (),
    *,
    leaving: bool = False,
) -> Figure:
    """One measure over time: a p-chart from 12 points on, a run chart below that; actions are marked by letters.

    `leaving`: made for a copy that leaves the provider; what is left out there can't be had from the total.
    """
    size, periods = in_periods(months)
    word = "month" if size == 1 else "quarter"
    least = LEAVES_FROM if leaving else PERCENT_FROM
    points = _leaving(periods) if leaving else _large(periods, least)
    first = periods[0][0] if periods else 0
    charted = _Charted([(r.met, r.applicable) for _, r in points], word, least)
    table = tuple(_rows(points if leaving else periods, points, charted, size))
    head = (word.capitalize(), "Recorded", "Rate", "95% interval", *(LIMITS if charted.chart else ()))
    inside, outside = _by_time(actions, first, periods[-1][0] if periods else 0, size)
    marked = [Action(_months(when) / size - first - 0.5, letter(i)) for i, (when, _) in enumerate(inside)]
    drawn = _drawn(points, first, charted, size) if len(points) >= FEWEST_POINTS else []
    return Figure(
        id="trend",
        title=f"By {word}",
        describes=(
            f"{measure.title} by {word}, from 0 to 100%, each point with its 95% interval; {charted.middle_said}."
        ),
        finding=charted.finding([month_label(at, size) for at, _ in points]),
        head=head,
        rows=table,
        charts=charts.time_charts(drawn, [*lines, *charted.levels], marked) if drawn else (),
        key=(*charted.key(bool(inside)), *lines_key(lines)) if drawn else (),
        notes=(
            *map(_action_said, marked, inside),
            *map(_outside_said, outside),
            *([_small_said(word, least, leaving)] if len(points) < len(periods) else []),
        ),
    )


def _small_said(word: str, least: int, leaving: bool) -> str:
    """What became of the periods that are too small for a point."""
    if not leaving:
        return f"A {word} with fewer than {least} cases is in the table and not in the chart."
    return (
        f"Left out is each {word} with fewer than {least} cases; where these had fewer than {least} together, the "
        f"smallest other {word} too, so that they can't be had from the total."
    )


def _by_time(actions: Sequence[Dated], first: int, last: int, size: int) -> tuple[list[Dated], list[Dated]]:
    """The actions that fall into the time of a chart, and those before or after it, which are not marked on it."""
    found: tuple[list[Dated], list[Dated]] = ([], [])
    for action in actions:
        month = action[0].year * 12 + action[0].month - 1
        found[not first <= month // size <= last].append(action)
    return found


def _months(when: date) -> float:
    """A day as months since the year 0."""
    return when.year * 12 + when.month - 1 + (when.day - 1) / 31


def _action_said(mark: Action, action: Dated) -> str:
    return f"{mark.letter}: {_dated(action)}"


def _outside_said(action: Dated) -> str:
    return f"Outside the time of the chart: {_dated(action)}"


def _dated(action: Dated) -> str:
    when, text = action
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}, {text}"


Periods = Sequence[tuple[int, Result]]
"""The results of periods, each by its number."""


def _large(periods: Periods, least: int) -> Periods:
    return [one for one in periods if one[1].applicable >= least]


def _leaving(periods: Periods) -> Periods:
    """The periods that a copy shows. What all of them have, less what is shown, is never that of one to nine cases.

    The further period is chosen by size alone, with every one as large, as in the breakdowns (suppression.py).
    """
    points = _large(periods, LEAVES_FROM)
    if not 0 < sum(r.applicable for _, r in periods if r.applicable < LEAVES_FROM) < LEAVES_FROM:
        return points
    smallest = min((r.applicable for _, r in points), default=0)
    return [one for one in points if one[1].applicable > smallest]


def _rows(periods: Periods, points: Periods, charted: _Charted, size: int) -> Iterator[Cells]:
    known = {at: i for i, (at, _) in enumerate(points)}
    for at, r in periods:
        yield month_label(at, size), recorded(r), rate(r), interval(r), *charted.said(known.get(at))


def _drawn(points: Periods, first: int, charted: _Charted, size: int) -> list[Period]:
    found = []
    for (at, r), limits, rules in zip(points, charted.limits, charted.rules, strict=True):
        low, high = r.interval or (None, None)
        found.append(Period(at - first, month_label(at, size), r.rate, low, high, limits, bool(rules)))
    return found


class _Charted:
    """What the rules of charts over time find in the points: limits and words for each, a middle line, a sentence."""

    def __init__(self, points: Sequence[spc.Point], word: str, least: int) -> None:
        self.word, self.n, self.least = word, len(points), least
        self.chart = spc.p_chart(points) if len(points) >= spc.FEW_POINTS else None
        self.run = None if self.chart else spc.run_chart(points)
        self.limits: list[tuple[float, float] | None] = [None] * self.n
        self.rules = [""] * self.n
        if self.chart:
            self.limits = [(p.low, p.high) for p in self.chart.points]
            self.rules = ["; ".join(spc.RULES[rule] for rule in p.rules) for p in self.chart.points]

    @property
    def middle_said(self) -> str:
        return "the line across is their mean" if self.chart else "the line across is their median"

    @property
    def levels(self) -> list[Level]:
        if self.chart:
            return [Level(f"mean: {percent(self.chart.mean)}", self.chart.mean, "mean")]
        return [Level(f"median: {percent(self.run.median)}", self.run.median, "mean")] if self.run else []

    def limits_said(self, at: int | None) -> str:
        found = None if at is None else self.limits[at]
        return f"{percent(found[0])} to {percent(found[1])}" if found else ""

    def said(self, at: int | None) -> Cells:
        """The cells below LIMITS of a point, empty ones of what is no point; none where there are no limits."""
        return (self.limits_said(at), "" if at is None else self.rules[at]) if self.chart else ()

    def key(self, actions: bool) -> tuple[tuple[str, str], ...]:
        found = [("dot", f"rate of a {self.word}, with its 95% interval")]
        found += [("square", "a rule points to it: more than chance")] if self.chart else []
        found.append(("mean", "mean" if self.chart else "median"))
        found += [("limit", "limits of chance (3 standard deviations)")] if self.chart else []
        return (*found, *([("action", "action of the service")] if actions else []))

    def finding(self, labels: Sequence[str]) -> str:
        large = f"{self.word}s with {self.least} or more cases"
        if self.n < FEWEST_POINTS:
            return f"Over time: {TOO_FEW}. It takes {FEWEST_POINTS} {large} to draw a chart."
        many = f"{self.n} {large}"
        if self.chart:
            special = [label for label, rules in zip(labels, self.rules, strict=True) if rules]
            found = (
                f"more than chance in {', '.join(special)}" if special else "nothing that chance alone would not give"
            )
            return f"Over {many} the mean was {percent(self.chart.mean)}; the four usual rules find {found}."
        middle = percent(self.run.median) if self.run else ""
        few = f"So few tell no change from chance, which takes {spc.FEW_POINTS} or more."
        return f"Over {many} the median was {middle}. {few}"
