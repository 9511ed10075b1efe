"""What is counted of a set of cases: one list of sums for all measures, made once from their rules, and read back.

The same sums come from a recount of the case table (`recount`) and from the counters kept beside it (tally.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consult.audit import statistics
from consult.audit.cases import TABLE, quoted
from consult.audit.measures import OUTCOMES, Among, Beside, Measure, MeasureSet, Outcome
from consult.audit.sql import condition, literal, outcome_column, outcomes_query
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
ASIDE: Final = "flag aside"
PLACE: Final = ("capture_mode", "provider", "site")
MONTH: Final = "substr(consultation_date, 1, 7)"


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


Counts = Counter[str]
"""The sums of a set of cases by the names of a plan."""


class Plan:
    """The sums of one version of the measures over one data set: each a name and a 0-or-1 expression of a judged case.

    The names, in order: "cases"; "excluded REASON" for each reason; and over the eligible cases, for each measure,
    "MEASURE OUTCOME", "MEASURE aside met", "MEASURE aside not_met" and "MEASURE LINE NAME" for what is printed beside.
    """

    def __init__(self, measures: MeasureSet, dataset: Dataset) -> None:
        self.measures, self.dataset = measures, dataset
        self.kept_by: dict[str, str] = {}
        """The statements that keep the counters of this plan (made in tally.py, once)."""
        self.flags = {ASIDE: measures.set_aside.when}
        self.plain: dict[str, str] = {}
        """The sums over eligible cases by name, without the tests for what is excluded or set aside."""
        self.sums = {"cases": "1"}
        self.sums |= {f"excluded {r.id}": f"(excluded = {literal(r.id)})" for r in measures.eligibility}
        for measure in measures.measures:
            self._count(measure)

    def _count(self, measure: Measure) -> None:
        column = quoted(outcome_column(measure.id))
        eligible = "(excluded = '' AND "
        for outcome in OUTCOMES:
            self.plain[f"{measure.id} {outcome}"] = f"{column} = '{outcome}'"
            self.sums[f"{measure.id} {outcome}"] = f"{eligible}{column} = '{outcome}')"
        for outcome in ("met", "not_met"):
            self.sums[f"{measure.id} aside {outcome}"] = f"{eligible}{quoted(ASIDE)} AND {column} = '{outcome}')"
        for line, beside in enumerate(measure.beside):
            among = " OR ".join(f"{column} = '{outcome}'" for outcome in AMONG[beside.among])
            for name, rule in beside.counts.items():
                flag = f"flag {measure.id} {line} {name}"
                self.flags[flag] = rule
                self.plain[f"{measure.id} {line} {name}"] = f"{quoted(flag)} AND ({among})"
                self.sums[f"{measure.id} {line} {name}"] = f"{eligible}{quoted(flag)} AND ({among}))"

    def judged(self, source: str, extra: Sequence[str]) -> str:
        """A query that judges each row of `source`, with the flags that the sums need."""
        flags = [f"{condition(rule, self.dataset)} AS {quoted(name)}" for name, rule in self.flags.items()]
        return outcomes_query(self.measures, self.dataset, source, [*flags, *extra])

    def grouped(self, where: str, by: Sequence[str]) -> str:
        """A query over the case table: one row for each group that the expressions `by` make, with its sums."""
        keys = [f"key {at}" for at in range(len(by))]
        named = [f"{expression} AS {quoted(key)}" for expression, key in zip(by, keys, strict=True)]
        sums = ", ".join(f"sum({expression})" for expression in self.sums.values())
        group = f"GROUP BY {', '.join(map(quoted, keys))}" if keys else "HAVING count(*) > 0"
        return (
            f"WITH judged AS MATERIALIZED ({self.judged(f'{TABLE} WHERE {where}', named)}) "
            f"SELECT {', '.join([*map(quoted, keys), sums])} FROM judged {group}"
        )

    def recount(
        self, conn: Connection, where: str, values: Sequence[str], by: Sequence[str]
    ) -> dict[tuple[str, ...], Counts]:
        """The sums over the cases of a condition, by the values of the expressions `by`; empty groups are absent.

        The same sums as `grouped`, several times as fast: excluded cases and those set aside are grouped apart, so that
        no sum has to test for them.
        """
        keys = [f"key {at}" for at in range(len(by))]
        named = [f"{expression} AS {quoted(key)}" for expression, key in zip(by, keys, strict=True)]
        sums = ", ".join(f"sum({expression})" for expression in self.plain.values())
        parts = ", ".join([*map(quoted, keys), "excluded", quoted(ASIDE)])
        query = (
            f"WITH judged AS MATERIALIZED ({self.judged(f'{TABLE} WHERE {where}', named)}) "
            f"SELECT {parts}, count(*), {sums} FROM judged GROUP BY {parts}"
        )
        found: dict[tuple[str, ...], Counts] = {}
        for row in map(tuple, conn.execute(query, values)):
            reason, is_aside, n, *counted = row[len(by) :]
            counts = found.setdefault(row[: len(by)], Counter(dict.fromkeys(self.sums, 0)))
            counts["cases"] += n
            if reason:
                counts[f"excluded {reason}"] += n
                continue
            counts.update(dict(zip(self.plain, counted, strict=True)))
            if is_aside:
                self._set_aside(counts, dict(zip(self.plain, counted, strict=True)))
        return found

    def _set_aside(self, counts: Counts, counted: Mapping[str, int]) -> None:
        for measure in self.measures.measures:
            for outcome in ("met", "not_met"):
                counts[f"{measure.id} aside {outcome}"] += counted[f"{measure.id} {outcome}"]

    def read(self, rows: Any, keys: int) -> dict[tuple[str, ...], Counts]:
        """The sums of each row, by its first so many columns."""
        return {tuple(row[:keys]): Counter(dict(zip(self.sums, row[keys:], strict=True))) for row in map(tuple, rows)}

    def excluded(self, counts: Counts) -> dict[str, int]:
        """The cases excluded by reason, those that apply to none left out."""
        found = {reason.id: counts[f"excluded {reason.id}"] for reason in self.measures.eligibility}
        return {reason: n for reason, n in found.items() if n}

    def results(self, counts: Counts) -> dict[str, Result]:
        """The results of all measures by id."""
        return {measure.id: self._result(measure, counts) for measure in self.measures.measures}

    def _result(self, measure: Measure, counts: Counts) -> Result:
        by_outcome = {outcome: counts[f"{measure.id} {outcome}"] for outcome in OUTCOMES}
        aside_met, aside_not_met = (counts[f"{measure.id} aside {outcome}"] for outcome in ("met", "not_met"))
        lines = tuple(_lines(measure, counts, by_outcome))
        return Result(**by_outcome, beside=lines, aside_met=aside_met, aside_not_met=aside_not_met)


def _lines(measure: Measure, counts: Counts, by_outcome: Mapping[Outcome, int]) -> Iterator[str]:
    for line, beside in enumerate(measure.beside):
        n = sum(by_outcome[outcome] for outcome in AMONG[beside.among])
        if n:
            yield _line(beside, n, {name: counts[f"{measure.id} {line} {name}"] for name in beside.counts})


def _line(beside: Beside, n: int, found: Mapping[str, int]) -> str:
    return beside.text.format(n=n, rest=n - found.get("k", 0), **found)


_MADE: list[Plan] = []
_KEEP: Final = 8


def plan_of(measures: MeasureSet, dataset: Dataset) -> Plan:
    """The plan of these measures and this data set; the last few are kept, as making one costs more than using it."""
    for plan in _MADE:
        if plan.measures is measures and plan.dataset is dataset:
            return plan
    plan = Plan(measures, dataset)
    _MADE.insert(0, plan)
    del _MADE[_KEEP:]
    return plan
