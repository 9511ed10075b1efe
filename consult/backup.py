"""Backups: a copy made while the tool runs, proved by opening it; and putting one back."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from consult.instance import (
    DATABASE,
    Instance,
    database_file,
    exists,
    make_private,
    only_for_me,
    open_instance,
)
from consult.lock import server_lock
from consult.progress import Progress, silent
from consult.record import ledger
from consult.record.database import APPLICATION_ID, SCHEMA_VERSION, Connection, missing_guards, sqlite3
from consult.record.settings import is_demonstration, provider

FOLDER: Final = "backups"
SIDE_FILES: Final = ("", "-wal", "-shm")


class BackupRefused(Exception):
    """Nothing was replaced; the message says why and what to do."""


@dataclass(frozen=True)
class Proof:
    """What a database was found to hold when it was opened and checked."""

    provider: str
    demonstration: bool
    last_step: int
    head: str
    rows: dict[str, int]


def backup(instance: Instance, target: Path | None) -> tuple[Path, Proof]:
    """Write a backup to a new file (by default in the instance's own folder) and prove it; the tool may be running."""
    file = _target(instance, target)
    part = file.with_name(file.name + ".part")
    try:
        with only_for_me():
            file.parent.mkdir(parents=True, exist_ok=True)
            _copy(instance.db.read(), part)
        proof = prove(part)
        _check_same_log(instance.db.read(), proof)
        _sync(part)
        part.rename(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BackupRefused(f"The backup cannot be written to {file} ({reason}); choose another place.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return file, proof


def _target(instance: Instance, target: Path | None) -> Path:
    name = f"consult-{instance.clock():%Y%m%dT%H%M%SZ}.db"
    if target is None:
        target = instance.folder / FOLDER / name
    elif target.is_dir():
        target = target / name
    if target.exists():
        raise BackupRefused(f"{target} is there already and is not written over; choose another name.")
    return target


def _copy(source: Connection, file: Path) -> None:
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(str(file))) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file that stands alone, without side files


def prove(file: Path, otherwise: str = "use another backup", progress: Progress = silent) -> Proof:
    """Open a database file for reading only and check all of it; BackupRefused says what is wrong and what to do."""
    if not file.is_file():
        raise BackupRefused(f"There is no file {file}; name a backup file.")
    try:
        with read_only(file) as conn:
            if sentence := why_not_whole(conn, progress):
                raise BackupRefused(f"{file} did not pass: {sentence} Now {otherwise}.")
            seq, head = ledger.head(conn)
            return Proof(provider(conn), is_demonstration(conn), seq, head, _rows(conn))
    except (sqlite3.DatabaseError, ValueError) as error:
        raise BackupRefused(f"{file} is no whole database of this program ({error}); {otherwise}.") from error


@contextmanager
def read_only(file: Path) -> Iterator[Connection]:
    """A connection that cannot change the file."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as conn:
        conn.row_factory = sqlite3.Row
        conn.execute("PRAGMA trusted_schema = OFF")
        yield conn


def why_not_whole(conn: Connection, progress: Progress = silent) -> str | None:
    """What is wrong with a database, in a sentence; None if it is ours, undamaged, guarded, and its log holds."""
    if conn.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return "It was not written by this program."
    version = conn.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        return f"It was written by a newer version of this program (schema {version})."
    found = [row[0] for row in conn.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        return f"It is damaged ({found[0]})."
    if missing := missing_guards(conn):
        return f"The guards {', '.join(missing)} of the step log are missing or not as they were."
    with progress(ledger.head(conn)[0], "Steps") as advance:
        return ledger.verify(conn, advance)


def _rows(conn: Connection) -> dict[str, int]:
    tables = [
        row[0]
        for row in conn.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 1) <> '_' "
            "AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
    ]
    return {table: conn.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables}


def _check_same_log(conn: Connection, proof: Proof) -> None:
    """The copy's last step is a step of this log; more may have been written since."""
    step = next(ledger.steps(conn, seq=proof.last_step), None)
    if proof.last_step and (step is None or step.hash != proof.head):
        raise BackupRefused("The copy does not end at a step of this log; run `consult verify`, then try again.")


def _sync(file: Path) -> None:
    for path in (file, file.parent):
        if path.is_file() or os.name == "posix":
            handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def restore(folder: Path, file: Path, now: datetime) -> tuple[Proof, Path | None]:
    """Put a backup back; what was there is kept under another name, which is returned. The file is checked first.

    Held is raised while a server runs, and BackupRefused if the backup is not whole, or would mix demonstration and
    real data.
    """
    proof = prove(file)
    make_private(folder)
    with server_lock(folder), only_for_me():
        if exists(folder):
            _check_not_mixed(folder, proof)
        part = folder / (DATABASE + ".restoring")
        try:
            shutil.copyfile(file, part)
            _sync(part)
            if not filecmp.cmp(file, part, shallow=False):
                raise BackupRefused(f"{file} could not be copied whole; look at the disk, then run this again.")
            kept = _set_aside(folder, now)
            part.replace(database_file(folder))
        finally:
            part.unlink(missing_ok=True)
        _open_or_put_back(folder, kept)
    return proof, kept


def _check_not_mixed(folder: Path, proof: Proof) -> None:
    try:
        with read_only(database_file(folder)) as conn:
            known, demonstration = provider(conn), is_demonstration(conn)
    except sqlite3.DatabaseError:
        return  # what is there cannot be read: the reason to restore
    if known and demonstration != proof.demonstration:
        raise BackupRefused(
            "One of the two holds the demonstration, the other real data, and they are never mixed; "
            "restore into another folder with --instance."
        )
    if known and known != proof.provider:
        raise BackupRefused(
            f"The backup is of provider {proof.provider}, this instance of {known}; restore into another folder."
        )


def _set_aside(folder: Path, now: datetime) -> Path | None:
    if not exists(folder):
        return None
    stamp = f"before-restore-{now:%Y%m%dT%H%M%S.%fZ}"
    kept = folder / f"{DATABASE}.{stamp}"
    for side in SIDE_FILES:
        path = folder / f"{DATABASE}{side}"
        if path.exists():
            path.rename(folder / f"{DATABASE}.{stamp}{side}")
    return kept


def _open_or_put_back(folder: Path, kept: Path | None) -> None:
    try:
        open_instance(folder).close()
    except BaseException:
        for side in SIDE_FILES:
            (folder / f"{DATABASE}{side}").unlink(missing_ok=True)
            if kept and (before := Path(f"{kept}{side}")).exists():
                before.rename(folder / f"{DATABASE}{side}")
        raise
