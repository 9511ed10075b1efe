"""An employee who was entered twice: one entry is kept, and the other says whose it is. Nothing is moved, so all of it
can be undone: consultations keep the id they began with, and are found under both."""

from __future__ import annotations

from typing import Final

from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, append, steps

SAME_AS: Final = "employee_same_as"


def same_as(conn: Connection) -> dict[str, str]:
    """The entry that is kept, by each entry in whose place it stands."""
    said = _said(conn)
    return {id_: _last(said, id_) for id_ in said}


def _said(conn: Connection) -> dict[str, str]:
    last = {}
    for step in steps(conn, kind=SAME_AS):
        if step.content:
            last[step.content["employee"]] = step.content["same_as"]
    return {id_: kept for id_, kept in last.items() if kept}


def _last(said: dict[str, str], employee: str) -> str:
    while employee in said:
        employee = said[employee]
    return employee


def kept(conn: Connection, employee: str) -> str:
    """The id of the entry that is kept for this one; its own where it stands for itself."""
    return _last(_said(conn), employee)


def ids_of(conn: Connection, employee: str) -> list[str]:
    """Every id of the employee who has this one, the entry that is kept first."""
    same = same_as(conn)
    first = same.get(employee, employee)
    return [first, *sorted(id_ for id_, of in same.items() if of == first)]


def merge(conn: Connection, keep: str, other: str, actor: str, role: str, at: str) -> None:
    """Keep one of two entries of the same employee, with a step that says so; Refused where that can't be."""
    if keep == other or kept(conn, keep) == kept(conn, other):
        raise Refused("Both are the same entry already; choose two.")
    if kept(conn, keep) != keep or kept(conn, other) != other:
        raise Refused("One of these entries is no longer kept; open the employee again.")
    content = {"employee": other, "same_as": keep}
    append(conn, Draft(SAME_AS, content, actor, at, "", f"same:{other}", role))


def undo(conn: Connection, other: str, actor: str, role: str, at: str) -> None:
    """Let an entry stand for itself again, with all that was begun under its id."""
    if other not in _said(conn):
        raise Refused("That entry stands for itself already.")
    append(conn, Draft(SAME_AS, {"employee": other, "same_as": ""}, actor, at, "", f"same:{other}", role))
