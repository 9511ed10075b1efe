"""The people who sign in: one table, apart from the record, which knows them by an opaque id only."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from consult.accounts import breached, passwords
from consult.proforma.days import day_in
from consult.record.database import Connection
from consult.record.ledger import Draft, Step, append, steps
from consult.record.settings import get_setting, keeping, provider, sites

ROLES: Final = {
    "nurse": "Nurse",
    "doctor": "Doctor",
    "physiotherapist": "Physiotherapist",
    "audit_lead": "Audit lead",
    "coordinator": "National coordinator",
    "administrator": "Administrator",
}
CLINICIANS: Final = frozenset({"nurse", "doctor", "physiotherapist"})
OUTSIDE: Final = frozenset({"coordinator"})
"""Roles of people who do not belong to the provider: they see only what may leave it."""
LONGEST_NAME: Final = 120
PROOFS: Final = {
    "in_person_known": "In person, by somebody who knows them",
    "in_person_card": "In person, with a staff card or another document with a picture",
    "video_known": "By video, by somebody who knows them",
    "called_back": "Called back on the number that the service holds",
    "manager": "By their manager, called on the number that the service holds",
}
"""How an administrator made sure who asks, in words."""
WORK: Final = "password_work"
"""The setting that says how passwords are hashed here; without it as `passwords.METHOD` says."""


class PersonRefused(Exception):
    """Nothing was changed; the message says why and what to do, and `field` which field it is about, "" for no one."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class Person(Struct, frozen=True):
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
    def outside(self) -> bool:
        """Whether this person does not belong to the provider."""
        return self.role in OUTSIDE

    @property
    def role_label(self) -> str:
        """The role in words."""
        return ROLES[self.role]


class NewPerson(Struct, frozen=True):
    """What is asked of somebody who is to sign in; `username` may be left blank and is then made from the name.

    With `start_until` (seconds) the password is a start password: it signs in until then, and is changed at once.
    """

    name: str
    role: str
    site: str
    password: str
    username: str = ""
    start_until: int = 0


def add_person(conn: Connection, new: NewPerson, actor: str, at: str) -> Person:
    """Add somebody, and write the step that says so; PersonRefused if anything asked is not right."""
    name = " ".join(new.name.split())
    check_name_and_role(name, new.role)
    username = username_of(new.username or name)
    if by_username(conn, username):
        raise PersonRefused(f"The sign-in name {username} is taken; choose another.", "username")
    check_password(new.password, username, name, service=words_of_service(conn), known=breached_list(conn))
    person_id = f"p-{secrets.token_hex(8)}"
    password_hash = passwords.make_hash(new.password, password_work(conn))
    row = (person_id, username, name, new.role, new.site, password_hash, 1, at, new.start_until)
    append(conn, Draft("person_added", {"person": person_id, "role": new.role, "site": new.site}, actor, at))
    conn.execute(
        "INSERT INTO person (id, username, name, role, site, password_hash, active, created_at, start_until) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    return Person(person_id, username, name, new.role, new.site, True, at)


def check_name_and_role(name: str, role: str) -> None:
    """Refuse a name that says nothing, and a role there is not."""
    if not name:
        raise PersonRefused("A person needs a name; write it as colleagues know it.", "name")
    if len(name) > LONGEST_NAME:
        raise PersonRefused(f"Shorten the name to {LONGEST_NAME} characters.", "name")
    if role not in ROLES:
        said = f"There is no role {role}" if role else "No role was given"
        raise PersonRefused(f"{said}; use one of {', '.join(ROLES)}.", "role")


def username_of(text: str) -> str:
    """A sign-in name: small letters without accents, digits, and . _ - @; words are joined by dots."""
    plain = unicodedata.normalize("NFKD", text.strip()).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    username = re.sub(r"[^a-z0-9._@-]", "", re.sub(r"\s+", ".", letters)).strip(".")
    if not 2 <= len(username) <= 64:
        raise PersonRefused("A sign-in name has 2 to 64 letters (a to z) or digits; choose another.", "username")
    return username


def check_password(password: str, *own_words: str, service: Iterable[str] = (), known: str = "") -> None:
    """Refuse a password that is too short, too long, too easily guessed, or in the list of breaches in file `known`."""
    if sentence := passwords.why_refused(password, *own_words, service=service):
        raise PersonRefused(sentence)
    if known and (sentence := breached.why_refused(Path(known), password)):
        raise PersonRefused(sentence)


def breached_list(conn: Connection) -> str:
    """The file with passwords known from breaches; "" where none is set."""
    return str(keeping(conn, breached.SETTING))


def words_of_service(conn: Connection) -> list[str]:
    """What this service is called by: the code of its provider, the codes and names of its sites."""
    return [provider(conn), *(word for site in sites(conn).values() for word in (site.code, site.name))]


def password_work(conn: Connection) -> str:
    """How passwords are hashed here, such as "scrypt:32768:8:3"."""
    method = str(get_setting(conn, WORK, passwords.METHOD))
    return method if passwords.is_method(method) else passwords.METHOD


def rehash(conn: Connection, person_id: str, password_hash: str) -> None:
    """Keep the hash of the very same password, made as hashes are made now."""
    conn.execute("UPDATE person SET password_hash = ? WHERE id = ?", (password_hash, person_id))


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


def change_password(conn: Connection, person_id: str, password: str, actor: str, at: str, start_until: int = 0) -> None:
    """Give a person another password, for good or to start with, and end every sign-in of theirs."""
    one = known(conn, person_id)
    check_password(password, one.username, one.name, service=words_of_service(conn), known=breached_list(conn))
    changed(conn, person_id, "start_password" if start_until else "password", actor, at)
    conn.execute(
        "UPDATE person SET password_hash = ?, start_until = ? WHERE id = ?",
        (passwords.make_hash(password, password_work(conn)), start_until, person_id),
    )
    end_all(conn, person_id)


def set_active(conn: Connection, person_id: str, active: bool, actor: str, at: str) -> None:
    """Let a person sign in, or no longer; the last active administrator stays."""
    one = known(conn, person_id)
    if one.active == active:
        return
    if not active:
        check_not_last(conn, one)
    changed(conn, person_id, "enabled" if active else "disabled", actor, at)
    conn.execute("UPDATE person SET active = ? WHERE id = ?", (int(active), person_id))
    end_all(conn, person_id)


def place(conn: Connection, person_id: str, role: str, site: str, actor: str, at: str) -> None:
    """Give a person another role or site, and end their sign-ins; the last active administrator stays one."""
    one = known(conn, person_id)
    check_name_and_role(one.name, role)
    if (one.role, one.site) == (role, site):
        return
    if role != one.role:
        check_not_last(conn, one)
    append(conn, Draft("person_placed", {"person": one.id, "role": role, "site": site}, actor, at))
    conn.execute("UPDATE person SET role = ?, site = ? WHERE id = ?", (role, site, person_id))
    end_all(conn, person_id)


def rename(conn: Connection, person_id: str, name: str, actor: str, at: str) -> None:
    """Write a person's name otherwise; the sign-in name stays, and no step holds either."""
    one, name = known(conn, person_id), " ".join(name.split())
    check_name_and_role(name, one.role)
    if name != one.name:
        changed(conn, person_id, "name", actor, at)
        conn.execute("UPDATE person SET name = ? WHERE id = ?", (name, person_id))


def check_not_last(conn: Connection, one: Person) -> None:
    """Refuse what would leave nobody to look after people and settings."""
    if one.active and one.role == "administrator" and _administrators(conn) == 1:
        raise PersonRefused("This is the last active administrator; make another one first.")


def prove_identity(conn: Connection, person_id: str, how: str, actor: str, at: str) -> None:
    """Write how somebody made sure who asks, before what they lost is replaced; PersonRefused if that is not said."""
    if how not in PROOFS:
        raise PersonRefused("Say how you made sure who asks: choose it from the list.", "proved")
    append(conn, Draft("person_proved", {"person": known(conn, person_id).id, "how": how}, actor, at))


def identity_proved(conn: Connection, person_id: str) -> Step | None:
    """The last time somebody made sure who a person is; None if nobody had to."""
    found = (step for step in steps(conn, kind="person_proved") if (step.content or {}).get("person") == person_id)
    return max(found, key=lambda step: step.seq, default=None)


def end_all(conn: Connection, person_id: str, but: str = "") -> None:
    """End every sign-in of a person, half done or whole; `but` is the hash of the token of one that goes on."""
    conn.execute("DELETE FROM sign_in WHERE person = ? AND token_hash <> ?", (person_id, but))
    conn.execute("DELETE FROM half_sign_in WHERE person = ?", (person_id,))


def start_until(conn: Connection, person_id: str) -> int:
    """Until when (seconds) the password of a person is one to start with; 0 for a password of their own."""
    row = conn.execute("SELECT start_until FROM person WHERE id = ?", (person_id,)).fetchone()
    return int(row["start_until"]) if row else 0


def starting(conn: Connection) -> set[str]:
    """The people who have not signed in with their start password yet, by id."""
    return {row["id"] for row in conn.execute("SELECT id FROM person WHERE start_until > 0")}


def train(conn: Connection, person_id: str, day: str, today: date, actor: str, at: str) -> None:
    """Note the day on which a person was trained in the tool; PersonRefused if it is no day, or lies ahead."""
    one = known(conn, person_id)
    if (on := day_in(day)) is None:
        raise PersonRefused(f"Give the day on which {one.name} was trained as a date.", "trained")
    if on > today:
        raise PersonRefused("The day of a training lies ahead; enter it once it was held.", "trained")
    append(conn, Draft("person_trained", {"person": one.id, "on": on.isoformat()}, actor, at))


def trained(conn: Connection) -> dict[str, str]:
    """The last day on which each person was trained, by id; who has none is not there."""
    found: dict[str, str] = {}
    for step in steps(conn, kind="person_trained"):
        if step.content:
            found[step.content["person"]] = max(step.content["on"], found.get(step.content["person"], ""))
    return found


def _administrators(conn: Connection) -> int:
    query = "SELECT count(*) FROM person WHERE role = 'administrator' AND active = 1"
    return int(conn.execute(query).fetchone()[0])


def known(conn: Connection, person_id: str) -> Person:
    """The person with this id; PersonRefused if there is none."""
    found = person(conn, person_id)
    if found is None:
        raise PersonRefused("There is no such person; choose one from the list of people.")
    return found


def changed(conn: Connection, person_id: str, change: str, actor: str, at: str) -> None:
    """Write the step that says what about a person was changed, without any of it."""
    append(conn, Draft("person_changed", {"person": person_id, "change": change}, actor, at))


def of_row(row: Any) -> Person:
    """The person of a row of the table."""
    values = {name: row[name] for name in ("id", "username", "name", "role", "site", "created_at")}
    return Person(active=bool(row["active"]), **values)
