"""Taking out who somebody is and what was typed about them, each by a step that says so; and what may not go yet."""

from __future__ import annotations

from datetime import date
from typing import Final

from msgspec import Struct

from consult.record import identity, merging
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, append, steps

ERASED: Final = "identity_erased"
SHORTEST_WHY: Final = 5


class Hold(Struct, frozen=True):
    """That an employee's record may not go: why, until which day ("" for until it is ended), by whom, since when."""

    employee: str
    reason: str
    until: str
    by: str
    at: str

    def stands(self, today: date) -> bool:
        """Whether it still holds."""
        return not self.until or today.isoformat() <= self.until


def holds(conn: Connection) -> dict[str, Hold]:
    """The hold set last on each employee and not ended, by opaque id; its day may have passed."""
    found: dict[str, Hold] = {}
    told = sorted([*steps(conn, kind="hold_set"), *steps(conn, kind="hold_ended")], key=lambda step: step.seq)
    for step in told:
        if step.content is None:
            continue
        employee = step.content["employee"]
        if step.kind == "hold_ended":
            found.pop(employee, None)
        else:
            found[employee] = Hold(employee, step.content["reason"], step.content["until"], step.actor, step.at)
    return found


def standing(conn: Connection, today: date) -> dict[str, Hold]:
    """The hold that stands on each employee, by the id of the entry that is kept, whichever entry it was set on."""
    same = merging.same_as(conn)
    return {same.get(id_, id_): hold for id_, hold in holds(conn).items() if hold.stands(today)}


def set_hold(conn: Connection, employee: str, reason: str, until: date | None, actor: str, at: str) -> None:
    """Keep an employee's record from being erased.

    Refused without a reason, for somebody not registered, to a day that is over, and where it would end a hold sooner.
    """
    _check_there(conn, employee)
    if until and until.isoformat() < at[:10]:
        raise Refused(f"{until} is over, so nothing would be held; give a day to come, or none.")
    before = holds(conn).get(employee)
    if before and until and (not before.until or until.isoformat() < before.until):
        stands = f"until {before.until}" if before.until else "until it is ended"
        raise Refused(f"A hold stands {stands} ({before.reason}), which is longer; end it first, if that is right.")
    append(conn, hold_set(employee, _reason(reason), until.isoformat() if until else "", actor, at))


def hold_set(employee: str, reason: str, until: str, actor: str, at: str) -> Draft:
    """The step that puts an employee's record on hold."""
    content = {"employee": employee, "reason": reason, "until": until}
    return Draft("hold_set", content, actor, at, question=f"hold:{employee}")


def end_hold(conn: Connection, employee: str, reason: str, actor: str, at: str) -> None:
    """End the hold on an employee, whichever entry of theirs it was set on; Refused if there is none."""
    held = holds(conn).keys() & set(merging.ids_of(conn, employee))
    if not held:
        raise Refused("No hold is set on this employee; `consult employee due` lists who is on hold.")
    for id_ in sorted(held):
        content = {"employee": id_, "reason": _reason(reason)}
        append(conn, Draft("hold_ended", content, actor, at, question=f"hold:{id_}"))


def check_may_go(conn: Connection, employee: str, today: date) -> identity.Employee:
    """The employee who is to be erased; Refused where a hold stands or a consultation is open."""
    known = _check_there(conn, employee)
    if hold := standing(conn, today).get(known.id):
        until = f" until {hold.until}" if hold.until else ""
        raise Refused(f"This employee is on hold{until} ({hold.reason}); end the hold first, if that is right.")
    ids = merging.ids_of(conn, employee)
    query = f"SELECT 1 FROM consultation WHERE employee IN ({', '.join('?' * len(ids))}) AND state = 'open'"
    if conn.execute(query, ids).fetchone():
        raise Refused("A consultation of this employee is still open; have it signed or ended first.")
    return known


def erase_identity(conn: Connection, employee: str, why: str, actor: str, at: str) -> list[str]:
    """Take out who an employee is, each entry by a step that says so; returns the opaque ids, which the steps keep."""
    ids = [entry.id for entry in identity.entries(conn, employee)]
    for id_ in ids:
        content = {"employee": id_, "why": _reason(why)}
        append(conn, Draft(ERASED, content, actor, at, question=f"identity:{id_}"))
        identity.erase(conn, id_)
    return ids


def redact(conn: Connection, seq: int, why: str, actor: str, at: str) -> None:
    """Take out what one step says, after a step that says so; the chain holds over the digest that stays."""
    append(conn, Draft("content_redacted", {"why": why}, actor, at, question=f"step:{seq}"))
    conn.execute("DELETE FROM step_content WHERE seq = ?", (seq,))


def _reason(text: str) -> str:
    if len(text.strip()) < SHORTEST_WHY:
        raise Refused("Say why in a few words; the reason is kept with the step.")
    return " ".join(text.split())[:500]


def _check_there(conn: Connection, employee: str) -> identity.Employee:
    known = identity.employee(conn, employee)
    if known is None:
        raise Refused(f"No employee is registered under {employee}; the id stands in the address of the page.")
    return known
