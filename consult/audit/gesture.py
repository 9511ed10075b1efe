""" "No to the rest" in live cases: how many of the red-flag negatives were answered by that one gesture.

The case has no such field, so a table of its own holds it for each signed consultation. It is disposable like the case
table: written at signing, made anew from the steps by `rebuild`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from consult.audit.cases import TABLE as CASES
from consult.audit.measures import MeasureSet
from consult.audit.results import Selection
from consult.audit.sql import excluded
from consult.proforma.dataset import Dataset
from consult.proforma.path import Path
from consult.record.consultation import Consultation, fold, path_of
from consult.record.database import Connection
from consult.record.ledger import steps
from consult.record.library import Library

TABLE: Final = "gesture_row"
Row = tuple[str, int, int]


class Share(Struct, frozen=True):
    """Of the negatives of so many consultations, how many one gesture answered."""

    consultations: int
    negatives: int
    by_gesture: int


def negatives(consultation: Consultation, path: Path) -> tuple[int, int]:
    """The findings recorded as absent in the sections that have the gesture: all of them, and those it answered.

    Only answers that count are looked at: on the `path` of the consultation, and so not of an item that must by now be
    asked one by one.
    """
    proforma = path.proforma
    sections = {block.section for block in proforma.blocks if block.rest}
    absent = [
        question
        for question in path.questions()
        if question.kind == "finding"
        and proforma.block(question.block).section in sections
        and (answer := path.answer(question.id)) is not None
        and answer.state == "absent"
    ]
    given = [consultation.last(question.id) for question in absent]
    return len(absent), sum(last is not None and last.via == "group" for last in given)


def ensure(conn: Connection) -> bool:
    """Make the table if there is none; True if it was made and must be filled (`rebuild`)."""
    if there(conn):
        return False
    conn.execute(
        f"CREATE TABLE {TABLE} "
        "(consultation TEXT PRIMARY KEY, negatives INTEGER NOT NULL, by_gesture INTEGER NOT NULL) STRICT"
    )
    return True


def there(conn: Connection) -> bool:
    """Whether the table has been made."""
    return conn.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (TABLE,)).fetchone() is not None


def put(conn: Connection, consultation: Consultation, path: Path) -> None:
    """Write the row of a consultation that is being signed, with its path."""
    _write(conn, (consultation.id, *negatives(consultation, path)))


def _write(conn: Connection, row: Row) -> None:
    conn.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?)", row)


def told(conn: Connection, library: Library) -> Iterator[Row]:
    """The row of each signed consultation as its steps tell it."""
    for signed in steps(conn, kind="consultation_signed"):
        consultation = fold(signed.consultation, steps(conn, consultation=signed.consultation))
        if consultation.started:  # else redacted: what was asked is not known any more
            definition = library.definition(conn, consultation.started["definition"])
            yield consultation.id, *negatives(consultation, path_of(consultation, definition))


def rebuild(conn: Connection, library: Library) -> None:
    """Make the table anew from the steps."""
    ensure(conn)
    conn.execute(f"DELETE FROM {TABLE}")
    for row in told(conn, library):
        _write(conn, row)


def differing(conn: Connection, library: Library) -> list[str]:
    """The consultations whose row is not what their steps tell."""
    held = {tuple(row) for row in conn.execute(f"SELECT consultation, negatives, by_gesture FROM {TABLE}")}
    return sorted({row[0] for row in held ^ set(told(conn, library))})


def share(conn: Connection, measures: MeasureSet, dataset: Dataset, selection: Selection) -> Share:
    """What the gesture answered in the eligible live cases of a selection that were signed here."""
    where, values = selection.where()
    eligible = (
        f"SELECT consultation FROM {CASES} WHERE ({where}) AND capture_mode = 'live' "
        f"AND {excluded(measures.eligibility, dataset)} = ''"
    )
    found = conn.execute(
        f"SELECT count(*), coalesce(sum(negatives), 0), coalesce(sum(by_gesture), 0) FROM {TABLE} "
        f"WHERE consultation IN ({eligible})",
        values,
    ).fetchone()
    return Share(*found)
