"""Signing in: sessions kept on the server, known by the hash of a random token, and a brake on guessing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from consult.accounts import passwords
from consult.accounts.people import Person, PersonRefused, by_username, of_row, password_hash_of, username_of
from consult.record.database import Connection, Database, NotWritten

IDLE: Final = timedelta(minutes=15)
"""How long nothing may come from a browser before its session is locked; locking ends nothing."""
WARNING: Final = timedelta(minutes=2)
"""How long before that the page says so."""
ABSOLUTE: Final = timedelta(hours=12)
TRIES: Final = 10
WINDOW: Final = timedelta(minutes=5)
FRESH: Final = timedelta(seconds=30)
"""How old `last_seen` may grow before it is written again: one durable write a page would be waste."""

WRONG: Final = "That sign-in name and password do not go together; check both and try again."
NOT_YOURS: Final = "That password is not right; try again, or sign in as somebody else."
ENDED: Final = "This session has ended; sign in again."
TOO_MANY: Final = "There were too many tries with this sign-in name; wait five minutes, then try again."


class SignInRefused(Exception):
    """Nobody was signed in; the message is the same for unknown names and wrong passwords."""


@dataclass(frozen=True)
class SignIn:
    """A sign-in: who, since when, whether it is locked, and whether it is time to note that it was used.

    `left` is for how long it stays unlocked if nothing more is done.
    """

    person: Person
    token_hash: str
    created_at: datetime
    last_seen: datetime
    stale: bool
    locked: bool
    locked_at: int
    left: timedelta


def sign_in(db: Database, username: str, password: str, now: datetime) -> tuple[str, Person]:
    """Check a name and a password and open a session; returns its token and the person, or raises SignInRefused.

    Each try counts before the password is looked at, so that tries sent side by side are braked too; a right one
    clears the count.
    """
    with _checked(db, username, password, now) as (conn, known):
        return create(conn, known.id, now), known


@contextmanager
def _checked(db: Database, username: str, password: str, now: datetime) -> Iterator[tuple[Connection, Person]]:
    """A transaction in which the password was right; SignInRefused if it was not, or after too many tries."""
    who = _key(username)
    with db.write() as conn:
        braked = _tries(conn, who, now) >= TRIES
        if not braked:
            conn.execute("INSERT INTO failed_try (who, at) VALUES (?, ?)", (who, _seconds(now)))
    if braked:
        raise SignInRefused(TOO_MANY)
    known = _named(db.read(), username)
    checked = password_hash_of(db.read(), known.id) if known else ""
    right = passwords.matches(password, checked)
    if known is None or not right or not known.active:
        raise SignInRefused(WRONG)
    with db.write() as conn:
        if password_hash_of(conn, known.id) != checked:  # changed meanwhile, which has ended every other session
            raise SignInRefused(WRONG)
        conn.execute("DELETE FROM failed_try WHERE who = ?", (who,))
        yield conn, known


def unlock(db: Database, token: str, password: str, now: datetime) -> Person:
    """Go on with a locked session, whoever's it is, given their password; raises SignInRefused, and it stays locked.

    Tries count together with those of signing in.
    """
    signed_in = lookup(db.read(), token, now)
    if signed_in is None:
        raise SignInRefused(ENDED)
    try:
        with _checked(db, signed_in.person.username, password, now) as (conn, known):
            conn.execute(
                "UPDATE sign_in SET locked_at = 0, last_seen = ? WHERE token_hash = ?",
                (_seconds(now), signed_in.token_hash),
            )
            return known
    except SignInRefused as refusal:
        raise SignInRefused(NOT_YOURS if str(refusal) == WRONG else str(refusal)) from None


def lock(conn: Connection, signed_in: SignIn, now: datetime) -> None:
    """Lock a session until its person gives the password."""
    query = "UPDATE sign_in SET locked_at = ? WHERE token_hash = ? AND locked_at = 0"
    conn.execute(query, (_seconds(now), signed_in.token_hash))


def create(conn: Connection, person_id: str, now: datetime) -> str:
    """Open a session for a person and return its token, which is kept nowhere on the server."""
    token = secrets.token_urlsafe(32)
    limits = (_seconds(now - ABSOLUTE), _seconds(now + ABSOLUTE))
    conn.execute("DELETE FROM sign_in WHERE created_at NOT BETWEEN ? AND ?", limits)
    row = (_hash(token), person_id, _seconds(now), _seconds(now))
    conn.execute("INSERT INTO sign_in (token_hash, person, created_at, last_seen) VALUES (?, ?, ?, ?)", row)
    return token


def lookup(conn: Connection, token: str, now: datetime) -> SignIn | None:
    """The sign-in of a token, locked if it was idle; None if it ended, is too old, or the person may not sign in."""
    row = conn.execute(
        "SELECT s.token_hash, s.created_at AS begun_at, s.last_seen, s.locked_at, p.* "
        "FROM sign_in s JOIN person p ON p.id = s.person WHERE s.token_hash = ?",
        (_hash(token),),
    ).fetchone()
    if row is None:
        return None
    created = _time(row["begun_at"])
    seen = max(_time(row["last_seen"]), _used.get(row["token_hash"], created))
    who = of_row(row)
    if not who.active or abs(now - created) >= ABSOLUTE:  # the clock may have been ahead
        return None
    left = timedelta() if row["locked_at"] else max(min(IDLE, IDLE - (now - seen)), timedelta())
    stale = not timedelta() <= now - seen < FRESH  # also where the clock was set back
    return SignIn(who, row["token_hash"], created, seen, stale, locked=not left, locked_at=row["locked_at"], left=left)


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
    conn.execute("UPDATE sign_in SET last_seen = ? WHERE token_hash = ?", (_seconds(now), signed_in.token_hash))


def end(conn: Connection, token: str) -> None:
    """End one session."""
    conn.execute("DELETE FROM sign_in WHERE token_hash = ?", (_hash(token),))


def _named(conn: Connection, username: str) -> Person | None:
    try:
        return by_username(conn, username_of(username))
    except PersonRefused:
        return None


def _key(username: str) -> str:
    """What tries are counted under: a hash, as people type passwords into the wrong field."""
    try:
        return _hash(username_of(username))
    except PersonRefused:
        return _hash(username)


def _tries(conn: Connection, who: str, now: datetime) -> int:
    past, ahead = _seconds(now - WINDOW), _seconds(now + WINDOW)  # one from a clock that was ahead would last for ever
    conn.execute("DELETE FROM failed_try WHERE at <= ? OR at > ?", (past, ahead))
    return int(conn.execute("SELECT count(*) FROM failed_try WHERE who = ?", (who,)).fetchone()[0])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
