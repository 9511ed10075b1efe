"""The employees there are, held against the steps that registered and erased them; who they are no step says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from consult.record.database import Connection
from consult.record.erasing import ERASED
from consult.record.identity import fold_name
from consult.record.ledger import steps

MEND: Final = "restore a backup"


def differences(conn: Connection) -> Iterator[str]:
    """Each employee who is missing, is there without a step, or can't be read: a sentence with what to do."""
    rows = {row["id"]: row for row in conn.execute("SELECT id, name, folded_name, date_of_birth FROM employee")}
    registered = _registered(conn)
    for id_ in sorted(registered - rows.keys()):
        yield f"The employee {id_} is missing, though a step says they were registered; {MEND}."
    for id_ in sorted(rows.keys() - registered):
        yield f"The employee {id_} is there, and no step says so; {MEND}."
    for id_ in sorted(id_ for id_, row in rows.items() if not _sound(row)):
        yield f"The name or the date of birth of employee {id_} is damaged; {MEND}."


def _registered(conn: Connection) -> set[str]:
    """The employees who were registered and not erased, by id."""
    told = {str(step.content["employee"]) for step in steps(conn, kind="employee_registered") if step.content}
    return told - {step.question.removeprefix("identity:") for step in steps(conn, kind=ERASED)}


def _sound(row: Any) -> bool:
    try:
        return bool(date.fromisoformat(row["date_of_birth"])) and row["folded_name"] == fold_name(row["name"])
    except (TypeError, ValueError):
        return False
