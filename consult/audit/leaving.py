"""What may leave the provider: the whole list of it, and the rules it is made by. Everything else is internal and raw.

Whole-service measures with a denominator of 10 or more, whatever the numerator; breakdowns by a personal characteristic
with small counts withheld (suppression.py); rows of cases without who the clinician was and the free text, and with the
month only. A sum over several measures leaves only if all of them do: else it would give the withheld one away.

Rows are apart from the rest. Each is one case and names its provider, so what a copy of results withholds can be
counted from them, and no rule for small numbers could hold in both. They are for somebody who may have the cases: the
pages offer them beside the internal results only, and say so.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from consult.audit.cases import TABLE
from consult.audit.counting import Result
from consult.audit.measures import MeasureSet
from consult.audit.results import Results, Selection, providers, results, results_by
from consult.audit.suppression import LEAVES_FROM
from consult.proforma.dataset import Dataset
from consult.record.database import Connection

OUTPUTS: Final = {
    "results.overview": "the page of all measures, asked for with copy=leaving",
    "results.measure": "the page of one measure, asked for with copy=leaving",
    "results.file": "results as CSV or workbook, asked for with copy=leaving or `consult results --leaving`",
    "results.case_file": "cases as CSV or workbook, asked for with copy=leaving or `consult cases export --leaving`",
    "actions.plan": "the action plan as a text document, asked for with copy=leaving",
    "evidence.pack": "the SEQOHS pack and the MoHaWK figures of a round, and `consult evidence`",
    "evidence.indicators": "the MoHaWK figures of a round as CSV",
    "evidence.deck": "the slides of a round as a page",
    "evidence.slides": "the slides of a round as a file, and `consult evidence slides`",
    "evidence.own": "a clinician's own figures, for that clinician",
}
"""Every output that may leave the provider, by the address that makes it."""

INTERNAL: Final = "internal"
LEAVES: Final = "may leave the provider"


def whole(selection: Selection) -> Selection:
    """A selection of the whole service: no result of one site leaves."""
    return replace(selection, site="")


def by_months(selection: Selection) -> Selection:
    """A selection for rows that name the month only: whole months, as a single day chosen would give the day away."""
    last = selection.end and f"{selection.end[:7]}-31"  # no later day is in that month, and days are compared as text
    return replace(selection, start=selection.start and f"{selection.start[:7]}-01", end=last)


def leaves(result: Result) -> bool:
    """Whether a measure of the whole service leaves: from 10 in the denominator on, whatever the numerator."""
    return result.applicable >= LEAVES_FROM


def of_results(found: Results) -> dict[str, Result]:
    """The measures of the whole service that leave, by id."""
    return {id_: result for id_, result in found.measures.items() if leaves(result)}


def pooled(conn: Connection, selection: Selection) -> bool:
    """Whether a selection counts several providers together."""
    return not selection.provider and len(providers(conn, selection)) > 1


def safe(conn: Connection, measures: MeasureSet, dataset: Dataset, found: Results) -> Results:
    """Results as they may leave: of several providers without what would give the few cases of a small one away.

    Each provider has a copy of its own, and one with fewer than ten cases is withheld from it. Where all those small
    ones together have one to nine cases, what all have, less what the others' copies say, is theirs. So providers of
    so few eligible cases are left out, and a measure that applies to so few of theirs stands empty.
    """
    if not pooled(conn, found.selection):
        return found
    chosen = replace(found.selection, capture=found.capture_mode)
    each = results_by(conn, measures, dataset, chosen, ("provider",))
    if _few(one.eligible for one in each.values()):
        each = {name: one for name, one in each.items() if one.eligible >= LEAVES_FROM}
        found = results(conn, measures, dataset, _only(conn, chosen, [name for (name,) in each]))
    gone = {id_ for id_ in found.measures if _few(one.measures[id_].applicable for one in each.values())}
    return without(found, gone)


def without(found: Results, ids: Collection[str]) -> Results:
    """Results in which some measures stand empty, and so are withheld."""
    kept = {id_: Result(0, 0, 0, 0) if id_ in ids else result for id_, result in found.measures.items()}
    return replace(found, measures=kept)


def _only(conn: Connection, selection: Selection, names: list[str]) -> Selection:
    """The part of a selection that is of some providers."""
    where, values = selection.where()
    query = f"SELECT rowid FROM {TABLE} WHERE {where} AND provider IN (SELECT value FROM json_each(?)) ORDER BY rowid"
    return replace(selection, sample=json.dumps([row[0] for row in conn.execute(query, [*values, json.dumps(names)])]))


def _few(counts: Iterable[int]) -> bool:
    """Whether the counts under ten have a sum under ten that is not nothing."""
    return 0 < sum(n for n in counts if n < LEAVES_FROM) < LEAVES_FROM


def opportunity_leaves(found: Results, measures: MeasureSet) -> bool:
    """Whether the sum over the national measures leaves: only if each of them does."""
    return all(leaves(found.measures[id_]) for id_ in measures.national)


def fields(dataset: Dataset) -> list[str]:
    """The fields of a case that leave, in order: all but those that the data set marks with never_leaves."""
    return [field.name for field in dataset.fields if not field.never_leaves]


def of_case(case: Mapping[str, str], dataset: Dataset) -> list[str]:
    """The values of `fields` of a case that leave: of each date the month only."""
    kinds = dataset.by_name
    return [case[name][:7] if kinds[name].type == "date" else case[name] for name in fields(dataset)]
