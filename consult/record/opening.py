"""Opening the database of an instance: what is refused, and the upgrade of an older schema, whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from consult.record import cipher, ledger
from consult.record.database import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    Connection,
    Database,
    DatabaseRefused,
    NotWritten,
    connect,
    in_a_line,
    missing_guards,
    put_guards,
    record_schema,
    sqlite3,
    to_read,
    triggers,
    wal_fault,
    why_not_written,
)
from consult.record.disk import network_kind
from consult.record.migrations import ACCOUNT, AccountDamaged, Migrations
from consult.record.store import Clock, now_utc
from consult.record.timekeeping import stamp

SIDE_FILES: Final = ("-wal", "-shm", "-journal")
READONLY: Final = 8  # SQLITE_READONLY
UNREADABLE: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite says of a damaged file; its sentence may quote what is no text."""
Before = Callable[[Database, int], None]


def open_database(
    file: Path,
    *schemas: Migrations,
    create: bool = True,
    before_upgrade: Before | None = None,
    actor: str = "program",
    clock: Clock = now_utc,
) -> Database:
    """Open (or create) the database of an instance and bring it up to date; DatabaseRefused says why not.

    `before_upgrade` is called with the database and its schema version before an older one is changed: a backup is
    made there, and nothing is changed if it raises.
    """
    check_usable(file, create, version_of)  # its guards are looked at where it is used, once
    try:
        db = Database(file)
        try:
            version = check_ours(db.read(), file)
            if version and version < SCHEMA_VERSION and before_upgrade:
                before_upgrade(db, version)
            _upgrade(db, (record_schema, *schemas), actor, clock)
        except BaseException:
            db.close()
            raise
    except NotWritten as error:
        why = why_not_written(error.__cause__)
        raise DatabaseRefused(
            f"{file} was not brought up to date, as {why}; it is as it was. Make room on its disk, or mend what holds "
            "it, then start again."
        ) from error
    except UNREADABLE as error:
        raise DatabaseRefused(_why_not_opened(file, error)) from error
    return db


def version_of(conn: Connection, file: Path) -> int:
    """The schema version of a database (0 while it is empty); DatabaseRefused if it is not one of this program."""
    application = conn.execute("PRAGMA application_id").fetchone()[0]
    version = int(conn.execute("PRAGMA user_version").fetchone()[0])
    foreign = application != APPLICATION_ID or version < 1
    if foreign and conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DatabaseRefused(f"{file} belongs to another program; choose another instance folder.")
    if version > SCHEMA_VERSION:
        raise DatabaseRefused(f"{file} was written by a newer version (schema {version}); upgrade this program.")
    return version


def check_ours(conn: Connection, file: Path) -> int:
    """The same of one to be used as it is, with the guards of its step log."""
    version = version_of(conn, file)
    if version and (missing := missing_guards(conn)):
        raise DatabaseRefused(_guards_gone(missing, bool(triggers(conn).keys() & set(missing))))
    return version


def check_usable(file: Path, create: bool = False, check: Callable[[Connection, Path], int] = check_ours) -> None:
    """Refuse, without changing anything, a database that is not one to be used here as it is: DatabaseRefused.

    It is looked at for reading only: opening it for use would turn another program's database to WAL.
    """
    if wal_fault(sqlite3.sqlite_version):
        raise DatabaseRefused(
            f"SQLite {sqlite3.sqlite_version} can damage a database in WAL mode; install pysqlite3 (3.53 or later)."
        )
    _check_file(file, create)
    if not file.exists():
        return
    try:
        with closing(connect(to_read(file.resolve(), at_rest(file)), uri=True)) as conn:
            check(conn, file)
    except UNREADABLE as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != READONLY:  # a journal is left, which a writer takes back
            raise DatabaseRefused(_why_not_opened(file, error)) from error


def at_rest(file: Path) -> str:
    """How a look at a database nobody has open makes no side files, which only a writer would remove again."""
    return "" if Path(f"{file}-wal").exists() else "&immutable=1"


def _why_not_opened(file: Path, error: Exception) -> str:
    if sentence := cipher.why_unreadable(file, error):
        return sentence
    if "locked" in str(error) or "busy" in str(error):
        return f"{file} is held by another program; wait until it has finished, then try again."
    if "full" in str(error):
        return f"The disk of {file} is full; free some space, then try again."
    why = in_a_line(error)
    if why_not_written(error):  # not what it holds, but the disk: a restore would meet the same
        return f"{file} cannot be opened, as its disk does not do what is asked ({why}); make room on it, or mend it."
    return f"{file} cannot be opened as a database ({why}); restore a backup{cipher.or_its_key(error)}."


def _check_file(file: Path, create: bool) -> None:
    if kind := network_kind(file.parent):
        raise DatabaseRefused(
            f"{file} is on a network share ({kind}), where the locks of a database fail; move it to a local disk."
        )
    for path in (file.parent, file, *(Path(f"{file}{side}") for side in SIDE_FILES)):
        if path.is_symlink():
            raise DatabaseRefused(f"{path} is a symbolic link; point the instance at the real folder instead.")
    if not file.exists():
        _check_absent(file, create)
        return
    if file.stat().st_size == 0:
        raise DatabaseRefused(f"{file} is empty, though data was there; restore a backup or remove the empty file.")
    if file.stat().st_nlink > 1:
        raise DatabaseRefused(
            f"{file} has a second name (a hard link), under which it could be changed unnoticed; remove that name."
        )
    _check_may_write(file)


def _check_absent(file: Path, create: bool) -> None:
    left = [path for path in (Path(f"{file}{side}") for side in SIDE_FILES) if path.exists() and path.stat().st_size]
    if left:
        raise DatabaseRefused(
            f"There is no database at {file}, though {left[0].name} says that one was there; restore a backup."
        )
    if not create:
        raise DatabaseRefused(f"There is no database at {file}; run `consult init` or `consult demo` first.")
    if file.parent.exists() and not os.access(file.parent, os.W_OK | os.X_OK):
        raise DatabaseRefused(f"{file.parent} cannot be written to; let the account that runs this program own it.")


def _check_may_write(file: Path) -> None:
    for path in (file.parent, file, *(Path(f"{file}{side}") for side in SIDE_FILES)):
        if path.exists() and _is_anothers(path):
            raise DatabaseRefused(
                f"{path} belongs to another account; run this as that account, or give it to this one."
            )
        if path.exists() and not os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)):
            raise DatabaseRefused(
                f"{path} cannot be read and written by this account; let the account that runs this program own it, "
                "and let the disk be writable."
            )


def _is_anothers(path: Path) -> bool:
    """Whether a file belongs to another account than the one that runs this; the system's own may open any."""
    return sys.platform != "win32" and os.geteuid() not in (0, path.stat().st_uid)


def _guards_gone(missing: list[str], replaced: bool) -> str:
    how = "were replaced" if replaced else "are missing"
    return (
        f"The guards {', '.join(missing)} of the step log {how}, so steps may have been changed; restore a backup, or "
        "run `consult guard`, which proves the log before it puts them back."
    )


def _upgrade(db: Database, schemas: tuple[Migrations, ...], actor: str, clock: Clock) -> None:
    """Apply all that is pending in one transaction, guards, version and the step that says so included."""
    if not _pending(db, schemas) and _version(db.read()) == SCHEMA_VERSION:
        return
    with db.write() as conn:
        before = _version(conn)
        for schema in schemas:
            schema.apply(conn)
        put_guards(conn)
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        conn.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        if before and before != SCHEMA_VERSION:
            content = {"from": before, "to": SCHEMA_VERSION}
            ledger.append(conn, ledger.Draft("schema_migrated", content, actor, stamp(clock())))
            if sentence := ledger.verify(conn):
                raise DatabaseRefused(
                    f"The step log does not hold after the upgrade ({sentence}); nothing was changed."
                )
    if missing := missing_guards(db.read()):
        raise DatabaseRefused(f"The guards {', '.join(missing)} of the step log are missing; restore a backup.")


def _pending(db: Database, schemas: tuple[Migrations, ...]) -> bool:
    try:
        return any(schema.pending(db.read()) for schema in schemas)
    except AccountDamaged as error:
        raise DatabaseRefused(
            f"What was done to the database is told in a damaged table ({ACCOUNT}); restore a backup."
        ) from error


def put_guards_back(file: Path, actor: str, clock: Clock = now_utc) -> list[str]:
    """Put missing guards back once the log has been proved, with a step that says so; returns their names.

    DatabaseRefused is raised if the log does not hold: then steps were changed, and guards would only hide it.
    """
    _check_file(file, create=False)
    db = Database(file)
    try:
        with db.write() as conn:
            missing = missing_guards(conn)
            if _version(conn) != SCHEMA_VERSION:
                raise DatabaseRefused("The guards of an older version are missing; restore a backup.")
            if sentence := ledger.verify(conn):
                raise DatabaseRefused(
                    f"The guards were not put back, as the log does not hold. {sentence} Restore a backup."
                )
            if missing:
                put_guards(conn)
                ledger.append(conn, ledger.Draft("guards_put_back", {"guards": missing}, actor, stamp(clock())))
        return missing
    finally:
        db.close()


def _version(conn: Connection) -> int:
    return int(conn.execute("PRAGMA user_version").fetchone()[0])
