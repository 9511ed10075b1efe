"""The cases of one clinician, and how many clinicians stand behind a set of cases: for the clinician's own papers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from consult.audit.cases import TABLE, quoted
from consult.audit.measures import MeasureSet
from consult.audit.results import Selection
from consult.audit.sql import excluded
from consult.proforma.dataset import Dataset
from consult.record.database import Connection, snapshot

FEWEST: Final = 3
"""Figures of fewer clinicians together would be those of one, or let one work out those of the other."""


def own(conn: Connection, selection: Selection, clinician: str) -> Selection:
    """The part of a selection that one clinician signed, by the opaque id that the case holds.

    Cases from notes name the clinician of the time by a local code, so they are nobody's own here.
    """
    where, values = selection.where()
    query = f"SELECT rowid FROM {TABLE} WHERE {where} AND clinician_ref = ? AND consultation <> '' ORDER BY rowid"
    rows = [row[0] for row in conn.execute(query, [*values, clinician])]
    return replace(selection, sample=json.dumps(rows))


def clinicians(conn: Connection, selection: Selection) -> int:
    """How many clinicians the cases of a selection are of."""
    where, values = selection.where()
    query = f"SELECT count(DISTINCT clinician_ref) FROM {TABLE} WHERE {where} AND clinician_ref <> ''"
    return int(conn.execute(query, values).fetchone()[0])


def of_few(conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection, field: str) -> bool:
    """Whether the eligible cases of any code of a field are those of so few clinicians that the figures are theirs.

    Cases that name no clinician, such as those from notes, tell of none.
    """
    where, values = selection.where()
    test = excluded(measures.eligibility, dataset)
    query = (
        f"SELECT count(DISTINCT clinician_ref) FROM {TABLE} WHERE ({where}) AND {test} = '' AND clinician_ref <> '' "
        f"GROUP BY {quoted(field)}"
    )
    return any(n < FEWEST for (n,) in conn.execute(query, values))


def context(
    conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection, fields: Sequence[str]
) -> dict[str, Counter[str]]:
    """How many eligible cases of a selection hold each code of some fields."""
    where, values = selection.where()
    test = excluded(measures.eligibility, dataset)

    def counted(field: str) -> Counter[str]:
        query = f"SELECT {quoted(field)}, count(*) FROM {TABLE} WHERE ({where}) AND {test} = '' GROUP BY 1"
        found = Counter[str]()
        for code, n in conn.execute(query, values):
            found[dataset.by_name[field].group(code)] += n
        return found

    with snapshot(conn):
        return {field: counted(field) for field in fields}
