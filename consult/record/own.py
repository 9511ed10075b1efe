"""Which employee a person who signs in is: nobody opens the record of themselves. Both are known by opaque ids only."""

from __future__ import annotations

from typing import Final

from consult.record import merging
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, append, last_step, steps

OWN: Final = "own_record_set"


def _about(person: str) -> str:
    return f"own:{person}"


def of_person(conn: Connection, person: str) -> str:
    """The employee that a person is; "" where nobody has said so."""
    step = last_step(conn, "", _about(person))
    return merging.kept(conn, step.content["employee"]) if step and step.content and step.content["employee"] else ""


def is_own(conn: Connection, person: str, employee: str) -> bool:
    """Whether the record of this employee is the person's own."""
    own = of_person(conn, person)
    return bool(own) and own == merging.kept(conn, employee)


def persons_of(conn: Connection, employee: str) -> list[str]:
    """The people who are this employee, as was last said of each."""
    said = {step.content["person"] for step in steps(conn, kind=OWN) if step.content}
    return sorted(person for person in said if is_own(conn, person, employee))


def say(conn: Connection, person: str, employee: str, actor: str, role: str, at: str) -> None:
    """Say that a person is an employee; another one than was said before only after that was taken back."""
    now = of_person(conn, person)
    if now == employee:
        return
    if now and employee:
        raise Refused("This person is another employee already, as was said before; an administrator takes that back.")
    append(conn, Draft(OWN, {"person": person, "employee": employee}, actor, at, "", _about(person), role))
