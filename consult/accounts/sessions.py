"""Signing in: sessions kept on the server, known by the hash of a random token, and a brake on guessing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from consult.accounts import factors, passkeys, passwords, single_sign_on
from consult.accounts.people import (
    Person,
    PersonRefused,
    by_username,
    of_row,
    password_hash_of,
    password_work,
    person,
    rehash,
    start_until,
    username_of,
)
from consult.record.database import Connection, Database, NotWritten

IDLE: Final = timedelta(minutes=15)
"""How long nothing may come from a browser before its session is locked; locking ends nothing."""
WARNING: Final = timedelta(minutes=2)
"""How long before that the page says so."""
ABSOLUTE: Final = timedelta(hours=12)
TRIES: Final = 10
WINDOW: Final = timedelta(minutes=5)
HALF: Final = timedelta(minutes=10)
"""How long a sign-in waits for its code."""
PROVED: Final = timedelta(minutes=5)
"""How long a proof through the provider stands for the password where something of the account is changed."""
BY_PROVIDER: Final = "provider"
START: Final = timedelta(days=7)
"""How long a start password stands."""
FRESH: Final = timedelta(seconds=30)
"""How old `last_seen` may grow before it is written again: one durable write a page would be waste."""

WRONG: Final = "That sign-in name and password do not go together; check both and try again."
NOT_YOURS: Final = "That password is not right; try again, or sign in as somebody else."
ENDED: Final = "This session has ended; sign in again."
WRONG_CODE: Final = "The name, the password and the code do not go together; type the next code, or begin again."
TOO_LATE: Final = "That took too long; begin again with name and password."
TOO_MANY: Final = "There were too many tries with this sign-in name; wait five minutes, then try again."


class SignInRefused(Exception):
    """Nobody was signed in; the message is the same for unknown names and wrong passwords."""


class CodeNeeded(Exception):
    """A code is asked for next, whether name and password were right or not; `token` is the half of a sign-in."""

    def __init__(self, token: str) -> None:
        super().__init__("A code is asked for next.")
        self.token = token


@dataclass(frozen=True)
class SignIn:
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


def sign_in(db: Database, username: str, password: str, now: datetime, browser: str = "") -> tuple[str, Person]:
    """Check a name and a password and open a session; returns its token and the person, or raises SignInRefused.

    Each try counts before the password is looked at, so that tries sent side by side are braked too; one that ends in
    a session clears the count. Where second factors are used, CodeNeeded is raised for whoever has one and for every
    name and password that do not go together, so that nothing tells these apart.
    """
    who = _key(username)
    _count(db, who, now)
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
            half = _half(conn, _key(one.username), one, now, BY_PROVIDER)
        else:
            token = create(conn, one.id, now, browser, BY_PROVIDER, proved)
            debts = owes(conn, one.id)
            settled = (debts == "factor" and assured) or (
                debts == "password" and single_sign_on.password_refused(conn, one)
            )
            if settled:
                conn.execute("UPDATE sign_in SET owes = '' WHERE token_hash = ?", (_hash(token),))
    if half:
        raise CodeNeeded(half)
    return token


def count_try(db: Database, what: str, now: datetime) -> None:
    """Count a try at something that is guessed by no sign-in name; SignInRefused after too many."""
    _count(db, _hash(what), now)


def _proved(db: Database, place: passkeys.Place, asked_by: str, sent: str, now: datetime) -> str:
    try:
        return passkeys.prove(db, place, asked_by, sent, now)
    except passkeys.NotProved as refusal:
        raise SignInRefused(str(refusal)) from refusal


def _begun(db: Database, half: str, now: datetime) -> Any:
    """The sign-in that waits for a second factor, with this try at it counted."""
    row = db.read().execute("SELECT * FROM half_sign_in WHERE token_hash = ?", (_hash(half),)).fetchone()
    if row is None or abs(now - _time(row["created_at"])) >= HALF:
        raise SignInRefused(TOO_LATE)
    _count(db, row["who"], now)
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
    limits = (_seconds(now - HALF), _seconds(now + HALF))
    conn.execute("DELETE FROM half_sign_in WHERE created_at NOT BETWEEN ? AND ?", limits)
    row = (_hash(token), who, known.id if known else "", _seconds(now), way)
    conn.execute("INSERT INTO half_sign_in (token_hash, who, person, created_at, way) VALUES (?, ?, ?, ?, ?)", row)
    return token


def _whole(conn: Connection, who: str, known: Person, now: datetime, browser: str, way: str = "") -> str:
    conn.execute("DELETE FROM failed_try WHERE who = ?", (who,))
    return create(conn, known.id, now, browser, way)


def _count(db: Database, who: str, now: datetime) -> None:
    """Count a try; SignInRefused after too many."""
    with db.write() as conn:
        braked = _tries(conn, who, now) >= TRIES
        if not braked:
            conn.execute("INSERT INTO failed_try (who, at) VALUES (?, ?)", (who, _seconds(now)))
    if braked:
        raise SignInRefused(TOO_MANY)


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
    return password_hash_of(conn, person_id) == checked and (not until or _seconds(now) < until)


def unlock(db: Database, token: str, password: str, now: datetime) -> str:
    """Go on with a locked session, whoever's it is, given their password; returns the new token that it has then.

    Raises SignInRefused, and it stays locked. Tries count together with those of signing in.
    """
    signed_in = lookup(db.read(), token, now)
    if signed_in is None:
        raise SignInRefused(ENDED)
    who = _key(signed_in.person.username)
    _count(db, who, now)
    new_token = ""
    with _checked(db, signed_in.person.username, password, now) as (conn, known):
        if known is not None:
            conn.execute("DELETE FROM failed_try WHERE who = ?", (who,))
            conn.execute("UPDATE sign_in SET locked_at = 0 WHERE token_hash = ?", (signed_in.token_hash,))
            new_token = renew(conn, signed_in, now)
    if known is None or not new_token:
        raise SignInRefused(ENDED if known else NOT_YOURS)
    return new_token


def unlock_by_passkey(db: Database, token: str, place: passkeys.Place, asked_by: str, sent: str, now: datetime) -> str:
    """Go on with a locked session, given a passkey of its person; returns the new token. SignInRefused if not."""
    signed_in = lookup(db.read(), token, now)
    if signed_in is None:
        raise SignInRefused(ENDED)
    if _proved(db, place, asked_by, sent, now) != signed_in.person.id:
        raise SignInRefused(passkeys.NOT_PROVED)
    with db.write() as conn:
        conn.execute("UPDATE sign_in SET locked_at = 0 WHERE token_hash = ?", (signed_in.token_hash,))
        new_token = renew(conn, signed_in, now)
    if not new_token:
        raise SignInRefused(ENDED)
    return new_token


def is_own_password(db: Database, one: Person, password: str, now: datetime) -> bool:
    """Whether this is the password of somebody who is signed in; asked before a factor or a password is changed."""
    who = _key(one.username)
    _count(db, who, now)
    with _checked(db, one.username, password, now) as (conn, known):
        if known is not None:
            conn.execute("DELETE FROM failed_try WHERE who = ?", (who,))
    return known is not None


def lock(conn: Connection, signed_in: SignIn, now: datetime) -> None:
    """Lock a session until its person gives the password."""
    query = "UPDATE sign_in SET locked_at = ? WHERE token_hash = ? AND locked_at = 0"
    conn.execute(query, (_seconds(now), signed_in.token_hash))


def create(
    conn: Connection, person_id: str, now: datetime, browser: str = "", way: str = "", proved: bool = False
) -> str:
    """Open a session for a person and return its token, which is kept nowhere on the server."""
    token = secrets.token_urlsafe(32)
    limits = (_seconds(now - ABSOLUTE), _seconds(now + ABSOLUTE))
    conn.execute("DELETE FROM sign_in WHERE created_at NOT BETWEEN ? AND ?", limits)
    row = (_hash(token), person_id, _seconds(now), _seconds(now), browser[:60], owes(conn, person_id), way)
    conn.execute(
        "INSERT INTO sign_in (token_hash, person, created_at, last_seen, browser, owes, way, proved_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, _seconds(now) if proved else 0),
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
    changed = conn.execute(query, (_hash(token), _seconds(now), signed_in.token_hash)).rowcount
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
    row = conn.execute(f"{WITH_PERSON} WHERE s.token_hash = ?", (_hash(token),)).fetchone()
    return _sign_in(row, now) if row is not None else None


def _sign_in(row: Any, now: datetime) -> SignIn | None:
    created = _time(row["begun_at"])
    seen = max(_time(row["last_seen"]), _used.get(row["token_hash"], created))
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
        proved_at=_time(row["proved_at"]),
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
    conn.execute("UPDATE sign_in SET last_seen = ? WHERE token_hash = ?", (_seconds(now), signed_in.token_hash))


def end(conn: Connection, token: str) -> None:
    """End one session."""
    conn.execute("DELETE FROM sign_in WHERE token_hash = ?", (_hash(token),))


def end_by_hash(conn: Connection, token_hash: str) -> None:
    """End the session of which only the hash of the token is known."""
    conn.execute("DELETE FROM sign_in WHERE token_hash = ?", (token_hash,))


def end_one(conn: Connection, person_id: str, id_: str) -> bool:
    """End the session of a person that their page calls so; whether there was one."""
    query = "DELETE FROM sign_in WHERE person = ? AND substr(token_hash, 1, 16) = ?"
    return bool(conn.execute(query, (person_id, id_)).rowcount)


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
