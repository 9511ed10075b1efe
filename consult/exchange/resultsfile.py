"""Results and cases as files: the numbers of page and JSON, as CSV, as a workbook, and as MoHaWK-shaped indicators.

Each file is made at one moment of the record, says which version of the measures it was counted by, and whether it is
internal or may leave the provider (audit/leaving.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consult.audit import cases, leaving
from consult.audit.benchmarks import Benchmarks
from consult.audit.breakdowns import span
from consult.audit.measures import OUTCOMES, MeasureSet
from consult.audit.results import Judged, Result, Results, Selection, judged, results, results_by
from consult.exchange.sheets import Cell, Sheet
from consult.proforma.dataset import Dataset
from consult.record.database import Connection, snapshot

MOHAWK: Final = (
    "period",
    "site",
    "indicator",
    "definition_version",
    "numerator",
    "denominator",
    "excluded",
    "missing",
)
SELECTED: Final = (
    "use",
    "proforma",
    "measures_version",
    "measures_digest",
    "capture_mode",
    "provider",
    "site",
    "from",
    "to",
    "round",
)
RATES: Final = ("rate", "interval_low", "interval_high", "worst_case_rate")
OPPORTUNITY: Final = "opportunity"


class Version(Struct, frozen=True):
    """The measures that results are counted by, with their digest and the figures they stand beside."""

    measures: MeasureSet
    digest: str
    benchmarks: Benchmarks
    dataset: Dataset


INVENTED: Final = "; demonstration, everything here is invented"


def results_sheet(found: Results, version: Version, *, leaves: bool = False, invented: bool = False) -> Sheet:
    """One row a measure, and one for the sum over the national measures; every row says what it was counted from.

    `found` must be of the whole service where the file may leave the provider (`leaving.whole`).
    """
    years = version.benchmarks.years
    extent = () if leaves else ("eligible", "excluded")
    header = (*SELECTED, *extent, "measure", *OUTCOMES, *RATES, *(f"benchmark_{year}" for year in years))
    return Sheet("Results", header, _results_rows(found, version, leaves, INVENTED if invented else ""))


def _results_rows(found: Results, version: Version, leaves: bool, invented: str) -> Iterator[list[Cell]]:
    extent: list[Cell] = [] if leaves else [found.eligible, sum(found.excluded.values())]
    use = f"{leaving.LEAVES if leaves else leaving.INTERNAL}{invented}"
    before = [use, *_selected(found, version, leaves), *extent]
    shown = leaving.of_results(found) if leaves else found.measures
    for id_, result in shown.items():
        yield [*before, id_, *_numbers(result), *version.benchmarks.of(id_).values()]
    met, applicable, missing = found.opportunity
    if not leaves or leaving.opportunity_leaves(found, version.measures):
        blanks: list[Cell] = [None] * (len(RATES) + len(version.benchmarks.years))
        yield [*before, OPPORTUNITY, met, applicable - met, None, missing, *blanks]


def _selected(found: Results, version: Version, leaves: bool) -> list[Cell]:
    """What was selected; the days of a sample are those of its first and last case, of which the month only leaves."""
    chosen = found.selection
    known = [version.measures.proforma, version.measures.version, version.digest, found.capture_mode]
    upto = 7 if leaves and chosen.round else None
    return [*known, chosen.provider, chosen.site, chosen.start[:upto], chosen.end[:upto], chosen.round]


def _numbers(result: Result) -> list[Cell]:
    low, high = result.interval or (None, None)
    counted = [result.met, result.not_met, result.not_applicable, result.missing]
    return [*counted, result.rate, low, high, result.worst_case_rate]


def exclusions_sheet(found: Results) -> Sheet:
    """The cases left out, by reason."""
    return Sheet("Excluded", ("reason", "cases"), list(found.excluded.items()))


def outcomes_sheet(conn: Connection, version: Version, selection: Selection) -> Sheet:
    """Every case selected with its outcomes, or why it is left out, in the order of the audit."""
    ids = [measure.id for measure in version.measures.measures]
    found = judged(conn, version.measures, version.dataset, selection)
    return Sheet("Outcomes", (*PLACE, "excluded", *ids), (_outcomes(one, ids) for one in found))


PLACE: Final = ("provider", "site", "capture_mode", "case_ref")


def _outcomes(one: Judged, ids: list[str]) -> list[Cell]:
    fields = one.case.fields
    return [*(fields[name] for name in PLACE), one.excluded, *(one.outcomes.get(id_, "") for id_ in ids)]


def mohawk_sheet(conn: Connection, version: Version, selection: Selection) -> Sheet:
    """One row a site and measure, within one capture mode; internal, as every result of one site is.

    `period` is the first and the last day selected, or of the eligible cases where none is; `excluded` are the cases
    that are not eligible. SelectionRefused if several capture modes are selected.
    """
    with snapshot(conn):
        whole = results(conn, version.measures, version.dataset, selection)
        chosen = replace(selection, capture=whole.capture_mode)
        by_site = results_by(conn, version.measures, version.dataset, chosen, ("provider", "site"))
        period = _period(conn, version, chosen)
    several = len({provider for provider, _ in by_site}) > 1
    rows: list[list[Cell]] = [
        [period, f"{provider}, {site}" if several else site, id_, defined, result.met, result.applicable, out, missing]
        for (provider, site), found in by_site.items()
        for id_, result in found.measures.items()
        for defined, out, missing in [(version.measures.version, sum(found.excluded.values()), result.missing)]
    ]
    return Sheet("Indicators", MOHAWK, rows)


def _period(conn: Connection, version: Version, selection: Selection) -> str:
    first, last = span(conn, version.measures, version.dataset, selection) or ("", "")
    return f"{selection.start or first}/{selection.end or last}"


def cases_sheet(conn: Connection, dataset: Dataset, selection: Selection, *, leaves: bool = False) -> Sheet:
    """Every case selected, in the order of the audit: as it is, or by whole months as it may leave the provider."""
    where, values = (leaving.by_months(selection) if leaves else selection).where()
    held = (row.fields for row in cases.iterate(conn, where, tuple(values)))
    if leaves:
        return Sheet("Cases", leaving.fields(dataset), (leaving.of_case(fields, dataset) for fields in held))
    names = [field.name for field in dataset.fields]
    return Sheet("Cases", names, ([fields[name] for name in names] for fields in held))
