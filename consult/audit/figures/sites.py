"""One measure over sites: the funnel, with exact limits round the rate of all sites together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from consult.audit import charts, funnel
from consult.audit.charts import Band, Level, Place, Shape
from consult.audit.comparison import COMPARE_FROM, NO_COMPARISON, interval, percent, rate, recorded
from consult.audit.figures.said import TOO_FEW, Cells, Figure, lines_key
from consult.audit.measures import Measure
from consult.audit.results import Result

NUMBERED: Final = 15
"""Up to so many sites each has its number in the chart; of more only those outside the limits."""
NAMED: Final = 8
"""Up to so many sites outside the limits are named in the finding; more stand in the table."""
ROOM: Final = "Numbers stand in the chart beside sites outside the limits, where there is room; all are in the table."
KEY: Final = (
    ("ring", "site inside the 95% limits"),
    ("triangle", "outside the 95% limits"),
    ("square", "outside the 99.8% limits"),
    ("mean", "rate of all sites together"),
    ("inner", "95% limits"),
    ("outer", "99.8% limits"),
)
SHAPES: Final[dict[str, Shape]] = {"inside": "ring", "outside 95%": "triangle", "outside 99.8%": "square"}


Named = Sequence[tuple[str, Result]]
"""The results of sites with the names to print, in the order of these."""


def over_sites(measure: Measure, sites: Mapping[str, Result], lines: Sequence[Level] = (), own: str = "") -> Figure:
    """The funnel over sites (by the name to print), in the order of their names: never ranked."""
    named = sorted((name, r) for name, r in sites.items() if r.applicable)
    found = funnel.funnel([(name, r.met, r.applicable) for name, r in named])
    if found is None or sum(r.applicable >= COMPARE_FROM for _, r in named) < 2:
        return _too_few(named)
    compared = [site for site in found.sites if site.n >= COMPARE_FROM]
    numbers = {name: str(at) for at, (name, _) in enumerate(named, 1)}
    bands = _bands(found.pooled, max(s.n for s in compared))
    levels = [*lines, Level(f"pooled: {percent(found.pooled)}", found.pooled, "mean")]
    return Figure(
        id="sites",
        title="By site",
        describes=(
            f"{measure.title}: a funnel with the number of cases of each site across and its rate up, from 0 to 100%."
        ),
        finding=_funnel_finding(found, compared),
        head=("Site", "Recorded", "Rate", "95% interval", "95% limits", "99.8% limits", "Lies"),
        rows=tuple(_rows(found, named)),
        charts=charts.funnel_charts(_places(compared, numbers, own), bands, levels),
        key=(*KEY, *lines_key(lines)),
        notes=(*_dispersion_said(found), *([ROOM] if len(compared) > NUMBERED else [])),
    )


def _too_few(named: Named) -> Figure:
    rows = tuple((name, recorded(r), rate(r), interval(r)) for name, r in named)
    sentence = f"Between sites: {TOO_FEW}. It takes two sites with {COMPARE_FROM} or more cases."
    return Figure(
        id="sites",
        title="By site",
        describes="",
        finding=sentence,
        head=("Site", "Recorded", "Rate", "95% interval"),
        rows=rows,
    )


def _rows(found: funnel.Funnel, named: Named) -> Iterator[Cells]:
    for at, (site, (name, r)) in enumerate(zip(found.sites, named, strict=True), 1):
        yield f"{at}. {name}", recorded(r), rate(r), interval(r), *_limits_said(site)


def _places(compared: Sequence[funnel.Site], numbers: Mapping[str, str], own: str) -> list[Place]:
    few = len(compared) <= NUMBERED
    return [
        Place(s.n, s.k / s.n, SHAPES[s.place], numbers[s.name] if few or s.place != "inside" or s.name == own else "")
        for s in compared
    ]


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
    more = f" and {len(out) - NAMED} more, marked in the table" if len(out) > NAMED else ""
    return f"{said}; not: {', '.join(out[:NAMED])}{more}." if out else f"{said}."


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
