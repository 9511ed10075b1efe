"""What is counted of a set of cases: one list of sums for all measures, made once from their rules, and read back.

The same sums come from a recount of the case table (`recount`) and from the counters kept beside it (tally.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from msgspec import Struct

from consult.audit import statistics
from consult.audit.cases import TABLE, quoted
from consult.audit.items import items
from consult.audit.measures import OUTCOMES, Among, Beside, Measure, MeasureSet, Outcome
from consult.audit.sql import Apart, condition, literal, outcome_column, outcomes_query
from consult.proforma.dataset import Dataset
from consult.proforma.rules import Rule
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


class Result(Struct, frozen=True):
    """The outcomes of one measure in a set of cases, with the lines printed beside it."""

    met: int
    not_met: int
    not_applicable: int
    missing: int
    beside: tuple[str, ...] = ()
    aside_met: int = 0
    aside_not_met: int = 0

    def with_more(self, other: Result) -> Result:
        """The outcomes of two sets of cases together, of the same measure and mode; no lines beside it."""
        return Result(
            self.met + other.met,
            self.not_met + other.not_met,
            self.not_applicable + other.not_applicable,
            self.missing + other.missing,
        )

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


Counts = dict[str, int]
"""The sums of a set of cases by the names of a plan."""


def added(one: Counts, two: Counts) -> Counts:
    """The sums of two sets of cases together."""
    return {name: n + two[name] for name, n in one.items()}


BITS: Final = 16
EACH: Final = (1 << BITS) - 1
LOT: Final = 14


def _in_its_place(outcome: str) -> str:
    """An outcome as a number with one bit set, so that one sum counts all four."""
    return str(1 << BITS * OUTCOMES.index(cast(Outcome, outcome)))


def _came_out(measure: str, outcome: Outcome) -> str:
    return f"{quoted(outcome_column(measure))} = {_in_its_place(outcome)}"


class Plan:
    """The sums of one version of the measures over one data set: each a name and a 0-or-1 expression of a judged case.

    The names, in order: "cases"; "excluded REASON" for each reason; and over the eligible cases, for each measure,
    "MEASURE OUTCOME", "MEASURE aside met", "MEASURE aside not_met", "MEASURE LINE NAME" for what is printed beside,
    and, of the cases it applies to, "MEASURE item AT" and "MEASURE unable AT" for its items.
    """

    def __init__(self, measures: MeasureSet, dataset: Dataset) -> None:
        self.measures, self.dataset = measures, dataset
        self._parts: dict[str, Plan] = {}
        self.kept_by: dict[str, str] = {}
        """The statements that keep the counters of this plan (made in tally.py, once)."""
        self.flags = {ASIDE: measures.set_aside.when}
        self.of_items: set[str] = set()
        """The names of the sums of items."""
        self.flagged: dict[str, tuple[str, str, tuple[Outcome, ...]]] = {}
        """The sums of flags by name: the measure, the flag, and among which of its outcomes it is counted."""
        for measure in measures.measures:
            self._flag(measure)
        self.sums = dict(self._sums())

    def part(self, measure: Measure) -> Plan:
        """The plan of one measure, with those it is made of: made once, its sums are called as here."""
        if measure.id not in self._parts:
            self._parts[measure.id] = Plan(self.measures.only(measure), self.dataset)
        return self._parts[measure.id]

    def _flag(self, measure: Measure) -> None:
        for line, beside in enumerate(measure.beside):
            for name, rule in beside.counts.items():
                self._count(measure, f"{measure.id} {line} {name}", rule, AMONG[beside.among])
        for at, item in enumerate(items(measure, self.dataset)):
            found = {f"{measure.id} item {at}": item.rule, f"{measure.id} unable {at}": item.unable}
            for name, its in found.items():
                if its is not None:
                    self._count(measure, name, its, AMONG["applicable"])
                    self.of_items.add(name)

    def _count(self, measure: Measure, name: str, rule: Rule, among: tuple[Outcome, ...]) -> None:
        flag = next((flag for flag, known in self.flags.items() if known == rule), f"flag {name}")
        self.flags[flag] = rule
        self.flagged[name] = (measure.id, flag, among)

    def _sums(self) -> Iterator[tuple[str, str]]:
        yield "cases", "1"
        yield from ((f"excluded {r.id}", f"(excluded = {literal(r.id)})") for r in self.measures.eligibility)
        for measure in self.measures.measures:
            for outcome in OUTCOMES:
                yield f"{measure.id} {outcome}", f"(excluded = '' AND {_came_out(measure.id, outcome)})"
            for outcome in AMONG["applicable"]:
                aside = f"{quoted(ASIDE)} AND {_came_out(measure.id, outcome)}"
                yield f"{measure.id} aside {outcome}", f"(excluded = '' AND {aside})"
        yield from ((name, f"(excluded = '' AND {self._flag_counts(name)})") for name in self.flagged)

    def _flag_counts(self, name: str) -> str:
        measure, flag, among = self.flagged[name]
        return f"({quoted(flag)} AND ({' OR '.join(_came_out(measure, outcome) for outcome in among)}))"

    def judged(
        self, source: str, extra: Sequence[str], apart: Apart = "limit", wanted: Collection[str] | None = None
    ) -> str:
        """A query that judges each row of `source`, with the flags that the sums of flags wanted (or all) need."""
        needed = {ASIDE, *(self.flagged[name][1] for name in (self.flagged if wanted is None else wanted))}
        flags = [
            f"{condition(rule, self.dataset)} AS {quoted(name)}" for name, rule in self.flags.items() if name in needed
        ]
        return outcomes_query(self.measures, self.dataset, source, [*flags, *extra], _in_its_place, apart)

    def recount(
        self, conn: Connection, where: str, values: Sequence[str], by: Sequence[str], with_items: bool = False
    ) -> dict[tuple[str, ...], Counts]:
        """The sums over the cases of a condition, by the values of the expressions `by`; empty groups are absent.
        Those of items are 0 unless asked for.
        """
        named = {f"by {at}": expression for at, expression in enumerate(by)}
        wanted = [name for name in self.flagged if with_items or name not in self.of_items]
        judged = self.to_sum(f"{TABLE} WHERE {where}", named, wanted)
        return self.summed(conn, f"({judged})", values, [quoted(name) for name in named], wanted)

    def to_sum(self, source: str, named: Mapping[str, str], wanted: Collection[str] | None = None) -> str:
        """A query that judges the rows of `source` for `summed`, with the expressions that it may group by."""
        extra = [f"{expression} AS {quoted(name)}" for name, expression in named.items()]
        return self.judged(source, [*extra, f"{TABLE}.rowid >> {LOT} AS lot"], wanted=wanted)

    def summed(
        self, conn: Connection, judged: str, values: Sequence[str], by: Sequence[str], wanted: Sequence[str]
    ) -> dict[tuple[str, ...], Counts]:
        """The sums of what `to_sum` judged, by these columns: those of flags that are wanted, the others 0.

        Excluded cases and those set aside are grouped apart, and one sum holds four counts, each in its own 16 bits; so
        that none runs over, cases are summed in lots of 2^14.
        """
        named = [f"{column} AS {quoted(f'key {at}')}" for at, column in enumerate(by)]
        keys = [quoted(f"key {at}") for at in range(len(by))]
        lots = [wanted[at : at + len(OUTCOMES)] for at in range(0, len(wanted), len(OUTCOMES))]
        sums = [quoted(outcome_column(measure.id)) for measure in self.measures.measures]
        sums += [" + ".join(f"({self._flag_counts(n)} << {BITS * at})" for at, n in enumerate(lot)) for lot in lots]
        query = (
            f"SELECT {', '.join([*named, 'excluded', quoted(ASIDE)])}, count(*), "
            f"{', '.join(f'sum({one})' for one in sums)} FROM {judged} "
            f"GROUP BY {', '.join([*keys, 'excluded', quoted(ASIDE), 'lot'])}"
        )
        return self._unpacked(conn.execute(query, values), len(by), lots)

    def _unpacked(self, rows: Any, keys: int, lots: Sequence[Sequence[str]]) -> dict[tuple[str, ...], Counts]:
        found: dict[tuple[str, ...], Counts] = {}
        for row in map(tuple, rows):
            reason, is_aside, n, *packed = row[keys:]
            counts = found.setdefault(row[:keys], dict.fromkeys(self.sums, 0))
            counts["cases"] += n
            if reason:
                counts[f"excluded {reason}"] += n
            else:
                self._unpack(counts, packed, is_aside, lots)
        return found

    def _unpack(self, counts: Counts, packed: Sequence[int], is_aside: bool, lots: Sequence[Sequence[str]]) -> None:
        for measure, four in zip(self.measures.measures, packed, strict=False):
            for at, outcome in enumerate(OUTCOMES):
                counts[f"{measure.id} {outcome}"] += (n := four >> BITS * at & EACH)
                if is_aside and outcome in AMONG["applicable"]:
                    counts[f"{measure.id} aside {outcome}"] += n
        for names, four in zip(lots, packed[len(self.measures.measures) :], strict=True):
            for at, name in enumerate(names):
                counts[name] += four >> BITS * at & EACH

    def read(self, rows: Any, keys: int) -> dict[tuple[str, ...], Counts]:
        """The sums of each row, by its first so many columns."""
        return {tuple(row[:keys]): dict(zip(self.sums, row[keys:], strict=True)) for row in map(tuple, rows)}

    def none(self) -> Counts:
        """The sums of no case at all."""
        return dict.fromkeys(self.sums, 0)

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
