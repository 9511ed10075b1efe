"""Sessions, kept on the server and known by the hash of a random token: opened, looked up, locked, renewed, ended."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from consult.accounts import factors
from consult.accounts.people import (
    Person,
    of_row,
    person,
    start_until,
)
from consult.record.database import Connection, Database, NotWritten

IDLE: Final = timedelta(minutes=15)
"""How long nothing may come from a browser before its session is locked; locking ends nothing."""
WARNING: Final = timedelta(minutes=2)
"""How long before that the page says so."""
ABSOLUTE: Final = timedelta(hours=12)
PROVED: Final = timedelta(minutes=5)
"""How long a proof through the provider stands for the password where something of the account is changed."""
START: Final = timedelta(days=7)
"""How long a start password stands."""
FRESH: Final = timedelta(seconds=30)
"""How old `last_seen` may grow before it is written again: one durable write a page would be waste."""


class SignIn(Struct, frozen=True):
    """A sign-in: who, since when, whether it is locked, and whether it is time to note that it was used.

    `left` is for how long it stays unlocked if nothing more is done. `owes` is what its person must do before anything
    else: choose a password of their own ("password"), or set up a second factor ("factor").
    """

    person: Person
    token_hash: str
    created_at: datetime
    last_seen: datetime
    stale: bool
    locked: bool
    locked_at: int
    left: timedelta
    owes: str
    browser: str
    way: str
    proved_at: datetime

    @property
    def id(self) -> str:
        """What the page of one's sessions calls it: it opens nothing."""
        return self.token_hash[:16]


def lock(conn: Connection, signed_in: SignIn, now: datetime) -> None:
    """Lock a session until its person gives the password."""
    query = "UPDATE sign_in SET locked_at = ? WHERE token_hash = ? AND locked_at = 0"
    conn.execute(query, (seconds(now), signed_in.token_hash))


def create(
    conn: Connection, person_id: str, now: datetime, browser: str = "", way: str = "", proved: bool = False
) -> str:
    """Open a session for a person and return its token, which is kept nowhere on the server."""
    token = secrets.token_urlsafe(32)
    limits = (seconds(now - ABSOLUTE), seconds(now + ABSOLUTE))
    conn.execute("DELETE FROM sign_in WHERE created_at NOT BETWEEN ? AND ?", limits)
    row = (hash_of(token), person_id, seconds(now), seconds(now), browser[:60], owes(conn, person_id), way)
    conn.execute(
        "INSERT INTO sign_in (token_hash, person, created_at, last_seen, browser, owes, way, proved_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, seconds(now) if proved else 0),
    )
    return token


def owes(conn: Connection, person_id: str) -> str:
    """What a person must do before anything else: "password", "factor", or ""."""
    if start_until(conn, person_id):
        return "password"
    known = person(conn, person_id)
    needs = known is not None and known.role in factors.required(conn) and not factors.has(conn, known.id)
    return "factor" if needs else ""


def settle(conn: Connection, signed_in: SignIn) -> None:
    """Look again at what the person of a session owes, once something of it was done."""
    row = (owes(conn, signed_in.person.id), signed_in.token_hash)
    conn.execute("UPDATE sign_in SET owes = ? WHERE token_hash = ?", row)


def renew(conn: Connection, signed_in: SignIn, now: datetime) -> str:
    """Give a session a new token, after the password or a code was given anew; the old one opens nothing any more.

    "" if the session has ended meanwhile, or was given a new token from another window.
    """
    token = secrets.token_urlsafe(32)
    query = "UPDATE sign_in SET token_hash = ?, last_seen = ? WHERE token_hash = ?"
    changed = conn.execute(query, (hash_of(token), seconds(now), signed_in.token_hash)).rowcount
    return token if changed else ""


def of_person(conn: Connection, person_id: str, now: datetime) -> list[SignIn]:
    """The sessions of a person that have not ended, the one used last first."""
    found = [_sign_in(row, now) for row in conn.execute(f"{WITH_PERSON} WHERE s.person = ?", (person_id,))]
    return sorted((one for one in found if one), key=lambda one: one.last_seen, reverse=True)


WITH_PERSON: Final = (
    "SELECT s.token_hash, s.created_at AS begun_at, s.last_seen, s.locked_at, s.owes, s.browser, s.way, s.proved_at, "
    "p.* "
    "FROM sign_in s JOIN person p ON p.id = s.person"
)


def lookup(conn: Connection, token: str, now: datetime) -> SignIn | None:
    """The sign-in of a token, locked if it was idle; None if it ended, is too old, or the person may not sign in."""
    row = conn.execute(f"{WITH_PERSON} WHERE s.token_hash = ?", (hash_of(token),)).fetchone()
    return _sign_in(row, now) if row is not None else None


def _sign_in(row: Any, now: datetime) -> SignIn | None:
    created = moment(row["begun_at"])
    seen = max(moment(row["last_seen"]), _used.get(row["token_hash"], created))
    who = of_row(row)
    if not who.active or abs(now - created) >= ABSOLUTE:  # the clock may have been ahead
        return None
    left = timedelta() if row["locked_at"] else max(min(IDLE, IDLE - (now - seen)), timedelta())
    stale = not timedelta() <= now - seen < FRESH  # also where the clock was set back
    return SignIn(
        who,
        row["token_hash"],
        created,
        seen,
        stale,
        locked=not left,
        locked_at=row["locked_at"],
        left=left,
        owes=row["owes"],
        browser=row["browser"],
        way=row["way"],
        proved_at=moment(row["proved_at"]),
    )


_used: dict[str, datetime] = {}
"""When a sign-in was used, while that could not be written: a full disk signs nobody out who is at work."""


def note_use(db: Database, signed_in: SignIn, now: datetime) -> None:
    """Note that a sign-in was used, in memory where the disk does not take it; call it only for a stale one."""
    try:
        with db.write() as conn:
            touch(conn, signed_in, now)
        _used.pop(signed_in.token_hash, None)
    except NotWritten:
        _used[signed_in.token_hash] = now


def touch(conn: Connection, signed_in: SignIn, now: datetime) -> None:
    """Write that a sign-in was used."""
    conn.execute("UPDATE sign_in SET last_seen = ? WHERE token_hash = ?", (seconds(now), signed_in.token_hash))


def end(conn: Connection, token: str) -> None:
    """End one session."""
    conn.execute("DELETE FROM sign_in WHERE token_hash = ?", (hash_of(token),))


def end_by_hash(conn: Connection, token_hash: str) -> None:
    """End the session of which only the hash of the token is known."""
    conn.execute("DELETE FROM sign_in WHERE token_hash = ?", (token_hash,))


def end_one(conn: Connection, person_id: str, id_: str) -> bool:
    """End the session of a person that their page calls so; whether there was one."""
    query = "DELETE FROM sign_in WHERE person = ? AND substr(token_hash, 1, 16) = ?"
    return bool(conn.execute(query, (person_id, id_)).rowcount)


def hash_of(token: str) -> str:
    """What is kept in the place of a token, or of what somebody typed."""
    return hashlib.sha256(token.encode()).hexdigest()


def seconds(at: datetime) -> int:
    """A moment as the tables hold it: whole seconds since 1970, UTC."""
    return int(at.timestamp())


def moment(at: int) -> datetime:
    """The moment that a table holds."""
    return datetime.fromtimestamp(at, UTC)
