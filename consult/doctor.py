"""Looking an installation over: each finding is a sentence with what to do, and none changes anything."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from consult import checking
from consult.accounts import breached, factors, passwords, people, sealing
from consult.documents.words import uk_date, when
from consult.in_use import Content, look
from consult.instance import BACKUPS, DATABASE, KEY_FILE, InstanceRefused, check_key, check_there, database_file
from consult.lock import is_served
from consult.proforma.load import ContentError
from consult.proving import BackupRefused, opens, read_only, why_not_whole
from consult.record import cipher, ledger
from consult.record.database import Connection, DatabaseRefused, connect, in_a_line, sqlite3, wal_fault
from consult.record.disk import network_kind
from consult.record.opening import at_rest, check_usable
from consult.record.settings import is_demonstration, keeping, provider, unchecked_routes
from consult.record.store import now_utc
from consult.tending import last_went, newest_backup
from consult.witnessing import WitnessRefused
from consult.witnessing import prove as prove_witness

Weight = Literal["fine", "note", "fault"]
OLD_BACKUP: Final = timedelta(days=2)
OLD_REHEARSAL: Final = timedelta(days=31)
UNENCRYPTED: Final = (
    "The database is not encrypted by this program: see to it that its disk and the backups are, or `consult encrypt`."
)
LOW_SPACE: Final = 500_000_000
CHECK_ROUTES: Final = "check each with whoever answers it, and tick that on the settings page."
SEE_PEOPLE: Final = people.CLINICIANS | {"administrator"}
"""The roles that see clinical data, or look after those who do."""
ASK_FOR_ONE: Final = "Say that these roles need a second factor: Settings, People, Who needs a second factor."
NO_SPACE: Final = 50_000_000
SLOWER: Final = f"take the setting {people.WORK} away, or set it to {passwords.METHOD}."


class Finding(Struct, frozen=True):
    """One thing looked at: fine, worth noting, or a fault to mend."""

    about: str
    weight: Weight
    sentence: str


def examine(folder: Path) -> Iterator[Finding]:
    """Everything the doctor looks at, one finding after the other."""
    yield (sqlite := _sqlite())
    try:
        check_there(folder)
    except InstanceRefused as error:
        yield Finding("instance", "fault", str(error))
        return
    yield (share := _share(folder))
    yield from _permissions(folder)
    yield _space(folder)
    yield _server(folder)
    if "fault" in (sqlite.weight, share.weight):
        return  # there a database is not opened, not even to look at it
    yield from _encryption(database_file(folder))
    yield (found := _database(folder))
    if found.weight != "fault":
        yield from _kept(folder)
        yield from _used(folder)


def _kept(folder: Path) -> Iterator[Finding]:
    """How backups, their rehearsal and the witness stand."""
    try:
        with read_only(database_file(folder), at_rest(database_file(folder))) as conn:
            yield _last_backup(folder, conn)
            yield _last_rehearsal(folder)
            yield _witness(conn)
    except (sqlite3.DatabaseError, ValueError):
        return  # it was taken away meanwhile


def _last_backup(folder: Path, conn: Connection) -> Finding:
    went = last_went(folder).get("backup")
    if went and not went.well:
        return Finding("backup", "fault", f"The backup of {when(went.at)} failed. {went.sentence}")
    try:
        newest = newest_backup(folder, conn, now_utc())
    except BackupRefused as error:
        return Finding("backup", "fault", str(error))
    if newest is None:
        return Finding("backup", "note", "There is no backup yet; make one with `consult backup`.")
    own = f"The server itself made its last {when(went.at)}." if went else "The server itself has made none."
    sentence = f"The newest of {newest.among}, by hand or by the server, is {newest.file}, made {when(newest.at)}"
    if newest.ahead:
        own = f"{newest.ahead} of them bear a time to come in their names, so the clock was wrong. {own}"
    if now_utc() - datetime.fromisoformat(newest.at) > OLD_BACKUP:
        old = "old. Make one with `consult backup`, or let the server run."
        return Finding("backup", "note", f"{sentence}: {old} {own}")
    return Finding("backup", "note" if newest.ahead else "fine", f"{sentence}. {own}")


def _last_rehearsal(folder: Path) -> Finding:
    went = last_went(folder).get("rehearsal")
    if went is None:
        return Finding(
            "rehearsal", "note", "No backup was ever restored aside to see that it can be; `consult rehearse`."
        )
    if not went.well:
        return Finding("rehearsal", "fault", f"The rehearsal of {when(went.at)} failed. {went.sentence}")
    weight: Weight = "note" if now_utc() - datetime.fromisoformat(went.at) > OLD_REHEARSAL else "fine"
    return Finding("rehearsal", weight, f"The last was {when(went.at)}. {went.sentence}")


def _witness(conn: Connection) -> Finding:
    named = keeping(conn, "witness")
    if not named:
        return Finding("witness", "note", "No witness is set, so a log cut short or made anew would not show.")
    try:
        seen = prove_witness(conn, Path(named))
    except WitnessRefused as error:
        return Finding("witness", "fault", str(error))
    return Finding(
        "witness", "fine", f"All {len(seen)} heads in {named} are steps of this log, the last {when(seen[-1].at)}."
    )


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if wal_fault(version):
        return Finding(
            "SQLite", "fault", f"SQLite {version} can lose data in WAL mode; install pysqlite3 (3.53 or later)."
        )
    return Finding("SQLite", "fine", f"SQLite {version} is free of the WAL-reset fault.")


def _encryption(database: Path) -> Iterator[Finding]:
    """Whether this program encrypts the database itself, and who can read its key.

    A key that does not fit the file is said where the database is opened.
    """
    if not cipher.configured():
        if cipher.is_plain(database):
            yield Finding("encryption", "note", UNENCRYPTED)
        return
    if (file := cipher.key_file()) and os.name == "posix" and file.exists() and _others_may(file):
        yield Finding("encryption", "fault", f"Others on this machine can read {file}; run: chmod 600 {file}")
        return
    try:
        cipher.key()
    except cipher.KeyRefused as refusal:
        yield Finding("encryption", "fault", str(refusal))
        return
    if not opens(database):
        return
    with closing(connect(":memory:")) as conn:
        sealed = f"The database is encrypted (SQLCipher {cipher.version(conn)})"
    yield Finding(
        "encryption", "fine", f"{sealed}; its key stands in {cipher.place()} and in no backup. Keep a copy of it apart."
    )


def _share(folder: Path) -> Finding:
    kind = network_kind(folder)
    if kind:
        return Finding(
            "disk", "fault", f"{folder} is on a network share ({kind}), where locks fail; move it to a local disk."
        )
    return Finding("disk", "fine", "The instance is on a local disk.")


def _permissions(folder: Path) -> Iterator[Finding]:
    if os.name != "posix":
        yield Finding("permissions", "note", "Let only the service's own Windows account open the instance folder.")
        return
    open_to = [p for p in (folder, *(folder / name for name in _private(folder))) if _others_may(p)]
    for path in open_to:
        mode = "700" if path.is_dir() else "600"
        yield Finding("permissions", "fault", f"Others on this machine can open {path}; run: chmod {mode} {path}")
    if not open_to:
        yield Finding("permissions", "fine", "Only the owner can open the instance.")


def _private(folder: Path) -> list[str]:
    return [
        p.name
        for p in folder.iterdir()
        if p.name.startswith(DATABASE) or p.name in (KEY_FILE, sealing.KEY_FILE, BACKUPS)
    ]


def _others_may(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    size = database_file(folder).stat().st_size
    words = f"{free // 1_000_000:,} MB are free on the disk of the instance"
    if free < NO_SPACE + 2 * size:
        return Finding("space", "fault", f"Only {words}, too little for a backup; free some space now.")
    if free < LOW_SPACE + 2 * size:
        return Finding("space", "note", f"{words}; free some space soon.")
    return Finding("space", "fine", f"{words}.")


def _server(folder: Path) -> Finding:
    try:
        return Finding("server", "fine", "A server is running." if is_served(folder) else "No server is running.")
    except OSError:
        return Finding("server", "note", "This account cannot tell whether a server is running.")


def _used(folder: Path) -> Iterator[Finding]:
    """What its settings and content would be in use: read only, as opening it for use could change it."""
    try:
        check_key(folder)
        with read_only(database_file(folder), at_rest(database_file(folder))) as conn:
            yield from _inside(conn, look(conn, folder))
    except (DatabaseRefused, InstanceRefused) as error:
        yield Finding("instance", "fault", str(error))
    except ContentError as error:
        yield Finding(
            "content", "fault", f"Content was refused: {error.problems[0]} Run `consult check` for all of it."
        )


def _inside(conn: Connection, content: Content) -> Iterator[Finding]:
    for problem in content.problems:
        yield Finding("content", "fault", f"Refused, and an older version is in use: {problem}")
    if not provider(conn):
        yield Finding("settings", "fault", "The instance is not set up; run `consult init`.")
    if not is_demonstration(conn) and passwords.weaker(method := people.password_work(conn)):
        yield Finding("passwords", "fault", f"Passwords are hashed by {method}, which is too quick; {SLOWER}")
    if (named := people.breached_list(conn)) and (sentence := breached.why_not(Path(named))):
        yield Finding("passwords", "fault", sentence)
    yield from _second_factors(conn)
    for code, day in unchecked_routes(conn, now_utc().astimezone().date()).items():
        when_ = f"last checked on {uk_date(day)}" if day else "never checked"
        yield Finding("routes", "note", f"The urgent numbers of site {code} were {when_}; {CHECK_ROUTES}")
    for point in checking.open_points(conn, content):
        yield Finding("settings", "note", point)


def _second_factors(conn: Connection) -> Iterator[Finding]:
    """Who works with clinical data without one; whether their secrets are encrypted, and can be read."""
    needed, working = factors.required(conn), {one.role for one in people.people(conn) if one.active}
    without = [label for role, label in people.ROLES.items() if role in working & SEE_PEOPLE and role not in needed]
    if without and not is_demonstration(conn):
        yield Finding("second factors", "note", f"The password alone signs in: {', '.join(without)}. {ASK_FOR_ONE}")
    n, sealed = sealing.how_kept(conn)
    if sentence := sealing.unreadable(conn):
        yield Finding("second factors", "fault", sentence)
    elif n > sealed:
        where = sealing.place_of(conn).words
        yield Finding(
            "second factors",
            "fault",
            f"{n - sealed} secrets are not encrypted; see to it that {where} can "
            "be written, then start the server again.",
        )
    elif n:
        kept = f"Their secrets are encrypted; the key stands in {sealing.place_of(conn).words} and in no backup."
        yield Finding("second factors", "fine", f"{kept} Keep a copy of it apart from them.")


def _database(folder: Path) -> Finding:
    try:
        check_usable(database_file(folder))
        with read_only(database_file(folder), at_rest(database_file(folder))) as conn:
            sentence = why_not_whole(conn)
            seq = ledger.head(conn)[0] if sentence is None else 0
    except DatabaseRefused as error:
        return Finding("database", "fault", str(error))
    except (sqlite3.DatabaseError, ValueError) as error:  # a report of damage need not be text
        sentence = f"It cannot be read ({in_a_line(error)})."
    if sentence is not None:
        return Finding("database", "fault", f"The database is not whole. {sentence} Restore a backup.")
    return Finding("database", "fine", f"The database is whole, its guards are in place, and its {seq} steps hold.")
