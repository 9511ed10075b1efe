"""Who looked at what, and whom a search showed: a step of the log once a visit, like all else that happened.

The looks stand in the step log and in no table apart: they are few beside the answers (a visit is one step, a
consultation of 45 answers is 48), and there they are chained, guarded and proved like everything else.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct

from consult.record import merging
from consult.record.about import consultations_of
from consult.record.database import Connection
from consult.record.ledger import Draft, Step, append, steps
from consult.record.timekeeping import stamp

EMPLOYEE: Final = "employee_viewed"
LISTED: Final = "employee_listed"
REASON: Final = "access_reasoned"
KINDS: Final = (EMPLOYEE, LISTED, REASON, "consultation_viewed", "paper_viewed", "consultation_taken_over")


class Look(Struct, frozen=True):
    """One look: when, who in which role, at what (a kind of step, and a paper), and the reason where one was asked.

    `list` is the list that showed who the employee is, where that was all: "search", "alike" or "left_behind".
    """

    seq: int
    at: str
    actor: str
    role: str
    kind: str
    employee: str
    paper: str = ""
    reason: str = ""
    list: str = ""


def _about(employee: str) -> str:
    return f"looked:{employee}"


def note(conn: Connection, employee: str, actor: str, role: str, at: str, reason: str = "") -> None:
    """Write that somebody looks at an employee, or (with a reason) opens the record of one of another site."""
    kind = REASON if reason else EMPLOYEE
    content = {"employee": employee, "reason": reason} if reason else {"employee": employee}
    append(conn, Draft(kind, content, actor, at, "", _about(employee), role))


def note_listed(
    conn: Connection, employees: Iterable[str], shown_in: str, actor: str, role: str, at: str, since: datetime
) -> None:
    """Write that a list showed somebody who these employees are: one step for each whom it has not shown them since."""
    for employee in not_listed(conn, employees, actor, since):
        append(conn, Draft(LISTED, {"employee": employee, "list": shown_in}, actor, at, "", _about(employee), role))


def not_listed(conn: Connection, employees: Iterable[str], actor: str, since: datetime) -> list[str]:
    """Those of the employees of whom no step says that somebody has seen since a time who they are."""
    seen = "SELECT 1 FROM step WHERE consultation = '' AND question = ? AND kind IN (?, ?) AND actor = ? AND at >= ?"
    wanted = dict.fromkeys(employees)
    bound = (LISTED, EMPLOYEE, actor, stamp(since))
    return [id_ for id_ in wanted if conn.execute(seen, (_about(id_), *bound)).fetchone() is None]


def has_reason(conn: Connection, employee: str, actor: str, since: datetime) -> bool:
    """Whether somebody gave a reason for opening this employee's record since a time."""
    from_ = stamp(since)
    return any(
        step.kind == REASON and step.actor == actor and step.at >= from_
        for id_ in merging.ids_of(conn, employee)
        for step in _of(conn, id_)
    )


def of_employee(conn: Connection, employee: str) -> list[Look]:
    """Every look at an employee and at their consultations and papers, the newest first."""
    found = [look for id_ in merging.ids_of(conn, employee) for step in _of(conn, id_) if (look := _look(step, id_))]
    for id_ in consultations_of(conn, employee):
        found += [look for step in steps(conn, consultation=id_) if (look := _look(step, employee))]
    return sorted(found, key=lambda look: look.seq, reverse=True)


def latest(conn: Connection, limit: int, before: int = 0, actor: str = "") -> list[Look]:
    """The last looks at anybody, the newest first: those before a step, of one person, where these are given."""
    each = (_latest(conn, kind, limit, before, actor) for kind in KINDS)
    newest = heapq.merge(*each, key=lambda look: look.seq, reverse=True)
    return [look for look, _ in zip(newest, range(limit), strict=False)]


def _latest(conn: Connection, kind: str, limit: int, before: int, actor: str) -> list[Look]:
    rows = conn.execute(
        "SELECT s.seq, coalesce(c.employee, substr(s.question, 8), '') AS employee FROM step s "
        "LEFT JOIN consultation c ON c.id = s.consultation WHERE s.kind = ? AND s.seq < ? AND (? = '' OR s.actor = ?) "
        "ORDER BY s.seq DESC LIMIT ?",
        (kind, before or 2**62, actor, actor, limit),
    ).fetchall()
    found = (_look(step, row["employee"]) for row in rows for step in steps(conn, seq=row["seq"]))
    return [look for look in found if look]


def _of(conn: Connection, employee: str) -> Iterator[Step]:
    rows = conn.execute("SELECT seq FROM step WHERE consultation = '' AND question = ?", (_about(employee),)).fetchall()
    for row in rows:
        yield from steps(conn, seq=row["seq"])


def _look(step: Step, employee: str) -> Look | None:
    if step.kind not in KINDS:
        return None
    said = step.content or {}
    paper, reason, shown_in = said.get("paper", ""), said.get("reason", ""), said.get("list", "")
    return Look(step.seq, step.at, step.actor, step.role, step.kind, employee, paper, reason, shown_in)
