"""What lists of consultations show, as lines read from the projection."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from msgspec import Struct

from consult.record import merging
from consult.record.consultation import ENDED_BY, PASSED_ON
from consult.record.database import Connection


class Summary(Struct, frozen=True):
    """One line of a list of consultations."""

    id: str
    employee: str
    clinician: str
    site: str
    state: str
    capture_mode: str
    started_at: str
    ended_at: str


SUMMARY: Final = Summary.__struct_fields__
"""The columns of the projection that a line is read from."""


class Place(NamedTuple):
    """Where a page of a list begins: after the consultation with this id, begun then."""

    started_at: str
    id: str = ""


NEWEST: Final = Place("~")
"""Before every consultation: times are numbers."""


def place_of(shown: Summary) -> Place:
    """The place of a line: several consultations may begin in the same millisecond."""
    return Place(shown.started_at, shown.id)


class TakenFrom(Struct, frozen=True):
    """A consultation that a colleague took over or was handed: which, who holds it since, when and why."""

    summary: Summary
    by: str
    at: str
    reason: str


def taken_from(conn: Connection, clinician: str, limit: int = 10) -> list[TakenFrom]:
    """What went from a clinician to a colleague and is not theirs now, each once, the newest first."""
    rows = conn.execute(
        f"SELECT {', '.join(f'c.{name}' for name in SUMMARY)}, s.actor, s.at, t.content "
        "FROM step s JOIN step_content t USING (seq) JOIN consultation c ON c.id = s.consultation "
        "WHERE s.kind IN (?, ?) AND json_extract(t.content, '$.from') = ? AND c.clinician <> ? "
        "ORDER BY s.seq DESC LIMIT ?",
        (*PASSED_ON, clinician, clinician, limit),
    )
    found = [_taken(row) for row in rows]
    return list({taken.summary.id: taken for taken in reversed(found)}.values())[::-1]


def open_of(conn: Connection, clinician: str) -> list[Summary]:
    """The open consultations a clinician holds, the newest first."""
    return _list(conn, "clinician = ? AND state = 'open'", clinician)


def ended_of(conn: Connection, clinician: str, limit: int = 20, before: Place = NEWEST) -> list[Summary]:
    """The consultations a clinician has ended, the newest first; those `before` a place of that list.

    Each state is read by itself from its index, so that a page costs the same however many there are.
    """
    one = (
        f"SELECT * FROM (SELECT {', '.join(SUMMARY)} FROM consultation "
        "WHERE clinician = ? AND state = ? AND (started_at, id) < (?, ?) ORDER BY started_at DESC, id DESC LIMIT ?)"
    )
    states = list(ENDED_BY.values())
    values = [value for state in states for value in (clinician, state, *before, limit)]
    query = f"{' UNION ALL '.join([one] * len(states))} ORDER BY started_at DESC, id DESC LIMIT ?"
    return [Summary(*row) for row in conn.execute(query, [*values, limit])]


def of_employee(conn: Connection, employee: str) -> list[Summary]:
    """All consultations of an employee, the newest first."""
    ids = merging.ids_of(conn, employee)
    return _list(conn, f"employee IN ({', '.join('?' * len(ids))})", *ids)


def summary(conn: Connection, consultation_id: str) -> Summary | None:
    """One consultation as lists show it; None if there is none with this id."""
    return next(iter(_list(conn, "id = ?", consultation_id)), None)


def _list(conn: Connection, where: str, *values: str, limit: int = 200) -> list[Summary]:
    rows = conn.execute(
        f"SELECT {', '.join(SUMMARY)} FROM consultation WHERE {where} ORDER BY started_at DESC LIMIT ?",
        (*values, limit),
    )
    return [Summary(*row) for row in rows]


def _taken(row: Any) -> TakenFrom:
    said = json.loads(row["content"])
    return TakenFrom(Summary(*row[: len(SUMMARY)]), said.get("to", row["actor"]), row["at"], said["reason"])
