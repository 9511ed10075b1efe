"""One measure looked at closely: by month, by site, by fields that measures.toml names, and by its own items."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from consult.audit import tally
from consult.audit.cases import TABLE
from consult.audit.counting import Counts, Plan, plan_of
from consult.audit.items import Item, items
from consult.audit.measures import OUTCOMES, Measure, MeasureSet
from consult.audit.own import of_few
from consult.audit.results import Result, Selection, counts
from consult.audit.sql import excluded
from consult.audit.tally import DAY
from consult.proforma.dataset import Dataset, Field
from consult.record.database import Connection, snapshot


class ItemResult(Struct, frozen=True):
    """In how many of the cases that a measure applies to one item is recorded; `unable` of them not established."""

    item: Item
    result: Result
    unable: int


class Close(Struct, frozen=True):
    """One measure of one selection, taken apart; every group adds up to `whole`.

    `by` holds, by field of measures.toml, the result of each of its codes; `months` by year and month (2026-03);
    `sites` by (provider, site), whatever site is selected. `of_few` names the fields of `by` whose figures would be
    those of one or two clinicians.
    """

    whole: Result
    by: dict[str, dict[str, Result]]
    months: dict[str, Result]
    sites: dict[tuple[str, str], Result]
    items: tuple[ItemResult, ...]
    of_few: frozenset[str] = frozenset()


def close(conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection, measure: Measure) -> Close:
    """Take one measure apart over the eligible cases of a selection of one capture mode."""
    of, everywhere = _Of(conn, plan_of(measures, dataset), measure), replace(selection, site="")
    with snapshot(conn):
        whole = of.counts(selection, with_items=True).get((), of.part.none())
        return Close(
            of.result(whole),
            {b.field: of.codes(selection, dataset.by_name[b.field]) for b in measures.breakdowns},
            {month: r for (month,), r in of.groups(selection, "month")},
            {(provider, site): r for (provider, site), r in of.groups(everywhere, "provider", "site")},
            of.items(whole, live=selection.capture == "live"),
            frozenset(
                b.field
                for b in measures.breakdowns
                if b.clinicians and of_few(conn, measures, dataset, selection, b.field)
            ),
        )


class _Of:
    """The results of one measure, from the sums of a plan that has it."""

    def __init__(self, conn: Connection, plan: Plan, measure: Measure) -> None:
        self.conn, self.plan, self.part, self.measure = conn, plan, plan.part(measure), measure

    def counts(self, selection: Selection, *by: str, with_items: bool = False) -> dict[tuple[str, ...], Counts]:
        """The sums of the measure alone."""
        return counts(self.conn, self.plan, selection, by, with_items, self.part)

    def result(self, counted: Counts) -> Result:
        """The result of a set of cases."""
        met, not_met, not_applicable, missing = (counted[f"{self.measure.id} {outcome}"] for outcome in OUTCOMES)
        return Result(met, not_met, not_applicable, missing)

    def groups(self, selection: Selection, *by: str) -> Iterator[tuple[tuple[str, ...], Result]]:
        """The result of each group that holds an eligible case."""
        for key, counted in self.counts(selection, *by).items():
            result = self.result(counted)
            if result != Result(0, 0, 0, 0):
                yield key, result

    def codes(self, selection: Selection, field: Field) -> dict[str, Result]:
        """The result of each code of a field; blanks are counted under the code that says "not recorded"."""
        found: dict[str, Result] = {}
        for (text,), result in self.groups(selection, field.name):
            code = field.group(text)
            found[code] = found[code].with_more(result) if code in found else result
        return found

    def items(self, counted: Counts, live: bool) -> tuple[ItemResult, ...]:
        """The items of the measure, in how many of the cases it applies to; of live cases those they can hold."""
        of = self.result(counted).applicable
        name = self.measure.id
        return tuple(
            ItemResult(
                item, Result(k := counted[f"{name} item {at}"], of - k, 0, 0), counted.get(f"{name} unable {at}", 0)
            )
            for at, item in enumerate(items(self.measure, self.plan.dataset))
            if not (live and item.notes_only)
        )


def span(conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection) -> tuple[str, str] | None:
    """The dates (ISO 8601) of the first and the last eligible case of a selection; None without one."""
    plan = plan_of(measures, dataset)
    with snapshot(conn):
        if not (selection.sample or selection.site) and tally.kept(conn, plan):
            return tally.span(conn, plan, *selection.where())
        where, values = selection.where()
        test = excluded(measures.eligibility, dataset)
        first, last = conn.execute(
            f"SELECT min({DAY}), max({DAY}) FROM {TABLE} WHERE ({where}) AND {test} = ''", values
        ).fetchone()
    return (first, last) if first else None
