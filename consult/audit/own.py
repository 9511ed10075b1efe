"""The cases of one clinician, and how many clinicians stand behind a set of cases: for the clinician's own papers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from consult.audit.cases import TABLE
from consult.audit.measures import MeasureSet
from consult.audit.results import Selection, judged
from consult.proforma.dataset import Dataset
from consult.record.database import Connection

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


def context(
    conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection, fields: Sequence[str]
) -> dict[str, Counter[str]]:
    """How many eligible cases of a selection hold each code of some fields."""
    found: dict[str, Counter[str]] = {field: Counter() for field in fields}
    for one in judged(conn, measures, dataset, selection):
        if not one.excluded:
            for field in fields:
                found[field][one.case.fields[field]] += 1
    return found
