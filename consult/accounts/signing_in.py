"""Signing in, with each of the ways to prove who one is, and going on with a session that was locked."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from consult.accounts import factors, passkeys, passwords, single_sign_on, tries
from consult.accounts.people import (
    Person,
    PersonRefused,
    by_username,
    password_hash_of,
    password_work,
    person,
    rehash,
    start_until,
    username_of,
)
from consult.accounts.sessions import SignIn, create, hash_of, lookup, moment, owes, renew, seconds
from consult.accounts.tries import SignInRefused
from consult.record.database import Connection, Database

HALF: Final = timedelta(minutes=10)
"""How long a sign-in waits for its code."""
BY_PROVIDER: Final = "provider"

WRONG: Final = "That sign-in name and password do not go together; check both and try again."
NOT_YOURS: Final = "That password is not right; try again, or sign in as somebody else."
ENDED: Final = "This session has ended; sign in again."
WRONG_CODE: Final = "The name, the password and the code do not go together; type the next code, or begin again."
TOO_LATE: Final = "That took too long; begin again with name and password."


class CodeNeeded(Exception):
    """A code is asked for next, whether name and password were right or not; `token` is the half of a sign-in."""

    def __init__(self, token: str) -> None:
        super().__init__("A code is asked for next.")
        self.token = token


def sign_in(db: Database, username: str, password: str, now: datetime, browser: str = "") -> tuple[str, Person]:
    """Check a name and a password and open a session; returns its token and the person, or raises SignInRefused.

    Each try counts before the password is looked at, so that tries sent side by side are braked too; one that ends in
    a session clears the count. Where second factors are used, CodeNeeded is raised for whoever has one and for every
    name and password that do not go together, so that nothing tells these apart.
    """
    who = tries.key(username)
    tries.count(db, who, now)
    with _checked(db, username, password, now) as (conn, known):
        if known is not None and single_sign_on.password_refused(conn, known):
            known = None
        half = token = ""
        if factors.used_here(conn) and (known is None or factors.has(conn, known.id)):
            half = _half(conn, who, known, now)
        elif known is not None:
            token = _whole(conn, who, known, now, browser)
    if half:
        raise CodeNeeded(half)
    if known is None:
        raise SignInRefused(WRONG)
    return token, known


def complete(db: Database, half: str, code: str, now: datetime, browser: str = "") -> tuple[str, Person]:
    """Finish a sign-in with a code; returns the token of the new session and its person, or raises SignInRefused.

    Tries count together with those of passwords.
    """
    begun = _begun(db, half, now)
    with db.write() as conn:
        right = factors.take(conn, begun["person"], code, now)
        done = _completed(conn, begun, right, now, browser)
    if not done:
        raise SignInRefused(WRONG_CODE)
    return done


def complete_by_passkey(
    db: Database, half: str, place: passkeys.Place, asked_by: str, sent: str, now: datetime, browser: str = ""
) -> tuple[str, Person]:
    """Finish a sign-in with a passkey in the place of a code; one of another person is refused as a wrong one is."""
    begun = _begun(db, half, now)
    whose = _proved(db, place, asked_by, sent, now)
    with db.write() as conn:
        done = _completed(conn, begun, whose == begun["person"], now, browser)
    if not done:
        raise SignInRefused(passkeys.NOT_PROVED)
    return done


def by_passkey(
    db: Database, place: passkeys.Place, asked_by: str, sent: str, now: datetime, browser: str = ""
) -> tuple[str, Person]:
    """Sign in with a passkey alone: its authenticator has verified its owner, so that it is two factors in one."""
    whose = _proved(db, place, asked_by, sent, now)
    with db.write() as conn:
        known = person(conn, whose)
        token = create(conn, known.id, now, browser) if known and known.active else ""
    if not known or not token:
        raise SignInRefused(passkeys.NOT_PROVED)
    return token, known


def by_provider(
    db: Database, one: Person, assured: bool, now: datetime, browser: str = "", proved: bool = False
) -> str:
    """A session for somebody whom the provider has proved; `assured` says that it asks for two factors by itself.

    Where it does not, CodeNeeded is raised for whoever has a factor here, as after a password; not for whoever was
    signed in already, and has `proved` it anew.
    """
    half = token = ""
    with db.write() as conn:
        if not (assured or proved) and factors.has(conn, one.id):
            half = _half(conn, tries.key(one.username), one, now, BY_PROVIDER)
        else:
            token = create(conn, one.id, now, browser, BY_PROVIDER, proved)
            debts = owes(conn, one.id)
            settled = (debts == "factor" and assured) or (
                debts == "password" and single_sign_on.password_refused(conn, one)
            )
            if settled:
                conn.execute("UPDATE sign_in SET owes = '' WHERE token_hash = ?", (hash_of(token),))
    if half:
        raise CodeNeeded(half)
    return token


def _proved(db: Database, place: passkeys.Place, asked_by: str, sent: str, now: datetime) -> str:
    try:
        return passkeys.prove(db, place, asked_by, sent, now)
    except passkeys.NotProved as refusal:
        raise SignInRefused(str(refusal)) from refusal


def _begun(db: Database, half: str, now: datetime) -> Any:
    """The sign-in that waits for a second factor, with this try at it counted."""
    row = db.read().execute("SELECT * FROM half_sign_in WHERE token_hash = ?", (hash_of(half),)).fetchone()
    if row is None or abs(now - moment(row["created_at"])) >= HALF:
        raise SignInRefused(TOO_LATE)
    tries.count(db, row["who"], now)
    return row


def _completed(conn: Connection, begun: Any, right: bool, now: datetime, browser: str) -> tuple[str, Person] | None:
    known = person(conn, begun["person"])
    gone = "DELETE FROM half_sign_in WHERE token_hash = ? AND ?"
    still = conn.execute(gone, (begun["token_hash"], right)).rowcount
    if not (known and known.active and right and still):
        return None
    return _whole(conn, begun["who"], known, now, browser, begun["way"]), known


def _half(conn: Connection, who: str, known: Person | None, now: datetime, way: str = "") -> str:
    """Note that a name and a password were sent, and whose they are if they were right; returns the half's token."""
    token = secrets.token_urlsafe(32)
    limits = (seconds(now - HALF), seconds(now + HALF))
    conn.execute("DELETE FROM half_sign_in WHERE created_at NOT BETWEEN ? AND ?", limits)
    row = (hash_of(token), who, known.id if known else "", seconds(now), way)
    conn.execute("INSERT INTO half_sign_in (token_hash, who, person, created_at, way) VALUES (?, ?, ?, ?, ?)", row)
    return token


def _whole(conn: Connection, who: str, known: Person, now: datetime, browser: str, way: str = "") -> str:
    tries.forget(conn, who)
    return create(conn, known.id, now, browser, way)


@contextmanager
def _checked(db: Database, username: str, password: str, now: datetime) -> Iterator[tuple[Connection, Person | None]]:
    """A transaction with the person whose name and password these are; None if they do not go together.

    A hash made in the way of before is made anew, as the password is known at no other time.
    """
    known, method = _named(db.read(), username), password_work(db.read())
    checked = password_hash_of(db.read(), known.id) if known else ""
    right = passwords.matches(password, checked, method)
    anew = passwords.make_hash(password, method) if right and passwords.outdated(checked, method) else ""
    with db.write() as conn:
        if known is not None and not (right and known.active and _stands(conn, known.id, checked, now)):
            known = None
        if known is not None and anew:
            rehash(conn, known.id, anew)
        yield conn, known


def _stands(conn: Connection, person_id: str, checked: str, now: datetime) -> bool:
    """Whether a password was not changed meanwhile, which has ended every session, and has not run out as a start."""
    until = start_until(conn, person_id)
    return password_hash_of(conn, person_id) == checked and (not until or seconds(now) < until)


def unlock(db: Database, token: str, password: str, now: datetime) -> str:
    """Go on with a locked session, whoever's it is, given their password; returns the new token that it has then.

    Raises SignInRefused, and it stays locked. Tries count together with those of signing in.
    """
    signed_in = _open_still(db, token, now)
    who = tries.key(signed_in.person.username)
    tries.count(db, who, now)
    new_token = ""
    with _checked(db, signed_in.person.username, password, now) as (conn, known):
        if known is not None:
            tries.forget(conn, who)
            new_token = _unlocked(conn, signed_in, now)
    if known is None or not new_token:
        raise SignInRefused(ENDED if known else NOT_YOURS)
    return new_token


def unlock_by_passkey(db: Database, token: str, place: passkeys.Place, asked_by: str, sent: str, now: datetime) -> str:
    """Go on with a locked session, given a passkey of its person; returns the new token. SignInRefused if not."""
    signed_in = _open_still(db, token, now)
    if _proved(db, place, asked_by, sent, now) != signed_in.person.id:
        raise SignInRefused(passkeys.NOT_PROVED)
    with db.write() as conn:
        new_token = _unlocked(conn, signed_in, now)
    if not new_token:
        raise SignInRefused(ENDED)
    return new_token


def _open_still(db: Database, token: str, now: datetime) -> SignIn:
    signed_in = lookup(db.read(), token, now)
    if signed_in is None:
        raise SignInRefused(ENDED)
    return signed_in


def _unlocked(conn: Connection, signed_in: SignIn, now: datetime) -> str:
    """The new token of a session that was locked; "" if it has ended meanwhile."""
    conn.execute("UPDATE sign_in SET locked_at = 0 WHERE token_hash = ?", (signed_in.token_hash,))
    return renew(conn, signed_in, now)


def is_own_password(db: Database, one: Person, password: str, now: datetime) -> bool:
    """Whether this is the password of somebody who is signed in; asked before a factor or a password is changed."""
    who = tries.key(one.username)
    tries.count(db, who, now)
    with _checked(db, one.username, password, now) as (conn, known):
        if known is not None:
            tries.forget(conn, who)
    return known is not None


def _named(conn: Connection, username: str) -> Person | None:
    try:
        return by_username(conn, username_of(username))
    except PersonRefused:
        return None
