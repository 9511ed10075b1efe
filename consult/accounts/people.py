"""The people who sign in: one table, apart from the record, which knows them by an opaque id only."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlite_utils
from sqlite_utils import Migrations

from consult.accounts import passwords
from consult.record.database import Connection
from consult.record.ledger import Draft, append, steps

ROLES: Final = {
    "nurse": "Nurse",
    "doctor": "Doctor",
    "physiotherapist": "Physiotherapist",
    "audit_lead": "Audit lead",
    "administrator": "Administrator",
}
CLINICIANS: Final = frozenset({"nurse", "doctor", "physiotherapist"})

accounts_schema = Migrations("accounts")

TABLES: Final = """
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('nurse', 'doctor', 'physiotherapist', 'audit_lead', 'administrator')),
  site TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE sign_in (
  token_hash TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  created_at INTEGER NOT NULL,
  last_seen INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_of_person ON sign_in (person);
CREATE TABLE failed_try (who TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX failed_try_of ON failed_try (who, at);
"""


@accounts_schema()
def m0001_people(db: sqlite_utils.Database) -> None:
    """People, their sign-ins, and the tries that failed."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)


@accounts_schema()
def m0002_lock(db: sqlite_utils.Database) -> None:
    """When a sign-in was locked, in seconds; 0 while it is not."""
    db.execute("ALTER TABLE sign_in ADD COLUMN locked_at INTEGER NOT NULL DEFAULT 0")


class PersonRefused(Exception):
    """Nothing was changed; the message says why and what to do."""


@dataclass(frozen=True)
class Person:
    """Somebody who signs in; `id` is opaque and is all that the step log holds of a person."""

    id: str
    username: str
    name: str
    role: str
    site: str
    active: bool
    created_at: str

    @property
    def clinician(self) -> bool:
        """Whether this person holds consultations."""
        return self.role in CLINICIANS

    @property
    def role_label(self) -> str:
        """The role in words."""
        return ROLES[self.role]


@dataclass(frozen=True)
class NewPerson:
    """What is asked of somebody who is to sign in; `username` may be left blank and is then made from the name."""

    name: str
    role: str
    site: str
    password: str
    username: str = ""


def add_person(conn: Connection, new: NewPerson, actor: str, at: str) -> Person:
    """Add somebody, and write the step that says so; PersonRefused if anything asked is not right."""
    name = " ".join(new.name.split())
    username = username_of(new.username or name)
    if not name:
        raise PersonRefused("A person needs a name; write it as colleagues know it.")
    if new.role not in ROLES:
        raise PersonRefused(f"There is no role {new.role}; use one of {', '.join(ROLES)}.")
    if by_username(conn, username):
        raise PersonRefused(f"The sign-in name {username} is taken; choose another.")
    check_password(new.password, username, name)
    person_id = f"p-{secrets.token_hex(8)}"
    row = (person_id, username, name, new.role, new.site, passwords.make_hash(new.password), 1, at)
    append(conn, Draft("person_added", {"person": person_id, "role": new.role, "site": new.site}, actor, at))
    conn.execute(
        "INSERT INTO person (id, username, name, role, site, password_hash, active, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    return Person(person_id, username, name, new.role, new.site, True, at)


def username_of(text: str) -> str:
    """A sign-in name: small letters without accents, digits, and . _ - @; words are joined by dots."""
    plain = unicodedata.normalize("NFKD", text.strip()).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    username = re.sub(r"[^a-z0-9._@-]", "", re.sub(r"\s+", ".", letters)).strip(".")
    if not 2 <= len(username) <= 64:
        raise PersonRefused("A sign-in name has 2 to 64 letters (a to z) or digits; choose another.")
    return username


def check_password(password: str, *own_words: str) -> None:
    """Refuse a password that is too short, too long, or too easily guessed."""
    if sentence := passwords.why_refused(password, *own_words):
        raise PersonRefused(sentence)


def person(conn: Connection, person_id: str) -> Person | None:
    """The person with this id, or None."""
    row = conn.execute("SELECT * FROM person WHERE id = ?", (person_id,)).fetchone()
    return of_row(row) if row else None


def by_username(conn: Connection, username: str) -> Person | None:
    """The person with this sign-in name as it is stored, or None."""
    row = conn.execute("SELECT * FROM person WHERE username = ?", (username,)).fetchone()
    return of_row(row) if row else None


def people(conn: Connection) -> list[Person]:
    """Everybody, active or not, by name."""
    return [of_row(row) for row in conn.execute("SELECT * FROM person ORDER BY name, id")]


def names(conn: Connection) -> dict[str, str]:
    """The names by id, for pages that say who did what."""
    return {row["id"]: row["name"] for row in conn.execute("SELECT id, name FROM person")}


def password_hash_of(conn: Connection, person_id: str) -> str:
    """The stored password hash of a person; "" for nobody."""
    row = conn.execute("SELECT password_hash FROM person WHERE id = ?", (person_id,)).fetchone()
    return str(row["password_hash"]) if row else ""


def change_password(conn: Connection, person_id: str, password: str, actor: str, at: str) -> None:
    """Give a person another password and end every sign-in of theirs."""
    known = _known(conn, person_id)
    check_password(password, known.username, known.name)
    _changed(conn, person_id, "password", actor, at)
    conn.execute("UPDATE person SET password_hash = ? WHERE id = ?", (passwords.make_hash(password), person_id))
    conn.execute("DELETE FROM sign_in WHERE person = ?", (person_id,))


def set_active(conn: Connection, person_id: str, active: bool, actor: str, at: str) -> None:
    """Let a person sign in, or no longer; the last active administrator stays."""
    known = _known(conn, person_id)
    if known.active == active:
        return
    if not active and known.role == "administrator" and _administrators(conn) == 1:
        raise PersonRefused("This is the last active administrator; make another one first.")
    _changed(conn, person_id, "enabled" if active else "disabled", actor, at)
    conn.execute("UPDATE person SET active = ? WHERE id = ?", (int(active), person_id))
    conn.execute("DELETE FROM sign_in WHERE person = ?", (person_id,))


def train(conn: Connection, person_id: str, day: str, today: date, actor: str, at: str) -> None:
    """Note the day on which a person was trained in the tool; PersonRefused if it is no day, or lies ahead."""
    known = _known(conn, person_id)
    try:
        on = date.fromisoformat(day)
    except ValueError as error:
        raise PersonRefused(f"Give the day on which {known.name} was trained as a date.") from error
    if on > today:
        raise PersonRefused("The day of a training lies ahead; enter it once it was held.")
    append(conn, Draft("person_trained", {"person": known.id, "on": on.isoformat()}, actor, at))


def trained(conn: Connection) -> dict[str, str]:
    """The last day on which each person was trained, by id; who has none is not there."""
    found: dict[str, str] = {}
    for step in steps(conn, kind="person_trained"):
        if step.content:
            found[step.content["person"]] = max(step.content["on"], found.get(step.content["person"], ""))
    return found


def told(conn: Connection) -> dict[str, dict[str, str]]:
    """The role and site of each person, and whether they may sign in, as the steps tell it."""
    found: dict[str, dict[str, str]] = {}
    for step in steps(conn, kind="person_added"):
        if step.content:
            found[step.content["person"]] = {"role": step.content["role"], "site": step.content["site"], "active": "1"}
    for step in steps(conn, kind="person_changed"):
        if step.content and step.content["change"] in ("enabled", "disabled") and step.content["person"] in found:
            found[step.content["person"]]["active"] = "1" if step.content["change"] == "enabled" else "0"
    return found


def differences(conn: Connection) -> Iterator[str]:
    """Each way in which people are not as the steps say: a sentence with what to do."""
    rows = conn.execute("SELECT id, username, role, site, active FROM person ORDER BY username").fetchall()
    as_told = told(conn)
    for row in rows:
        if row["id"] not in as_told:
            yield f"{row['username']} may sign in, and no step says that this person was added; restore a backup."
        for column, says in as_told.get(row["id"], {}).items():
            if (has := str(row[column])) != says:
                yield f"{row['username']} has {column} {has!r}, and the steps say {says!r}; run `consult rebuild`."
    for person_id in sorted(as_told.keys() - {row["id"] for row in rows}):
        yield f"The person {person_id} is missing, though a step says they were added; restore a backup."


def put_back(conn: Connection) -> None:
    """Give everybody the role, site and standing that the steps tell of."""
    for person_id, row in told(conn).items():
        conn.execute(
            "UPDATE person SET role = ?, site = ?, active = ? WHERE id = ?",
            (row["role"], row["site"], int(row["active"]), person_id),
        )


def only_told(conn: Connection) -> None:
    """Put everybody back to what the steps tell, and take out whom they don't tell of; for a trial only."""
    put_back(conn)
    known = list(told(conn))
    conn.execute("PRAGMA defer_foreign_keys = ON")
    conn.execute(f"DELETE FROM person WHERE id NOT IN ({', '.join('?' * len(known))})", known)


def _administrators(conn: Connection) -> int:
    query = "SELECT count(*) FROM person WHERE role = 'administrator' AND active = 1"
    return int(conn.execute(query).fetchone()[0])


def _known(conn: Connection, person_id: str) -> Person:
    known = person(conn, person_id)
    if known is None:
        raise PersonRefused("There is no such person; choose one from the list of people.")
    return known


def _changed(conn: Connection, person_id: str, change: str, actor: str, at: str) -> None:
    append(conn, Draft("person_changed", {"person": person_id, "change": change}, actor, at))


def of_row(row: Any) -> Person:
    """The person of a row of the table."""
    values = {name: row[name] for name in ("id", "username", "name", "role", "site", "created_at")}
    return Person(active=bool(row["active"]), **values)
