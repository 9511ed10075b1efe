"""Results: what a set of cases gives on every measure, in the shape that page, command line and exports share."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from consult.audit import tally
from consult.audit.benchmarks import Benchmarks
from consult.audit.cases import ORDER, TABLE, CaseRow, as_dict, quoted
from consult.audit.counting import MONTH, Counts, Plan, added, plan_of
from consult.audit.counting import Result as Result
from consult.audit.measures import MeasureSet
from consult.audit.sql import outcome_column, outcomes_query
from consult.proforma.dataset import Dataset
from consult.proforma.days import day_in
from consult.record.database import Connection, snapshot


class SelectionRefused(Exception):
    """The cases selected can't be counted together; the message says why and what to choose."""


class MixedModes(SelectionRefused):
    """Several capture modes are selected and none was chosen."""

    def __init__(self, modes: list[str]) -> None:
        super().__init__(
            f"The cases selected were captured in {len(modes)} ways ({', '.join(modes)}), which are never pooled; "
            "choose one capture mode."
        )
        self.modes = modes


class AmbiguousSite(SelectionRefused):
    """A site code that several providers use was selected without a provider."""

    def __init__(self, site: str, providers: list[str]) -> None:
        super().__init__(
            f"Site {site} exists at several providers ({', '.join(providers)}), and these are different places; "
            "choose a provider too."
        )


class Selection(Struct, frozen=True):
    """Which cases: "" selects all; dates are ISO 8601 and inclusive.

    `sample` holds the row numbers of the sample of a round as a JSON list, and `round` the id of that round.
    """

    provider: str = ""
    site: str = ""
    start: str = ""
    end: str = ""
    capture: str = ""
    sample: str = ""
    round: str = ""

    def where(self) -> tuple[str, list[str]]:
        """The condition over the case table and its values."""
        tests = {
            "provider = ?": self.provider,
            "site = ?": self.site,
            "consultation_date >= ?": self.start,
            "consultation_date <= ?": self.end,
            "capture_mode = ?": self.capture,
            "rowid IN (SELECT value FROM json_each(?))": self.sample,
        }
        chosen = {test: value for test, value in tests.items() if value}
        return " AND ".join(chosen) or "1", list(chosen.values())


class Results(Struct, frozen=True):
    """The results of one selection within one capture mode; capture_mode is "" where there is no case at all."""

    selection: Selection
    capture_mode: str
    eligible: int
    excluded: dict[str, int]
    measures: dict[str, Result]
    opportunity: tuple[int, int, int]
    """Met, applicable and missing, summed over the national measures."""


def modes(conn: Connection, selection: Selection) -> list[str]:
    """The capture modes of the cases selected, in the order of their names."""
    where, values = selection.where()
    rows = conn.execute(f"SELECT DISTINCT capture_mode FROM {TABLE} WHERE {where} ORDER BY 1", values)
    return [row[0] for row in rows]


def providers(conn: Connection, selection: Selection) -> list[str]:
    """The providers of the cases selected."""
    where, values = selection.where()
    return [r[0] for r in conn.execute(f"SELECT DISTINCT provider FROM {TABLE} WHERE {where} ORDER BY 1", values)]


def results(conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection) -> Results:
    """Count every measure over the cases selected; SelectionRefused where they must not be counted together.

    The counters kept beside the cases answer where they are those of these measures; else the cases are recounted.
    """
    plan = plan_of(measures, dataset)
    with snapshot(conn):
        _check_place(conn, selection)
        by_mode = counts(conn, plan, selection, ("capture_mode",))
    if len(by_mode) > 1:
        raise MixedModes(sorted(mode for (mode,) in by_mode))
    (mode,), counted = next(iter(by_mode.items()), ((selection.capture,), plan.none()))
    return _results(plan, selection, mode, counted)


Grouping = Literal["capture_mode", "provider", "site", "month"]


def results_by(
    conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection, by: tuple[Grouping, ...]
) -> dict[tuple[str, ...], Results]:
    """The results of each group of the cases selected, by the names of the groups in order; empty groups are absent.

    `by` names what makes a group: capture_mode, provider, site, month (2026-03). Sites of several providers are
    different places, so `site` is asked for with `provider` unless one provider is selected. One capture mode must be
    selected, or be among `by`; else MixedModes is raised where there are several.
    """
    plan = plan_of(measures, dataset)
    names: tuple[Grouping, ...] = ("capture_mode", *(name for name in by if name != "capture_mode"))
    with snapshot(conn):
        _check_place(conn, selection)
        found = counts(conn, plan, selection, names)
    several = sorted({mode for mode, *_ in found})
    if len(several) > 1 and "capture_mode" not in by:
        raise MixedModes(several)
    keyed = {tuple(key[names.index(name)] for name in by): (key[0], counted) for key, counted in found.items()}
    return {key: _results(plan, selection, *keyed[key]) for key in sorted(keyed)}


def _results(plan: Plan, selection: Selection, mode: str, counted: Counts) -> Results:
    found = plan.results(counted)
    national = [found[id_] for id_ in plan.measures.national]
    excluded = plan.excluded(counted)
    return Results(
        selection,
        mode,
        counted["cases"] - sum(excluded.values()),
        excluded,
        found,
        (sum(r.met for r in national), sum(r.applicable for r in national), sum(r.missing for r in national)),
    )


def _check_place(conn: Connection, selection: Selection) -> None:
    if selection.site and not selection.provider and len(several := providers(conn, selection)) > 1:
        raise AmbiguousSite(selection.site, several)


def counts(
    conn: Connection,
    plan: Plan,
    selection: Selection,
    by: Sequence[str],
    with_items: bool = False,
    part: Plan | None = None,
) -> dict[tuple[str, ...], Counts]:
    """The sums over the cases selected by what makes a group; from the counters where they are kept for this plan.

    `by` may also name a field that results are broken down by. What the counters do not tell apart is counted from the
    cases: single cases, such a field within a period, and the days of a site that make up no whole month. Given a part
    of the plan, its sums alone are counted.
    """
    part = part or plan
    months, by_field = _months(selection), bool(set(by) & set(tally.fields(plan)))
    of_period = bool(selection.start or selection.end)
    if selection.sample or months is None or (by_field and of_period) or not tally.kept(conn, plan):
        return _recounted(conn, part, selection, by, with_items)
    whole, rest = months
    found = _of_months(conn, plan, selection, whole, by, part) if whole else {}
    for left in rest:
        if selection.site or "site" in by:
            days = _recounted(conn, part, left, by, with_items)
        else:
            days = _of_days(conn, plan, left, by, part)
        for key, more in days.items():
            found[key] = added(found[key], more) if key in found else more
    return found


def _recounted(
    conn: Connection, plan: Plan, selection: Selection, by: Sequence[str], with_items: bool
) -> dict[tuple[str, ...], Counts]:
    where, values = selection.where()
    names = [MONTH if name == "month" else quoted(name) for name in by]
    return plan.recount(conn, where, values, names, with_items)


def _of_months(
    conn: Connection, plan: Plan, selection: Selection, whole: Months, by: Sequence[str], part: Plan
) -> dict[tuple[str, ...], Counts]:
    fields = tally.fields(plan)
    field = next((name for name in by if name in fields), "")
    by_month = bool(selection.start or selection.end or "month" in by)
    level = tally.FIELD_OF_SITE + fields.index(field) if field else tally.MONTH_OF_SITE if by_month else tally.SITE
    names = ["code" if name == field else name for name in by]
    return tally.read(conn, plan, level, *_in_months(selection, whole), names, part)


def _of_days(
    conn: Connection, plan: Plan, selection: Selection, by: Sequence[str], part: Plan
) -> dict[tuple[str, ...], Counts]:
    where, values = replace(selection, start="", end="").where()
    names = ["substr(day, 1, 7)" if name == "month" else name for name in by]
    days, between = [selection.start, selection.end], f"day BETWEEN ? AND ? AND {where}"
    return tally.read(conn, plan, tally.DAY_OF_PROVIDER, between, [*days, *values], names, part)


Months = tuple[str, str]
FIRST_DAY, LAST_DAY = date.min.isoformat(), date.max.isoformat()


def _months(selection: Selection) -> tuple[Months | None, list[Selection]] | None:
    """The first and last of the whole months selected, and the days left over at either end; None if a date is none."""
    start, end = day_in(selection.start or FIRST_DAY), day_in(selection.end or LAST_DAY)
    if start is None or end is None:
        return None
    rest, first, last = [], start, end
    if start > end:
        return None, []
    if start.day > 1:
        rest_ends = min(end, _end_of_month(start))
        rest.append(replace(selection, start=start.isoformat(), end=rest_ends.isoformat()))
        if rest_ends == end:
            return None, rest
        first = rest_ends + timedelta(days=1)
    if end != _end_of_month(end):
        rest.append(replace(selection, start=end.replace(day=1).isoformat(), end=end.isoformat()))
        if first == end.replace(day=1):
            return None, rest
        last = end.replace(day=1) - timedelta(days=1)
    return (first.isoformat()[:7], last.isoformat()[:7]), rest


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _in_months(selection: Selection, whole: Months) -> tuple[str, list[str]]:
    where, values = replace(selection, start="", end="").where()
    if selection.start or selection.end:
        return f"{where} AND month BETWEEN ? AND ?", [*values, *whole]
    return where, values


def as_json(found: Results, measures: MeasureSet, benchmarks: Benchmarks) -> dict[str, Any]:
    """The documented shape: raw and internal, what leaves the provider is made from it by other rules."""
    selection = found.selection
    met, applicable, missing = found.opportunity
    return {
        "proforma": measures.proforma,
        "measures_version": measures.version,
        "capture_mode": found.capture_mode or None,
        "from": selection.start or None,
        "to": selection.end or None,
        "site": selection.site or None,
        "eligible": found.eligible,
        "excluded": found.excluded,
        "measures": {id_: _result_json(r, benchmarks.of(id_)) for id_, r in found.measures.items()},
        "opportunity": {"met": met, "applicable": applicable, "missing": missing},
    }


def _result_json(result: Result, benchmarks: dict[str, float | None]) -> dict[str, Any]:
    return {
        "met": result.met,
        "not_met": result.not_met,
        "not_applicable": result.not_applicable,
        "missing": result.missing,
        "rate": result.rate,
        "interval": list(result.interval) if result.interval else None,
        "worst_case_rate": result.worst_case_rate,
        "benchmarks": benchmarks,
    }


class Judged(Struct, frozen=True):
    """One case with what the audit makes of it: the reason it is excluded, or ("" there) its outcomes."""

    case: CaseRow
    excluded: str
    outcomes: dict[str, str]


def judged(
    conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection, measure: str = "", outcome: str = ""
) -> Iterator[Judged]:
    """The cases selected in the order of the audit, each judged; with `measure` and `outcome` those behind one number.

    Several capture modes may be selected here: nothing is pooled.
    """
    for row in _judged_rows(conn, measures, dataset, selection, measure, outcome):
        columns = as_dict(row)
        outcomes = {m.id: columns.pop(outcome_column(m.id)) for m in measures.measures}
        excluded = columns.pop("excluded")
        yield Judged(CaseRow.of(columns), excluded, {} if excluded else outcomes)


def cases_json(conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection) -> list[dict[str, Any]]:
    """What `results --cases` adds, in the documented shape: every case selected, in the order of the audit."""
    ids = [m.id for m in measures.measures]
    columns = ["provider", "site", "capture_mode", "case_ref", "excluded", *map(outcome_column, ids)]
    found = []
    for provider, site, mode, ref, excluded, *outcomes in _judged_rows(
        conn, measures, dataset, selection, columns=columns
    ):
        known = {"provider": provider, "site": site, "capture_mode": mode, "case_ref": ref}
        judgement = {"excluded": excluded} if excluded else {"outcomes": dict(zip(ids, outcomes, strict=True))}
        found.append(known | judgement)
    return found


def _judged_rows(
    conn: Connection,
    measures: MeasureSet,
    dataset: Dataset,
    selection: Selection,
    measure: str = "",
    outcome: str = "",
    columns: Sequence[str] = (),
) -> Iterator[Any]:
    where, values = selection.where()
    query = outcomes_query(measures, dataset, f"{TABLE} WHERE {where}", [f"{TABLE}.*"])
    test = "1"
    if measure:
        test = f"excluded = '' AND {quoted(outcome_column(measure))} = ?"
        values.append(outcome)
    wanted = ", ".join(map(quoted, columns)) or "*"
    yield from conn.execute(f"SELECT {wanted} FROM ({query}) WHERE {test} ORDER BY {ORDER}", values)
