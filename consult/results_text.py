"""Results as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consult.audit.benchmarks import Benchmarks
from consult.audit.comparison import PERCENT_FROM, percent, shown_rate
from consult.audit.measures import MeasureSet
from consult.audit.results import Judged, Result, Results
from consult.audit.versions import SHORT

NAME, RATE, INTERVAL, MISSING = 46, 26, 22, 9


def lines(found: Results, measures: MeasureSet, benchmarks: Benchmarks, digest: str) -> Iterator[str]:
    """Each measure by its title, below it its id and counts with the published figures, and what is printed beside."""
    selection = found.selection
    chosen = [
        f"provider {selection.provider}" if selection.provider else "",
        f"site {selection.site}" if selection.site else "",
        f"from {selection.start}" if selection.start else "",
        f"to {selection.end}" if selection.end else "",
        f"capture mode {found.capture_mode}" if found.capture_mode else "no cases",
    ]
    yield f"{measures.proforma}, measures {measures.version} ({digest[:SHORT]}): {', '.join(filter(None, chosen))}"
    excluded = "; ".join(f"{reason} {n}" for reason, n in found.excluded.items())
    yield f"Eligible: {found.eligible}. Excluded: {excluded or 'none'}."
    yield ""
    years = "".join(f"{benchmarks.label(year):<24}" for year in benchmarks.years)
    yield f"{'Measure':<{NAME}}{'Recorded':<{RATE}}{'95% interval':<{INTERVAL}}{'missing':<{MISSING}}{years}".rstrip()
    for measure in measures.measures:
        result = found.measures[measure.id]
        yield measure.title
        yield _line(measure.id, result, benchmarks)
        yield from (f"    {line}" for line in result.beside)
        if not measure.national and benchmarks.figure(measure.id, benchmarks.compared):
            yield f"    {measure.note}"
    met, applicable, missing = found.opportunity
    yield ""
    yield f"Over the {len(measures.national)} national measures: {met} of {applicable} met, {missing} missing."


def _line(measure: str, result: Result, benchmarks: Benchmarks) -> str:
    interval = ""
    if result.interval and result.applicable >= PERCENT_FROM:
        interval = f"{percent(result.interval[0])} to {percent(result.interval[1])}"
    held = "".join(f"{benchmarks.percent(measure, year):<24}" for year in benchmarks.years)
    name = f"  {measure}"
    said = f"{shown_rate(result)} "  # a blank stands between two columns also where a number is larger than its column
    return f"{name:<{NAME}}{said:<{RATE}}{interval:<{INTERVAL}}{result.missing:<{MISSING}}{held}".rstrip()


def case_lines(judged: Iterable[Judged]) -> Iterator[str]:
    """One line a case: what it is known by, and the reason it is excluded or the measures it does not meet."""
    yield ""
    for one in judged:
        fields = one.case.fields
        names = " / ".join(fields[name] for name in ("provider", "site", "capture_mode", "case_ref"))
        not_met = ", ".join(id_ for id_, outcome in one.outcomes.items() if outcome == "not_met")
        said = f"excluded, {one.excluded}" if one.excluded else f"not met: {not_met or 'none'}"
        yield f"{names}: {said}"
