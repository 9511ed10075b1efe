"""The same rules as SQL: expressions over the case table, for many cases at once; text literals are quoted here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from consult.audit.cases import quoted
from consult.audit.eligibility import Reason
from consult.audit.measures import Measure, MeasureSet
from consult.proforma.dataset import Dataset
from consult.proforma.rules import BLANKS, Rule


def literal(text: str) -> str:
    """A text as an SQL literal."""
    if "\0" in text:
        raise ValueError("a code holds a NUL byte")
    return "'" + text.replace("'", "''") + "'"


def condition(rule: Rule, dataset: Dataset) -> str:
    """An expression that is 1 for the cases where the rule holds, else 0, as `rules.holds` says."""
    if rule.field is not None:
        return _leaf(rule, rule.field, dataset.by_name[rule.field].type == "choices")
    if rule.not_ is not None:
        return f"(NOT {condition(rule.not_, dataset)})"
    parts = [condition(part, dataset) for part in rule.parts]
    if rule.count is not None:
        return f"(({' + '.join(parts)}) >= {rule.at_least})"
    return f"({(' AND ' if rule.all_ else ' OR ').join(parts)})"


def _leaf(rule: Rule, name: str, is_list: bool) -> str:
    column = quoted(name)
    if is_list:
        if rule.includes is not None:
            return f"(instr(';' || {column} || ';', {literal(f';{rule.includes};')}) > 0)"
        return f"(trim({column}, '; ') {'<>' if rule.answered else '='} '')"
    if rule.answered is not None:
        blank = _equals(column, [*sorted(BLANKS), "not_asked"])
        return f"(NOT {blank})" if rule.answered else blank
    return _equals(column, [value for value in rule.values if value])


def _equals(column: str, texts: Iterable[str]) -> str:
    """Comparisons joined by OR: on the short lists of rules twice as fast as IN."""
    return f"({' OR '.join(f'{column} = {literal(text)}' for text in texts) or '0'})"


Written = Callable[[str], str]
"""How an outcome stands in a column."""
Apart = Literal["", "limit", "distinct"]


def outcome(measure: Measure, measures: MeasureSet, dataset: Dataset, written: Written = literal) -> str:
    """An expression for the outcome of a measure; one with `all_of` reads the columns named as its parts."""
    if measure.met is None:
        parts = ", ".join(quoted(outcome_column(part)) for part in measures.parts(measure))
        whens = [(f"{written(worse)} IN ({parts})", worse) for worse in ("not_met", "missing")]
        return _case(whens, "met", written)
    whens = [(condition(measure.met, dataset), "met")]
    if measure.applies is not None:
        whens.insert(0, (f"NOT {condition(measure.applies, dataset)}", "not_applicable"))
    if measure.missing is not None:
        whens.insert(0, (condition(measure.missing, dataset), "missing"))
    return _case(whens, "not_met", written)


def outcome_column(measure: str) -> str:
    """The name of the column with the outcomes of a measure: not the bare id, which may be the name of a field."""
    return f"outcome {measure}"


def excluded(reasons: Iterable[Reason], dataset: Dataset) -> str:
    """An expression for the first reason that excludes a case; '' for an eligible one."""
    return _case([(condition(reason.when, dataset), reason.id) for reason in reasons], "")


def _case(whens: list[tuple[str, str]], otherwise: str, written: Written = literal) -> str:
    if not whens:
        return written(otherwise)
    return f"CASE {' '.join(f'WHEN {when} THEN {written(then)}' for when, then in whens)} ELSE {written(otherwise)} END"


def outcomes_query(
    measures: MeasureSet,
    dataset: Dataset,
    source: str,
    extra: Iterable[str] = (),
    written: Written = literal,
    apart: Apart = "",
) -> str:
    """A query with, for each row of `source`, `excluded`, one column a measure and the extra columns.

    Measures with `all_of` stand in an outer query, where the outcomes they are made of are columns already. `apart`
    keeps SQLite from putting the rule of a measure in the place of each mention of its outcome: "limit" for many rows,
    "distinct" where a test for one row, by a column that is extra, must still reach the table.
    """
    distinct, limit = {"": ("", ""), "limit": ("", " LIMIT -1"), "distinct": ("DISTINCT ", "")}[apart]
    single = [m for m in measures.measures if m.met is not None]
    joint = [m for m in measures.measures if m.met is None]
    inner = [f"{excluded(measures.eligibility, dataset)} AS excluded", *extra]
    inner += [f"{outcome(m, measures, dataset, written)} AS {quoted(outcome_column(m.id))}" for m in single]
    outer = ["*", *(f"{outcome(m, measures, dataset, written)} AS {quoted(outcome_column(m.id))}" for m in joint)]
    return f"SELECT {', '.join(outer)} FROM (SELECT {distinct}{', '.join(inner)} FROM {source}{limit})"
