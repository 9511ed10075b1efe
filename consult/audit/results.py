"""Results: what a set of cases gives on every measure, in the shape that page, command line and exports share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consult.audit import statistics
from consult.audit.benchmarks import Benchmarks
from consult.audit.cases import ORDER, TABLE, CaseRow, as_dict, quoted
from consult.audit.measures import OUTCOMES, Among, Beside, Measure, MeasureSet, Outcome
from consult.audit.sql import condition, outcome_column, outcomes_query
from consult.proforma.dataset import Dataset
from consult.record.database import Connection

AMONG: Final[dict[Among, tuple[Outcome, ...]]] = {
    "eligible": OUTCOMES,
    "applicable": ("met", "not_met"),
    "met": ("met",),
    "not_met": ("not_met",),
    "not_applicable": ("not_applicable",),
    "missing": ("missing",),
}


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


@dataclass(frozen=True)
class Selection:
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


@dataclass(frozen=True)
class Result:
    """The outcomes of one measure in a set of cases, with the lines printed beside it."""

    met: int
    not_met: int
    not_applicable: int
    missing: int
    beside: tuple[str, ...] = ()
    aside_met: int = 0
    aside_not_met: int = 0

    @property
    def applicable(self) -> int:
        """The denominator: met and not met."""
        return self.met + self.not_met

    @property
    def rate(self) -> float | None:
        """Met over met and not met; None where the denominator is 0."""
        return self.met / self.applicable if self.applicable else None

    @property
    def interval(self) -> statistics.Interval | None:
        """The 95% interval of the rate."""
        return statistics.wilson(self.met, self.applicable)

    @property
    def worst_case_rate(self) -> float | None:
        """The rate if every missing case were not met."""
        n = self.applicable + self.missing
        return self.met / n if n else None

    @property
    def without_aside(self) -> tuple[int, int]:
        """Met and applicable without the cases set aside (same-day emergencies): the second line of a result."""
        return self.met - self.aside_met, self.applicable - self.aside_met - self.aside_not_met


@dataclass(frozen=True)
class Results:
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
    """Count every measure over the cases selected; SelectionRefused where they must not be counted together."""
    mode = _one_mode(conn, selection)
    where, values = selection.where()
    counters = _Counters(measures, dataset)
    rows = [tuple(row) for row in conn.execute(counters.query(where), values)]
    counted = counters.read([row for row in rows if row[0] == ""])
    excluded = Counter({reason.id: 0 for reason in measures.eligibility})
    for reason, _, n, *_ in rows:
        excluded[reason] += n
    eligible = excluded.pop("", 0)
    national = [counted[id_] for id_ in measures.national]
    return Results(
        selection,
        mode,
        eligible,
        {reason: n for reason, n in excluded.items() if n},
        counted,
        (sum(r.met for r in national), sum(r.applicable for r in national), sum(r.missing for r in national)),
    )


def _one_mode(conn: Connection, selection: Selection) -> str:
    if selection.site and not selection.provider and len(several := providers(conn, selection)) > 1:
        raise AmbiguousSite(selection.site, several)
    if selection.capture:
        return selection.capture
    found = modes(conn, selection)
    if len(found) > 1:
        raise MixedModes(found)
    return found[0] if found else ""


class _Counters:
    """The sums one query makes for all measures, apart for the cases set aside, and how to read them back."""

    def __init__(self, measures: MeasureSet, dataset: Dataset) -> None:
        self.measures, self.dataset = measures, dataset
        self.flags = {"flag aside": measures.set_aside.when}
        self.sums: dict[tuple[str, str], str] = {}
        for measure in measures.measures:
            self._count(measure)

    def _count(self, measure: Measure) -> None:
        column = quoted(outcome_column(measure.id))
        for outcome in OUTCOMES:
            self.sums[measure.id, outcome] = f"sum({column} = '{outcome}')"
        for line, beside in enumerate(measure.beside):
            among = " OR ".join(f"{column} = '{outcome}'" for outcome in AMONG[beside.among])
            for name, rule in beside.counts.items():
                flag = f"flag {measure.id} {line} {name}"
                self.flags[flag] = rule
                self.sums[measure.id, f"{line} {name}"] = f"sum({quoted(flag)} AND ({among}))"

    def query(self, where: str) -> str:
        """One row for each reason of exclusion ("" for eligible) and for the cases set aside or not: count and sums."""
        flags = [f"{condition(rule, self.dataset)} AS {quoted(name)}" for name, rule in self.flags.items()]
        judged = outcomes_query(self.measures, self.dataset, f"{TABLE} WHERE {where}", flags)
        return (
            f'WITH judged AS MATERIALIZED ({judged}) SELECT excluded, "flag aside", count(*), '
            f"{', '.join(self.sums.values())} FROM judged GROUP BY 1, 2"
        )

    def read(self, rows: list[tuple[Any, ...]]) -> dict[str, Result]:
        """The results, from the rows of the eligible cases."""
        whole: Counter[tuple[str, str]] = Counter()
        aside: Counter[tuple[str, str]] = Counter()
        for _, is_aside, _, *sums in rows:
            counts = dict(zip(self.sums, sums, strict=True))
            whole.update(counts)
            aside.update(counts if is_aside else {})
        return {m.id: self._result(m, _of(whole, m.id), _of(aside, m.id)) for m in self.measures.measures}

    def _result(self, measure: Measure, counts: Counter[str], aside: Counter[str]) -> Result:
        lines = tuple(
            _line(beside, {name: counts[f"{line} {name}"] for name in beside.counts}, counts)
            for line, beside in enumerate(measure.beside)
            if sum(counts[outcome] for outcome in AMONG[beside.among])
        )
        met, not_met, not_applicable, missing = (counts[outcome] for outcome in OUTCOMES)
        return Result(met, not_met, not_applicable, missing, lines, aside["met"], aside["not_met"])


def _of(counts: Counter[tuple[str, str]], measure: str) -> Counter[str]:
    return Counter({name: n for (id_, name), n in counts.items() if id_ == measure})


def _line(beside: Beside, found: Mapping[str, int], counts: Counter[str]) -> str:
    n = sum(counts[outcome] for outcome in AMONG[beside.among])
    return beside.text.format(n=n, rest=n - found.get("k", 0), **found)


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


@dataclass(frozen=True)
class Judged:
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
