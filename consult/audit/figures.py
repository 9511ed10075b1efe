"""Figures: a chart, the table of its numbers and one sentence of finding, each made from the same results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from consult.audit import charts, funnel, spc
from consult.audit.benchmarks import Benchmarks
from consult.audit.benchmarks import Figure as Published
from consult.audit.breakdowns import ItemResult
from consult.audit.charts import Action, Band, Level, Period, Place, Plane, Rate, RowChart, Shape
from consult.audit.comparison import COMPARE_FROM, PERCENT_FROM, percent, standing
from consult.audit.measures import Measure
from consult.audit.results import Result
from consult.audit.suppression import withheld
from consult.proforma.dataset import Field

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FEWEST_POINTS: Final = 3
NUMBERED: Final = 15
TOO_FEW: Final = "too few to say"
NO_COMPARISON: Final = "fewer than 10: no comparison"
SHAPES: Final[dict[str, Shape]] = {"inside": "ring", "outside 95%": "triangle", "outside 99.8%": "square"}
Dated = tuple[date, str]
Cells = tuple[str, ...]


@dataclass(frozen=True)
class Figure:
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


def benchmark(
    measure: Measure,
    result: Result,
    beside: Iterable[tuple[Measure, Result]],
    benchmarks: Benchmarks,
    mode: str,
    target: float | None = None,
) -> Figure:
    """One measure with its interval, and what must stand beside it, against the published figures."""
    own = [(measure, result), *beside]
    rates = [as_rate(m.title, r) for m, r in own]
    table: list[Cells] = [(m.title, recorded(r), rate(r), interval(r)) for m, r in own]
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


def _lines_key(lines: Sequence[Level]) -> list[tuple[str, str]]:
    """What the lines across mean, of the kinds that are there."""
    words = {"national": "published figure", "target": "target of this service"}
    there = dict.fromkeys(line.kind for line in lines)
    return [(kind, words[kind]) for kind in there if kind in words]


def month_label(index: int, size: int) -> str:
    """A month (or quarter, `size` 3) by its number since the year 0."""
    year, month = divmod(index * size, 12)
    return f"{MONTHS[month]} {year}" if size == 1 else f"{MONTHS[month]} to {MONTHS[month + size - 1]} {year}"


def in_periods(months: Mapping[str, Result]) -> tuple[int, list[tuple[int, Result]]]:
    """The results by month, or by quarter where most months hold fewer than 5; the size in months, then by number."""
    by_month = {int(m[:4]) * 12 + int(m[5:7]) - 1: r for m, r in months.items()}
    few = sum(r.applicable < PERCENT_FROM for r in by_month.values())
    size = 3 if 2 * few > len(by_month) else 1
    found: dict[int, Result] = {}
    for month, result in sorted(by_month.items()):
        found[month // size] = added(found.get(month // size, Result(0, 0, 0, 0)), result)
    return size, list(found.items())


def added(one: Result, two: Result) -> Result:
    """Two results of the same measure and mode together."""
    return Result(
        one.met + two.met,
        one.not_met + two.not_met,
        one.not_applicable + two.not_applicable,
        one.missing + two.missing,
    )


def trend(
    measure: Measure,
    months: Mapping[str, Result],
    lines: Sequence[Level] = (),
    actions: Sequence[Dated] = (),
    least: int = PERCENT_FROM,
) -> Figure:
    """One measure over time: a p-chart from 12 points on, a run chart below that; actions are marked by letters."""
    size, periods = in_periods(months)
    word = "month" if size == 1 else "quarter"
    points = [(at, r) for at, r in periods if r.applicable >= least]
    first = periods[0][0] if periods else 0
    charted = _Charted([(r.met, r.applicable) for _, r in points], word)
    drawn = [
        Period(
            at - first,
            month_label(at, size),
            r.rate,
            r.interval[0] if r.interval else None,
            r.interval[1] if r.interval else None,
            limits=charted.limits[i],
            special=bool(charted.rules[i]),
        )
        for i, (at, r) in enumerate(points)
    ]
    known = {at: i for i, (at, _) in enumerate(points)}
    table = tuple(
        (
            month_label(at, size),
            recorded(r),
            rate(r),
            interval(r),
            charted.limits_said(known.get(at)),
            charted.rules[known[at]] if at in known else "",
        )
        for at, r in periods
        if r.applicable >= least or least == PERCENT_FROM
    )
    marked = [
        Action((when.year * 12 + when.month - 1 + (when.day - 1) / 31) / size - first - 0.5, chr(ord("A") + i % 26))
        for i, (when, _) in enumerate(actions)
    ]
    enough = len(points) >= FEWEST_POINTS
    return Figure(
        "trend",
        f"By {word}",
        f"{measure.title} by {word}, from 0 to 100%, each point with its 95% interval; {charted.middle_said}.",
        charted.finding([month_label(at, size) for at, _ in points]),
        (word.capitalize(), "Recorded", "Rate", "95% interval", "Limits of chance", "More than chance"),
        table,
        charts.time_charts(drawn, [*lines, *charted.levels], marked) if enough else (),
        (*charted.key(bool(actions)), *_lines_key(lines)) if enough else (),
        tuple(
            f"{m.letter}: {when.day} {MONTHS[when.month - 1]} {when.year}, {text}"
            for m, (when, text) in zip(marked, actions, strict=True)
        )
        + (
            (f"A {word} with fewer than {least} cases is in the table and not in the chart.",)
            if len(table) > len(points)
            else ()
        ),
    )


class _Charted:
    """What the rules of charts over time find in the points: limits and words for each, a middle line, a sentence."""

    def __init__(self, points: Sequence[spc.Point], word: str) -> None:
        self.word, self.n = word, len(points)
        self.chart = spc.p_chart(points) if len(points) >= spc.FEW_POINTS else None
        self.run = None if self.chart else spc.run_chart(points)
        self.limits: list[tuple[float, float] | None] = [None] * self.n
        self.rules = [""] * self.n
        if self.chart:
            self.limits = [(p.low, p.high) for p in self.chart.points]
            self.rules = ["; ".join(spc.RULES[rule] for rule in p.rules) for p in self.chart.points]
        elif self.run:
            self.rules = ["one of 7 or more in a row on one side of the median" if on else "" for on in self.run.in_run]

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

    def key(self, actions: bool) -> tuple[tuple[str, str], ...]:
        found = [("dot", f"rate of a {self.word}, with its 95% interval"), ("square", "a rule finds more than chance")]
        found.append(("mean", "mean" if self.chart else "median"))
        found += [("limit", "limits of chance (3 standard deviations)")] if self.chart else []
        return (*found, *([("action", "action of the service")] if actions else []))

    def finding(self, labels: Sequence[str]) -> str:
        many = f"{self.n} {self.word}s with 5 or more cases"
        if self.n < FEWEST_POINTS:
            return f"Over time: {TOO_FEW}. It takes {FEWEST_POINTS} {self.word}s with 5 or more cases to draw a chart."
        special = [label for label, rules in zip(labels, self.rules, strict=True) if rules]
        found = f"more than chance in {', '.join(special)}" if special else "nothing that chance alone would not give"
        if self.chart:
            return f"Over {many} the mean was {percent(self.chart.mean)}; the four usual rules find {found}."
        middle = percent(self.run.median) if self.run else ""
        few = f"too few for limits, which take {spc.FEW_POINTS}"
        return f"Over {many} the median was {middle}; runs of 7 show {found} ({few})."


def over_sites(measure: Measure, sites: Mapping[str, Result], lines: Sequence[Level] = (), own: str = "") -> Figure:
    """The funnel over sites (by the name to print), in the order of their names: never ranked."""
    named = sorted((name, r) for name, r in sites.items() if r.applicable)
    found = funnel.funnel([(name, r.met, r.applicable) for name, r in named])
    enough = [r for _, r in named if r.applicable >= COMPARE_FROM]
    if found is None or len(enough) < 2:
        rows = tuple((name, recorded(r), rate(r), interval(r)) for name, r in named)
        sentence = f"Between sites: {TOO_FEW}. It takes two sites with {COMPARE_FROM} or more cases."
        return Figure("sites", "By site", "", sentence, ("Site", "Recorded", "Rate", "95% interval"), rows)
    compared = [site for site in found.sites if site.n >= COMPARE_FROM]
    few = len(compared) <= NUMBERED
    numbers = {name: str(at) for at, (name, _) in enumerate(named, 1)}
    places = [
        Place(s.n, s.k / s.n, SHAPES[s.place], numbers[s.name] if few or s.place != "inside" or s.name == own else "")
        for s in compared
    ]
    table = tuple(
        (f"{numbers[s.name]}. {s.name}", recorded(r), rate(r), interval(r), *_limits_said(s))
        for s, (_, r) in zip(found.sites, named, strict=True)
    )
    return Figure(
        "sites",
        "By site",
        f"{measure.title}: a funnel with the number of cases of each site across and its rate up, from 0 to 100%.",
        _funnel_finding(found, compared),
        ("Site", "Recorded", "Rate", "95% interval", "95% limits", "99.8% limits", "Lies"),
        table,
        charts.funnel_charts(
            places,
            _bands(found.pooled, max(s.n for s in compared)),
            [*lines, Level(f"pooled: {percent(found.pooled)}", found.pooled, "mean")],
        ),
        (
            ("ring", "site inside the 95% limits"),
            ("triangle", "outside the 95% limits"),
            ("square", "outside the 99.8% limits"),
            ("mean", "rate of all sites together"),
            ("inner", "95% limits"),
            ("outer", "99.8% limits"),
            *_lines_key(lines),
        ),
        tuple(_dispersion_said(found)),
    )


def _limits_said(site: funnel.Site) -> Cells:
    if site.n < COMPARE_FROM:
        return "", "", NO_COMPARISON
    said = [f"{percent(limit.low_share)} to {percent(limit.high_share)}" for limit in site.limits.values()]
    side = "" if site.place == "inside" else ", low" if site.k < site.limits["95%"].low else ", high"
    return (*said, site.place + side)


def _funnel_finding(found: funnel.Funnel, compared: Sequence[funnel.Site]) -> str:
    out = [f"{site.name} ({_limits_said(site)[-1]})" for site in compared if site.place != "inside"]
    said = f"Of {len(compared)} sites with {COMPARE_FROM} or more cases, {len(compared) - len(out)} lie inside the 95% "
    said += f"limits round the rate of all sites together, {percent(found.pooled)}"
    return f"{said}; not: {', '.join(out)}." if out else f"{said}."


def _dispersion_said(found: funnel.Funnel) -> Iterable[str]:
    yield (
        "Limits are exact binomial, round the rate of all sites together. Where many sites are compared some lie "
        "outside by chance: of 20, about one outside the 95% limits."
    )
    if found.dispersion and found.dispersion.too_narrow:
        yield (
            f"The sites differ more than chance alone lets them (by a factor of {found.dispersion.phi:.1f}): the "
            "limits are too narrow here, and a site outside them says little."
        )


def _bands(pooled: float, most: int) -> list[Band]:
    """The limits as curves, at up to 120 values of n."""
    widest = max(COMPARE_FROM + 1, int(most * 1.04))
    at = sorted({COMPARE_FROM + round(i * (widest - COMPARE_FROM) / 119) for i in range(120)})
    kinds: list[tuple[Literal["inner", "outer"], float]] = [
        ("inner", funnel.TAILS["95%"]),
        ("outer", funnel.TAILS["99.8%"]),
    ]
    found = []
    for kind, tail in kinds:
        limits = [funnel.limits(n, pooled, tail) for n in at]
        found.append(Band(kind, tuple((one.n, one.low_share) for one in limits)))
        found.append(Band(kind, tuple((one.n, one.high_share) for one in limits)))
    return found


def of_items(measure: Measure, found: Sequence[ItemResult]) -> Figure:
    """The items inside a measure, in the order of its rule, among the cases it applies to."""
    unable = any(one.unable for one in found)
    rows = [
        (one.item.label, recorded(one.result), rate(one.result), interval(one.result), str(one.unable))[
            : 5 if unable else 4
        ]
        for one in found
    ]
    head = ("Item", "Recorded", "Rate", "95% interval", "Of which not established")[: 5 if unable else 4]
    n = found[0].result.applicable if found else 0
    drawn = [as_rate(one.item.label, one.result) for one in found]
    return Figure(
        "items",
        "Item by item",
        f"{measure.title}: the rate of each item inside it with its 95% interval, on a line from 0 to 100%.",
        _items_finding([(one.item.label, one.result) for one in found], n),
        head,
        tuple(rows),
        charts.row_charts(drawn) if n >= PERCENT_FROM else (),
        (("dot", "rate with its 95% interval"),) if n >= PERCENT_FROM else (),
    )


def of_parts(measure: Measure, parts: Sequence[tuple[Measure, Result]]) -> Figure:
    """The measures that a joint one is made of, each among the cases it applies to itself."""
    drawn = any(r.applicable >= PERCENT_FROM for _, r in parts)
    return Figure(
        "items",
        "Heading by heading",
        f"{measure.title}: the rate of each heading with its 95% interval, on a line from 0 to 100%.",
        _items_finding([(m.short, r) for m, r in parts], max((r.applicable for _, r in parts), default=0)),
        ("Heading", "Recorded", "Rate", "95% interval"),
        tuple((m.title, recorded(r), rate(r), interval(r)) for m, r in parts),
        charts.row_charts([as_rate(m.short, r) for m, r in parts]) if drawn else (),
        (("dot", "rate with its 95% interval"),) if drawn else (),
    )


def _items_finding(found: Sequence[tuple[str, Result]], n: int) -> str:
    known = [(label, r) for label, r in found if r.rate is not None]
    if n < PERCENT_FROM or not known:
        return f"Item by item: {TOO_FEW}."
    most = max(known, key=lambda one: one[1].rate or 0)
    least = min(known, key=lambda one: one[1].rate or 0)
    if most[1].rate == least[1].rate:
        return f"Each item is recorded as often as the others: {recorded(most[1])}."
    return f"Least often recorded: {least[0]} ({recorded(least[1])}); most often: {most[0]} ({recorded(most[1])})."


def by_field(measure: Measure, field: Field, by: Mapping[str, Result], *, leaving: bool = False) -> Figure:
    """One measure by the codes of a field, in the order of the data set.

    Only groups of 10 or more are drawn. `leaving`: made for a copy that leaves the provider, with small numbers and one
    further group withheld.
    """
    order = {code: at for at, code in enumerate(field.options)}
    groups = sorted(
        ((code, r) for code, r in by.items() if r.applicable), key=lambda one: (order.get(one[0], -1), one[0])
    )
    gone = withheld([(r.met, r.not_met) for _, r in groups]) if leaving else frozenset()
    said = [(field.words(code), r) for code, r in groups]
    rows = tuple(
        (label, "withheld", "", "", "") if at in gone else (label, recorded(r), rate(r), interval(r), _few(r))
        for at, (label, r) in enumerate(said)
    )
    shown = [(label, r) for at, (label, r) in enumerate(said) if at not in gone and r.applicable >= COMPARE_FROM]
    return Figure(
        f"by-{field.name.replace('_', '-')}",
        f"By {field.title[:1].lower()}{field.title[1:]}",
        f"{measure.title} by {field.title.lower()}: the rate of each group with its 95% interval, from 0 to 100%.",
        _groups_finding(shown),
        (field.title, "Recorded", "Rate", "95% interval", "Note"),
        rows,
        charts.row_charts([as_rate(label, r, COMPARE_FROM) for label, r in shown]) if len(shown) > 1 else (),
        (("dot", "rate with its 95% interval"),) if len(shown) > 1 else (),
        ("Withheld: a count of 1 to 4, and at least one further group so that none can be had by subtraction.",)
        if gone
        else (),
    )


def by_mode(measure: Measure, found: Sequence[tuple[str, Result]]) -> Figure:
    """One measure by way of capture: side by side, with no total and no verdict."""
    return Figure(
        "by-mode",
        "By way of capture",
        f"{measure.title} by way of capture: the rate of each with its 95% interval, on a line from 0 to 100%.",
        "Ways of capture are never added up: a screen that prompts reads higher without any change in care.",
        ("Captured", "Recorded", "Rate", "95% interval"),
        tuple((label, recorded(r), rate(r), interval(r)) for label, r in found),
        charts.row_charts([as_rate(label, r) for label, r in found]),
        (("dot", "rate with its 95% interval"),),
    )


def _few(result: Result) -> str:
    return NO_COMPARISON if result.applicable < COMPARE_FROM else ""


def _groups_finding(shown: Sequence[tuple[str, Result]]) -> str:
    if len(shown) < 2:
        return f"Between groups: {TOO_FEW}. It takes two groups with {COMPARE_FROM} or more cases."
    most = max(shown, key=lambda one: one[1].rate or 0)
    least = min(shown, key=lambda one: one[1].rate or 0)
    between = f"from {rate(least[1])} ({least[0]}) to {rate(most[1])} ({most[0]})"
    return f"Among groups with {COMPARE_FROM} or more cases: {between}."


def ranked(
    found: Sequence[tuple[Measure, Result]], many: int = 3
) -> tuple[list[tuple[Measure, Result]], list[tuple[Measure, Result]]]:
    """The most and the least often recorded of some measures, with 10 or more cases each; none in both lists."""
    known = sorted(
        ((m, r) for m, r in found if r.applicable >= COMPARE_FROM), key=lambda one: one[1].rate or 0, reverse=True
    )
    many = min(many, len(known) // 2)
    return known[:many], known[len(known) - many :][::-1]
