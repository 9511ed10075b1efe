"""One measure looked at closely: by month, by site, by fields that measures.toml names, and by its own items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from consult.audit.cases import TABLE, quoted
from consult.audit.measures import OUTCOMES, Measure, MeasureSet
from consult.audit.results import Result, Selection
from consult.audit.sql import condition, excluded, outcome_column, outcomes_query
from consult.proforma.dataset import Dataset
from consult.proforma.rules import Rule
from consult.record.database import Connection

ASKED_ONLY: Final = "unable"
"""The code of a finding that was asked about and could not be established."""


@dataclass(frozen=True)
class Item:
    """One part of a measure's own rule: a finding asked about, a point told, an action."""

    label: str
    rule: Rule


@dataclass(frozen=True)
class ItemResult:
    """In how many of the cases that a measure applies to one item is recorded; `unable` of them not established."""

    item: Item
    result: Result
    unable: int


@dataclass(frozen=True)
class Close:
    """One measure of one selection, taken apart; every group adds up to `whole`.

    `by` holds, by field of measures.toml, the result of each of its codes; `months` by year and month (2026-03);
    `sites` by (provider, site), whatever site is selected.
    """

    whole: Result
    by: dict[str, dict[str, Result]]
    months: dict[str, Result]
    sites: dict[tuple[str, str], Result]
    items: tuple[ItemResult, ...]


def items(measure: Measure, dataset: Dataset) -> tuple[Item, ...]:
    """The items of a measure, from the leaves of its rule `met`; none for a rule that is one leaf, or of measures."""
    if measure.met is None or not measure.met.parts:
        return ()
    found = {(leaf.field, leaf.values): leaf for leaf in _positive(measure.met)}
    return tuple(Item(_label(leaf, dataset), leaf) for leaf in found.values())


def _positive(rule: Rule) -> Iterator[Rule]:
    """The leaves of a rule that help it to hold: not those under a `not`."""
    if rule.field is not None:
        yield rule
    elif rule.not_ is None:
        for part in rule.parts:
            yield from _positive(part)


def _label(leaf: Rule, dataset: Dataset) -> str:
    field = dataset.by_name[leaf.field or ""]
    return field.words(leaf.includes) if leaf.includes is not None else field.title


def close(conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection, measure: Measure) -> Close:
    """Take one measure apart over the eligible cases of a selection of one capture mode."""
    counting = _Counting(measures.only(measure), dataset, measure)
    fields = [breakdown.field for breakdown in measures.breakdowns]
    by_one = [["substr(consultation_date, 1, 7)"], *([quoted(name)] for name in fields)]
    places = [["provider", "site"]]
    everywhere = replace(selection, site="")
    whole, months, *by = counting.groups(conn, selection, [[], *by_one, *([] if selection.site else places)])
    sites = counting.groups(conn, everywhere, places)[0] if selection.site else by.pop()
    counts = whole.get(("", ""), counting.none())
    return Close(
        counting.result(counts),
        {
            name: {key[0]: counting.result(found) for key, found in by_code.items()}
            for name, by_code in zip(fields, by, strict=True)
        },
        {key[0]: counting.result(found) for key, found in months.items()},
        {key: counting.result(found) for key, found in sites.items()},
        counting.items(counts),
    )


Key = tuple[str, str]
Counts = dict[str, int]


class _Counting:
    """The sums over the cases of each group: of the outcomes of one measure, and of its items where it applies."""

    def __init__(self, measures: MeasureSet, dataset: Dataset, measure: Measure) -> None:
        self.measures, self.dataset = measures, dataset
        self.parts = items(measure, dataset)
        column = quoted(outcome_column(measure.id))
        self.sums: dict[str, str] = {outcome: f"sum({column} = '{outcome}')" for outcome in OUTCOMES}
        self.flags: dict[str, Rule] = {}
        for at, item in enumerate(self.parts):
            self.flags[f"item {at}"] = item.rule
            if ASKED_ONLY in item.rule.values:
                self.flags[f"unable {at}"] = item.rule.model_copy(update={"in_": None, "is_": ASKED_ONLY})
        for flag in self.flags:
            self.sums[flag] = f"sum({quoted(flag)} AND {column} IN ('met', 'not_met'))"

    def groups(self, conn: Connection, selection: Selection, keys: list[list[str]]) -> list[dict[Key, Counts]]:
        """For each list of up to two expressions, the sums of the eligible cases by what these expressions give."""
        where, values = selection.where()
        whole = {expression: f"key {at}" for at, expression in enumerate(dict.fromkeys(e for key in keys for e in key))}
        extra = [f"{condition(rule, self.dataset)} AS {quoted(flag)}" for flag, rule in self.flags.items()]
        extra += [f"{expression} AS {quoted(name)}" for expression, name in whole.items()]
        judged = outcomes_query(self.measures, self.dataset, f"{TABLE} WHERE {where}", extra)
        found: list[dict[Key, Counts]] = [{} for _ in keys]
        for number, first, second, *sums in conn.execute(
            f"WITH judged AS MATERIALIZED (SELECT * FROM ({judged}) WHERE excluded = '') "
            + " UNION ALL ".join(self._grouped(at, [whole[e] for e in key]) for at, key in enumerate(keys)),
            values,
        ):
            if sums[0] is not None:
                found[number][first, second] = dict(zip(self.sums, sums, strict=True))
        return found

    def _grouped(self, at: int, names: list[str]) -> str:
        both = [*map(quoted, names), "''", "''"][:2]
        by = f" GROUP BY {', '.join(map(quoted, names))}" if names else ""
        return f"SELECT {at}, {', '.join(both)}, {', '.join(self.sums.values())} FROM judged{by}"

    def none(self) -> Counts:
        """The sums of no case at all."""
        return dict.fromkeys(self.sums, 0)

    def result(self, counts: Counts) -> Result:
        """The result that the sums of a group give."""
        met, not_met, not_applicable, missing = (counts[outcome] for outcome in OUTCOMES)
        return Result(met, not_met, not_applicable, missing)

    def items(self, counts: Counts) -> tuple[ItemResult, ...]:
        """The items of the measure, in how many of the cases it applies to."""
        of = counts["met"] + counts["not_met"]
        return tuple(
            ItemResult(item, Result(k := counts[f"item {at}"], of - k, 0, 0), counts.get(f"unable {at}", 0))
            for at, item in enumerate(self.parts)
        )


def span(conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection) -> tuple[str, str] | None:
    """The dates (ISO 8601) of the first and the last eligible case of a selection; None without one."""
    where, values = selection.where()
    test = excluded(measures.eligibility, dataset)
    first, last = conn.execute(
        f"SELECT min(consultation_date), max(consultation_date) FROM {TABLE} WHERE ({where}) AND {test} = ''", values
    ).fetchone()
    return (first, last) if first else None
