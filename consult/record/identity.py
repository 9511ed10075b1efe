"""Who the employees are: the only table that holds a name, a date of birth or a number."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import SequenceMatcher
from itertools import product
from typing import Any, Final

from msgspec import Struct

from consult.proforma.days import may_mean
from consult.record import merging
from consult.record.database import Connection

NAME_LIKENESS: Final = 0.82
LONGEST_NAME: Final = 120
LONGEST_SEARCH: Final = 200
"""No name, number or date is as long; SQLite takes some hundred words in one question, and then says that it can't."""
MOST_FOUND: Final = 50
SHORTEST_NUMBER: Final = 4
SHORTEST_PART: Final = 3


class Employee(Struct, frozen=True):
    """One employee; `id` is opaque and is all that the step log ever holds."""

    id: str
    name: str
    date_of_birth: date
    local_number: str


def fold_name(name: str) -> str:
    """A name as compared: no accents, small letters, only letters and single spaces, words in order of the alphabet."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(c if c.isalpha() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(sorted(letters.split()))


def named_in(conn: Connection, text: str) -> bool:
    """Whether a text holds the whole name, or the number of 4 or more characters, of an employee registered here."""
    words = f" {_plain(text)} "
    rows = conn.execute("SELECT name, local_number FROM employee")
    return any(
        f" {_plain(row['name'])} " in words
        or (len(row["local_number"]) >= SHORTEST_NUMBER and f" {_plain(row['local_number'])} " in words)
        for row in rows
    )


def _plain(text: str) -> str:
    """A text as names are looked for in it: no accents, small letters, only letters, digits and single spaces."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())


def names(known: Employee, text: str) -> bool:
    """Whether a text holds a word of three or more letters of the name, the number, or the date of birth.

    A name of shorter words only is looked for as a whole, in either order.
    """
    words, whole, number = f" {_plain(text)} ", _plain(known.name).split(), _plain(known.local_number)
    parts = [part for part in whole if len(part) >= SHORTEST_PART] or [" ".join(whole), " ".join(reversed(whole))]
    numbers = [number] if len(number) >= SHORTEST_NUMBER else []
    return any(f" {word} " in words for word in (*parts, *numbers, *_as_written(known.date_of_birth)) if word)


def _as_written(day: date) -> Iterator[str]:
    """The ways in which a day is written, as they stand in a text that is looked through."""
    ending = "th" if day.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    days = (str(day.day), f"{day.day:02}", f"{day.day}{ending}")
    months = (str(day.month), f"{day.month:02}", f"{day:%B}".casefold(), f"{day:%b}".casefold())
    yield f"{day.year} {day.month:02} {day.day:02}"
    for written in product(days, months, (str(day.year), f"{day.year % 100:02}")):
        yield " ".join(written)


def erase(conn: Connection, employee_id: str) -> None:
    """Take out who an employee is; the opaque id in the steps then names nobody."""
    conn.execute("DELETE FROM employee WHERE id = ?", (employee_id,))


def every(conn: Connection) -> list[tuple[Employee, str]]:
    """All employees with when each was registered, the first registered first."""
    rows = conn.execute("SELECT * FROM employee ORDER BY registered_at, id")
    return [(_employee(row), row["registered_at"]) for row in rows]


def add_employee(conn: Connection, name: str, date_of_birth: date, local_number: str, at: str) -> Employee:
    """Write one employee and return it with its new opaque id."""
    employee = Employee(str(uuid.uuid4()), " ".join(name.split()), date_of_birth, local_number.strip())
    conn.execute(
        "INSERT INTO employee (id, name, folded_name, date_of_birth, local_number, registered_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (employee.id, employee.name, fold_name(name), date_of_birth.isoformat(), employee.local_number, at),
    )
    return employee


def employee(conn: Connection, employee_id: str) -> Employee | None:
    """The employee with this id, or None (also once identity has been erased).

    Of somebody entered twice it is the entry that is kept, whichever id is asked for.
    """
    return entered(conn, merging.kept(conn, employee_id))


def entered(conn: Connection, employee_id: str) -> Employee | None:
    """The very entry of this id, also where another is kept in its place."""
    row = conn.execute("SELECT * FROM employee WHERE id = ?", (employee_id,)).fetchone()
    return _employee(row) if row else None


def entries(conn: Connection, employee_id: str) -> list[Employee]:
    """Every entry of an employee that is there, the one that is kept first."""
    found = (entered(conn, id_) for id_ in merging.ids_of(conn, employee_id))
    return [entry for entry in found if entry is not None]


def employees(conn: Connection, ids: list[str]) -> dict[str, Employee]:
    """The employees with these ids, by the id that was asked for."""
    same = merging.same_as(conn)
    wanted = {id_: same.get(id_, id_) for id_ in ids}
    marks = ", ".join("?" * len(wanted))
    rows = conn.execute(f"SELECT * FROM employee WHERE id IN ({marks})", list(wanted.values()))
    known = {row["id"]: _employee(row) for row in rows}
    return {id_: known[kept] for id_, kept in wanted.items() if kept in known}


def find(conn: Connection, words: str, limit: int = MOST_FOUND) -> list[Employee]:
    """Employees whose name holds every word, or whose number or date of birth (2 March 1980, 02/03/80) it is."""
    if len(words) > LONGEST_SEARCH:
        return []
    folded = [] if any(c.isdigit() for c in words) else fold_name(words).split()
    by_name = " AND ".join(["folded_name LIKE ?"] * len(folded)) or "0"
    born = [day.isoformat() for day in may_mean(words)]
    rows = conn.execute(
        f"SELECT * FROM employee WHERE ({by_name}) OR (local_number <> '' AND local_number = ? COLLATE NOCASE) "
        f"OR date_of_birth IN ({', '.join('?' * len(born))}) ORDER BY name COLLATE NOCASE LIMIT ?",
        [*(f"%{w}%" for w in folded), words.strip(), *born, limit],
    )
    return _each_once(conn, map(_employee, rows))


def _each_once(conn: Connection, found: Iterable[Employee]) -> list[Employee]:
    """Those found, each by the entry that is kept."""
    same, once = merging.same_as(conn), dict[str, Employee]()
    for one in found:
        kept = entered(conn, same[one.id]) if one.id in same else one
        if kept is not None:
            once.setdefault(kept.id, kept)
    return list(once.values())


def near_duplicates(conn: Connection, name: str, date_of_birth: date, local_number: str) -> list[Employee]:
    """Employees who may be the same person: same number, same birthday and a like name, or nearly the same name.

    Day and month in the wrong order, and words of the name in another order, are taken into account.
    """
    swapped = _swap_day_and_month(date_of_birth)
    rows = conn.execute(
        "SELECT * FROM employee WHERE (local_number <> '' AND local_number = ? COLLATE NOCASE) "
        "OR date_of_birth IN (?, ?) OR folded_name = ?",
        (local_number.strip(), date_of_birth.isoformat(), swapped.isoformat(), fold_name(name)),
    )
    return _each_once(conn, [e for e in map(_employee, rows) if _may_be_same(e, name, local_number)])


def _may_be_same(known: Employee, name: str, local_number: str) -> bool:
    same_number = bool(local_number.strip()) and known.local_number.casefold() == local_number.strip().casefold()
    ours, theirs = fold_name(name), fold_name(known.name)
    shared = set(ours.split()) & set(theirs.split())
    return same_number or bool(shared) or SequenceMatcher(None, ours, theirs).ratio() >= NAME_LIKENESS


def _swap_day_and_month(born: date) -> date:
    return born.replace(day=born.month, month=born.day) if born.day <= 12 else born


def _employee(row: Any) -> Employee:
    return Employee(row["id"], row["name"], date.fromisoformat(row["date_of_birth"]), row["local_number"])
