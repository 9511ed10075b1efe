"""The brake on guessing: tries are counted by what is guessed, and after too many nothing is looked at for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from consult.accounts.people import PersonRefused, username_of
from consult.accounts.sessions import hash_of, seconds
from consult.record.database import Connection, Database

TRIES: Final = 10
WINDOW: Final = timedelta(minutes=5)

TOO_MANY: Final = "There were too many tries with this sign-in name; wait five minutes, then try again."


class SignInRefused(Exception):
    """Nobody was signed in; the message is the same for unknown names and wrong passwords."""


def count_try(db: Database, what: str, now: datetime) -> None:
    """Count a try at something that is guessed by no sign-in name; SignInRefused after too many."""
    count(db, hash_of(what), now)


def count(db: Database, who: str, now: datetime) -> None:
    """Count a try; SignInRefused after too many."""
    with db.write() as conn:
        braked = _tries(conn, who, now) >= TRIES
        if not braked:
            conn.execute("INSERT INTO failed_try (who, at) VALUES (?, ?)", (who, seconds(now)))
    if braked:
        raise SignInRefused(TOO_MANY)


def forget(conn: Connection, who: str) -> None:
    """Let a try that was right clear the count."""
    conn.execute("DELETE FROM failed_try WHERE who = ?", (who,))


def key(username: str) -> str:
    """What tries are counted under: a hash, as people type passwords into the wrong field."""
    try:
        return hash_of(username_of(username))
    except PersonRefused:
        return hash_of(username)


def _tries(conn: Connection, who: str, now: datetime) -> int:
    past, ahead = seconds(now - WINDOW), seconds(now + WINDOW)  # one from a clock that was ahead would last for ever
    conn.execute("DELETE FROM failed_try WHERE at <= ? OR at > ?", (past, ahead))
    return int(conn.execute("SELECT count(*) FROM failed_try WHERE who = ?", (who,)).fetchone()[0])
